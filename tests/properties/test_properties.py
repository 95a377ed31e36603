"""Properties of every linear program, on the two-region data set."""

from __future__ import annotations

import dataclasses
import tempfile
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from helpers import TWO, booked_and_ledger, case_of, copy_two, shuffled, world_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paper import ONE_SEGMENT

from chipmodel import (
    CapexGrant,
    Case,
    Dataset,
    InvestmentTaxCredit,
    OriginFloor,
    Policy,
    Tariff,
    load_case,
    load_dataset,
    run,
)
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.solve import solve_program

TWO_REGIONS = load_dataset(TWO)
SAME = pytest.approx
FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
YEARS = (2026, 2030)


def tariff(rate: float, on: str = "chips", name: str = "duty") -> Tariff:
    return Tariff(
        id=name,
        importer="AAA",
        origins=("BBB",),
        rate=rate,
        on=on,
        years=YEARS,
        source="own",
    )


def grant(
    rate: float | None,
    name: str = "grant",
    budget: float | None = None,
    form: str = "open",
) -> CapexGrant:
    return CapexGrant(
        id=name,
        form=form,
        region="AAA",
        rate=rate,
        budget=budget,
        years=YEARS,
        source="own",
    )


def credit(rate: float, name: str = "credit") -> InvestmentTaxCredit:
    return InvestmentTaxCredit(
        id=name, region="AAA", rate=rate, years=YEARS, source="own"
    )


def floor(
    share: float, name: str = "trust", on: str = "use", **limits: float
) -> OriginFloor:
    limits = limits or ({"min_served": 0.9} if on == "use" else {"price_cap": 500_000})
    return OriginFloor(
        id=name,
        market="AAA",
        trusted=("AAA",),
        segments=("chip",),
        share=share,
        on=on,
        years=(2028, 2030),
        source="own",
        **limits,
    )


def objective(*policies: Policy) -> float:
    return run(TWO_REGIONS, case_of(*policies)).objective


@lru_cache(maxsize=1)
def small() -> Dataset:
    """One segment of the two regions, for tests that solve many times."""
    with tempfile.TemporaryDirectory() as folder:
        return load_dataset(copy_two(Path(folder) / "small", *ONE_SEGMENT))


def quick(*policies: Policy) -> float:
    return run(
        small(), case_of(*policies), world_of(TWO_REGIONS, horizon=2029)
    ).objective


@pytest.fixture(scope="module")
def baseline() -> float:
    return run(TWO_REGIONS, "no_policy").objective


# -- what changes nothing

ZERO = {
    "tariff": tariff(0.0),
    "tariff on use": tariff(0.0, "use"),
    "award": CapexGrant(
        id="award", form="award", share=0.0, region="AAA", years=YEARS, source="own"
    ),
    "open": grant(0.0),
    "open, no money": grant(None, budget=0.0),
    "marginal": grant(0.0, budget=100, form="marginal"),
    "marginal, no money": grant(0.2, budget=0.0, form="marginal"),
    "credit": credit(0.0),
    "floor": floor(0.0),
}


@pytest.mark.parametrize("name", list(ZERO))
def test_zero_rate_is_the_baseline(name, baseline):
    solution = run(TWO_REGIONS, case_of(ZERO[name]))
    assert solution.objective == SAME(baseline, rel=1e-9)
    assert not any(solution.account.treasury.values())


@pytest.mark.parametrize(
    "policy",
    [
        tariff(1e-12),
        grant(1e-12),
        credit(1e-12),
        floor(1e-12),
        floor(1e-12, on="chips"),
        tariff(1e-12, "use"),
    ],
    ids=str,
)
def test_a_rate_next_to_zero_that_is_written_is_the_baseline_too(
    policy, baseline, monkeypatch
):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)
    assert not policy.inactive
    assert objective(policy) == SAME(run(TWO_REGIONS, "no_policy").objective, rel=1e-9)


@pytest.mark.parametrize("name", ["no_policy", "tariff", "grant", "credit", "floor"])
def test_order_and_names_do_not_matter(name, tmp_path):
    expected = run(TWO_REGIONS, name).objective
    turned = copy_two(tmp_path / "turned")
    shuffled(turned, lambda rows: rows.reverse())
    assert run(load_dataset(turned), name).objective == SAME(expected, rel=1e-9)
    renamed = copy_two(tmp_path / "renamed")
    for path in (*renamed.glob("*.csv"), *renamed.glob("*/*.toml")):
        path.write_text(path.read_text().replace("AAA", "ZZZ").replace("aaa", "zzz"))
    assert run(load_dataset(renamed), name).objective == SAME(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("one", "halves"),
    [
        (tariff(0.3), (tariff(0.15, name="first"), tariff(0.15, name="second"))),
        (
            tariff(0.3, "use"),
            (tariff(0.15, "use", "first"), tariff(0.15, "use", "second")),
        ),
        (grant(0.3), (grant(0.15, "first"), grant(0.15, "second"))),
        (credit(0.3), (credit(0.15, "first"), credit(0.15, "second"))),
    ],
    ids=["tariff", "tariff on use", "grant", "credit"],
)
def test_two_halves_make_one(one, halves):
    assert objective(*halves) == SAME(objective(one), rel=1e-9)


def award(share: float, name: str = "award") -> CapexGrant:
    return CapexGrant(
        id=name, form="award", share=share, region="AAA", years=YEARS, source="own"
    )


def test_two_halves_of_an_award_are_one():
    whole = objective(award(1.0))
    assert objective(award(0.5, "first"), award(0.5, "second")) == SAME(whole, rel=1e-9)
    assert whole < objective() - 1


@pytest.mark.parametrize("on", ["chips", "use"])
def test_a_floor_agrees_with_its_feebate(on, monkeypatch):
    """A bounty on trusted wafers and a fee on all have the value of the floor.

    The bounty is the dual of the floor, the fee is the share times the dual.
    """
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)
    ruled = run(TWO_REGIONS, case_of(floor(0.6, on=on, price_cap=500_000)))
    duals = ruled.duals("trust__floor")
    assert max(duals.values()) > 1

    class Feebate(Policy):
        kind = "toy_floor_feebate"
        law = "A bounty on home-made chips, paid for by a fee on all."

        def distinguishes(self, numbers):
            return [("AAA", ("chip",), frozenset({"AAA"}))] if on == "use" else []

        def add(self, builder):
            read = builder.imports if on == "chips" else builder.use
            for (s, t), dual in duals.items():
                fee = sum(
                    dual * (0.6 - float(f.origins == {"AAA"})) * f.term
                    for f in read("AAA", (s,), (t,))
                )
                builder.transfer(
                    "fee", t, fee, payer="agent", receiver="treasury:AAA", policy=self
                )

    try:
        assert objective(
            Feebate(id="feebate", years=(2028, 2030), source="own")
        ) == SAME(ruled.objective, rel=1e-9)
    finally:
        Policy.kinds.pop("toy_floor_feebate")


@pytest.mark.parametrize("on", ["chips", "use"])
def test_two_equal_floors_are_one_and_the_tighter_of_two_binds(on):
    one = objective(floor(0.6, on=on))
    assert objective(floor(0.6, "first", on), floor(0.6, "second", on)) == SAME(
        one, rel=1e-9
    )
    assert objective(floor(0.6, "first", on), floor(0.3, "second", on)) == SAME(
        one, rel=1e-9
    )


# -- what moves one way


@pytest.mark.parametrize("form", ["open", "marginal"])
def test_more_budget_never_raises_the_objective(form, baseline):
    rate = None if form == "open" else 0.3
    found = [
        objective(grant(rate, budget=b, form=form))
        for b in (50.0, 200.0, 800.0, 3200.0)
    ]
    pairs = zip([baseline, *found], found, strict=False)
    assert all(after <= before + 1e-9 * abs(before) for before, after in pairs)
    assert found[-1] < baseline


def test_more_capital_of_firms_never_raises_the_objective():
    worlds = [
        world_of(TWO_REGIONS, scale=[{"table": "budgets", "where": {}, "factor": f}])
        for f in (0.2, 0.5, 1, 2)
    ]
    found = [run(TWO_REGIONS, "credit", world).objective for world in worlds]
    assert all(b <= a + 1e-9 * abs(a) for a, b in pairwise(found))
    assert found[-1] < found[0]


def middle_is_above(low: float, middle: float, high: float) -> bool:
    return middle >= (low + high) / 2 - 1e-9 * abs(middle)


@FEW
@given(
    low=st.floats(0.01, 0.4),
    high=st.floats(0.41, 0.85),
    kind=st.sampled_from([grant, credit, tariff]),
)
def test_objective_is_concave_in_a_rate(low, high, kind):
    """A rate enters the costs: the objective is a minimum of linear functions of it."""
    assert middle_is_above(
        *(quick(kind(rate)) for rate in (low, (low + high) / 2, high))
    )


@FEW
@given(low=st.floats(0, 400), high=st.floats(401, 2000))
def test_objective_is_convex_in_a_budget(low, high):
    """A budget enters the right-hand side.

    By duality the objective is a maximum of linear functions of it.
    """
    found = [
        quick(grant(0.3, budget=b, form="marginal"))
        for b in (low, (low + high) / 2, high)
    ]
    assert middle_is_above(*(-z for z in found))


@FEW
@given(low=st.floats(0.5, 0.75), high=st.floats(0.76, 1.0))
def test_objective_is_convex_in_the_minimum_quantity_of_a_floor(low, high):
    found = [
        quick(floor(0.8, min_served=minimum))
        for minimum in (low, (low + high) / 2, high)
    ]
    assert middle_is_above(*(-z for z in found))


@FEW
@given(
    low=st.floats(0.0, 0.9),
    more=st.floats(0.01, 0.1),
    on=st.sampled_from(["chips", "use"]),
)
def test_objective_rises_with_the_share_of_a_floor(low, more, on):
    """The objective need not be convex in the share.

    The share multiplies a quantity that falls as the share rises.
    """
    assert (
        quick(floor(low, on=on, price_cap=5000))
        <= quick(floor(low + more, on=on, price_cap=5000)) + 1e-4
    )


@FEW
@given(
    duty=st.floats(0, 2),
    on=st.sampled_from(["chips", "use"]),
    rate=st.floats(0, 0.4),
    paid=st.floats(0, 0.4),
    share=st.floats(0, 1),
    fine=st.floats(1, 50_000),
)
def test_identities_hold_whatever_the_policies(duty, on, rate, paid, share, fine):
    """Accounts are asserted in every solve; here with all instruments at once."""
    policies = (
        tariff(duty, on),
        grant(rate),
        credit(paid),
        floor(share, price_cap=fine),
    )
    solution = run(TWO_REGIONS, case_of(*policies))
    revenue = solution.policies.query(
        "item == 'tariff' and agent == 'treasury:AAA'"
    ).value.sum()
    assert revenue >= -1e-9
    if duty == 0:
        assert revenue == 0
    assert solution.account.consumers + solution.account.producers == SAME(
        -solution.objective, rel=1e-6
    )


@pytest.mark.parametrize("name", ["tariff", "grant", "credit", "grant+tariff+floor"])
def test_treasuries_net_the_amounts_of_the_policies_table(name):
    """They agree to 1e-9, and payments sum to zero over payers and receivers."""
    solution = run(TWO_REGIONS, name)
    booked, ledger = booked_and_ledger(solution)
    assert booked
    assert ledger == SAME(booked, rel=1e-9, abs=1e-9)
    lines = solution.accounts.query("policy != '' and unit == 'MUSD'")
    lines = lines[
        ~lines["account"].str.endswith("_cash")
    ]  # cash is a memo of the treasury alone
    for _, paid in lines.groupby(["account", "policy", "year"]):
        assert paid.value.sum() == SAME(0.0, abs=1e-9 * paid.value.abs().sum())


# -- duals


def bracket(solution, row: int, by: float) -> tuple[float, float, float]:
    """Return left difference, dual and right difference in a right-hand side."""

    def moved(step: float) -> float:
        rhs = solution.program.rhs.copy()
        rhs[row] += step
        return solve_program(dataclasses.replace(solution.program, rhs=rhs)).objective

    here = solution.objective
    return (
        (here - moved(-by)) / by,
        float(solution.optimum.y[row]),
        (moved(by) - here) / by,
    )


@pytest.mark.parametrize("on", ["chips", "use"])
def test_differences_bracket_the_dual_of_a_floor(on):
    """The dual of the floor is what one more trusted wafer costs."""
    solution = run(TWO_REGIONS, case_of(floor(0.6, on=on)))
    rows = [
        i
        for i, (name, _) in enumerate(solution.program.row_labels)
        if name == "trust__floor"
    ]
    binding = [i for i in rows if solution.optimum.y[i] > 1e-6]
    assert binding
    for row in binding:
        left, dual, right = bracket(solution, row, 0.01)
        assert left - 1e-5 <= dual <= right + 1e-5
        assert right > 0


def test_differences_bracket_the_dual_of_a_budget():
    def at(budget: float):
        return run(TWO_REGIONS, case_of(grant(0.3, budget=budget, form="marginal")))

    here = at(200.0)
    dual = here.duals("grant__budget")[()]
    left = here.objective - at(199.0).objective
    right = at(201.0).objective - here.objective
    assert dual > 0
    assert left - 1e-5 <= -dual <= right + 1e-5


# -- an instrument from outside

QUOTA = """
title = "At most ten kwpm of chips from Beland a year"
baseline = "no_policy"
status = "hypothetical"
as_of = "2026-06-30"
summary = "An instrument that only this test knows."

[[policy]]
kind = "toy_quota"
id = "quota"
importer = "AAA"
origin = "BBB"
most = 10.0
years = [2028, 2030]
source = "own"
"""


@pytest.fixture
def toy_quota():
    class ToyQuota(Policy):
        kind = "toy_quota"
        law = "An import quota."

        importer: str
        origin: str
        most: float

        def add(self, builder):
            flows = {}
            for flow in builder.imports(
                self.importer, ("chip",), range(self.years[0], self.years[1] + 1)
            ):
                if flow.origins == {self.origin}:
                    flows.setdefault(flow.year, []).append(flow.term)
            builder.limit(
                "most",
                [(t,) for t in flows],
                lambda t: self.most - sum(flows[t]),
                owner="traders",
                unit="kwpm",
                meaning="price of a licence, USD per wafer",
                policy=self,
            )

    yield ToyQuota
    Policy.kinds.pop("toy_quota")


def test_an_instrument_of_ones_own_runs_from_a_case_file(toy_quota, tmp_path):
    folder = copy_two(tmp_path / "own")
    (folder / "cases" / "quota.toml").write_text(QUOTA)
    data = load_dataset(folder)
    case = load_case("quota", data)
    assert isinstance(case.policies[0], toy_quota)
    solution, free = run(data, case), run(data, "no_policy")
    assert solution.objective > free.objective
    trade = solution.trade.query(
        "flow == 'chips' and segment == 'chip' and origin == 'BBB' and destination =="
        " 'AAA'"
    )
    bought = trade.groupby("year").value.sum()
    assert np.allclose(bought[bought.index >= 2028], 10.0)
    assert bought[2027] > 10.0
    licence = solution.policies.query("item == 'dual_most' and year == 2028")
    assert licence.value.item() > 0
    assert licence.unit.item() == "USD/wafer"
    empty = Case(name="empty")
    assert run(data, empty).objective == SAME(free.objective, rel=1e-12)
