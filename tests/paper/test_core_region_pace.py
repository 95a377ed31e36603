"""Building of a whole region at rising cost, solved on paper.

The fleet of 10 kwpm is worth 1,000 at the cost of new fabs, and 1,100 in 2026, when
reference demand is 11. The first band ends at 4% of it, 44 MUSD of capital, the second
at 10%; the second costs 5% more than the first, which is free, and the third 50%.
"""

from __future__ import annotations

import pytest
from helpers import change
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
    first_year,
    line,
    project,
    project_fact,
    step,
)

from chipmodel import run

PREMIUM = 0.05
BANDS = (
    change("region_pace", {"step": 1, "item": "share"}, value=0.04),
    change("region_pace", {"step": 2, "item": "share"}, value=0.1),
    change("region_pace", {"step": 2, "item": "premium"}, value=PREMIUM),
    change("region_pace", {"step": 3, "item": "premium"}, value=0.5),
)


def test_the_second_band_sets_the_price(variant):
    """A wafer of the second band costs 60 + 5% of the annuity, 60.75.

    The step of demand that ends at 0.99 is worth more, the next 60.002: 10.89 kwpm are
    served, 0.89 of them new. Of their 89 MUSD, 44 fill the first band, which earns the
    difference, and 45 the second.
    """
    data = bare(variant, *BANDS, fleets={"AAA": 10}, place={"AAA": 1}, congestion=1)
    solution = run(data, NOTHING)
    assert built_in_regions(solution) == {("AAA", 2026): exactly(0.89)}
    extra = PREMIUM * CRF
    price = abs(solution.duals("demand_balance")["AAA", "chip", 2026])
    assert price == exactly(PRICE + extra * CAPEX)
    assert line(solution, "congestion", 2026) == exactly(extra * 45)
    assert line(solution, "congestion_cash", 2026) == exactly(PREMIUM * 45)
    assert line(solution, "capital", 2026) == exactly(89 * CRF)
    gains = solution.account.gains
    assert gains["builders:AAA"] == exactly(DF[1] * extra * 44)
    cost = OLD * 10.89 + PLANT * 0.89 + extra * 45 - PRICE * 11 * area(0.99)
    assert solution.objective == exactly(first_year() + DF[1] * cost)


def test_half_the_congestion_costs_half_as_much(variant):
    """At half the scale a wafer of the second band costs 60.37, still above 60.002."""
    data = bare(variant, *BANDS, fleets={"AAA": 10}, place={"AAA": 1}, congestion=0.5)
    solution = run(data, NOTHING)
    assert built_in_regions(solution) == {("AAA", 2026): exactly(0.89)}
    assert line(solution, "congestion", 2026) == exactly(PREMIUM * CRF * 45 / 2)


def test_what_is_committed_is_exempt(variant):
    """Of the new fabs 0.5 kwpm are committed and fill no band.

    The first band holds 0.44 kwpm more: 0.94 are built, which the step from 0.99 to
    1.01 takes at 60.002, and its width is worth what this exceeds 60.
    """
    data = bare(
        variant,
        *BANDS,
        project(value=0.5, earliest=2026),
        project_fact("committed", 1.0),
        fleets={"AAA": 10},
        place={"AAA": 1},
        congestion=1,
    )
    solution = run(data, NOTHING)
    assert built_in_regions(solution) == {("AAA", 2026): exactly(0.94)}
    assert line(solution, "congestion", 2026) == 0.0
    worth = PRICE * step(1.0) - PRICE
    width = solution.duals("band_width")["AAA", 0, 2026]
    assert width == pytest.approx(worth / CAPEX, rel=1e-8)


def test_the_best_year_bounds_a_band(variant):
    """The best year on record is 22 MUSD of equipment, and equipment three quarters.

    The first band may reach 1.5 times that year, 44 MUSD as before; the third starts at
    twice it, 58.67. Capital beyond costs half more, so that 0.5867 kwpm are built.
    """
    data = bare(
        variant,
        *BANDS,
        change("region_pace", {"item": "share"}, value=1),
        change("billings", value=22),
        fleets={"AAA": 10},
        place={"AAA": 1},
        congestion=1,
    )
    solution = run(data, NOTHING)
    widths = solution.parameters.pace.widths
    assert widths["AAA", 0, 2026] == exactly(1.5 * 22 / 0.75)
    assert widths["AAA", 1, 2026] == exactly(0.5 * 22 / 0.75)
    extra = PREMIUM * CRF
    assert line(solution, "congestion", 2026) == exactly(extra * 0.5 * 22 / 0.75)
    assert built_in_regions(solution) == {("AAA", 2026): exactly(2 * 0.22 / 0.75)}
