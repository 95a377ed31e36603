"""Support by credit, loan, guarantee and equity, and awards late, withdrawn or converted."""

from __future__ import annotations

import pytest
from dear import (
    COMMON,
    DEAR,
    FREE,
    built,
    credit,
    exactly,
    ledger,
    loan,
    project,
    two_years,
)
from helpers import case_of, near
from paper import CRF, DF, bare

from chipmodel import CapexGrant, InputError, run
from chipmodel.model.parameters.finance import capital_recovery
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.soft_finance import grant_equivalent


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)


# -- production credit
# ------------------------------------------------------------------------


@pytest.mark.parametrize(("capital", "moved"), [(9, False), (11, True)])
def test_production_credit(variant, capital, moved):
    """A wafer from AAA costs 10 CRF more a year and kwpm.

    A credit of 9 CRF moves nothing, one of 11 CRF all.

    The price is then 60 - CRF = 59.85, still above the step 1.01 to 1.03 (58.8).
    """
    data = bare(variant, **DEAR)
    solution = run(data, case_of(credit(capital * CRF / 0.012)))
    assert built(solution) == {"AAA" if moved else "BBB": exactly(1.11)}
    assert solution.objective == exactly(FREE - DF[1] * (CRF * 1.11 if moved else 0.0))
    paid = 1.11 * capital * CRF if moved else 0.0
    assert -ledger(solution, "production_credit").get(2026, 0.0) == exactly(paid)
    assert -ledger(solution, "production_credit_cash").get(2026, 0.0) == exactly(paid)


def test_production_credit_is_for_new_fabs(variant):
    """In BBB, 100 USD a wafer (1.2 a kwpm): the price is 58.8 and 59.99 is not in it; the fleet of 10 gets nothing.

    60 - 1.2 = 58.8 is below the step 1.01 to 1.03 (60 ln(1.03/1.01)/0.02 = 58.83), so
    1.33 kwpm are new.
    """
    solution = run(bare(variant, **DEAR), case_of(credit(100, region="BBB")))
    assert built(solution) == {"BBB": exactly(1.33)}
    assert solution.objective == exactly(two_years(1.03, -1.2 * 1.33))


def test_production_credit_counts_in_the_check_of_stacking(variant):
    """At 110 of capital and 10 years a credit of 110 CRF a year would pay the plant."""
    data = bare(variant, **DEAR)
    with pytest.raises(InputError, match=r"credit: together pay 101% of the cost"):
        run(data, case_of(credit(1.01 * 110 * CRF / 0.012)))


# -- loans, guarantees, equity
# ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("market", "gap", "tenor"),
    [(0.08, 0.03, 5), (0.06, 0.06, 7), (0.05, 0.08, 3), (0.07, 0, 9)],
)
def test_grant_equivalent_is_what_is_lent_less_what_comes_back(market, gap, tenor):
    rate = market - gap
    level = 1 / tenor if rate == 0 else rate / (1 - (1 + rate) ** -tenor)
    back = sum(level * (1 + market) ** -k for k in range(1, tenor + 1))
    assert grant_equivalent("loan", market, gap, tenor) == exactly(1 - back)
    assert grant_equivalent("guarantee", market, gap, tenor) == exactly(1 - back)
    back = (
        sum(rate * (1 + market) ** -k for k in range(1, tenor + 1))
        + (1 + market) ** -tenor
    )
    assert grant_equivalent("equity", market, gap, tenor) == exactly(1 - back)


@pytest.mark.parametrize(
    ("changes", "worth"),
    [
        ({"rate_gap": 0.04}, 1 - capital_recovery(0.04, 10) / CRF),
        ({"rate_gap": 0.05}, 1 - capital_recovery(0.03, 10) / CRF),
        ({"rate_gap": 0.05, "form": "guarantee"}, 1 - capital_recovery(0.03, 10) / CRF),
        ({"rate_gap": 0.03, "form": "equity"}, 0.03 / CRF),
        ({"grant_equivalent": 0.2}, 0.2),
    ],
)
def test_soft_finance(variant, changes, worth):
    """Half of 110 is lent, so a plant in AAA costs 110 (1 - g/2): below 100 if g is above 2/11 = 0.182.

    g is 0.173 at a gap of 4%, 0.213 at 5%, 0.201 for equity at 3%. The price stays
    above 58.8.
    """
    data = bare(variant, **DEAR)
    solution = run(data, case_of(loan(**changes)))
    moved = worth > 2 / 11
    assert built(solution) == {"AAA" if moved else "BBB": exactly(1.11)}
    gain = (55 * worth - 10) * 1.11 if moved else 0.0
    assert solution.objective == exactly(FREE - DF[1] * CRF * gain)
    if moved:
        assert ledger(solution, "outstanding")[2026] == exactly(55 * 1.11)
        assert -ledger(solution, "soft_finance_cash")[2026] == exactly(
            55 * 1.11 * worth
        )
        assert ("lent" in set(solution.policies["item"])) == (
            changes.get("form") != "guarantee"
        )


@pytest.mark.parametrize("form", ["loan", "equity"])
def test_what_is_lent_is_repaid_or_outstanding(two, form):
    solution = run(
        two, case_of(loan(form=form, rate_gap=0.05, tenor=2, years=(2026, 2030)))
    )
    lent, repaid, owed = (
        ledger(solution, item) for item in ("lent", "repaid", "outstanding")
    )
    assert sum(repaid.values()) > 0
    total = 0.0
    for year in solution.parameters.years:
        total += lent.get(year, 0.0) - repaid.get(year, 0.0)
        assert near(owed.get(year, 0.0), total, 1e-8)


@pytest.mark.parametrize(("worth", "moved"), [(0.9, True), (0.5, False)])
def test_an_award_is_converted_to_equity(variant, worth, moved):
    """An award of 12 would make the plant cost 98.

    Withdrawn and given as equity worth 0.9 of it, it costs 99.2.
    """
    data = bare(variant, *project(award=12), **DEAR)
    award = CapexGrant(
        id="award",
        form="award",
        region="AAA",
        excluded=("alpha",),
        years=(2025, 2026),
        source="own",
    )
    stake = loan(
        form="equity",
        base="award",
        amount=1.0,
        grant_equivalent=worth,
        firms=("alpha",),
    )
    solution = run(data, case_of(award, stake))
    assert built(solution).get("AAA", 0.0) == exactly(1.0 if moved else 0.0)
    assert solution.objective == exactly(FREE - DF[1] * CRF * (0.8 if moved else 0.0))


# -- awards late and withdrawn, eligibility
# ---------------------------------------------------


@pytest.mark.parametrize(("delay", "moved"), [(0, True), (1, True), (3, False)])
def test_award_paid_late(variant, delay, moved):
    """12 paid a year late are worth 11.1, three years late 9.5: less than the 10 that AAA is dearer."""
    data = bare(variant, *project(award=12), **DEAR)
    award = CapexGrant(
        id="award",
        form="award",
        region="AAA",
        years=(2025, 2026),
        delay=delay,
        source="own",
    )
    solution = run(data, case_of(award))
    assert built(solution).get("AAA", 0.0) == exactly(1.0 if moved else 0.0)
    gain = CRF * (12 / 1.08**delay - 10) if moved else 0.0
    assert solution.objective == exactly(FREE - DF[1] * gain)
    cash = {
        year: -value
        for account, _, _, _, year, value, _ in solution.account.rows
        if account == "grant_cash"
    }
    assert cash == ({2026 + delay: exactly(12)} if moved else {})


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, True),
        ({"excluded": ("alpha",)}, False),
        ({"excluded": ("beta",)}, True),
        ({"homes": ("BBB",)}, False),
        ({"homes": ("AAA",)}, True),
        ({"sites": ("one",)}, False),
        ({"sites": ("new_aaa_chip_alpha",)}, True),
    ],
)
def test_eligibility_by_firm_home_and_site(variant, changes, moved):
    """A grant of 10% makes AAA cost 99, if it reaches the greenfield place of alpha."""
    data = bare(variant, *project(region="BBB", firm="beta"), **DEAR)
    grant = CapexGrant(
        id="grant", form="open", region="AAA", rate=0.1, **COMMON, **changes
    )
    solution = run(data, case_of(grant))
    assert built(solution) == {"AAA" if moved else "BBB": exactly(1.11)}


@pytest.mark.parametrize("name", ["gamma", "all"])
def test_an_unknown_firm_cannot_be_excluded(two, name):
    with pytest.raises(InputError, match=f"'{name}' is not a firm; use alpha"):
        run(two, case_of(credit(1, excluded=(name,), years=(2026, 2030))))


def test_an_unknown_site_is_refused(variant):
    with pytest.raises(
        InputError, match=r"'new_aaa_chip_alfa' is not a site.*new_aaa_chip_alpha"
    ):
        run(bare(variant, **DEAR), case_of(credit(1, sites=("new_aaa_chip_alfa",))))
