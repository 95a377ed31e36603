"""A duty on chips, solved on paper."""

from __future__ import annotations

import pytest
from helpers import case_of, change, rows, run_without
from paper import (
    CRF,
    DF,
    OLD,
    OTHER,
    PLANT,
    PRICE,
    RUNNING,
    area,
    bare,
    built,
    exactly,
    step,
    still,
)

from chipmodel import Tariff, run


def duty(rate: float, on: str = "chips", **changes) -> Tariff:
    """A duty of AAA on chips from BBB in 2026."""
    return Tariff.model_validate(
        {
            "id": "duty",
            "importer": "AAA",
            "origins": ("BBB",),
            "rate": rate,
            "on": on,
            "years": (2026, 2026),
            "source": "own",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("rate", "site", "x", "cost"),
    [
        (0.00, "new_bbb_chip_beta", 1.05, CRF * 90 + 0.9 * RUNNING),
        (0.04, "new_bbb_chip_beta", 1.01, CRF * 90 + 0.9 * RUNNING + 2.4),
        (0.05, "new_aaa_chip_alpha", 1.01, PLANT),
    ],
)
def test_tariff_flips_a_site(variant, rate, site, x, cost):
    """The fleet and all buyers are in AAA; BBB builds at 90 and runs at 10.8, AAA at
    100 and 12.

    BBB is cheaper by 10 CRF + 1.2 = 2.69 a year, so a duty of 60 x rate flips the site
    at 4.5%. Without duty a wafer from BBB costs 57.31: the step 1.03 to 1.05 (57.69) is
    bought. At 4% it costs 59.71 and at 5% AAA's 60 sets the price: 1.01 times the
    reference either way.
    """
    data = bare(
        variant,
        change("cost_factors", {"region": "BBB", "item": "running"}, value=0.9),
        fleets={"AAA": 10},
        place={"AAA": 1, "BBB": 0.9},
    )
    solution = run(data, case_of(duty(rate)))
    bought = 11 * x
    assert built(solution) == {(site, 2026): exactly(bought - 10)}
    year = OLD * bought + cost * (bought - 10) - PRICE * 11 * area(x)
    assert solution.objective == exactly(still() + DF[1] * year)
    revenue = solution.account.treasury.get("treasury:AAA", 0.0)
    assert revenue == exactly(
        DF[1] * 60 * rate * (bought - 10) if site == "new_bbb_chip_beta" else 0.0
    )


def two_makers(variant, *edits, fleets, **kwargs):
    """Devices are made half in AAA and half in BBB, all used in AAA.

    Demand falls by 2%: the ten kwpm of fleets are all sold, at the 58.8 of the step
    1.01 to 1.03, and no plant is worth building.
    """
    return bare(
        variant,
        *edits,
        fleets=fleets,
        place=dict.fromkeys(fleets, 1.0),
        growth=(-0.02,),
        makers=(0.5, 0.5),
        **kwargs,
    )


UNTAXED = still() + DF[1] * (OLD * 10 - PRICE * 9.8 * area(10 / 9.8))
"""Objective of the two years of `two_makers` without policy."""


def moves(*steps: tuple[float, float]):
    """Steps of moving device making as (width, premium)."""
    return rows(
        "device_steps",
        *(
            {"step": k, "item": item, "value": value}
            for k, (width, premium) in enumerate(steps, start=1)
            for item, value in [("width", width), ("premium", premium)]
        ),
    )


@pytest.mark.parametrize(("on", "taxed"), [("chips", 5), ("use", 10)])
def test_tariff_at_the_maker_and_on_use(variant, on, taxed):
    """All ten kwpm come from BBB.

    Five are bought bare by makers in AAA, all ten are used there.

    A duty of 2% (1.2) falls on five or on ten. Supply is fixed, so the price at the
    user stays the 58.8 of its step, and the fab bears the duty: the price it gets falls
    by 1.2 if all is taxed. Moving device making out of AAA costs more (4%).
    """
    data = two_makers(variant, moves((0.1, 0.04), (3, 0.4)), fleets={"BBB": 10})
    solution = run_without(data, case_of(duty(0.02, on)), ("route_inertia",))
    assert solution.objective == exactly(UNTAXED + DF[1] * 1.2 * taxed)
    price = abs(solution.duals("demand_balance")["AAA", "chip", 2026])
    assert price == exactly(PRICE * step(10 / 9.8))
    if on == "use":
        fab = abs(solution.duals("fab_balance")["chip", "BBB", 2026])
        assert fab == exactly(price - OTHER - 1.2)


def test_duty_on_chips_moves_device_making(variant):
    """A duty of 10% on bare chips in AAA.

    Making devices in BBB instead costs 4% for the first tenth.

    That step is a tenth of the five kwpm made in AAA: half a kwpm moves at 2.4 each,
    the next step (40%) costs more than the duty of 6, which 4.5 kwpm go on paying.
    """
    data = two_makers(variant, moves((0.1, 0.04), (3, 0.4)), fleets={"BBB": 10})
    solution = run_without(data, case_of(duty(0.1)), ("route_inertia",))
    made = solution.trade.query(
        "flow == 'devices' and origin == 'BBB' and year == 2026"
    )
    assert made.value.tolist() == [exactly(5.5)]
    assert solution.objective == exactly(UNTAXED + DF[1] * (0.5 * 2.4 + 4.5 * 6))
