"""Plants, capital, demand and fleets, solved on paper."""

from __future__ import annotations

from collections import defaultdict

import pytest
from helpers import change, parameters, world_of
from paper import (
    CAPEX,
    CRF,
    DF,
    INPUTS,
    NOTHING,
    OLD,
    OTHER,
    PRICE,
    RUNNING,
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


def test_the_first_marginal_plant_sets_the_price(variant):
    """The price is the full cost of the marginal plant plus other value added, which is
    the reference price.

    Other value added is 60 less the long-run cost, and the plant at multiplier 1 has
    that cost.
    """
    data = bare(variant, fleets={"AAA": 10}, place={"AAA": 1})
    solution = run(data, NOTHING)
    prices = solution.parameters.prices
    assert prices.long_run["chip"] == exactly(CRF * CAPEX + RUNNING + INPUTS)
    assert solution.duals("demand_balance")["AAA", "chip", 2026] == exactly(
        prices.long_run["chip"] + OTHER
    )


def test_one_plant_in_one_year_costs_capex_times_capital_recovery(variant):
    """Demand at the reference price grows from 10 to 11; a plant takes no time to
    build.

    Full cost of a new wafer is the reference price 60, so the step 0.99 to 1.01 (worth
    60.002) is served and the next (58.8) is not: 11.11 kwpm, of which 1.11 new. Capital
    in 2026 is 1.11 x 100 x CRF.
    """
    data = bare(variant, fleets={"AAA": 10}, place={"AAA": 1})
    solution = run(data, NOTHING)
    assert built_in_regions(solution) == {("AAA", 2026): exactly(1.11)}
    assert line(solution, "capital", 2026) == exactly(1.11 * CAPEX * CRF)
    cost = OLD * 11.11 + (CRF * CAPEX + RUNNING) * 1.11
    assert solution.objective == exactly(
        first_year() + DF[1] * (cost - PRICE * 11 * area(1.01))
    )


def test_interest_during_construction(variant):
    """Two years to build, shell (a quarter) paid evenly over both, tools in the second.

    Spending is 1/8 and 7/8, so capital at the start of production is 1/8 x 1.08^2 + 7/8
    x 1.08 = 1.0908 for each MUSD paid. Demand is constant until 2028 and then grows by
    a tenth; the plant is started in 2026. Other value added falls by the interest, and
    the price stays 60.
    """
    data = bare(
        variant,
        change("construction", {"item": "build"}, value=24),
        fleets={"AAA": 10},
        place={"AAA": 1},
        growth=(0.0, 0.0, 0.1),
    )
    solution = run(data, NOTHING)
    interest = 0.125 * 1.08**2 + 0.875 * 1.08
    other = PRICE - CRF * CAPEX * interest - RUNNING - INPUTS
    assert built_in_regions(solution) == {("AAA", 2026): exactly(1.11)}
    assert line(solution, "capital", 2028) == exactly(1.11 * CAPEX * interest * CRF)
    assert line(solution, "capital", 2027) == 0.0
    cash = solution.account.rows
    paid = {
        year: -value
        for account, _, _, _, year, value, _ in cash
        if account == "capital_cash"
    }
    assert paid == {2026: exactly(0.125 * 111), 2027: exactly(0.875 * 111)}
    inactive = (INPUTS + other) * 10 - PRICE * 10 * area(1.0)
    last = (
        (INPUTS + other) * 11.11
        + (CRF * CAPEX * interest + RUNNING) * 1.11
        - PRICE * 11 * area(1.01)
    )
    assert solution.objective == exactly(inactive * sum(DF[:3]) + DF[3] * last)
    price = solution.duals("demand_balance")["AAA", "chip", 2028]
    assert abs(price) == exactly(PRICE)


def test_lead_time_is_split_over_two_years(variant):
    """A committed plant of 4 kwpm, eighteen months to build, started at the beginning
    of 2026.

    It is ready in mid 2027: 2 kwpm of it count in 2027, 4 in 2028, and so does its
    annuity. The reference quantity is 11 and 12.1, so everything made is bought, at a
    price below a new plant's cost: 12 of 11 lies in the step 1.09 to 1.13, 14 of 12.1
    in 1.13 to 1.18.
    """
    data = bare(
        variant,
        project(value=4, earliest=2027),
        project_fact("committed", 1.0),
        change("construction", {"item": "build"}, value=18),
        fleets={"AAA": 10},
        place={"AAA": 1},
        growth=(0.0, 0.1, 0.1),
    )
    solution = run(data, NOTHING)
    shell, tools = (2 / 3, 1 / 3), (0.5, 0.5)
    interest = sum(
        (0.25 * a + 0.75 * b) * 1.08 ** (1.5 - k)
        for k, (a, b) in enumerate(zip(shell, tools, strict=True))
    )
    other = PRICE - CRF * CAPEX * interest - RUNNING - INPUTS
    assert built_in_regions(solution) == {("AAA", 2026): exactly(4)}
    made = solution.columns("made")
    assert made["chip", "AAA", 2027] == exactly(12)
    assert made["chip", "AAA", 2028] == exactly(14)
    annuity = CRF * CAPEX * interest
    assert line(solution, "capital", 2027) == exactly(2 * annuity)
    assert line(solution, "capital", 2028) == exactly(4 * annuity)
    value = [10 * area(1.0), 10 * area(1.0), 11 * area(12 / 11), 12.1 * area(14 / 12.1)]
    cost = [
        (INPUTS + other) * q + (RUNNING + annuity) * new
        for q, new in [(10, 0), (10, 0), (12, 2), (14, 4)]
    ]
    assert solution.objective == exactly(
        sum(d * (c - PRICE * v) for d, c, v in zip(DF, cost, value, strict=False))
    )


def test_committed_project_in_an_expensive_place(variant):
    """BBB builds at 100, AAA at 110.

    One kwpm is committed in AAA, so it is built there.

    That costs 10 x CRF a year more than in BBB, and this is the dual of the commitment.
    A world that frees commitments builds everything in BBB.
    """
    data = bare(
        variant,
        project(value=1, earliest=2026),
        project_fact("committed", 1.0),
        fleets={"BBB": 10},
        place={"AAA": 1.1, "BBB": 1},
    )
    bound, free = run(data, NOTHING), run(data, NOTHING, world_of(data, committed=0.0))
    assert built_in_regions(free) == {("BBB", 2026): exactly(1.11)}
    assert built_in_regions(bound) == {
        ("AAA", 2026): exactly(1),
        ("BBB", 2026): exactly(0.11),
    }
    assert bound.objective - free.objective == pytest.approx(DF[1] * CRF * 10, rel=1e-8)
    assert bound.duals("commitment")["alpha_one", 2026] == exactly(CRF * 10)


def test_demand_steps_set_the_price_and_the_surplus(variant):
    """In 2025 supply is 10 and ends inside the step 0.99 to 1.01, which sets the price.

    In 2026 a new plant sets it at 60 and 1.01 times the reference is served. Surplus is
    value less price times quantity.
    """
    data = bare(variant, fleets={"AAA": 10}, place={"AAA": 1})
    solution = run(data, NOTHING)
    price = {
        year: abs(dual)
        for (_, _, year), dual in solution.duals("demand_balance").items()
    }
    assert price[2025] == exactly(PRICE * step(1.0))
    assert price[2026] == exactly(PRICE)
    surplus = PRICE * 10 * (area(1.0) - step(1.0)) + DF[1] * PRICE * 11 * (
        area(1.01) - 1.01
    )
    assert solution.account.gains["users:AAA"] == exactly(surplus)
    fleet = 10 * (PRICE * step(1.0) - OLD) + DF[1] * 10 * (PRICE - OLD)
    assert solution.account.gains["fab:alpha@AAA"] == exactly(fleet)


def test_fleets_idle_from_the_most_expensive_wafers_down_to_the_trough(variant):
    """Two fleets of 5, utilisation at least 0.6, 0.8 in 2025, at most 1; running 14.4
    in AAA, 12 in BBB.

    Up to 0.6 running cost is paid anyway: 3 + 3 kwpm cost materials only. Above lie
    five steps of 0.4 kwpm at 0.8, 0.9, 1.0, 1.1, 1.2 times the running cost: BBB 9.6,
    10.8, 12, 13.2, 14.4, AAA 11.52, 12.96, 14.4, 15.84, 17.28. Other value added is 60
    - (100 CRF + 13.2 + 6).
    2026: reference 5.6. The step 1.25 to 1.4 is worth 45.3, the next 38.8; materials
    and other value are 31.9, so wafers run up to a running cost of 13.4, and 1.4 x 5.6
    = 7.84 are bought: 6 free, then 9.6, 10.8, 11.52, 12 (0.4 each), and 0.24 at 12.96,
    which sets the price.
    2027: reference 4.2. 6 of 4.2 lies in the step 1.4 to 1.7, worth 38.8, below the
    first running step: both fleets idle to the trough and neither shuts.
    """
    data = bare(
        variant,
        *(
            change("operation", {"item": i}, value=v)
            for i, v in [("u_min", 0.6), ("u_base", 0.8), ("u_max", 1.0)]
        ),
        change("cost_factors", {"region": "AAA", "item": "running"}, value=1.2),
        parameters(running_spread=0.25),
        fleets={"AAA": 5, "BBB": 5},
        place={"AAA": 1, "BBB": 1},
        growth=(-0.3, -0.25),
    )
    solution = run(data, NOTHING)
    other = PRICE - (CRF * CAPEX + 13.2 + INPUTS)
    output = defaultdict(float)
    for (site, _, year), value in solution.columns("output").items():
        output[site, year] += value
    assert output["fleet_aaa_chip_alpha", 2026] == exactly(3 + 0.4 + 0.24)
    assert output["fleet_bbb_chip_beta", 2026] == exactly(3 + 3 * 0.4)
    assert output["fleet_aaa_chip_alpha", 2027] == exactly(3)
    assert output["fleet_bbb_chip_beta", 2027] == exactly(3)
    price = {
        year: abs(dual)
        for (_, _, year), dual in solution.duals("demand_balance").items()
    }
    assert price[2026] == exactly(other + INPUTS + 12.96)
    assert price[2027] == exactly(PRICE * step(6 / 4.2))
    running = 0.4 * (9.6 + 10.8 + 11.52 + 12) + 0.24 * 12.96
    assert line(solution, "running", 2026) == exactly(running)
    assert line(solution, "running", 2027) == exactly(0.0)
