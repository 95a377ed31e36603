"""Loans, guarantees and equity, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, near
from invested import FREE, built, ledger, loan, project
from paper import CRF, DF, HOME_COSTS_MORE, bare, exactly

from chipmodel import CapexGrant, run
from chipmodel.model.parameters.finance import capital_recovery
from chipmodel.policies.soft_finance import grant_equivalent


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
    """Half of 110 is lent, so a plant in AAA costs 110 (1 - g/2): below 100 if g is
    above 2/11 = 0.182.

    g is 0.173 at a gap of 4%, 0.213 at 5%, 0.201 for equity at 3%. The price stays
    above 58.8.
    """
    data = bare(variant, **HOME_COSTS_MORE)
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
    data = bare(variant, *project(award=12), **HOME_COSTS_MORE)
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
