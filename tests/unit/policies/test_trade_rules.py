"""Rules of trade on the two-region data set: no effect, copies, duals, refusals."""

from __future__ import annotations

import dataclasses
import math

import pytest
from helpers import booked_and_ledger, case_of, copy_two
from paper import HOME_COSTS_MORE, NOTHING, bare, exactly
from pydantic import ValidationError
from traded import (
    allowance,
    area_of_two,
    beta_abroad,
    cap,
    control,
    duty,
    embargo,
    near_and_far,
    quota,
    resist,
)

from chipmodel import InputError, NoOptimum, Policy, Solution, load_dataset, run
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.import_quota import ImportQuota
from chipmodel.solver.solve import solve_program


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)


YEARS = {"years": (2027, 2029)}

TAX = duty(0.25, years=(2026, 2030))

SLACK = {
    "quota": (quota(1e4, **YEARS),),
    "quota on use": (quota(1e4, on="use", **YEARS),),
    "control": (control(share=10, **YEARS),),
    "control on use": (control(share=10, on="use", **YEARS),),
    "control of an input": (control(input="resist", share=10, **YEARS),),
    "cap": (cap(1.0, on="use", min_served=0.5, **YEARS),),
    "cap that is written": (cap(1 - 1e-12, on="use", min_served=0.5, **YEARS),),
    "free trade without a duty": (area_of_two(**YEARS),),
}

BINDING = {
    "quota": lambda share, name: quota(
        20 * share, id=name, segments=("chip",), **YEARS
    ),
    "quota on use": lambda share, name: quota(
        20 * share, id=name, on="use", rent_to="treasury", segments=("chip",), **YEARS
    ),
    "control": lambda share, name: control(share=share, id=name, **YEARS),
    "control of an input": lambda share, name: control(
        input="resist", share=share / 50, id=name, **YEARS
    ),
    "cap": lambda share, name: cap(
        share, id=name, price_cap=5000, segments=("chip",), **YEARS
    ),
    "cap on use": lambda share, name: cap(
        share, id=name, on="use", min_served=0.9, segments=("chip",), **YEARS
    ),
}


@pytest.mark.parametrize("name", list(SLACK))
def test_what_does_not_bind_changes_nothing(name, two):
    solution = run(two, case_of(*SLACK[name]))
    assert solution.objective == exactly(run(two, NOTHING).objective)
    assert not any(
        v
        for a, v in solution.account.gains.items()
        if a.startswith(("licence:", "treasury:")) and v > 1e-6
    )


def test_an_embargo_on_what_does_not_flow_changes_nothing(variant):
    data = near_and_far(variant)
    early = embargo(years=(2025, 2025))
    assert run(data, case_of(early)).objective == exactly(run(data, NOTHING).objective)


def test_an_allowance_without_multiples_or_without_a_duty_changes_nothing(two):
    none = allowance(under_construction=0.0, in_service=0.0)
    assert none.inactive
    assert run(two, case_of(TAX, none)).objective == exactly(
        run(two, case_of(TAX)).objective
    )
    untaxed = TAX.model_copy(update={"rate": 0.0})
    assert run(two, case_of(untaxed, allowance())).objective == exactly(
        run(two, NOTHING).objective
    )


@pytest.mark.parametrize("name", list(BINDING))
def test_two_copies_are_one_and_the_tighter_binds(name, two):
    make, free = BINDING[name], run(two, NOTHING).objective
    one = run(two, case_of(make(0.5, "one"))).objective
    assert one > free + 1e-6 * abs(free)
    assert run(two, case_of(make(0.5, "one"), make(0.5, "two"))).objective == exactly(
        one
    )
    assert run(two, case_of(make(0.5, "one"), make(0.8, "two"))).objective == exactly(
        one
    )


def test_two_embargoes_and_two_free_trade_areas_are_one(two):
    for single, double in [
        ((embargo(**YEARS),), (embargo(**YEARS), embargo(id="again", **YEARS))),
        (
            (TAX, area_of_two(**YEARS)),
            (TAX, area_of_two(**YEARS), area_of_two(id="again", **YEARS)),
        ),
    ]:
        assert run(two, case_of(*double)).objective == exactly(
            run(two, case_of(*single)).objective
        )


def bracket(solution: Solution, row: int, by: float) -> tuple[float, float, float]:
    """Return left difference, dual and right difference of the objective in a
    right-hand side.
    """

    def moved(by: float) -> float:
        rhs = solution.program.rhs.copy()
        rhs[row] += by
        try:
            return solve_program(
                dataclasses.replace(solution.program, rhs=rhs)
            ).objective
        except NoOptimum:
            return math.inf

    here = solution.objective
    return (
        (here - moved(-by)) / by,
        float(solution.optimum.y[row]),
        (moved(by) - here) / by,
    )


@pytest.mark.parametrize("name", [*BINDING, "allowance"])
def test_differences_bracket_the_dual(name, two, variant):
    if name == "allowance":
        solution = run(beta_abroad(variant), case_of(TAX, allowance()))
        assert solution.policies.query("item == 'earned_by_beta'").value.max() > 1
    else:
        solution = run(two, case_of(BINDING[name](0.5, "one")))
    group = {
        "allowance": "terms__allowance",
        "cap": "one__cap",
        "cap on use": "one__cap",
    }.get(name, "one__quota")
    rows = [
        i for i, (found, _) in enumerate(solution.program.row_labels) if found == group
    ]
    binding = [i for i in rows if solution.optimum.y[i] > 1e-6]
    assert binding
    for row in binding:
        left, dual, right = bracket(solution, row, 1e-3)
        assert left - 1e-4 <= dual <= right + 1e-4


def test_the_dual_of_an_embargo_is_at_least_the_worth_of_the_first_wafer(two):
    solution = run(two, case_of(embargo(**YEARS)))
    for row in [
        i
        for i, (name, _) in enumerate(solution.program.row_labels)
        if name == "ban__banned"
    ]:
        rhs = solution.program.rhs.copy()
        rhs[row] -= 1e-3
        less = solve_program(dataclasses.replace(solution.program, rhs=rhs)).objective
        assert solution.optimum.y[row] >= (solution.objective - less) / 1e-3 - 1e-4


def test_transfers_of_an_allowance_sum_to_zero(variant):
    solution = run(
        beta_abroad(variant),
        case_of(TAX, allowance(), quota(20, id="limit", rent_to="treasury", **YEARS)),
    )
    assert solution.policies.query("item == 'exempt_flow'").value.sum() > 1
    lines = solution.accounts.query("policy in ('duty', 'terms') and unit == 'MUSD'")
    assert lines.value.sum() == pytest.approx(0.0, abs=1e-9 * lines.value.abs().sum())
    ledger = solution.policies.query(
        "agent == 'treasury:AAA' and item in ('tariff', 'allowance')"
    ).value.sum()
    booked = lines.query("agent == 'treasury:AAA'").value.sum()
    assert ledger == pytest.approx(booked, rel=1e-9)


def test_an_allowance_lies_between_no_duty_and_the_duty_without_terms(variant):
    """Against no duty the terms cost users and makers something, against the bare duty
    they save something.
    """
    data = beta_abroad(variant)
    untaxed, terms, alone = (
        run(data, case_of(*policies)).objective
        for policies in [(), (TAX, allowance()), (TAX,)]
    )
    assert untaxed < terms - 1e-3 < alone - 2e-3


@pytest.mark.parametrize("on", ["chips", "use"])
def test_a_concentration_cap_agrees_with_its_feebate(variant, on):
    """The dual on every wafer of BBB, less share times it on every wafer, has the value
    of the cap.
    """

    class Feebate(Policy):
        kind = "toy_feebate"
        law = "A fee on one origin, given back on all."

        fee: float
        share: float

        def distinguishes(self, numbers):
            return [("AAA", ("chip",), frozenset({"BBB"}))]

        def add(self, builder):
            read = builder.imports if on == "chips" else builder.use
            paid = [
                (float(f.origins == {"BBB"}) - self.share) * f.term
                for f in read("AAA", ("chip",), (2026,))
            ]
            builder.transfer(
                "fee",
                2026,
                self.fee * sum(paid),
                payer="agent",
                receiver="treasury:AAA",
                policy=self,
            )

    try:
        data = bare(variant, **HOME_COSTS_MORE)
        capped = run(data, case_of(cap(on=on, price_cap=20_000)))
        fee = capped.duals("spread__cap")["chip", "BBB", 2026]
        feebate = Feebate(
            id="feebate", fee=fee, share=0.95, years=(2026, 2026), source="own"
        )
        assert run(data, case_of(feebate)).objective == exactly(capped.objective)
    finally:
        Policy.kinds.pop("toy_feebate")


CASE = """
title = "A duty with a ceiling, a partner's allowance and a quota"
baseline = "tariff"
status = "hypothetical"
as_of = "2026-06-30"
summary = "Everything in one file."
[set]
"duty.layer" = "section_232"
"duty.ceiling" = 0.15

[[policy]]
kind = "capacity_linked_quota"
id = "terms"
relieves = "duty"
partner = "BBB"
under_construction = 2.5
in_service = 1.5
approved_from = 2026
years = [2026, 2030]
source = "test"

[[policy]]
kind = "export_control"
id = "resist_control"
exporter = "BBB"
destination = "AAA"
input = "resist"
share = 0.02
rent_to = "treasury"
known_from = 2028
years = [2028, 2030]
source = "test"
"""


def test_a_case_file_runs_end_to_end(tmp_path):
    """Read from a file, with a surprise on the way: all identities are asserted in each
    pass.
    """
    folder = copy_two(tmp_path / "data")
    (folder / "cases" / "terms.toml").write_text(CASE)
    solution = run(load_dataset(folder), "terms")
    assert solution.foresight == "surprise"
    assert (
        solution.policies.query(
            "item == 'dual_quota' and policy == 'resist_control'"
        ).value.max()
        > 0
    )
    assert (
        solution.policies.query("item == 'tariff' and policy == 'duty'").value.max() > 0
    )
    booked, ledger = booked_and_ledger(solution)
    assert set(booked) == {"treasury:AAA", "treasury:BBB"}
    assert ledger == pytest.approx(booked, rel=1e-9)
    public = solution.accounts.query(
        "account == 'treasury' and region == 'BBB' and agent == 'ownership'"
    )
    assert public.value.sum() == pytest.approx(solution.account.gains["treasury:BBB"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ImportQuota.model_validate(
                {
                    "id": "q",
                    "importer": "AAA",
                    "quota": 1,
                    "on": "chips",
                    "years": (2026, 2027),
                    "source": "own",
                }
            ),
            "rent_to",
        ),
        (lambda: control(rent_to="treasury"), "either share or quota"),
        (lambda: control(share=0.5, quota=3), "either share or quota"),
        (lambda: control(share=0.5, destination="BBB"), "the exporter itself"),
        (lambda: control(input="resist", quota=3), "takes no quota"),
        (lambda: embargo(destination="BBB"), "the origin itself"),
        (lambda: embargo(input="resist", on="use"), "takes no on"),
        (lambda: embargo(on=None), "give on"),
        (lambda: area_of_two(members=("AAA", "AAA")), "twice"),
        (lambda: area_of_two(members=("AAA",)), "members"),
        (lambda: duty(0.1, capped=("BBB",)), "no ceiling"),
    ],
)
def test_rules_without_sense_are_refused_when_read(make, message):
    with pytest.raises(ValidationError, match=message):
        make()


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ((quota(origins=("ZZZ",)),), "'ZZZ' is not known"),
        ((quota(origins=("AAA", "BBB")),), "importer itself"),
        ((quota(segments=("none",)),), "'none' is not known"),
        ((control(input="glue", share=0.5),), "'glue' is not known"),
        ((embargo(destination="ZZZ"),), "'ZZZ' is not known"),
        (
            (cap(0.4, origins=("AAA", "BBB"), on="use", min_served=0.9),),
            "less than the whole",
        ),
        ((allowance(),), "no tariff 'duty'"),
        ((duty(0.1, on="use"), allowance()), "falls on use"),
        ((duty(0.1), allowance(partner="AAA")), "levies the tariff itself"),
        ((duty(0.1), allowance(), allowance(id="more")), "same chips"),
        ((quota(years=(2050, 2051)),), "outside the years"),
    ],
)
def test_rules_that_do_not_fit_the_data_are_refused(two, policies, message):
    with pytest.raises(InputError, match=message):
        run(two, case_of(*policies))


def test_a_route_that_does_not_exist_is_refused(variant):
    data = bare(variant, fleets={"AAA": 10}, place={"AAA": 1})
    for policy in (quota(), control(share=0.5), embargo(), embargo(on="use")):
        with pytest.raises(InputError, match="no chips of BBB can reach AAA"):
            run(data, case_of(policy))


def test_an_input_nobody_supplies_is_refused(variant):
    data = resist(variant, suppliers={"AAA": 1.0})
    with pytest.raises(InputError, match="BBB supplies no resist"):
        run(data, case_of(embargo(input="resist")))
