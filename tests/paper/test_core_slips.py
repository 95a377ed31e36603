"""Announced projects that come later than announced, solved on paper."""

from __future__ import annotations

from helpers import parameters
from paper import (
    CAPEX,
    CRF,
    DF,
    NOTHING,
    OLD,
    PLANT,
    PRICE,
    area,
    bare,
    built_in_regions,
    exactly,
    line,
    project,
    project_fact,
)

from chipmodel import run


def test_a_committed_project_comes_later_by_the_slip(variant):
    """A committed plant of 4 kwpm takes no time to build and is announced for 2026.

    It starts in 2026 and slips by half of three years, to the middle of 2027: 2 count,
    and 4 in 2028, and so does its annuity. The reference quantity is 10, 11 and 12.1,
    so that everything made is bought, at a price below a new plant's cost.
    """
    data = bare(
        variant,
        project(value=4, earliest=2026),
        project_fact("committed", 1.0),
        parameters(slip=3.0),
        fleets={"AAA": 10},
        place={"AAA": 1},
        growth=(0.0, 0.1, 0.1),
        slip=0.5,
    )
    solution = run(data, NOTHING)
    assert built_in_regions(solution) == {("AAA", 2026): exactly(4)}
    made = solution.columns("made")
    assert [made["chip", "AAA", t] for t in (2026, 2027, 2028)] == [
        exactly(10),
        exactly(12),
        exactly(14),
    ]
    assert line(solution, "capital", 2027) == exactly(2 * CRF * CAPEX)
    assert line(solution, "capital", 2028) == exactly(4 * CRF * CAPEX)
    value = [10 * area(1.0), 10 * area(1.0), 11 * area(12 / 11), 12.1 * area(14 / 12.1)]
    cost = [OLD * q + PLANT * new for q, new in [(10, 0), (10, 0), (12, 2), (14, 4)]]
    assert solution.objective == exactly(
        sum(d * (c - PRICE * v) for d, c, v in zip(DF, cost, value, strict=False))
    )
