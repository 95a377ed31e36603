"""A tax credit for investment, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
from paper import (
    CRF,
    DF,
    HOME_COSTS_MORE,
    OLD,
    PRICE,
    RUNNING,
    area,
    bare,
    built_in_regions,
    exactly,
    first_year,
    project,
)
from pydantic import ValidationError

from chipmodel import InvestmentTaxCredit, run

STARTED_IN_2025 = project(value=5, earliest=2026)


def credit(**changes) -> InvestmentTaxCredit:
    """A credit of 15% in AAA: builds cost 93.5 there, 100 in BBB."""
    return InvestmentTaxCredit.model_validate(
        {
            "id": "credit",
            "region": "AAA",
            "rate": 0.15,
            "years": (2026, 2027),
            "source": "own",
            **changes,
        }
    )


def test_tax_credit_without_a_deadline(variant):
    """Both years build in AAA at 93.5: price 60 - 6.5 CRF = 59.03, so 1.01 times the
    reference is bought.
    """
    data = bare(variant, **HOME_COSTS_MORE, growth=(0.1, 0.1))
    solution = run(data, case_of(credit()))
    assert built_in_regions(solution) == {
        ("AAA", 2026): exactly(1.11),
        ("AAA", 2027): exactly(1.111),
    }
    new = CRF * 93.5 + RUNNING
    later = sum(
        DF[k] * (OLD * 1.01 * q + new * (1.01 * q - 10) - PRICE * q * area(1.01))
        for k, q in [(1, 11), (2, 12.1)]
    )
    assert solution.objective == exactly(first_year() + later)


@pytest.mark.parametrize(
    ("edits", "changes"),
    [
        pytest.param([], {"begin_by": 2026}, id="start"),
        pytest.param([STARTED_IN_2025], {"years": (2026, 2026)}, id="end"),
        pytest.param(
            [STARTED_IN_2025], {"begin_by": 2026, "within": 1}, id="years to build"
        ),
    ],
)
def test_tax_credit_falls_off_a_cliff(variant, edits, changes):
    """Nothing is credited in 2027: what comes on line then is built in BBB at 100.

    Either construction must start in 2026, or the credit ends with 2026 for a project
    started in time as well, or that project, started in 2025, has a year to come on
    line.

    A kwpm started in 2026 saves 6.5 CRF in 2026 and again in 2027, when it replaces
    one at 100: the price of 2026 falls to 60 - 6.5 CRF (1 + 1/1.08) = 58.13, and the
    step 1.01 to 1.03 (58.83) is bought too, the next (57.69) is not. Building ahead for
    2027 would cost 93.5 CRF a year early.
    """
    data = bare(variant, *edits, **HOME_COSTS_MORE, growth=(0.1, 0.1))
    solution = run(data, case_of(credit(**changes)))
    assert built_in_regions(solution) == {
        ("AAA", 2026): exactly(1.33),
        ("BBB", 2027): exactly(12.221 - 11.33),
    }
    price = {
        year: abs(dual)
        for (_, _, year), dual in solution.duals("demand_balance").items()
    }
    assert price[2026] == exactly(PRICE - 6.5 * CRF * (1 + 1 / 1.08))
    first = OLD * 11.33 + (CRF * 93.5 + RUNNING) * 1.33 - PRICE * 11 * area(1.03)
    second = (
        OLD * 12.221
        + (CRF * 93.5 + RUNNING) * 1.33
        + (CRF * 100 + RUNNING) * 0.891
        - PRICE * 12.1 * area(1.01)
    )
    assert solution.objective == exactly(first_year() + DF[1] * first + DF[2] * second)


def test_project_started_in_time_keeps_the_credit(variant):
    """The same deadline with a site of 5 kwpm started in 2025: its builds of 2027 are
    credited.
    """
    data = bare(variant, STARTED_IN_2025, **HOME_COSTS_MORE, growth=(0.1, 0.1))
    solution = run(data, case_of(credit(begin_by=2026)))
    assert built_in_regions(solution) == {
        ("AAA", 2026): exactly(1.11),
        ("AAA", 2027): exactly(1.111),
    }
    assert solution.columns("build")["alpha_one", 2027] == exactly(1.111)


def test_a_start_after_the_end_is_refused():
    """Nothing started after the last year of coming on line is ever credited."""
    with pytest.raises(ValidationError, match="begin_by: 2030 is after 2027"):
        credit(begin_by=2030)
