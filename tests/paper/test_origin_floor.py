"""A floor on the share of trusted origins, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of
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
    step,
    still,
)

from chipmodel import OriginFloor, run
from chipmodel.common.units import per_wafer


def floor(**changes) -> OriginFloor:
    """A twentieth of the chips of AAA must come from AAA in 2026."""
    return OriginFloor.model_validate(
        {
            "id": "trust",
            "market": "AAA",
            "trusted": ("AAA",),
            "share": 0.05,
            "on": "chips",
            "years": (2026, 2026),
            "source": "own",
            **changes,
        }
    )


@pytest.mark.parametrize("on", ["chips", "use"])
def test_floor_and_its_dual(variant, on):
    """A twentieth of the wafers is built at 110 instead of 100: the price is 60 + 0.05
    x 10 CRF = 60.07.

    The step 0.99 to 1.01 (60.002) is no longer bought: 10.89, of which 0.5445 are built
    in AAA and 0.3455 in BBB. The dual is what a wafer costs more in AAA, 10 CRF. All
    devices are made and used in AAA, so the rule is the same at the maker and at the
    user.
    """
    data = bare(variant, **HOME_COSTS_MORE)
    solution = run(data, case_of(floor(on=on, price_cap=20_000)))
    assert built(solution) == {
        ("new_aaa_chip_alpha", 2026): exactly(0.5445),
        ("new_bbb_chip_beta", 2026): exactly(0.3455),
    }
    year = OLD * 10.89 + PLANT * 0.89 + CRF * 10 * 0.5445 - PRICE * 11 * area(0.99)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("trust__floor")["chip", 2026] == exactly(CRF * 10)
    assert abs(solution.duals("demand_balance")["AAA", "chip", 2026]) == exactly(
        PRICE + 0.05 * CRF * 10
    )
    ledger = solution.policies.query("item == 'dual_floor'")
    assert ledger.value.tolist() == [exactly(per_wafer(CRF * 10))]


def test_floor_with_a_cheap_fine(variant):
    """A fine of 1 (83.3 USD a wafer) is less than 10 CRF = 1.49: makers pay it on a
    twentieth, 0.5445.

    The price is 60.05, the dual is the fine, and the treasury gets 0.5445.
    """
    data = bare(variant, **HOME_COSTS_MORE)
    solution = run(data, case_of(floor(price_cap=1 / 0.012)))
    assert built(solution) == {("new_bbb_chip_beta", 2026): exactly(0.89)}
    year = OLD * 10.89 + PLANT * 0.89 + 0.5445 - PRICE * 11 * area(0.99)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("trust__floor")["chip", 2026] == exactly(1.0)
    assert solution.account.treasury["treasury:AAA"] == exactly(DF[1] * 0.5445)


def test_floor_with_a_minimum_quantity(variant):
    """At least the reference quantity of 11 must be served: 11 instead of 10.89.

    The dual is what the last wafer costs over what it is worth: 60 + 0.5 CRF less
    60.002.
    """
    data = bare(variant, **HOME_COSTS_MORE)
    solution = run(data, case_of(floor(min_served=1.0, on="use")))
    assert built(solution) == {
        ("new_aaa_chip_alpha", 2026): exactly(0.55),
        ("new_bbb_chip_beta", 2026): exactly(0.45),
    }
    year = OLD * 11 + PLANT + CRF * 10 * 0.55 - PRICE * 11 * area(1.0)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("trust__min_served")["chip", 2026] == exactly(
        PRICE * (1 - step(1.0)) + CRF * 0.5
    )
