"""Allowances earned by building, solved on paper."""

from __future__ import annotations

import math

import pytest
from helpers import case_of, change
from paper import (
    CAPEX,
    CRF,
    DF,
    OLD,
    PLANT,
    PRICE,
    RUNNING,
    area,
    bare,
    built,
    exactly,
    still,
)
from traded import allowance, duty

from chipmodel import Solution, run
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.world import load_world
from chipmodel.results.metrics import evaluate
from chipmodel.results.summary import Summary


def partner_builds(variant, *edits, firm: str = "beta", **kwargs):
    """BBB's firm has the fleet of ten and can build at 100 in both places; all buyers
    are in AAA.
    """
    return bare(
        variant,
        change("expansion", {"region": "AAA"}, firm=firm),
        *edits,
        fleets={"BBB": 10},
        place={"AAA": 1, "BBB": 1},
        **kwargs,
    )


def test_capacity_linked_quota_in_service(variant):
    """A duty of 6 on BBB's chips; each kwpm that BBB's firm runs in AAA frees 1.5 kwpm
    of it, worth 9.

    A wafer made in AAA so costs 60 - 9 = 51: 1.18 times the reference is bought (52 is,
    49.4 is not), 12.98, of which 2.98 from new plants in AAA. 4.47 of the ten from BBB
    come in free.
    """
    solution = run(partner_builds(variant), case_of(duty(0.1), allowance()))
    assert built(solution) == {("new_aaa_chip_beta", 2026): exactly(2.98)}
    year = OLD * 12.98 + PLANT * 2.98 + 6 * (10 - 4.47) - PRICE * 11 * area(1.18)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("terms__allowance")[(2026,)] == exactly(6.0)
    assert solution.account.treasury["treasury:AAA"] == exactly(DF[1] * 6 * (10 - 4.47))
    ledger = (
        solution.policies.query("policy == 'terms' and agent != 'firms'")
        .set_index("item")
        .value
    )
    assert ledger["exempt_flow"] == exactly(4.47)
    assert ledger["earned_by_beta"] == exactly(4.47)
    assert ledger["allowance"] == exactly(-6 * 4.47)


def test_metrics_of_an_allowance(variant):
    """The same, with a duty of 6 MUSD a kwpm and year, which is USD 500 a wafer.

    A kwpm in service earns 1.5 x 6 = 9 a year; the 4.47 certificates bring Beta 26.82,
    all that is forgone.
    """
    own = Summary.of(run(partner_builds(variant), case_of(duty(0.1), allowance())))
    found = {
        name: evaluate(f"certificate.{name}", own)
        for name in (
            "price.terms.2026",
            "building.terms.2026",
            "running.terms.2026",
            "income.terms.beta",
            "income.terms.all",
            "income.terms.alpha",
            "refund.terms",
        )
    }
    assert found == {
        "price.terms.2026": exactly(500.0),
        "building.terms.2026": exactly(6.0),
        "running.terms.2026": exactly(9.0),
        "income.terms.beta": exactly(6 * 4.47),
        "income.terms.all": exactly(6 * 4.47),
        "income.terms.alpha": 0.0,
        "refund.terms": exactly(6 * 4.47),
    }
    without = Summary.of(run(partner_builds(variant), case_of(duty(0.1))))
    assert math.isnan(evaluate("certificate.price.terms.2026", without))
    assert evaluate("certificate.refund.terms", without) == 0


def test_certificates_nobody_needs_are_worth_nothing_and_buyers_keep_the_refund(
    variant,
):
    """With 100 kwpm free for each kwpm built, what AAA builds anyway frees all ten from
    BBB.

    Nobody builds for a certificate, its price is zero, and those who buy keep the 60
    that are forgone.
    """
    data = bare(
        variant,
        change("expansion", {"region": "AAA"}, firm="beta"),
        fleets={"BBB": 10},
        place={"AAA": 1, "BBB": 1.2},
    )
    own = Summary.of(run(data, case_of(duty(0.1), allowance(in_service=100.0))))
    assert evaluate("certificate.price.terms.2026", own) == exactly(0.0)
    assert evaluate("certificate.income.terms.all", own) == exactly(0.0)
    assert evaluate("certificate.refund.terms", own) == exactly(6 * 10)


def test_capacity_linked_quota_above_which_a_lower_rate_applies(variant):
    """Above the allowance the duty is 3: a certificate is worth 3, a wafer made in AAA
    costs 60 - 4.5 = 55.5.

    1.09 times the reference are bought (55.56 is, 54.1 is not): 11.99, of which 1.99
    from AAA.
    """
    solution = run(
        partner_builds(variant), case_of(duty(0.1), allowance(rate_above=0.05))
    )
    assert built(solution) == {("new_aaa_chip_beta", 2026): exactly(1.99)}
    assert solution.duals("terms__allowance")[(2026,)] == exactly(3.0)
    assert solution.account.treasury["treasury:AAA"] == exactly(
        DF[1] * 3 * (10 - 1.5 * 1.99)
    )


def slow(variant, **kwargs):
    """A plant takes a year to build, so that those of 2027 are under construction in
    2026.
    """
    return partner_builds(
        variant,
        change("construction", {"item": "build"}, value=12),
        growth=(0.0, 0.1),
        **kwargs,
    )


LATE = CRF * CAPEX * 1.08 + RUNNING

OLD_LATE = PRICE - LATE
"""Capital with a year's interest and running cost of a new plant; materials and other
value added beside it.
"""


def terms_on_slow(variant, **changes) -> Solution:
    case = case_of(duty(0.1, years=(2026, 2027)), allowance(**changes))
    return run(slow(variant), case)


def test_capacity_linked_quota_under_construction(variant):
    """Each kwpm started in 2026 exempts one kwpm then and 1.5 in 2027, from a duty of
    6.

    A wafer of 2027 so costs 60 - 9 - 6 x 1.08 = 44.52: 1.4 times the reference is
    bought (45.3 is, 38.8 is not), 15.4, of which 5.4 from AAA. 5.4 are free in 2026 and
    8.1 in 2027. Nothing started in 2027 comes on line within the horizon, so nothing
    started then earns.
    """
    solution = terms_on_slow(variant)
    assert built(solution) == {("new_aaa_chip_beta", 2026): exactly(5.4)}
    last = OLD_LATE * 15.4 + LATE * 5.4 + 6 * (10 - 8.1) - PRICE * 11 * area(1.4)
    years = [still(OLD_LATE), still(OLD_LATE) + 6 * (10 - 5.4), last]
    assert solution.objective == exactly(
        math.fsum(d * y for d, y in zip(DF, years, strict=False))
    )
    horizon = solution.parameters.years[-1]
    sites = solution.parameters.sites.sites
    assert all(sites[i].ready[t] < horizon + 1 for i, t in solution.columns("build"))


@pytest.mark.parametrize("why", ["approved later", "of another home", "no multiples"])
def test_capacity_linked_quota_earned_by_nobody(variant, why):
    """Builds approved too early, by another's firm, or without multiples earn nothing:
    the duty stays alone.
    """
    firm = "alpha" if why == "of another home" else "beta"
    tax = duty(0.1, years=(2026, 2027))
    changes = {
        "approved later": {"approved_from": 2027},
        "no multiples": {"under_construction": 0.0, "in_service": 0.0},
    }.get(why, {})
    alone = run(slow(variant, firm=firm), case_of(tax))
    with_terms = run(slow(variant, firm=firm), case_of(tax, allowance(**changes)))
    assert with_terms.objective == exactly(alone.objective)
    assert built(with_terms) == {k: exactly(v) for k, v in built(alone).items()}


def test_a_project_started_before_the_deal_earns_nothing(two):
    """Alpha One belongs to another home; Beta One was started in 2025, too early for a
    deal of 2026.
    """
    n = build_parameters(two, load_world("central", two))
    assert not allowance()._earns(n.sites.sites["alpha_one"], n)
    assert not allowance()._earns(n.sites.sites["beta_one"], n)
    assert allowance(approved_from=2025)._earns(n.sites.sites["beta_one"], n)
