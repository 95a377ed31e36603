"""Rules on where capacity stands and where firms invest, and what they share with support."""

from __future__ import annotations

import dataclasses
import math

import pytest
from dear import (
    ABROAD,
    DEAR,
    FREE,
    LATE,
    MORE,
    NOTHING,
    built,
    credit,
    domestic,
    exactly,
    guardrail,
    ledger,
    loan,
    mandate,
    objective,
    project,
    two_years,
)
from helpers import case_of, change, near, rows, run_without, world_of
from paper import CRF, DF, RUNNING, bare
from pydantic import ValidationError

from chipmodel import CapexGrant, InputError, NoOptimum, Policy, run
from chipmodel.common.units import per_kwpm_year
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.finance import capital_recovery
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.highs import solve_program


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)


# -- mandates
# ---------------------------------------------------------------------------------

TROUGH = change("operation", {"item": "u_min"}, value=0.6)
STANDING = 4 * RUNNING
"""Running cost of a fleet of 10 between its trough of 6 and full use."""
IDLE_YEARS = (1 + DF[1]) * STANDING


@pytest.mark.parametrize(
    "target",
    [
        {"kwpm": 0.5},
        {"share": 0.05, "world_capacity": ((2026, 10.0),)},
        {"share": 0.05, "world_capacity": ((2025, 8.0), (2027, 12.0))},
    ],
)
@pytest.mark.parametrize("bearer", ["makers", "treasury"])
def test_mandate(variant, target, bearer):
    """Half a kwpm must stand in AAA: it costs 5 CRF more there, and a kwpm needs 10 CRF a year.

    The makers build it at a loss, or the treasury pays it; the optimum is the same.
    """
    data = bare(variant, TROUGH, **DEAR)
    solution = run(data, case_of(mandate(**target, borne_by=bearer)))
    assert built(solution) == {"AAA": exactly(0.5), "BBB": exactly(0.61)}
    assert solution.objective == exactly(FREE + IDLE_YEARS + DF[1] * MORE * 0.5)
    assert solution.duals("target__mandate")[2026,] == exactly(MORE)
    assert solution.duals("target__mandate_in_use")[2026,] == exactly(0.0)
    payer, other = ("treasury:AAA", "fab:alpha@AAA")[
        :: 1 if bearer == "treasury" else -1
    ]
    assert solution.account.gains[payer] == exactly(-DF[1] * MORE * 0.5)
    assert solution.account.gains.get(other, 0.0) == exactly(0.0)
    assert ledger(solution, "rent_mandate") == {2026: exactly(-MORE * 0.5)}


@pytest.mark.parametrize(("cap", "short"), [(1.0, 0.5), (2.0, 0.0)])
@pytest.mark.parametrize("bearer", ["makers", "treasury"])
def test_mandate_with_a_fine(variant, cap, short, bearer):
    """10 CRF is 1.49 a year: a fine of 1 is paid, a fine of 2 is not."""
    data = bare(variant, TROUGH, **DEAR)
    solution = run(data, case_of(mandate(kwpm=0.5, price_cap=cap, borne_by=bearer)))
    assert built(solution).get("AAA", 0.0) == exactly(0.5 - short)
    assert solution.objective == exactly(
        FREE + IDLE_YEARS + DF[1] * (cap * short + MORE * (0.5 - short))
    )
    assert solution.account.treasury.get("treasury:AAA", 0.0) == exactly(
        DF[1] * cap * short
    )


@pytest.mark.parametrize("bearer", ["makers", "treasury"])
@pytest.mark.parametrize(
    "target", [{"kwpm": 1.0}, {"share": 0.1, "world_capacity": ((2026, 10.0),)}]
)
def test_neither_idle_fabs_nor_a_smaller_world_meet_a_mandate(variant, bearer, target):
    """Demand halves: seven of the fleet's ten run (the step 1.25 to 1.4 is worth 45.3, a wafer costs OLD + 12 = 45.1).

    Running costs 18 in AAA. A mandate of one kwpm there costs its capital, 110 CRF, and
    0.6 must be made in it instead of in BBB, at 6 more: 3.6. Without the second row the
    fab would stand idle.
    """
    dear_running = change(
        "cost_factors", {"region": "AAA", "item": "running"}, value=1.5
    )
    data = bare(variant, TROUGH, dear_running, growth=(-0.5,), **DEAR)
    case = case_of(mandate(**target, borne_by=bearer))
    solution, free = run(data, case), run(data, NOTHING)
    assert free.columns("made")["chip", "BBB", 2026] == exactly(7.0)
    made = solution.columns("made")
    assert (made["chip", "AAA", 2026], made["chip", "BBB", 2026]) == (
        exactly(0.6),
        exactly(6.4),
    )
    assert solution.objective - free.objective == pytest.approx(
        DF[1] * (110 * CRF + 3.6), rel=1e-8
    )
    assert solution.duals("target__mandate_in_use")[2026,] == exactly(6.0)
    inactive = run_without(data, case, ("target__mandate_in_use",))
    assert inactive.columns("made")["chip", "AAA", 2026] == exactly(0.0)


class YearlyPayment(Policy):
    """Pays so much a year for new capacity in service and for what is made."""

    kind = "test_yearly_payment"
    law = "the price form of a mandate"

    region: str
    capacity: dict[int, float]
    output: dict[int, float]

    def add(self, builder):
        for t, rate in self.capacity.items():
            builder.transfer(
                "payment",
                t,
                rate * builder.added(self.region, "chip", t),
                payer=f"treasury:{self.region}",
                receiver="agent",
                policy=self,
            )
            made = sum(
                x
                for site, year, x in builder.output(self.region)
                if year == t and site.segment == "chip"
            )
            builder.transfer(
                "premium",
                t,
                self.output[t] * made,
                payer=f"treasury:{self.region}",
                receiver="agent",
                policy=self,
            )


Policy.kinds.pop("test_yearly_payment")  # no case file may name it


@pytest.mark.parametrize("kwpm", [60.0, 75.0])
def test_mandate_and_yearly_payments_at_its_duals_agree(two, kwpm):
    rule = run(two, case_of(mandate(kwpm=kwpm, years=(2029, 2030))))
    first, second = rule.duals("target__mandate"), rule.duals("target__mandate_in_use")
    pay = YearlyPayment(
        id="pay",
        region="AAA",
        capacity={t: y for (t,), y in first.items()},
        output={t: y for (t,), y in second.items()},
        years=(2028, 2030),
        source="own",
    )
    price = run(two, case_of(pay))
    n = rule.parameters
    worth = sum(
        n.discount[t]
        * (first[t,] * (kwpm - 40) + second[t,] * n.use["chip", "u_min"] * kwpm)
        for (t,) in first
    )
    assert worth > 1
    assert near(price.objective + worth, rule.objective, 1e-7)


def test_a_mandate_before_any_fab_can_stand_is_refused(two):
    with pytest.raises(
        InputError,
        match=r"asks for 100 kwpm in 2026, when at most 40 can be.*start later",
    ):
        run(two, case_of(mandate(kwpm=100, years=(2026, 2030))))
    assert run(
        two, case_of(mandate(kwpm=100, years=(2026, 2030), price_cap=50))
    ).objective


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kwpm": 1, "share": 0.1},
        {"share": 0.1},
        {"kwpm": 1, "world_capacity": ((2026, 1.0),)},
        {"share": 0.1, "world_capacity": ((2027, 1.0), (2026, 2.0))},
        {"kwpm": 1, "borne_by": None},
    ],
)
def test_targets_without_sense_are_refused(changes):
    with pytest.raises(ValidationError):
        mandate(**changes)


def test_world_capacity_must_reach_over_the_years(two):
    rule = mandate(
        share=0.2, world_capacity=((2028, 100.0), (2029, 120.0)), years=(2028, 2030)
    )
    with pytest.raises(InputError, match="does not reach from 2028 to 2030"):
        run(two, case_of(rule))


# -- guardrails
# -------------------------------------------------------------------------------


def test_guardrail(variant):
    """Beta may add 5% of its 10 in BBB.

    More comes from AAA at 61.49: the step 0.95 to 0.97 (62.5) is bought.

    The step 0.97 to 0.99 (61.2) is not. A kwpm of room saves 10 CRF in 2026.
    """
    solution = run(bare(variant, **DEAR), case_of(guardrail()))
    assert built(solution) == {"AAA": exactly(0.17), "BBB": exactly(0.5)}
    assert solution.objective == exactly(two_years(0.97, MORE * 0.17))
    assert solution.duals("rail__growth")["beta", "chip"] == exactly(DF[1] * MORE)


def test_guardrail_with_a_fine(variant):
    """A fine of 5 a kwpm makes wafers cost 60.75: the step 0.97 to 0.99 is bought, 0.39 beyond the rule."""
    solution = run(bare(variant, **DEAR), case_of(guardrail(price_cap=5)))
    assert built(solution) == {"BBB": exactly(0.89)}
    assert solution.objective == exactly(two_years(0.99, 5 * CRF * 0.39))
    assert solution.account.treasury["treasury:AAA"] == exactly(DF[1] * 5 * CRF * 0.39)
    assert ledger(solution, "fine_cash") == {2026: exactly(5 * 0.39)}


def test_what_is_under_way_is_no_growth(variant):
    """Beta has a fab of one kwpm under way in BBB: it is finished.

    Nothing more is built at 61.49 for 60.002.
    """
    data = bare(variant, *project(region="BBB", firm="beta", committed=1.0), **DEAR)
    solution = run(data, case_of(guardrail(share=0.0)))
    assert built(solution) == {"BBB": exactly(1.0)}
    assert solution.objective == exactly(two_years(1.0))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"firms": ("other",)}, "'other' is not known, or stands for several"),
        ({"countries": ("AAA",)}, "AAA makes the rule"),
        ({"countries": ("all",)}, "'all' is not known"),
    ],
)
def test_guardrails_without_sense_are_refused(two, changes, said):
    with pytest.raises(InputError, match=said):
        run(two, case_of(guardrail(**changes)))


# -- domestic first
# ---------------------------------------------------------------------------

ALPHA = rows(
    "expansion",
    {"region": "AAA", "firm": "alpha", "value": 0.5},
    {"region": "BBB", "firm": "alpha", "value": 0.5},
)
"""Alpha, at home in AAA, is the only firm that builds: at 110 at home, at 100 in BBB."""


@pytest.mark.parametrize("each", ["firm", "home"])
@pytest.mark.parametrize("bearer", ["makers", "treasury"])
@pytest.mark.parametrize(("measure", "share"), [("kwpm", 0.4), ("capital", 40 / 106)])
def test_domestic_first(variant, each, bearer, measure, share):
    """Four tenths must be built at home: a wafer costs 60 + 0.4 x 10 CRF = 60.60, so the step to 0.99 is bought.

    In capital 110 h = 0.4 (110 h + 100 f): of the builds 40/106 are at home. A kwpm
    more at home instead of abroad costs 10 CRF; per MUSD at home, with all kept equal
    abroad, the dual y solves for the two plants with price p: p + 0.6 w y = 60 + 10 CRF
    and p - 0.4 x 100 y = 60, w = 110: y = 10 CRF / 106.
    """
    data = bare(variant, ALPHA, **DEAR)
    solution = run(data, case_of(domestic(each=each, borne_by=bearer, measure=measure)))
    home = 0.89 * share
    assert built(solution) == {"AAA": exactly(home), "BBB": exactly(0.89 - home)}
    assert solution.objective == exactly(two_years(0.99, MORE * home))
    who, row = (
        "alpha" if each == "firm" else "AAA",
        "home_share" if bearer == "makers" else "home_bought",
    )
    dual = solution.duals(f"home__{row}")[who, 2026]
    assert dual == exactly(MORE if measure == "kwpm" else MORE / 106)
    bought = home * dual * (1 if measure == "kwpm" else 110)
    gains = solution.account.gains
    alpha = gains["fab:alpha@AAA"] + gains["fab:alpha@BBB"]
    paid = DF[1] * bought if bearer == "treasury" else 0.0
    assert alpha == pytest.approx(paid, rel=1e-8, abs=1e-8)
    assert gains.get("treasury:AAA", 0.0) == exactly(-paid)
    assert ledger(solution, "home_builds") == {2026: exactly(home)}
    assert ledger(solution, "foreign_builds") == {2026: exactly(0.89 - home)}


@pytest.mark.parametrize(
    ("fine", "home", "extra"), [(5, 0.356, MORE * 0.356), (3, 0.0, 3 * CRF * 0.89)]
)
@pytest.mark.parametrize("bearer", ["makers", "treasury"])
def test_domestic_first_with_a_fine(variant, fine, home, extra, bearer):
    """Meeting the rule costs 4 CRF a kwpm on average: a fine of 5 is avoided, one of 3 is paid on every build."""
    solution = run(
        bare(variant, ALPHA, **DEAR), case_of(domestic(price_cap=fine, borne_by=bearer))
    )
    assert built(solution).get("AAA", 0.0) == exactly(home)
    assert solution.objective == exactly(two_years(0.99, extra))


def test_domestic_first_binds_only_firms_at_home(two):
    with pytest.raises(InputError, match="'beta' is not known; use alpha"):
        run(two, case_of(domestic(firms=("beta",))))


# -- properties
# -------------------------------------------------------------------------------


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
    """A mandate of what runs anyway, a guardrail nobody meets, and home builds of firms that are only at home."""
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


def test_a_mandate_that_physics_forbids_is_no_optimum(two):
    world = world_of(
        two,
        event=[
            {
                "id": "loss",
                "region": "AAA",
                "segments": ["all"],
                "years": [2028, 2030],
                "depth": 1.0,
                "source": "own",
            }
        ],
    )
    assert run(two, case_of(mandate(kwpm=50, years=(2028, 2030))), world).objective
    few = world_of(two, scale=[{"table": "input_supply", "where": {}, "factor": 0.6}])
    with pytest.raises(NoOptimum):
        run(two, case_of(mandate(kwpm=500, years=(2029, 2030))), few)


def test_numbers_are_told(two):
    n = build_parameters(two, world_of(two))
    told = loan(rate_gap=0.03).derived(n)
    assert told[0] == (
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
