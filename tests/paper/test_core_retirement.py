"""Fleets that retire, solved on paper.

Fabs run at full use, so that all running cost of a fleet, 12 a year, is paid whether it
runs or not. Retiring saves half of it, 6, and costs a fiftieth of the capital of a new
fab, 2, once.
"""

from __future__ import annotations

from helpers import parameters, run_without
from paper import (
    DF,
    NOTHING,
    OLD,
    PRICE,
    area,
    bare,
    built_in_regions,
    exactly,
    first_year,
    line,
)

from chipmodel import run

SAVED, ONCE = 6.0, 2.0
HALF = parameters(fixed_cost_saved=0.5, retirement_cost=0.02)
FLEET = "fleet_aaa_chip_alpha"


def retired(solution):
    """Retired capacity of the fleet by year."""
    return {t: v for (_, t), v in solution.columns("retired").items()}


def test_what_demand_leaves_idle_retires(variant):
    """Demand at the reference price falls from 10 to 5.

    A wafer of the fleet costs 33.1. The step 1.4 to 1.7 is worth 38.8, more than the
    33.1 + 4 that keeping a kwpm costs, and the next less: 8.5 kwpm run and 1.5 retire.
    The price is what keeps the marginal kwpm in service.
    """
    data = bare(
        variant,
        HALF,
        fleets={"AAA": 10},
        place={"AAA": 1},
        growth=(-0.5,),
        retirement=1,
    )
    solution = run(data, NOTHING)
    assert retired(solution) == {2026: exactly(1.5)}
    assert solution.columns("made")["chip", "AAA", 2026] == exactly(8.5)
    price = abs(solution.duals("demand_balance")["AAA", "chip", 2026])
    assert price == exactly(OLD + SAVED - ONCE)
    assert line(solution, "retirement", 2026) == exactly(1.5 * ONCE)
    saved = solution.accounts.query("account == 'fixed_cost' and year == 2026")
    assert saved.value.sum() == exactly(1.5 * SAVED)
    standing = solution.capacity.query("year == 2026").value
    assert standing.sum() == exactly(8.5)
    cost = OLD * 8.5 - PRICE * 5 * area(1.7) - 1.5 * (SAVED - ONCE)
    assert solution.objective == exactly(first_year() + DF[1] * cost)


def test_a_fleet_waits_for_demand_to_return(variant):
    """Demand falls to 5 for a year and returns: 1.5 kwpm are idle and do not retire.

    Retiring for good would save 4 and then 6, and lose 26.9, the cost of a new fab. If
    what had retired could return, its charge of 2 would be refunded a year later: it
    would keep 5.9 of the 6, more than the 5.7 by which the step 1.4 to 1.7 exceeds the
    cost of a wafer, so that 7 kwpm would run and 3 retire for the year.
    """
    data = bare(
        variant,
        HALF,
        fleets={"AAA": 10},
        place={"AAA": 1},
        growth=(-0.5, 1.0),
        retirement=1,
    )
    solution = run(data, NOTHING)
    assert retired(solution) == {2026: 0.0, 2027: 0.0}
    assert solution.columns("made")["chip", "AAA", 2026] == exactly(8.5)
    returning = run_without(data, NOTHING, ("retired_for_good",))
    assert retired(returning) == {2026: exactly(3), 2027: 0.0}


def test_an_announced_retirement_is_replaced(variant):
    """Three of ten kwpm retire by announcement, and nothing is saved.

    New fabs at the reference price make up for it, to the edge of the step at 1.01:
    3.1 kwpm. What retiring costs is paid once, in 2026.
    """
    announced = {"site": FLEET, "year": 2026, "share": 0.3, "source": "own"}
    data = bare(
        variant,
        HALF,
        fleets={"AAA": 10},
        place={"AAA": 1},
        growth=(0.0, 0.0),
        retire=[announced],
    )
    solution = run(data, NOTHING)
    assert retired(solution) == {2026: exactly(3), 2027: exactly(3)}
    assert built_in_regions(solution) == {("AAA", 2026): exactly(3.1)}
    assert line(solution, "retirement", 2026) == exactly(3 * ONCE)
    assert line(solution, "retirement", 2027) == 0.0
