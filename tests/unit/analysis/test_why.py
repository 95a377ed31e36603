"""Why a case has no solution: the true culprits, and by how much each has to give."""

from __future__ import annotations

import json
from typing import Any

import highspy
import numpy as np
import pytest
from helpers import TWO, add, case_of, change, drop, world_of
from why import SOFT, assert_explained, ban, floor, mandate, rule, titles_in

import chipmodel as cm
from chipmodel import InputError, NoOptimum, Policy, explain_infeasible, run
from chipmodel.analysis.run import solve_in_passes
from chipmodel.analysis.why import conflicts
from chipmodel.analysis.why.explain import extremes
from chipmodel.cli import main
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import row_groups, write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.policies.concentration_cap import ConcentrationCap
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.import_quota import ImportQuota
from chipmodel.solver import highs, iis
from chipmodel.solver.iis import feasible


def only_supplier(region: str, slack: float = 0.5) -> tuple[Any, ...]:
    """All tools come from one region."""
    return (
        drop("input_supply", input="tools"),
        add("input_supply", {}, input="tools", supplier=region, value=1),
        change("input_facts", {"input": "tools", "item": "slack"}, value=slack),
    )


TIGHT = only_supplier("AAA", 0.0)
MARKET = {"on": "use", "segments": ("chip",)}

TWO_CASES: dict[str, tuple[tuple[Any, ...], list[Policy], set[str], set[str]]] = {
    "a mandate larger than all sites": (
        (),
        [mandate("AAA", "chip", 900, (2028, 2030))],
        {"mandate: mandate", "sizes of announced sites"},
        {"mandate: mandate"},
    ),
    "a mandate faster than lead times": (
        (),
        [mandate("AAA", "chip", 70, (2028, 2028))],
        {"mandate: mandate", "sizes of announced sites", "lead times"},
        {"mandate: mandate", "sizes of announced sites", "lead times"},
    ),
    "a mandate and an embargo on the only supplier of tools": (
        only_supplier("BBB"),
        [
            mandate("AAA", "chip", 100, (2030, 2030)),
            ban("BBB", "AAA", "tools", (2027, 2030)),
        ],
        {"mandate: mandate", "ban: banned"},
        {"mandate: mandate", "ban: banned"},
    ),
    "two mandates on one supply of tools": (
        TIGHT,
        [
            mandate("AAA", "chip", 75, (2030, 2030), "first"),
            mandate("BBB", "chip", 93, (2030, 2030), "second"),
        ],
        {"first: mandate", "second: mandate", "supply: Tools"},
        {"first: mandate", "second: mandate"},
    ),
    "a domestic floor above what sites allow": (
        (),
        [floor("AAA", "chip", ("AAA",), (2027, 2027), min_served=0.95)],
        {"floor: floor", "floor: min served", "capacity of fabs"},
        {"floor: floor", "floor: min served"},
    ),
    "commitments under way against an embargo on tools": (
        only_supplier("AAA"),
        [ban("AAA", "BBB", "tools", (2026, 2030))],
        {"ban: banned", "commitments under way"},
        {"ban: banned", "commitments under way"},
    ),
    "a guardrail against a mandate on the same firm": (
        (),
        [
            rule(
                Guardrail,
                "rail",
                (2026, 2030),
                region="AAA",
                firms=("beta",),
                countries=("BBB",),
                share=0.0,
            ),
            mandate("BBB", "chip", 90, (2029, 2030)),
        ],
        {"rail: growth", "mandate: mandate"},
        {"rail: growth", "mandate: mandate"},
    ),
    "a friendshoring floor that no ally can fill": (
        (),
        [floor("AAA", "memo", ("AAA",), (2026, 2026), share=1.0, min_served=0.9)],
        {"floor: floor", "floor: min served", "capacity of fabs"},
        {"floor: floor", "floor: min served"},
    ),
    "a concentration cap below one over the number of origins": (
        (),
        [
            rule(
                ConcentrationCap,
                "cap",
                (2028, 2030),
                market="AAA",
                origins=("AAA", "BBB"),
                share=0.4,
                min_served=0.9,
                **MARKET,
            )
        ],
        {"cap: cap", "cap: min served"},
        {"cap: cap", "cap: min served"},
    ),
    "a quota on imports against a quantity to be served": (
        (),
        [
            rule(
                ImportQuota,
                "quota",
                (2027, 2027),
                importer="AAA",
                quota=1.0,
                rent_to="treasury",
                **MARKET,
            ),
            floor(
                "AAA", "chip", ("AAA", "BBB"), (2027, 2027), share=0.1, min_served=0.95
            ),
        ],
        {"quota: quota", "floor: min served", "capacity of fabs"},
        {"quota: quota", "floor: min served"},
    ),
}


@pytest.mark.parametrize("name", list(TWO_CASES))
def test_ten_cases_without_a_solution(name, variant):
    edits, policies, members, helps = TWO_CASES[name]
    data, case = variant(*edits), case_of(*policies)
    with pytest.raises((NoOptimum, InputError)):
        run(data, case)
    found = assert_explained(data, case, members, helps)
    for policy in {
        m.policy for c in found.conflicts for m in c.members if m.gives and m.policy
    }:
        assert run(data, case.without(policy)).objective, (
            "what is reported to help alone does, left out"
        )


def test_a_policy_that_gives_way_as_reported_and_no_more_has_a_solution(two, variant):
    """The minimum it must give is enough, and slightly less is not."""

    def works(data: cm.Dataset, *policies: Policy) -> bool:
        try:
            return bool(run(data, case_of(*policies)).objective)
        except (NoOptimum, InputError):
            return False

    for name in (
        "a mandate faster than lead times",
        "a guardrail against a mandate on the same firm",
    ):
        *rest, target = TWO_CASES[name][1]
        found = explain_infeasible(two, case_of(*rest, target))
        needed = min(
            g.amount
            for m in found.conflicts[0].members
            if m.policy == target.id
            for g in m.gives
        )
        assert needed < target.kwpm
        assert works(two, *rest, target.model_copy(update={"kwpm": needed - 1e-6}))
        assert not works(two, *rest, target.model_copy(update={"kwpm": needed + 1e-2}))


def test_physical_limits_that_give_way_as_reported_are_enough(variant):
    """A site as large as reported is enough; a slightly smaller one is not."""
    asked = mandate("AAA", "chip", 70, (2028, 2028))
    found = explain_infeasible(variant(), case_of(asked))
    give = next(
        m for m in found.conflicts[0].members if m.title == row_groups()["size"].title
    ).gives[0]
    assert (give.row.where, give.row.amount, give.row.sense) == (
        "Alpha One",
        20,
        "at most",
    )
    for size, enough in ((give.amount + 1e-6, True), (give.amount - 0.1, False)):
        data = variant(
            change("projects", {"site": "alpha_one"}, value=size),
            change(
                "project_facts",
                {"site": "alpha_one", "item": "committed"},
                value=8 / size,
            ),
        )
        arrays = compile_program(
            write(build_parameters(data, cm.load_world("central", data)), [asked])
        )
        assert feasible(arrays, range(len(arrays.rhs))) == enough


def test_a_row_that_no_variable_enters_is_explained_too(two):
    """Nothing is new in 2025 and nothing retires: the mandate is a constant."""
    case = case_of(mandate("AAA", "chip", 100, (2025, 2025)))
    with pytest.raises(InputError, match="`chipmodel why` explains more"):
        run(two, case)
    with pytest.raises(
        NoOptimum, match=r"mandate__mandate \(2025\) cannot hold whatever is built"
    ):
        compile_program(
            write(build_parameters(two, cm.load_world("central", two)), case.policies)
        )
    found = explain_infeasible(two, case)
    (member,) = found.conflicts[0].members
    assert member.says == ("at least 100 kwpm in service in 2025",)
    assert {(g.title, g.row.amount, round(g.amount, 6)) for g in member.gives} == {
        ("mandate: mandate", 100, 40),
        ("mandate: mandate in use", 60, 38),
    }
    assert found.conflicts[0].lead_times is False, (
        "alpha_one is due in 2027 however fast it is built"
    )


def test_the_treasury_that_buys_a_mandate_is_no_culprit_of_its_own(two):
    """Rows by which it pays tie the mandate to builds; only the mandate is named."""
    found = explain_infeasible(
        two, case_of(mandate("AAA", "chip", 70, (2028, 2028), borne_by="treasury"))
    )
    assert titles_in(found)[0] == {
        "mandate: mandate",
        "sizes of announced sites",
        "lead times",
    }


def test_conflicts_that_have_nothing_to_do_with_each_other_are_distinguished(two):
    policies = [
        mandate("AAA", "chip", 70, (2028, 2028), "first"),
        mandate("BBB", "chip", 120, (2027, 2027), "second"),
    ]
    found = explain_infeasible(two, case_of(*policies))
    assert [{m.policy for m in c.members if m.policy} for c in found.conflicts] in (
        [{"first"}, {"second"}],
        [{"second"}, {"first"}],
    )
    assert all(any(m.gives for m in c.members if m.policy) for c in found.conflicts)
    assert not found.more
    assert "for 2 reasons" in str(found)


def test_limits_that_help_only_together_are_reported_together(variant, monkeypatch):
    """Two policies impossible each by itself: neither helps while the other applies."""
    policies = [
        mandate("AAA", "chip", 100, (2026, 2026)),
        ban("AAA", "BBB", "tools", (2026, 2030)),
    ]
    data = variant(*only_supplier("AAA"))
    with pytest.raises(NoOptimum) as failed:
        solve_in_passes(
            case_of(*policies), build_parameters(data, cm.load_world("central", data))
        )
    arrays = failed.value.program
    every = np.arange(len(arrays.rhs))
    names = np.array([name.split("__")[0] for name, _ in arrays.row_labels])
    one, other = (
        iis.infeasible_subsystem(arrays, every[names != policy.id])
        for policy in policies
    )
    known = iter([np.union1d(one, other)])
    monkeypatch.setattr(
        conflicts, "infeasible_subsystem", lambda program, rows: next(known, None)
    )
    (found,), more = conflicts.find_conflicts(
        arrays, failed.value.parameters, failed.value.policies
    )
    assert not more
    assert not any(m.gives for m in found.members)
    given = {g.title for g in found.together}
    assert "mandate: mandate" in given
    assert given & {
        "ban: banned",
        "commitments under way",
        "pace of replacing withheld input: Tools",
    }
    whole = cm.Diagnosis(
        case_of(*policies),
        cm.load_world("central", data),
        "infeasible",
        conflicts=(found,),
    )
    assert "It could be met only if these gave way together:" in str(whole)


def test_a_conflict_that_comes_with_a_surprise(two):
    """What is built before it is known remains; the failing pass has the conflict."""
    late = mandate("AAA", "chip", 200, (2029, 2030), known_from=2029)
    found = explain_infeasible(two, case_of(late))
    assert found.status == "infeasible"
    assert "mandate: mandate" in titles_in(found)[0]
    assert row_groups()["history"].title in titles_in(found)[0]


# -- no contradiction


@pytest.mark.parametrize(
    "rules",
    [
        [floor("AAA", "chip", ("AAA",), (2026, 2028), share=1.0, **SOFT)],
        [
            floor("AAA", "chip", ("AAA",), (2026, 2028), share=0.8, **SOFT),
            rule(
                ConcentrationCap,
                "cap",
                (2026, 2028),
                market="AAA",
                origins=("AAA",),
                share=0.3,
                **MARKET,
                **SOFT,
            ),
        ],
    ],
    ids=["a floor nobody can fill", "two floors that clash"],
)
def test_rules_met_by_using_less_are_no_contradiction(two, rules):
    found = explain_infeasible(two, case_of(*rules))
    assert found.status == "optimal"
    fall, *_ = found.binding.falls
    assert (fall.region, fall.segment) == ("AAA", "chip")
    assert (
        found.binding.culprits
        == tuple(r.id for r in rules if r.id in found.binding.culprits)
        != ()
    )
    free, held = (run(two, case_of(*policies)) for policies in ((), rules))
    used = [
        sum(
            v
            for (e, s, t), v in solution.columns("consumed").items()
            if (e, s) == ("AAA", "chip") and t <= 2028
        )
        for solution in (free, held)
    ]
    assert fall.average == pytest.approx(1 - used[1] / used[0], rel=1e-9)
    assert fall.average > 0.1
    assert f"use of chip in AAA falls by {fall.average:.1%}" in str(found)


def test_a_firm_may_always_raise_more_capital(two):
    """Two mandates on one firm's budget are expensive, not impossible.

    The last step of outside capital has no bound.
    """
    found = explain_infeasible(
        two,
        case_of(
            mandate("AAA", "chip", 75, (2029, 2030), "first"),
            mandate("BBB", "chip", 95, (2030, 2030), "second"),
        ),
    )
    assert found.status == "optimal"
    assert {b.policy for b in found.binding.rules} >= {"first"}
    assert row_groups()["firm_budget"].title in {b.title for b in found.binding.limits}


def test_what_binds_is_reported_with_its_price(two):
    asked = mandate("AAA", "chip", 65, (2029, 2030))
    solution, found = run(two, case_of(asked)), explain_infeasible(two, case_of(asked))
    duals = solution.duals("mandate__mandate")
    (bound,) = (b for b in found.binding.rules if b.title == "mandate: mandate")
    year = max(duals, key=lambda key: duals[key])[0]
    assert (bound.price, bound.row.year, bound.unit) == (
        pytest.approx(max(duals.values())),
        year,
        "MUSD per kwpm in service",
    )
    n = solution.parameters
    assert bound.worth == pytest.approx(
        sum(n.discount[t] * y * (65 - 40) for (t,), y in duals.items())
    )
    worths = [abs(b.worth) for b in found.binding.limits]
    assert worths == sorted(worths, reverse=True)
    assert "Rules that bind" in str(found)
    assert "Rules that bind\n  none" in str(explain_infeasible(two, case_of()))


def test_what_is_short_of_a_soft_rule_is_reported(two):
    soft = mandate("AAA", "chip", 70, (2028, 2028), price_cap=50)
    found = explain_infeasible(two, case_of(soft))
    assert found.status == "optimal"
    (short,) = found.binding.short
    amount = (
        70
        - 40
        - run(two, case_of(soft)).policies.query("item == 'new_capacity'").value.iloc[0]
    )
    assert (short.policy, short.amount, short.year) == (
        "mandate",
        pytest.approx(amount),
        2028,
    )
    assert amount >= 10, (
        "sites allow 60; where the fine is less than the cost, more is short"
    )


# -- unbounded, and numbers that cannot be trusted


class Windfall(Policy):
    """Pays for builds without asking what they cost."""

    amount: float

    def add(self, builder):
        paid = {
            (site.id, t): self.amount for site, t, _ in builder.builds("AAA", ("chip",))
        }
        terms = {
            (site.id, t): term for site, t, term in builder.builds("AAA", ("chip",))
        }
        for year in builder.parameters.years[-1:]:
            builder.transfer(
                "gift",
                year,
                sum(paid[k] * terms[k] for k in paid),
                payer="treasury:AAA",
                receiver="agent",
                policy=self,
            )


def test_support_that_exceeds_every_cost_is_named(variant):
    """Without inputs nothing limits what may be started."""
    two = variant(
        *(
            drop(table)
            for table in ("inputs", "input_supply", "input_recipes", "input_facts")
        )
    )
    case = case_of(
        Windfall(id="windfall", amount=1e6, years=(2026, 2030), source="own")
    )
    with pytest.raises(NoOptimum, match="unbounded"):
        run(two, case)
    found = explain_infeasible(two, case)
    assert found.status == "unbounded"
    assert found.imbalance.support[0][0] == "gift of windfall"
    assert "capital" in dict(found.imbalance.cost)
    gain, cost = (
        sum(v for _, v in side)
        for side in (found.imbalance.support, found.imbalance.cost)
    )
    assert gain > cost > 0
    assert "some support exceeds every cost" in str(found)
    assert found.imbalance.what.startswith("kwpm started at new fabs of alpha")


def test_a_solution_that_fails_its_certificate_shows_where_the_numbers_are(
    two, monkeypatch
):
    monkeypatch.setattr(highs, "TOLERANCE", -1.0)
    found = explain_infeasible(two, case_of())
    assert found.status == "failed its certificate"
    assert "no solution that can be trusted" in str(found)
    assert "coefficients: " in str(found)
    assert json.dumps(found.plain())


def test_a_conflict_that_is_not_found_is_not_made_up(two, monkeypatch):
    """HiGHS may fail to name rows: then extreme numbers are shown, not culprits."""
    monkeypatch.setattr(
        highspy.Highs,
        "getIis",
        lambda self: (highspy.HighsStatus.kError, highspy.HighsIis()),
    )
    found = explain_infeasible(two, case_of(mandate("AAA", "chip", 70, (2028, 2028))))
    assert (found.status, found.conflicts) == ("infeasible", ())
    assert "HiGHS finds no set of rows that explains it" in str(found)
    assert "right-hand sides: " in str(found)


def test_extremes_name_the_rows_and_columns_they_are_in(two):
    solution = run(
        two,
        case_of(
            mandate("AAA", "chip", 1.0, (2029, 2030)),
            mandate("BBB", "chip", 61, (2030, 2030), "second"),
        ),
    )
    found = {extreme.what: extreme for extreme in extremes(solution.program)}
    ranges = solution.program.ranges()
    for what, name in (
        ("coefficients", "matrix"),
        ("costs", "cost"),
        ("right-hand sides", "rhs"),
    ):
        assert (found[what].least, found[what].largest) == ranges[name]
    matrix = solution.program.matrix.tocsr()
    column, _, row = found["coefficients"].largest_at.partition(" in ")
    k = [
        f"{n}[{', '.join(map(str, i))}]" for n, i in solution.program.row_labels
    ].index(row)
    j = [
        f"{n}[{', '.join(map(str, i))}]" for n, i in solution.program.column_labels
    ].index(column)
    assert abs(matrix[k, j]) == found["coefficients"].largest


def test_every_physical_limit_has_a_text(two):
    """A limit added to the formulation is named in a diagnosis as well."""
    net = build_parameters(two, world_of(two, budgets="net"))
    written = {group.name for group in write(net).groups.values() if not group.policy}
    declared = row_groups()
    assert written == set(declared)
    for group in declared.values():
        assert group.title
        assert all(group.index)


# -- the command line

HEAD = (
    'title = "T"\nstatus = "hypothetical"\nas_of = "2026-06-30"\nsummary ='
    ' "S"\nbaseline = "no_policy"\n'
)
RAIL = (
    HEAD
    + """
[[policy]]
kind = "guardrail"
id = "rail"
region = "AAA"
firms = ["beta"]
countries = ["BBB"]
share = 0.0
years = [2026, 2030]
source = "test"

[[policy]]
kind = "capacity_mandate"
id = "target"
region = "BBB"
segment = "chip"
kwpm = 90
borne_by = "makers"
years = [2029, 2030]
source = "test"
"""
)


def test_the_verb(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rail.toml").write_text(RAIL)
    assert main.main(["run", "rail.toml", "--data", str(TWO)]) == 1
    error = capsys.readouterr().err
    assert f"run `chipmodel why rail.toml --data {TWO}`" in error
    assert "contradict" in error
    assert not (tmp_path / "results").exists()
    assert main.main(["why", "rail.toml", "--data", str(TWO)]) == 0
    assert (
        "asking for 66 instead of 90 kwpm in service in 2029 to 2030"
        in capsys.readouterr().out
    )
    assert main.main(["why", "rail.toml", "--data", str(TWO), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["status"] == "infeasible"
    assert [m["policy"] for m in plain["conflicts"][0]["members"]] == ["rail", "target"]
    assert plain["conflicts"][0]["members"][1]["gives"][0]["amount"] == pytest.approx(
        66
    )
    assert main.main(["why", "nothing_such", "--data", str(TWO)]) == 2
