"""Guardrails on expansion abroad, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
from invested import MORE, built, guardrail, ledger, project, two_years
from paper import CRF, DF, HOME_COSTS_MORE, bare, exactly

from chipmodel import InputError, run


def test_guardrail(variant):
    """Beta may add 5% of its 10 in BBB.

    More comes from AAA at 61.49: the step 0.95 to 0.97 (62.5) is bought.

    The step 0.97 to 0.99 (61.2) is not. A kwpm more of growth saves 10 CRF in 2026.
    """
    solution = run(bare(variant, **HOME_COSTS_MORE), case_of(guardrail()))
    assert built(solution) == {"AAA": exactly(0.17), "BBB": exactly(0.5)}
    assert solution.objective == exactly(two_years(0.97, MORE * 0.17))
    assert solution.duals("rail__growth")["beta", "chip"] == exactly(DF[1] * MORE)


def test_guardrail_with_a_fine(variant):
    """A fine of 5 a kwpm makes wafers cost 60.75: the step 0.97 to 0.99 is bought, 0.39
    beyond the rule.
    """
    solution = run(bare(variant, **HOME_COSTS_MORE), case_of(guardrail(price_cap=5)))
    assert built(solution) == {"BBB": exactly(0.89)}
    assert solution.objective == exactly(two_years(0.99, 5 * CRF * 0.39))
    assert solution.account.treasury["treasury:AAA"] == exactly(DF[1] * 5 * CRF * 0.39)
    assert ledger(solution, "fine_cash") == {2026: exactly(5 * 0.39)}


def test_what_is_under_way_is_no_growth(variant):
    """Beta has a fab of one kwpm under way in BBB: it is finished.

    Nothing more is built at 61.49 for 60.002.
    """
    data = bare(
        variant, *project(region="BBB", firm="beta", committed=1.0), **HOME_COSTS_MORE
    )
    solution = run(data, case_of(guardrail(share=0.0)))
    assert built(solution) == {"BBB": exactly(1.0)}
    assert solution.objective == exactly(two_years(1.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"firms": ("other",)}, "'other' is not known, or covers several"),
        ({"countries": ("AAA",)}, "AAA makes the rule"),
        ({"countries": ("all",)}, "'all' is not known"),
    ],
)
def test_guardrails_without_sense_are_refused(two, changes, message):
    with pytest.raises(InputError, match=message):
        run(two, case_of(guardrail(**changes)))
