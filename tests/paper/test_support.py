"""What grants and credits share, solved on paper: late awards and eligibility."""

from __future__ import annotations

import pytest
from helpers import case_of
from invested import COMMON, FREE, built, credit, project
from paper import CRF, DF, HOME_COSTS_MORE, bare, exactly

from chipmodel import CapexGrant, InputError, run


@pytest.mark.parametrize(("delay", "moved"), [(0, True), (1, True), (3, False)])
def test_award_paid_late(variant, delay, moved):
    """12 paid a year late are worth 11.1, three years late 9.5: less than the extra 10
    of AAA.
    """
    data = bare(variant, *project(award=12), **HOME_COSTS_MORE)
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
    data = bare(variant, *project(region="BBB", firm="beta"), **HOME_COSTS_MORE)
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
        run(
            bare(variant, **HOME_COSTS_MORE),
            case_of(credit(1, sites=("new_aaa_chip_alfa",))),
        )
