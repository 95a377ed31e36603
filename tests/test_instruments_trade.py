"""Quotas, export controls, embargoes and concentration caps, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, run_without
from paper import CRF, DF, PRICE, area, bare, step
from pydantic import ValidationError
from traded import (
    CHEAPER,
    DEAR,
    OLD,
    PLANT,
    built,
    cap,
    control,
    duty,
    embargo,
    exactly,
    near_and_far,
    quota,
    resist,
    still,
)

from chipmodel import run
from chipmodel.common.units import per_wafer
from chipmodel.model.parameters.parameters import Parameters


@pytest.fixture(autouse=True)
def _no_ties(monkeypatch):
    monkeypatch.setattr(Parameters, "tie", lambda self, *places: 0.0)


# -- import quota
# -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rent_to", "owner"),
    [
        ("exporter", "licence:BBB"),
        ("importer", "licence:AAA"),
        ("treasury", "treasury:AAA"),
    ],
)
def test_import_quota_its_price_and_who_earns_it(variant, rent_to, owner):
    """Free, 1.55 kwpm come from BBB at 57.31.

    With a quota of 0.5 the next wafer costs the 60 of AAA.

    At 60, 1.01 times the reference of 11 is bought: 0.5 from BBB and 0.61 built in AAA.
    A licence is worth the difference, 10 CRF + 1.2, and the rent is half of that a
    year, to whoever holds it.
    """
    solution = run(near_and_far(variant), case_of(quota(rent_to=rent_to)))
    assert built(solution) == {
        ("new_bbb_chip_beta", 2026): exactly(0.5),
        ("new_aaa_chip_alpha", 2026): exactly(0.61),
    }
    year = (
        OLD * 11.11 + PLANT * 0.61 + (PLANT - CHEAPER) * 0.5 - PRICE * 11 * area(1.01)
    )
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("limit__quota")[(2026,)] == exactly(CHEAPER)
    assert solution.account.gains[owner] == exactly(DF[1] * CHEAPER * 0.5)
    ledger = solution.policies.set_index("item")
    assert ledger.value["rent_quota"] == exactly(CHEAPER * 0.5)
    assert ledger.agent["rent_quota"] == owner
    assert ledger.value["dual_quota"] == exactly(per_wafer(CHEAPER))
    assert ledger.value["limited_flow"] == exactly(0.5)
    public = solution.accounts.query(
        "account == 'treasury' and agent == 'ownership' and region == 'AAA'"
    )
    assert public.value.sum() == exactly(
        DF[1] * CHEAPER * 0.5 if rent_to == "treasury" else 0.0
    )


def test_import_quota_with_a_fine(variant):
    """A fine of 1 is less than a licence would be worth: BBB's wafers cost 58.31 and set the price.

    The step 1.01 to 1.03 (58.8) is bought, the next (57.69) is not: 11.33, of which
    1.33 come from BBB, 0.5 under licence and 0.83 at the fine, which the treasury gets.
    The licence is worth the fine.
    """
    solution = run(near_and_far(variant), case_of(quota(price_cap=1 / 0.012)))
    assert built(solution) == {("new_bbb_chip_beta", 2026): exactly(1.33)}
    year = OLD * 11.33 + (PLANT - CHEAPER) * 1.33 + 0.83 - PRICE * 11 * area(1.03)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.account.treasury["treasury:AAA"] == exactly(DF[1] * 0.83)
    assert solution.account.gains["licence:BBB"] == exactly(DF[1] * 0.5)


def test_quota_and_tariff_agree_in_value(variant):
    """A tariff at the price of a licence, less that price times the quota, has the value of the quota."""
    data = near_and_far(variant)
    limited, taxed = (
        run(data, case_of(quota())),
        run(data, case_of(duty(CHEAPER / PRICE))),
    )
    assert taxed.objective - DF[1] * CHEAPER * 0.5 == exactly(limited.objective)


@pytest.mark.parametrize("on", ["chips", "use"])
def test_import_quota_at_the_maker_and_on_use(variant, on):
    """Devices are made half in AAA and half in BBB and all used in AAA; fleets of five stand in each.

    A quota of 4 on bare chips from BBB is nothing to AAA's makers, who buy the five of
    AAA. On use it leaves 4 of BBB's 5: 0.898 are built in AAA at 60 to serve 1.01 times
    9.8, and a licence is worth 60 less materials and other value, as BBB has a wafer to
    spare.
    """
    data = bare(
        variant,
        fleets={"AAA": 5, "BBB": 5},
        place={"AAA": 1, "BBB": 1},
        growth=(-0.02,),
        makers=(0.5, 0.5),
    )
    free = OLD * 10 - PRICE * 9.8 * area(10 / 9.8)
    solution = run_without(data, case_of(quota(4.0, on=on)), ("route_inertia",))
    if on == "chips":
        assert solution.objective == exactly(still() + DF[1] * free)
        return
    year = OLD * 9.898 + PLANT * 0.898 - PRICE * 9.8 * area(1.01)
    bought = 4 + 5 + built(solution)["new_aaa_chip_alpha", 2026]
    assert bought == exactly(9.898)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("limit__quota")[(2026,)] == exactly(PLANT)


# -- export control
# ---------------------------------------------------------------------------


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
    """Objective when so much is replaced in 2025 to be ready, 0.55 more in 2026, and so many wafers are made then."""
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
    """AAA usually takes 0.3 x 11 from BBB in 2026; two fifths, 1.32, are let through, its own suppliers have 7.7.

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


# -- embargo
# ----------------------------------------------------------------------------------


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
    """Without BBB's resist AAA makes 7.7 + 1.05 = 8.75 wafers, in the step 0.77 to 0.83, with 0.5 replaced in 2025."""
    solution = run(resist(variant), case_of(embargo(input="resist")))
    assert solution.columns("made")["chip", "AAA", 2026] == exactly(8.75)
    assert solution.objective == exactly(withheld(8.75, 0.5))
    assert (
        solution.duals("ban__banned")[(2026,)] >= PRICE * step(8.75 / 11) - OLD - 1e-9
    )


# -- concentration cap
# ------------------------------------------------------------------------


@pytest.mark.parametrize("on", ["chips", "use"])
def test_concentration_cap_and_its_dual(variant, on):
    """No more than 0.95 from BBB: a twentieth is built in AAA at 110, and the price is 60 + 0.05 x 10 CRF.

    The step 0.99 to 1.01 (60.002) is no longer bought: 10.89, of which 0.5445 are built
    in AAA and 0.3455 in BBB. One more wafer from BBB would save 10 CRF.
    """
    solution = run(bare(variant, **DEAR), case_of(cap(on=on, price_cap=20_000)))
    assert built(solution) == {
        ("new_aaa_chip_alpha", 2026): exactly(0.5445),
        ("new_bbb_chip_beta", 2026): exactly(0.3455),
    }
    year = OLD * 10.89 + PLANT * 0.89 + CRF * 10 * 0.5445 - PRICE * 11 * area(0.99)
    assert solution.objective == exactly(still() + DF[1] * year)
    assert solution.duals("spread__cap")["chip", "BBB", 2026] == exactly(CRF * 10)


def test_concentration_cap_with_a_cheap_fine(variant):
    """A fine of 1 is less than 10 CRF: makers pay it on the twentieth over the cap, 0.5445."""
    solution = run(bare(variant, **DEAR), case_of(cap(price_cap=1 / 0.012)))
    assert built(solution) == {("new_bbb_chip_beta", 2026): exactly(0.89)}
    assert solution.duals("spread__cap")["chip", "BBB", 2026] == exactly(1.0)
    assert solution.account.treasury["treasury:AAA"] == exactly(DF[1] * 0.5445)


def test_concentration_cap_is_not_met_by_buying_nothing(variant):
    """A bare cap is refused.

    BBB may sell 0.2; AAA builds at 500, a wafer for 60 + 400 CRF = 119.6.

    A mixed wafer costs 0.8 x 119.6 + 0.2 x 33.1 = 102.3, as the fleet of BBB has wafers
    to spare. With a fine nobody pays, users go without: they buy only what is worth
    109.4, 0.6 times the reference. With a least quantity of 11 they get all of it, 8.8
    built in AAA.
    """
    with pytest.raises(ValidationError, match="buying nothing"):
        cap(0.2)
    data = bare(variant, fleets={"BBB": 10}, place={"AAA": 5, "BBB": 1})
    shrunk = run(data, case_of(cap(0.2, price_cap=1e6)))
    assert shrunk.columns("consumed")["AAA", "chip", 2026] == exactly(6.6)
    solution = run(data, case_of(cap(0.2, min_served=1.0, on="use")))
    assert built(solution) == {("new_aaa_chip_alpha", 2026): exactly(8.8)}
    assert solution.columns("consumed")["AAA", "chip", 2026] == exactly(11.0)
    year = OLD * 11 + (PLANT + CRF * 400) * 8.8 - PRICE * 11 * area(1.0)
    assert solution.objective == exactly(still() + DF[1] * year)
