"""Routes, packaging, inputs and surprises, solved on paper."""

from __future__ import annotations

import math

import pytest
from helpers import add, case_of, change, rows, run_without, world_of
from paper import (
    CRF,
    DF,
    INPUTS,
    NOTHING,
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


ROUTES = rows("route_steps", {"step": 1, "value": 0.3}, {"step": 2, "value": 0.7})


def widening(sigma: float) -> tuple[float, float]:
    """Cost of the two steps, 0.3 and 0.7 wide, over the price: ``ln(1 + Phi) / sigma``
    in their middles.
    """
    return math.log(1.15) / sigma, math.log(1.65) / sigma


def swapping(variant, sigma: float = 4.0):
    """Fleets of five in AAA and BBB sell half of their chips to the makers of each
    place.

    Buyers in AAA dodge a duty on BBB by swapping partners: each kwpm less from BBB to
    AAA is one more from AAA to AAA, one less from AAA to BBB and one more from BBB to
    BBB. Two routes widen.
    """
    return two_makers(
        variant,
        ROUTES,
        moves((3, 0.9)),
        change("elasticities", {"segment": "all"}, value=sigma),
        fleets={"AAA": 5, "BBB": 5},
    )


@pytest.mark.parametrize(("rate", "swapped"), [(0.05, 0.0), (0.2, 0.75), (0.3, 2.5)])
def test_route_inertia_between_two_partners(variant, rate, swapped):
    """With sigma 4 a swapped kwpm costs 2 ln(1.15)/4 = 7.0% of the price up to 0.3 of a
    route of 2.5, then 25%.

    A duty of 5% swaps nothing, 20% swaps 0.75, 30% swaps all of the 2.5 that AAA buys
    from BBB.
    """
    solution = run(swapping(variant), case_of(duty(rate)))
    first, second = widening(4.0)
    cost = (
        2 * first * min(swapped, 0.75)
        + 2 * second * max(swapped - 0.75, 0.0)
        + rate * (2.5 - swapped)
    )
    assert solution.objective == exactly(UNTAXED + DF[1] * PRICE * cost)
    sold = sum(
        v
        for (_, r, _, m, t), v in solution.columns("ship").items()
        if (r, m, t) == ("AAA", "AAA", 2026)
    )
    assert sold == exactly(2.5 + swapped)


def test_route_inertia_vanishes_as_sigma_grows(variant):
    """Above sigma 5 a duty of 20% swaps everything: the objective is the free one plus
    a constant over sigma.
    """
    case = case_of(duty(0.2))
    free = run_without(swapping(variant), case, ("route_inertia",)).objective
    assert free == exactly(UNTAXED)
    for sigma in (8.0, 1e3, 1e6, 1e9):
        first, second = widening(sigma)
        added = DF[1] * PRICE * 2 * (first * 0.75 + second * 1.75)
        assert run(swapping(variant, sigma), case).objective == exactly(free + added)
    assert added < 1e-6


def test_packaging_capacity(variant):
    """Packaging: 10.4 run, an announced plant adds at most 0.3 at 6 MUSD a kwpm.

    No more than 10.7 are sold.

    10.7 of 11 lies in the step 0.97 to 0.99: it sets the price, 61.2. A kwpm of the
    plant is worth that less the full cost of a wafer, in which its own annuity of 6 CRF
    is included.
    """
    data = bare(
        variant,
        rows("assembly", {"site": "pack", "region": "AAA", "value": 10.4}),
        add("assembly", site="pack_one", kind="project", earliest=2026, value=0.3),
        change("assembly_costs", {"package": "standard", "item": "capex"}, value=6),
        fleets={"AAA": 10},
        place={"AAA": 1},
    )
    solution = run(data, NOTHING)
    other = OTHER - CRF * 6
    assert built(solution) == {("new_aaa_chip_alpha", 2026): exactly(0.7)}
    assert solution.columns("assemble_build")["pack_one", 2026] == exactly(0.3)
    year = (
        (INPUTS + other) * 10.7
        + PLANT * 0.7
        + CRF * 6 * 0.3
        - PRICE * 11 * area(10.7 / 11)
    )
    assert solution.objective == exactly(still(INPUTS + other) + DF[1] * year)
    scarcity = PRICE * step(10.7 / 11) - PRICE
    assert solution.duals("assembly_size")[("pack_one",)] == exactly(DF[1] * scarcity)
    assert solution.duals("assembly_capacity")["standard", "AAA", 2026] == exactly(
        scarcity + CRF * 6
    )


def test_input_supply_and_replacement(variant):
    """Resist for every wafer comes from BBB, which delivers only 0.8 of the need of 10
    and of 11.

    Fabs replace a twentieth of the need each year, at 5% of the price of a wafer
    (3 each): 0.5 in 2025; in 2026 that and 0.55 more. So 8.5 and 9.85 wafers are made
    and sold.
    """
    inputs = (
        add("inputs", input="resist", name="Photoresist", basis="wafer", note=""),
        *(
            add(
                table,
                input="resist",
                value=value,
                unit=unit,
                source="test",
                grade="A",
                note="",
                **key,
            )
            for table, value, unit, key in [
                ("input_supply", 1, "share", {"supplier": "BBB"}),
                ("input_recipes", 1, "index", {"segment": "chip"}),
                ("input_facts", 0, "share", {"item": "slack"}),
                ("input_facts", 0.05, "share", {"item": "premium"}),
                ("input_facts", 0.05, "share/year", {"item": "replacement"}),
            ]
        ),
    )
    data = bare(variant, *inputs, fleets={"AAA": 10}, place={"AAA": 1})
    less = world_of(
        data,
        scale=[{"table": "input_supply", "where": {"supplier": "BBB"}, "factor": 0.8}],
    )
    solution = run(data, NOTHING, less)
    made = solution.columns("made")
    assert made["chip", "AAA", 2025] == exactly(8.5)
    assert made["chip", "AAA", 2026] == exactly(9.85)
    first = OLD * 8.5 + 3 * 0.5 - PRICE * 10 * area(0.85)
    second = OLD * 9.85 + 3 * 1.05 - PRICE * 11 * area(9.85 / 11)
    assert solution.objective == exactly(first + DF[1] * second)
    supply = solution.duals("input_supply")["resist", "BBB", 2026]
    assert supply == exactly(PRICE * step(9.85 / 11) - OLD)
    assert solution.duals("input_replacement")["resist", "AAA", 2026] == exactly(
        supply - 3
    )


def test_surprise_costs_more_than_the_same_foreseen(variant):
    """A duty of 10% on BBB in 2027.

    Plants take a year, so those of 2027 are started in 2026.

    BBB builds at 90, AAA at 100 (with 8% interest during construction). Foreseen, all
    is built in AAA: price 60. As a surprise the plants are in BBB already: without duty
    a wafer costs 60 - 10.8 CRF = 58.39, so 1.03 times the reference was planned (58.8
    is bought, 57.69 is not). They pay the duty of 6.
    """
    data = bare(
        variant,
        change("construction", {"item": "build"}, value=12),
        fleets={"AAA": 10},
        place={"AAA": 1, "BBB": 0.9},
        growth=(0.0, 0.1),
    )
    other = PRICE - CRF * 108 - RUNNING - INPUTS
    tax = duty(0.1, years=(2027, 2027))
    foreseen = run(data, case_of(tax))
    surprise = run(data, case_of(tax.model_copy(update={"known_from": 2027})))
    assert (foreseen.foresight, surprise.foresight) == ("anticipated", "surprise")
    assert built(foreseen) == {("new_aaa_chip_alpha", 2026): exactly(1.11)}
    assert built(surprise) == {("new_bbb_chip_beta", 2026): exactly(1.33)}
    before = still(INPUTS + other) * (1 + DF[1])
    best = (
        (INPUTS + other) * 11.11
        + (CRF * 108 + RUNNING) * 1.11
        - PRICE * 11 * area(1.01)
    )
    late = (
        (INPUTS + other) * 11.33
        + (CRF * 97.2 + RUNNING + 6) * 1.33
        - PRICE * 11 * area(1.03)
    )
    assert foreseen.objective == exactly(before + DF[2] * best)
    assert surprise.objective == exactly(before + DF[2] * late)
    assert surprise.objective > foreseen.objective
