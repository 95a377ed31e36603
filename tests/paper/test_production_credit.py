"""A credit per wafer made, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
from invested import FREE, built, credit, ledger, two_years
from paper import CRF, DF, HOME_COSTS_MORE, bare, exactly

from chipmodel import InputError, run


@pytest.mark.parametrize(("capital", "moved"), [(9, False), (11, True)])
def test_production_credit(variant, capital, moved):
    """A wafer from AAA costs 10 CRF more a year and kwpm.

    A credit of 9 CRF moves nothing, one of 11 CRF all.

    The price is then 60 - CRF = 59.85, still above the step 1.01 to 1.03 (58.8).
    """
    data = bare(variant, **HOME_COSTS_MORE)
    solution = run(data, case_of(credit(capital * CRF / 0.012)))
    assert built(solution) == {"AAA" if moved else "BBB": exactly(1.11)}
    assert solution.objective == exactly(FREE - DF[1] * (CRF * 1.11 if moved else 0.0))
    paid = 1.11 * capital * CRF if moved else 0.0
    assert -ledger(solution, "production_credit").get(2026, 0.0) == exactly(paid)
    assert -ledger(solution, "production_credit_cash").get(2026, 0.0) == exactly(paid)


def test_production_credit_is_for_new_fabs(variant):
    """In BBB, 100 USD a wafer (1.2 a kwpm): the price is 58.8 and 59.99 is not in it;
    the fleet of 10 gets nothing.

    60 - 1.2 = 58.8 is below the step 1.01 to 1.03 (60 ln(1.03/1.01)/0.02 = 58.83), so
    1.33 kwpm are new.
    """
    solution = run(bare(variant, **HOME_COSTS_MORE), case_of(credit(100, region="BBB")))
    assert built(solution) == {"BBB": exactly(1.33)}
    assert solution.objective == exactly(two_years(1.03, -1.2 * 1.33))


def test_production_credit_counts_in_the_check_of_stacking(variant):
    """At 110 of capital and 10 years a credit of 110 CRF a year would pay the plant."""
    data = bare(variant, **HOME_COSTS_MORE)
    with pytest.raises(InputError, match=r"credit: together pay 101% of the cost"):
        run(data, case_of(credit(1.01 * 110 * CRF / 0.012)))
