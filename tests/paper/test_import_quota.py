"""A quota on imports, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, run_without
from paper import DF, OLD, PLANT, PRICE, area, bare, built, exactly, still
from traded import CHEAPER, duty, near_and_far, quota

from chipmodel import run
from chipmodel.common.units import per_wafer


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
    """A fine of 1 is less than a licence would be worth: BBB's wafers cost 58.31 and
    set the price.

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
    """A tariff at the price of a licence, less that price times the quota, has the
    value of the quota.
    """
    data = near_and_far(variant)
    limited = run(data, case_of(quota()))
    taxed = run(data, case_of(duty(CHEAPER / PRICE)))
    assert taxed.objective - DF[1] * CHEAPER * 0.5 == exactly(limited.objective)


@pytest.mark.parametrize("on", ["chips", "use"])
def test_import_quota_at_the_maker_and_on_use(variant, on):
    """Devices are made half in AAA and half in BBB and all used in AAA; each has a
    fleet of five.

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
