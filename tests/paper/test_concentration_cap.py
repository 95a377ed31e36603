"""A cap on the share of one origin, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, change
from paper import (
    CRF,
    DF,
    HOME_COSTS_MORE,
    OLD,
    PLANT,
    PRICE,
    area,
    bare,
    built,
    exactly,
    still,
)
from pydantic import ValidationError
from traded import cap

from chipmodel import run


@pytest.mark.parametrize("on", ["chips", "use"])
def test_concentration_cap_and_its_dual(variant, on):
    """No more than 0.95 from BBB: a twentieth is built in AAA at 110, and the price is
    60 + 0.05 x 10 CRF.

    The step 0.99 to 1.01 (60.002) is no longer bought: 10.89, of which 0.5445 are built
    in AAA and 0.3455 in BBB. One more wafer from BBB would save 10 CRF.
    """
    solution = run(
        bare(variant, **HOME_COSTS_MORE), case_of(cap(on=on, price_cap=20_000))
    )
    assert built(solution) == {
        ("new_aaa_chip_alpha", 2026): exactly(0.5445),
        ("new_bbb_chip_beta", 2026): exactly(0.3455),
    }
    year = OLD * 10.89 + PLANT * 0.89 + CRF * 10 * 0.5445 - PRICE * 11 * area(0.99)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("spread__cap")["chip", "BBB", 2026] == exactly(CRF * 10)


def test_concentration_cap_with_a_cheap_fine(variant):
    """A fine of 1 is less than 10 CRF: makers pay it on the twentieth over the cap,
    0.5445.
    """
    solution = run(bare(variant, **HOME_COSTS_MORE), case_of(cap(price_cap=1 / 0.012)))
    assert built(solution) == {("new_bbb_chip_beta", 2026): exactly(0.89)}
    assert solution.duals("spread__cap")["chip", "BBB", 2026] == exactly(1.0)
    assert solution.account.treasury["treasury:AAA"] == exactly(DF[1] * 0.5445)


def test_concentration_cap_is_not_met_by_buying_nothing(variant):
    """A bare cap is refused.

    BBB may sell 0.2; AAA builds at 500, a wafer for 60 + 400 CRF = 119.6.

    A mixed wafer costs 0.8 x 119.6 + 0.2 x 33.1 = 102.3, as the fleet of BBB has wafers
    to spare. With a fine nobody pays, users go without: they buy only what is worth
    109.4, 0.6 times the reference. With a minimum of 11 they get all of it, 8.8
    built in AAA.
    """
    with pytest.raises(ValidationError, match="buying nothing"):
        cap(0.2)
    # Capital of 100 and a residual as of 400 more, on every wafer at full use.
    residual = change("place_residual", {"region": "AAA"}, value=CRF * 400 / 0.012)
    data = bare(variant, residual, fleets={"BBB": 10}, place={"AAA": 1, "BBB": 1})
    shrunk = run(data, case_of(cap(0.2, price_cap=1e6)))
    assert shrunk.columns("consumed")["AAA", "chip", 2026] == exactly(6.6)
    solution = run(data, case_of(cap(0.2, min_served=1.0, on="use")))
    assert built(solution) == {("new_aaa_chip_alpha", 2026): exactly(8.8)}
    assert solution.columns("consumed")["AAA", "chip", 2026] == exactly(11.0)
    year = OLD * 11 + (PLANT + CRF * 400) * 8.8 - PRICE * 11 * area(1.0)
    assert solution.objective == exactly(still() + DF[1] * year)
