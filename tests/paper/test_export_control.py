"""Export controls, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
from paper import DF, OLD, PLANT, PRICE, area, bare, built, exactly, still
from traded import control, resist

from chipmodel import run


@pytest.mark.parametrize("form", [{"share": 0.5}, {"quota": 2.45}])
def test_export_control_of_chips(variant, form):
    """Fleets of five in AAA and BBB, all buyers in AAA.

    BBB's reference flow is 5 x 0.98 = 4.9; half is let go.

    AAA builds what is missing at 60: 1.01 x 9.8 - 5 - 2.45 = 2.448. BBB has wafers to
    spare at materials and other value, so a licence is worth capital and running cost
    of a new plant.
    """
    data = bare(
        variant,
        fleets={"AAA": 5, "BBB": 5},
        place={"AAA": 1, "BBB": 1},
        growth=(-0.02,),
    )
    solution = run(data, case_of(control(**form, rent_to="treasury")))
    assert built(solution) == {("new_aaa_chip_alpha", 2026): exactly(2.448)}
    year = OLD * 9.898 + PLANT * 2.448 - PRICE * 9.8 * area(1.01)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("control__quota")[(2026,)] == exactly(PLANT)
    assert solution.account.gains["treasury:BBB"] == exactly(DF[1] * PLANT * 2.45)


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


@pytest.mark.parametrize(
    ("rent_to", "owner"),
    [
        ("exporter", "licence:BBB"),
        ("importer", "licence:AAA"),
        ("treasury", "treasury:BBB"),
    ],
)
def test_export_control_of_an_input(variant, rent_to, owner):
    """AAA usually takes 0.3 x 11 from BBB in 2026; two fifths, 1.32, are let through,
    its own suppliers have 7.7.

    Each unit replaced at 3 in 2025 makes one more possible in 2026 at another 3, so it
    is worth while up to a resist price of 3 + 3 x 1.08 = 6.24. A wafer from a new plant
    costs 60; the step 0.87 to 0.91 is worth 67.4, the next 65.2: 0.91 x 11 = 10.01 are
    made, with 0.99 replaced, of which 0.44 already in 2025.
    """
    solution = run(
        resist(variant), case_of(control(input="resist", share=0.4, rent_to=rent_to))
    )
    assert solution.columns("made")["chip", "AAA", 2026] == exactly(10.01)
    assert solution.objective == exactly(withheld(10.01, 0.44))
    assert solution.duals("control__quota")[(2026,)] == exactly(3 + 3 * 1.08)
    assert solution.account.gains[owner] == exactly(DF[1] * 6.24 * 1.32)
