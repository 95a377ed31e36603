"""Corners where a plain version of the programme gave a wrong answer."""

from __future__ import annotations

import pytest
from helpers import case_of
from pydantic import ValidationError

from chipmodel import (
    CapexGrant,
    ConcentrationCap,
    InputError,
    OriginFloor,
    Policy,
    Tariff,
    run,
)
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.world import Event, load_world

YEARS = (2026, 2030)


def pool(**fields):
    return CapexGrant(
        id="pool", form="open", region="AAA", years=YEARS, source="own", **fields
    )


def test_device_making_does_not_leave_a_place_and_return_to_dodge_a_floor(two):
    """Moves count net in the mix of origins, so a round trip gains nothing."""
    floor = OriginFloor(
        id="trust",
        market="AAA",
        trusted=("AAA",),
        segments=("chip",),
        share=0.75,
        on="use",
        price_cap=50_000,
        years=(2028, 2030),
        source="own",
    )
    solution = run(two, case_of(floor))
    came, went = solution.columns("move_in"), solution.columns("move_out")
    left = {}
    for (s, m, e, _, t), value in went.items():
        left[s, m, e, t] = left.get((s, m, e, t), 0.0) + value
    assert solution.duals("trust__floor")["chip", 2029] > 0
    assert max(min(value, left.get(key, 0.0)) for key, value in came.items()) < 1e-7


@pytest.mark.parametrize("budgets", ["gross", "net", "none"])
def test_an_open_grant_spends_its_budget_however_firms_are_charged(two, budgets):
    solution = run(
        two,
        case_of(pool(budget=200)),
        load_world("central", two).with_(budgets=budgets),
    )
    cash = solution.policies.query("item == 'grant_cash'").value.sum()
    assert -cash == pytest.approx(200, rel=0.02), "outlay rises in steps with the rate"
    assert -cash + solution.found["pool.unspent"] == pytest.approx(200, rel=1e-9)


def test_a_budget_too_large_to_spend_says_what_is_left(two):
    solution = run(two, case_of(pool(budget=1e6)))
    assert solution.found["pool.unspent"] > 1e5
    assert (solution.policies["item"] == "found_unspent").any()


def test_a_grant_nobody_can_have_is_refused(two):
    with pytest.raises(InputError, match="no build is eligible"):
        run(two, case_of(pool(budget=100, firms=("beta",))))


@pytest.mark.parametrize(
    "grant",
    [
        pool(budget=100),
        CapexGrant(
            id="extra",
            form="marginal",
            region="AAA",
            rate=0.2,
            budget=100,
            years=YEARS,
            source="own",
        ),
    ],
)
def test_a_grant_that_needs_a_whole_solve_is_refused_beside_a_surprise(two, grant):
    duty = Tariff(
        id="duty",
        importer="AAA",
        rate=0.1,
        on="chips",
        years=(2029, 2030),
        known_from=2029,
        source="own",
    )
    with pytest.raises(InputError, match="cannot be combined with known_from"):
        run(two, case_of(grant, duty))


def test_a_surprise_that_does_nothing_changes_nothing(two):
    duty = Tariff(
        id="duty",
        importer="AAA",
        rate=1e-9,
        on="chips",
        years=(2029, 2030),
        known_from=2029,
        source="own",
    )
    plain = case_of(
        Tariff(
            id="duty",
            importer="AAA",
            rate=1e-9,
            on="chips",
            years=(2029, 2030),
            source="own",
        )
    )
    assert run(two, case_of(duty)).objective == pytest.approx(
        run(two, plain).objective, rel=1e-8
    )


def test_nothing_acts_before_it_is_known():
    with pytest.raises(ValidationError, match="known_from"):
        Tariff(
            id="duty",
            importer="AAA",
            rate=0.1,
            on="chips",
            years=(2026, 2030),
            known_from=2028,
            source="own",
        )
    with pytest.raises(ValidationError, match="known_from"):
        Event(
            id="storm",
            region="AAA",
            segments=("all",),
            years=(2026, 2028),
            depth=0.5,
            known_from=2028,
            source="own",
        )


def test_an_event_outside_the_years_is_refused(two):
    event = {
        "id": "storm",
        "region": "AAA",
        "segments": ["all"],
        "years": [2050, 2051],
        "depth": 0.5,
        "source": "own",
    }
    with pytest.raises(InputError, match="outside the years"):
        build_parameters(two, load_world("central", two).with_(event=[event]))


def test_a_greenfield_fab_is_decided_a_whole_permit_before_it_is_begun(two):
    numbers = build_parameters(two, load_world("central", two))
    months = {
        row.region: row.value
        for row in two.tables["construction"]
        if row.item == "permit"
    }
    for site in numbers.sites.sites.values():
        if site.kind == "greenfield" and months[site.region] > 0:
            later = [
                t
                for t in site.builds
                if site.decided[t] > numbers.world.history_until + 1
            ]
            assert all(t - site.decided[t] >= months[site.region] / 12 for t in later)


def test_a_payment_that_hangs_on_nothing_is_refused(two):
    class LumpSum(Policy):
        def add(self, builder):
            builder.transfer(
                "fee", 2027, 100.0, payer="makers", receiver="treasury:AAA", policy=self
            )

    with pytest.raises(InputError, match="depends on no variable"):
        run(two, case_of(LumpSum(id="fee", years=YEARS, source="own")))


def test_capital_is_paid_only_while_something_stands(two):
    """A first greenfield cohort that waits for its permit pays from the day it is ready."""
    solution = run(two, "no_policy")
    builds = solution.columns("build")
    sites = solution.parameters.sites.sites
    standing = {
        year: sum(v * sites[i].in_service(t, year) for (i, t), v in builds.items())
        for year in solution.parameters.years
    }
    paid = solution.accounts.query("account == 'capital'").groupby("year").value.sum()
    assert all(standing[year] > 0 for year, value in paid.items() if value < -1e-6)


def test_rules_of_origin_on_bare_chips_are_not_met_by_buying_none():
    """A least quantity served counts users, who can be served inside devices; makers need a fine."""
    common = {
        "market": "AAA",
        "share": 0.5,
        "on": "chips",
        "min_served": 0.9,
        "years": YEARS,
        "source": "own",
    }
    for rule, fields in ((OriginFloor, {"trusted": ("AAA",)}), (ConcentrationCap, {})):
        with pytest.raises(ValidationError, match="needs price_cap"):
            rule(id="rule", **fields, **common)
        rule(id="rule", price_cap=1000, **fields, **common)
