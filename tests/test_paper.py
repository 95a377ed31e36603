"""Programmes solved on paper: plants, capital, demand, fleets, support and budgets."""

from __future__ import annotations

from collections import defaultdict

import pytest
from helpers import add, case_of, change, parameters, rows, world_of
from paper import CAPEX, CRF, DF, INPUTS, OTHER, PRICE, RUNNING, area, bare, step

from chipmodel import CapexGrant, Case, InvestmentTaxCredit, Policy, Solution, run
from chipmodel.model.parameters.parameters import Parameters

EXACT = 1e-9
NOTHING = Case(name="nothing")
OLD = INPUTS + OTHER
"""Cost of a wafer from a fleet that runs anyway."""


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)


def exactly(value: float):
    return pytest.approx(value, rel=EXACT, abs=EXACT)


def built(solution: Solution) -> dict[tuple[str, int], float]:
    """Builds by region and year, without zeros."""
    total: dict[tuple[str, int], float] = defaultdict(float)
    for (site, year), value in solution.columns("build").items():
        if value > 0:
            total[solution.parameters.sites.sites[site].region, year] += value
    return dict(total)


def line(solution: Solution, account: str, year: int) -> float:
    """Total of an account paid in a year, undiscounted."""
    found = solution.accounts.query(
        "account == @account and year == @year and value < 0"
    )
    return -float(found.value.sum())


def first_year() -> float:
    """Cost less value of 2025: the fleet of 10 serves the reference quantity of 10."""
    return OLD * 10 - PRICE * 10 * area(1.0)


def project(**cells):
    """Add a project to the paper world; the first row of the table is a model of its columns."""
    whole = {
        "site": "alpha_one",
        "as_of": "2025-12-31",
        "region": "AAA",
        "segment": "chip",
        "firm": "alpha",
        "construction_begun": 2025,
        "status": "construction",
        "source": "test",
        "grade": "A",
        "unit": "kwpm",
        "name": "Alpha One",
        "note": "",
        "low": None,
        "high": None,
        "year_of_money": None,
        **cells,
    }
    return add("projects", **whole)


def project_fact(item: str, value: float, treasury: str | None = None):
    """Add a fact about the project."""
    unit = {"committed": "share", "award": "MUSD"}[item]
    return add(
        "project_facts",
        site="alpha_one",
        item=item,
        treasury=treasury,
        value=value,
        unit=unit,
        year_of_money=2025 if unit == "MUSD" else None,
        low=None,
        high=None,
        source="test",
        grade="A",
        note="",
    )


# -- plants and capital
# -----------------------------------------------------------------------


def test_the_first_marginal_plant_sets_the_price(variant):
    """The price is the full cost of the marginal plant plus other value added, which is the reference price.

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
    """Demand at the reference price grows from 10 to 11; a plant takes no time to build.

    Full cost of a new wafer is the reference price 60, so the step 0.99 to 1.01 (worth
    60.002) is served and the next (58.8) is not: 11.11 kwpm, of which 1.11 new. Capital
    in 2026 is 1.11 x 100 x CRF.
    """
    data = bare(variant, fleets={"AAA": 10}, place={"AAA": 1})
    solution = run(data, NOTHING)
    assert built(solution) == {("AAA", 2026): exactly(1.11)}
    assert line(solution, "capital", 2026) == exactly(1.11 * CAPEX * CRF)
    cost = OLD * 11.11 + (CRF * CAPEX + RUNNING) * 1.11
    assert solution.objective == exactly(
        first_year() + DF[1] * (cost - PRICE * 11 * area(1.01))
    )


def test_interest_during_construction(variant):
    """Two years to build, shell (a quarter) paid evenly over both, tools in the second.

    Spending is 1/8 and 7/8, so capital at the start of production is 1/8 x 1.08^2 + 7/8
    x 1.08 = 1.0908 for each MUSD paid. Demand stands still until 2028 and then grows by
    a tenth; the plant is begun in 2026. Other value added falls by the interest, and
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
    assert built(solution) == {("AAA", 2026): exactly(1.11)}
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
    """A committed plant of 4 kwpm, eighteen months to build, begun at the start of 2026.

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
    assert built(solution) == {("AAA", 2026): exactly(4)}
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


def test_committed_project_in_a_dear_place(variant):
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
    assert built(free) == {("BBB", 2026): exactly(1.11)}
    assert built(bound) == {("AAA", 2026): exactly(1), ("BBB", 2026): exactly(0.11)}
    assert bound.objective - free.objective == pytest.approx(DF[1] * CRF * 10, rel=1e-8)
    assert bound.duals("commitment")["alpha_one", 2026] == exactly(CRF * 10)


# -- demand and fleets
# ------------------------------------------------------------------------


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


def test_fleets_idle_from_the_dearest_wafers_down_to_the_trough(variant):
    """Two fleets of 5, utilisation at least 0.6, 0.8 in 2025, at most 1; running 14.4 in AAA, 12 in BBB.

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


# -- support
# ----------------------------------------------------------------------------------

DEAR = {"fleets": {"BBB": 10}, "place": {"AAA": 1.1, "BBB": 1.0}}
"""BBB has the fleet and builds at 100, AAA builds at 110: without support 1.11 kwpm are added in BBB."""


def dear_without_support() -> float:
    """Objective of the two places without support."""
    cost = OLD * 11.11 + (CRF * CAPEX + RUNNING) * 1.11
    return first_year() + DF[1] * (cost - PRICE * 11 * area(1.01))


def test_award_moves_its_project(variant):
    """An award of 12 on a project of 1 kwpm makes it cost 98 there, less than 100 in BBB.

    The project is built, the rest stays in BBB, and the objective falls by 2 x CRF.
    Half of the award (6, cost 104) moves nothing.
    """
    data = bare(
        variant,
        project(value=1, earliest=2026),
        project_fact("award", 12, "AAA"),
        **DEAR,
    )
    award = CapexGrant(
        id="award", form="award", region="AAA", years=(2025, 2026), source="own"
    )
    solution = run(data, case_of(award))
    assert built(solution) == {("AAA", 2026): exactly(1), ("BBB", 2026): exactly(0.11)}
    assert solution.objective == exactly(dear_without_support() - DF[1] * CRF * 2)
    half = run(data, case_of(award.model_copy(update={"share": 0.5})))
    assert built(half) == {("BBB", 2026): exactly(1.11)}
    assert half.objective == exactly(dear_without_support())


@pytest.mark.parametrize(("rate", "moved"), [(0.09, False), (0.10, True)])
def test_open_grant_with_a_rate(variant, rate, moved):
    """At 9% AAA builds at 100.1, at 10% at 99: then all 1.11 kwpm move there.

    The price is then 60 - CRF = 59.85, still above the step 1.01 to 1.03 (58.8), so no
    more is bought.
    """
    data = bare(variant, **DEAR)
    grant = CapexGrant(
        id="grant",
        form="open",
        region="AAA",
        rate=rate,
        years=(2026, 2026),
        source="own",
    )
    solution = run(data, case_of(grant))
    assert built(solution) == {("AAA" if moved else "BBB", 2026): exactly(1.11)}
    gain = (110 * rate - 10) * 1.11 if moved else 0.0
    assert solution.objective == exactly(dear_without_support() - DF[1] * CRF * gain)


def test_open_grant_with_a_budget_finds_its_rate(variant):
    """Every rate above 1/11 moves 1.11 kwpm at 110, so a budget of 1.11 x 10.5 is spent at 10.5 / 110."""
    data = bare(variant, **DEAR)
    grant = CapexGrant(
        id="grant",
        form="open",
        region="AAA",
        budget=1.11 * 10.5,
        years=(2026, 2026),
        source="own",
    )
    solution = run(data, case_of(grant))
    rate = solution.found["grant.rate"]
    assert rate == pytest.approx(10.5 / 110, rel=2e-5)
    assert solution.objective == exactly(
        dear_without_support() - DF[1] * CRF * (110 * rate - 10) * 1.11
    )
    ledger = solution.policies.query("item == 'grant_cash'")
    assert -float(ledger.value.sum()) == pytest.approx(1.11 * 10.5, rel=2e-5)


def test_marginal_grant_pays_only_for_what_it_moves(variant):
    """At 20% a build in AAA costs 88, but the budget of 11 pays for half a kwpm (22 each).

    The gain is 12 x CRF on half a kwpm; the dual of the budget is 12/22 x CRF in 2026.
    """
    data = bare(variant, **DEAR)
    grant = CapexGrant(
        id="grant",
        form="marginal",
        region="AAA",
        rate=0.2,
        budget=11,
        years=(2026, 2026),
        source="own",
    )
    solution = run(data, case_of(grant))
    assert built(solution) == {
        ("AAA", 2026): exactly(0.5),
        ("BBB", 2026): exactly(0.61),
    }
    assert solution.objective == exactly(
        dear_without_support() - DF[1] * CRF * 12 * 0.5
    )
    assert solution.duals("grant__budget")[()] == exactly(DF[1] * CRF * 12 / 22)


class BarePool(Policy):
    """A pool of money for builds that might have happened anyway; chipmodel itself refuses it."""

    kind = "test_bare_pool"
    law = "none: it is here to show why not"

    region: str
    rate: float
    budget: float

    def add(self, builder):
        eligible = {
            (site.id, t): (site, term)
            for site, t, term in builder.builds(self.region, builder.n.segments)
        }
        supported = builder.variable("supported", list(eligible), "firms", self)
        builder.limit(
            "eligible",
            list(eligible),
            lambda i, t: eligible[i, t][1] - supported[i, t],
            owner="firms",
            unit="kwpm",
            meaning="worth of support that reaches one more kwpm",
            policy=self,
        )
        amounts = {
            (i, t): self.rate * builder.capex(site) * supported[i, t]
            for (i, t), (site, _) in eligible.items()
        }
        builder.support(
            self, "grant", amounts, treasury=self.region, paid="construction"
        )
        builder.limit(
            "budget",
            [()],
            lambda: self.budget - sum(amounts.values()),
            owner="firms",
            unit="MUSD",
            meaning="fall of the objective per MUSD",
            policy=self,
        )


Policy.kinds.pop("test_bare_pool")  # no case file may name it


def test_bare_pool_moves_nothing_and_its_dual_is_one(variant):
    """Plants live one year, so 1 MUSD paid in 2026 is worth CRF / 1.08 = 1 exactly.

    1.11 kwpm are built in AAA anyway. A pool of 10 at 20% pays for half a kwpm of them:
    the price, the builds and the wafers stay as they were, the objective falls by the
    pool, and its dual is 1.
    """
    data = bare(
        variant,
        parameters(economic_life=1),
        fleets={"AAA": 10},
        place={"AAA": 1, "BBB": 1.1},
        growth=(0.1,),
    )
    before = run(data, NOTHING)
    pool = run(
        data,
        case_of(
            BarePool(
                id="pool",
                region="AAA",
                rate=0.2,
                budget=10,
                years=(2026, 2026),
                source="own",
            )
        ),
    )
    assert built(before) == {
        ("AAA", 2026): pytest.approx(built(pool)["AAA", 2026], rel=EXACT)
    }
    assert len(built(pool)) == 1
    assert pool.duals("demand_balance") == pytest.approx(
        before.duals("demand_balance"), rel=EXACT
    )
    assert pool.duals("pool__budget")[()] == exactly(1.0)
    assert before.objective - pool.objective == pytest.approx(10.0, rel=1e-8)


def credit(**changes) -> InvestmentTaxCredit:
    """A credit of 15% in AAA: builds cost 93.5 there, 100 in BBB."""
    return InvestmentTaxCredit.model_validate(
        {
            "id": "credit",
            "region": "AAA",
            "rate": 0.15,
            "years": (2026, 2027),
            "source": "own",
            **changes,
        }
    )


def test_tax_credit_without_a_deadline(variant):
    """Both years build in AAA at 93.5: price 60 - 6.5 CRF = 59.03, so 1.01 times the reference is bought."""
    data = bare(variant, **DEAR, growth=(0.1, 0.1))
    solution = run(data, case_of(credit()))
    assert built(solution) == {
        ("AAA", 2026): exactly(1.11),
        ("AAA", 2027): exactly(1.111),
    }
    new = CRF * 93.5 + RUNNING
    later = sum(
        DF[k] * (OLD * 1.01 * q + new * (1.01 * q - 10) - PRICE * q * area(1.01))
        for k, q in [(1, 11), (2, 12.1)]
    )
    assert solution.objective == exactly(first_year() + later)


def test_tax_credit_falls_off_a_cliff(variant):
    """Construction must begin in 2026; what is begun in 2027 is built in BBB at 100.

    A kwpm begun in 2026 saves 6.5 CRF in 2026 and again in 2027, when it stands in for
    one at 100: the price of 2026 falls to 60 - 6.5 CRF (1 + 1/1.08) = 58.13, and the
    step 1.01 to 1.03 (58.83) is bought too, the next (57.69) is not. Building ahead for
    2027 would cost 93.5 CRF a year early.
    """
    data = bare(variant, **DEAR, growth=(0.1, 0.1))
    solution = run(data, case_of(credit(begin_by=2026)))
    assert built(solution) == {
        ("AAA", 2026): exactly(1.33),
        ("BBB", 2027): exactly(12.221 - 11.33),
    }
    price = {
        year: abs(dual)
        for (_, _, year), dual in solution.duals("demand_balance").items()
    }
    assert price[2026] == exactly(PRICE - 6.5 * CRF * (1 + 1 / 1.08))
    first = OLD * 11.33 + (CRF * 93.5 + RUNNING) * 1.33 - PRICE * 11 * area(1.03)
    second = (
        OLD * 12.221
        + (CRF * 93.5 + RUNNING) * 1.33
        + (CRF * 100 + RUNNING) * 0.891
        - PRICE * 12.1 * area(1.01)
    )
    assert solution.objective == exactly(first_year() + DF[1] * first + DF[2] * second)


def test_project_begun_in_time_keeps_the_credit(variant):
    """The same deadline with a site of 5 kwpm begun in 2025: its builds of 2027 are credited."""
    data = bare(variant, project(value=5, earliest=2026), **DEAR, growth=(0.1, 0.1))
    solution = run(data, case_of(credit(begin_by=2026)))
    assert built(solution) == {
        ("AAA", 2026): exactly(1.11),
        ("AAA", 2027): exactly(1.111),
    }
    assert solution.columns("build")["alpha_one", 2027] == exactly(1.111)


# -- firm budgets
# -----------------------------------------------------------------------------


def with_budget(variant, mode: str):
    """Alpha may invest 50 in 2025, so 55 in 2026; outside capital in steps of a quarter at 2, 4, 6, ... %."""
    return bare(
        variant,
        rows("budgets", {"holder": "alpha", "value": 50}),
        parameters(capital_step=0.25, capital_premium=0.02),
        fleets={"AAA": 10},
        place={"AAA": 1},
        budgets=mode,
    )


def test_budget_and_outside_capital(variant):
    """55 MUSD build 0.55 kwpm; then a kwpm needs 100 at 2%: its wafers cost 62.

    10.55 of 11 lies in the step 0.95 to 0.97 (62.5), which is filled: 10.67, so 12 MUSD
    from outside. The step 0.97 to 0.99 (61.2) is not.
    """
    solution = run(with_budget(variant, "gross"), NOTHING)
    assert built(solution) == {("AAA", 2026): exactly(0.67)}
    assert line(solution, "outside_capital", 2026) == exactly(0.24)
    cost = OLD * 10.67 + (CRF * CAPEX + RUNNING) * 0.67 + 0.24
    assert solution.objective == exactly(
        first_year() + DF[1] * (cost - PRICE * 11 * area(0.97))
    )
    assert solution.duals("firm_budget")["alpha", 2026] == exactly(0.02)


@pytest.mark.parametrize(
    ("mode", "made", "outside"),
    [
        ("gross", 10.825, (13.75, 13.75)),
        ("net", 10.89, (13.75, 2.45)),
        ("none", 11.55, ()),
    ],
)
def test_budget_gross_or_net_of_support(variant, mode, made, outside):
    """A grant of 20% makes a new wafer cost 60 - 20 CRF = 57.02 before outside capital.

    Gross: a kwpm is charged 100. Its wafers cost 59.02, 61.02, 63.02 at 2, 4, 6%; the
    step 0.97 to 0.99 is worth 61.2, so both first steps of 13.75 are used up: 82.5
    MUSD, 0.825 kwpm.
    Net: a kwpm is charged 80, 58.62 and 60.22 at 2 and 4%: the step to 0.99 is filled
    (10.89, so 71.2 MUSD, 16.2 from outside), the next (60.002) is not.
    None: 57.02 is below the step 1.03 to 1.05 (57.69) but not the next (56.6): 11.55
    are bought.
    """
    grant = CapexGrant(
        id="grant",
        form="open",
        region="AAA",
        rate=0.2,
        years=(2026, 2026),
        source="own",
    )
    solution = run(with_budget(variant, mode), case_of(grant))
    assert built(solution) == {("AAA", 2026): exactly(made - 10)}
    premium = sum(0.02 * (k + 1) * amount for k, amount in enumerate(outside))
    assert line(solution, "outside_capital", 2026) == exactly(premium)
    cost = OLD * made + (CRF * 80 + RUNNING) * (made - 10) + premium
    assert solution.objective == exactly(
        first_year() + DF[1] * (cost - PRICE * 11 * area(made / 11))
    )
