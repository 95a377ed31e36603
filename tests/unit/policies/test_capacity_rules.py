"""Rules on capacity and investment on the two-region data set: no effect, copies,
duals, identities.
"""

from __future__ import annotations

import dataclasses
import math

import pytest
from helpers import case_of, near, world_of
from invested import ABROAD, LATE, credit, domestic, guardrail, loan, mandate, objective
from paper import exactly

from chipmodel import CapexGrant, NoOptimum, run
from chipmodel.common.units import per_kwpm_year
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.finance import capital_recovery
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.solve import solve_program


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)


@pytest.mark.parametrize(
    "policy",
    [
        credit(0.0, **LATE),
        loan(amount=0.0, rate_gap=0.03, **LATE),
        loan(rate_gap=0.0, **LATE),
        loan(grant_equivalent=0.0, **LATE),
        mandate(kwpm=0.0, **LATE),
        mandate(share=0.0, world_capacity=((2026, 1.0), (2030, 1.0)), **LATE),
        mandate(kwpm=1.0, **LATE),
        guardrail(share=10.0, **LATE),
        domestic(share=0.0, **LATE),
        domestic(share=1.0, **LATE),
        *(
            make(1e-12)
            for make in (
                lambda x: credit(x, **LATE),
                lambda x: loan(rate_gap=x, **LATE),
                lambda x: mandate(kwpm=x, **LATE),
                lambda x: domestic(share=x, **LATE),
            )
        ),
    ],
    ids=lambda p: p.kind,
)
def test_rules_that_ask_for_nothing_change_nothing(two, policy):
    """A mandate of what runs anyway, a guardrail nobody meets, and home builds of firms
    that are only at home.
    """
    assert near(objective(two, policy), objective(two), 1e-9)


def test_two_halves_of_support_are_one(two):
    pairs = [
        (credit(400, **LATE), [credit(200, id=name, **LATE) for name in ("a", "b")]),
        (
            loan(rate_gap=0.04, **LATE),
            [loan(rate_gap=0.04, amount=0.25, id=name, **LATE) for name in ("a", "b")],
        ),
    ]
    free = objective(two)
    for one, halves in pairs:
        assert near(objective(two, *halves), objective(two, one))
        assert objective(two, one) < free - 1


RULES = {
    "mandate": (mandate(kwpm=75, years=(2029, 2030)), {"kwpm": 50}),
    "mandate paid": (
        mandate(kwpm=75, years=(2029, 2030), borne_by="treasury"),
        {"kwpm": 50},
    ),
    "mandate fined": (mandate(kwpm=75, years=(2029, 2030), price_cap=10), {"kwpm": 50}),
    "guardrail": (guardrail(share=0.02, **LATE), {"share": 0.05}),
    "guardrail fined": (guardrail(share=0.02, price_cap=20, **LATE), {"share": 0.05}),
    "domestic": (domestic(share=0.7, **LATE), {"share": 0.3}),
    "domestic paid": (domestic(share=0.7, borne_by="treasury", **LATE), {"share": 0.3}),
}


@pytest.mark.parametrize("name", [name for name in RULES if "fined" not in name])
def test_two_equal_rules_are_one_and_the_tighter_of_two_binds(variant, name):
    data = variant(*ABROAD)
    rule, looser = RULES[name]
    one = objective(data, rule)
    assert one > objective(data) + 1
    assert near(objective(data, rule, rule.model_copy(update={"id": "copy"})), one)
    assert near(
        objective(data, rule, rule.model_copy(update={"id": "copy", **looser})), one
    )
    assert objective(data, rule.model_copy(update=looser)) < one - 1e-3


@pytest.mark.parametrize("name", [name for name in RULES if "fined" in name])
def test_a_fine_softens_a_rule(variant, name):
    data = variant(*ABROAD)
    rule = RULES[name][0]
    hard = objective(data, rule.model_copy(update={"price_cap": None}))
    assert objective(data) + 1 < objective(data, rule) < hard - 1e-3
    assert near(objective(data, rule.model_copy(update={"price_cap": 1e5})), hard, 1e-8)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("mandate", "target__mandate"),
        ("mandate", "target__mandate_in_use"),
        ("mandate paid", "target__capacity_paid"),
        ("guardrail", "rail__growth"),
        ("guardrail", "rail__under_way"),
        ("domestic", "home__home_share"),
        ("domestic paid", "home__home_bought"),
        ("guardrail fined", "rail__over_built"),
    ],
)
def test_differences_bracket_the_duals(variant, name, group):
    solution = run(variant(*ABROAD), case_of(RULES[name][0]))

    def moved(row: int, by: float) -> float:
        rhs = solution.program.rhs.copy()
        rhs[row] += by
        try:
            return solve_program(
                dataclasses.replace(solution.program, rhs=rhs)
            ).objective
        except NoOptimum:
            return math.inf

    rows_of = [
        i for i, (found, _) in enumerate(solution.program.row_labels) if found == group
    ]
    assert rows_of
    for row in rows_of:
        dual, by = float(solution.optimum.y[row]), 1e-3
        left = (solution.objective - moved(row, -by)) / by
        right = (moved(row, by) - solution.objective) / by
        assert left - 1e-4 <= dual <= right + 1e-4
    if group not in ("target__mandate_in_use",):
        assert any(abs(solution.optimum.y[row]) > 1e-6 for row in rows_of)


@pytest.mark.parametrize("budgets", ["gross", "net", "none"])
def test_identities_hold_with_every_instrument_at_once(variant, budgets):
    data = variant(*ABROAD)
    award = CapexGrant(
        id="award",
        form="award",
        region="AAA",
        delay=2,
        years=(2025, 2030),
        source="own",
    )
    support = (award, credit(300, **LATE), loan(rate_gap=0.04, **LATE))
    rules = [
        rule.model_copy(update={"id": name.replace(" ", "_")})
        for name, (rule, _) in RULES.items()
        if name in ("mandate fined", "guardrail fined", "domestic", "domestic paid")
    ]
    solution = run(data, case_of(*support, *rules), world_of(data, budgets=budgets))
    account = solution.account
    assert near(account.consumers + account.producers, -solution.objective, 1e-6)
    paid = solution.accounts.query(
        "account in ['production_credit', 'soft_finance', 'grant', 'fine']"
    )
    assert len(set(paid.account)) == 4
    assert near(paid.value.sum(), 0.0, 1e-7)


def test_derived_numbers(two):
    n = build_parameters(two, world_of(two))
    derived = loan(rate_gap=0.03).derived(n)
    assert derived[0] == (
        "grant equivalent",
        exactly(1 - capital_recovery(0.05, 10) / capital_recovery(0.08, 10)),
        "share of principal",
    )
    assert mandate(kwpm=5, years=(2028, 2029)).derived(n) == [
        ("target of 2028", 5, "kwpm"),
        ("target of 2029", 5, "kwpm"),
    ]
    paid = dict(
        (what, value)
        for what, value, unit in credit(100, **LATE).derived(n)
        if unit.startswith("share")
    )
    assert all(0 < share < per_kwpm_year(100) * 10 / 100 for share in paid.values())
