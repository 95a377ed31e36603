"""A mandate for capacity, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, change, near, run_without, world_of
from invested import FREE, MORE, built, ledger, mandate
from paper import CRF, DF, HOME_COSTS_MORE, NOTHING, RUNNING, bare, exactly
from pydantic import ValidationError

from chipmodel import InputError, NoOptimum, Policy, run

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
    """Half a kwpm must be in service in AAA: it costs 5 CRF more there, and a kwpm
    needs 10 CRF a year.

    The makers build it at a loss, or the treasury pays it; the optimum is the same.
    """
    data = bare(variant, TROUGH, **HOME_COSTS_MORE)
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
    data = bare(variant, TROUGH, **HOME_COSTS_MORE)
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
    """Demand halves: seven of the fleet's ten run (the step 1.25 to 1.4 is worth 45.3,
    a wafer costs OLD + 12 = 45.1).

    Running costs 18 in AAA. A mandate of one kwpm there costs its capital, 110 CRF, and
    0.6 must be made in it instead of in BBB, at 6 more: 3.6. Without the second row the
    fab would be idle.
    """
    expensive_running = change(
        "cost_factors", {"region": "AAA", "item": "running"}, value=1.5
    )
    data = bare(variant, TROUGH, expensive_running, growth=(-0.5,), **HOME_COSTS_MORE)
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


def test_a_mandate_before_any_fab_can_be_ready_is_refused(two):
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
