"""Embargoes, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
from paper import DF, OLD, PLANT, PRICE, area, built, exactly, step, still
from traded import CHEAPER, embargo, near_and_far, quota, resist

from chipmodel import run


def withheld(made: float, before: float) -> float:
    """Objective when so much is replaced in 2025 to be ready, 0.55 more in 2026, and so
    many wafers are made then.
    """
    year = (
        OLD * made
        + PLANT * max(made - 10, 0.0)
        + 3 * (before + 0.55)
        - PRICE * 11 * area(made / 11)
    )
    return still() + 3 * before + DF[1] * year


@pytest.mark.parametrize("on", ["chips", "use"])
def test_embargo_on_chips(variant, on):
    """Nothing comes from BBB: 1.11 are built in AAA at 60.

    The dual is at least what a wafer costs more there.
    """
    solution = run(near_and_far(variant), case_of(embargo(on=on)))
    assert built(solution) == {("new_aaa_chip_alpha", 2026): exactly(1.11)}
    year = OLD * 11.11 + PLANT * 1.11 - PRICE * 11 * area(1.01)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("ban__banned")[(2026,)] >= CHEAPER - 1e-9
    assert solution.objective == exactly(
        run(near_and_far(variant), case_of(quota(0.0, on=on))).objective
    )


def test_embargo_on_an_input(variant):
    """Without BBB's resist AAA makes 7.7 + 1.05 = 8.75 wafers, in the step 0.77 to
    0.83, with 0.5 replaced in 2025.
    """
    solution = run(resist(variant), case_of(embargo(input="resist")))
    assert solution.columns("made")["chip", "AAA", 2026] == exactly(8.75)
    assert solution.objective == exactly(withheld(8.75, 0.5))
    assert (
        solution.duals("ban__banned")[(2026,)] >= PRICE * step(8.75 / 11) - OLD - 1e-9
    )
