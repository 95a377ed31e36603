"""Demand, its steps, the places of device making and use, and the patterns of trade."""

from __future__ import annotations

import math
from itertools import pairwise

from chipmodel.common.errors import InputError
from chipmodel.dataset.rows import (
    DemandLocationRow,
    DemandRow,
    DeviceStepRow,
    RouteStepRow,
)
from chipmodel.model.parameters.scaled_facts import Facts

GRID: tuple[float, ...] = (
    0.0,
    0.5,
    0.6,
    0.7,
    0.77,
    0.83,
    0.87,
    0.91,
    0.93,
    0.95,
    0.97,
    0.99,
    1.01,
    1.03,
    1.05,
    1.07,
    1.09,
    1.13,
    1.18,
    1.25,
    1.4,
    1.7,
)
"""Edges of the demand steps, multiples of the reference quantity.

Demand lost in the first step is unmet demand. The grid is the same in every case, so
that cases share one shape. It is dense around 1, which is inside a step: the price at
the reference quantity is then close to the reference price.
"""

MOST_FITTING_ROUNDS = 500
"""Rounds after which proportional fitting stops in any case."""

FITTED = 1e-13
"""Gap to a margin below which fitting ends: only rounding is left."""


def step_values(elasticity: float, choke: float) -> tuple[float, ...]:
    r"""Return the value of each demand step as a multiple of the reference price.

    The mean over the step of the constant-elasticity curve, cut at the choke price:

    .. math:: \min(choke, x^{1/\epsilon})

    Parameters
    ----------
    elasticity : float
        Below zero.
    choke : float
        Price multiple at which nothing more is bought.
    """
    # Below this quantity the curve lies above the choke price.
    cut = choke**elasticity
    values = []
    for lower, upper in pairwise(GRID):
        flat = choke * max(0.0, min(upper, cut) - min(lower, cut))
        curved = _area_below_curve(max(upper, cut), max(lower, cut), elasticity)
        values.append((flat + curved) / (upper - lower))
    return tuple(values)


def _area_below_curve(upper: float, lower: float, elasticity: float) -> float:
    """Return the area below ``x**(1/elasticity)`` from `lower` to `upper`."""
    if upper <= lower:
        return 0.0
    power = 1.0 / elasticity + 1.0
    # With an elasticity of -1 the integral is a logarithm.
    if abs(power) < 1e-12:
        return math.log(upper / lower)
    return float((upper**power - lower**power) / power)


def demand_index(facts: Facts) -> dict[tuple[str, int], float]:
    """Return reference demand relative to the base year, by segment and year.

    Raises
    ------
    InputError
        If growth is missing for a year solved.
    """
    world = facts.world
    growth: dict[tuple[str, int], float] = {}
    for row, value in facts.each(DemandRow):
        for year in range(row.year_from, row.year_to + 1):
            growth[row.segment, year] = value + world.demand_shift
    index: dict[tuple[str, int], float] = {}
    for segment in dict.fromkeys(row.segment for row in facts.data.rows(DemandRow)):
        level = 1.0
        for year in world.years:
            if year > world.base_year:
                if (segment, year) not in growth:
                    raise InputError.one(
                        "demand.csv",
                        f"{segment}, {year}",
                        "no growth is given for the year",
                        "add a period that covers it, or shorten the horizon of the"
                        " world",
                    )
                level *= 1.0 + growth[segment, year]
            index[segment, year] = level
    return index


def location_shares(facts: Facts) -> tuple[dict[str, float], dict[str, float]]:
    """Return the shares of the world's chips by place of device making and of use."""
    shares = facts.table(DemandLocationRow, "criterion", "region")
    return _normalised(shares, "maker"), _normalised(shares, "user")


def _normalised(
    shares: dict[tuple[object, ...], float], criterion: str
) -> dict[str, float]:
    """Return the shares by one criterion, summing to one."""
    by_region = {str(r): share for (c, r), share in shares.items() if c == criterion}
    total = 0.0
    for share in by_region.values():
        total += share
    return {region: share / total for region, share in by_region.items()}


def device_pattern(
    makers: dict[str, float], users: dict[str, float], home_seed: float
) -> dict[tuple[str, str], float]:
    """Return the share of a user's devices made in each place.

    Iterative proportional fitting of a seed matrix, 1 abroad and `home_seed` at home,
    to the two published margins. Grade D.

    Returns
    -------
    dict
        ``h[maker, user]``; sums to one over makers for each user.
    """
    flow: dict[tuple[str, str], float] = {}
    for maker in makers:
        for user in users:
            flow[maker, user] = home_seed if maker == user else 1.0
    for _ in range(MOST_FITTING_ROUNDS):
        for maker, margin in makers.items():
            _scale_to(flow, [(maker, user) for user in users], margin)
        worst = 0.0
        for user, margin in users.items():
            gap = _scale_to(flow, [(maker, user) for maker in makers], margin)
            worst = max(worst, gap)
        if worst < FITTED:
            break
    pattern = {}
    for maker, user in flow:
        if users[user] > 0:
            pattern[maker, user] = flow[maker, user] / users[user]
    return pattern


def _scale_to(
    flow: dict[tuple[str, str], float], entries: list[tuple[str, str]], margin: float
) -> float:
    """Scale some flows so that they sum to a margin; return how far they were off."""
    total = math.fsum(flow[entry] for entry in entries)
    factor = margin / total if total > 0 else 0.0
    for entry in entries:
        flow[entry] *= factor
    return abs(total - margin)


def trade_pattern(makers: dict[str, float], minimum: float) -> dict[str, float]:
    """Return each place's share of purchases of chips, summing to one.

    A share below `minimum` is raised to it first.
    """
    # Routes widen by a multiple of their usual share: one of zero could never open.
    floored = {maker: max(share, minimum) for maker, share in makers.items()}
    total = math.fsum(floored.values())
    return {maker: share / total for maker, share in floored.items()}


def route_steps(facts: Facts, substitution: float) -> list[tuple[float, float]]:
    r"""Return the steps of route inertia as (widening, cost).

    A wafer in step k costs a share of the reference price,

    .. math:: \ln(1 + \Phi_k) / \sigma

    with Phi_k the cumulated widening at the middle of the step and sigma the elasticity
    of substitution between origins.
    """
    rows = sorted((row.step, value) for row, value in facts.each(RouteStepRow))
    cumulated = 0.0
    steps = []
    for _, widening in rows:
        level = 1.0 + cumulated + widening / 2.0
        steps.append((widening, math.log(level) / substitution))
        cumulated += widening
    return steps


def device_steps(facts: Facts) -> list[tuple[float, float]]:
    """Return the steps of moving device making as (width, premium).

    Both are shares: of devices and of the price.
    """
    values = {(row.step, row.item): value for row, value in facts.each(DeviceStepRow)}
    steps = sorted({step for step, _ in values})
    return [(values[step, "width"], values[step, "premium"]) for step in steps]
