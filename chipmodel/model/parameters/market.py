"""Demand, its steps, the places of device making and use, and the patterns of trade."""

from __future__ import annotations

import math
from collections import defaultdict
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
"""Edges of the demand steps as multiples of the reference quantity; the first is the block whose loss is 'unmet'."""


def step_values(elasticity: float, choke: float) -> tuple[float, ...]:
    """Return the value of each demand step as a multiple of the reference price.

    The mean over the step of the constant-elasticity curve ``p = x**(1/elasticity)``,
    cut at `choke`.

    Parameters
    ----------
    elasticity : float
        Below zero.
    choke : float
        Price multiple at which nothing more is bought.
    """
    cut = choke**elasticity
    return tuple(
        (
            _area(min(b, cut), min(a, cut), None, choke)
            + _area(max(b, cut), max(a, cut), elasticity, choke)
        )
        / (b - a)
        for a, b in pairwise(GRID)
    )


def _area(upper: float, lower: float, elasticity: float | None, choke: float) -> float:
    if upper <= lower:
        return 0.0
    if elasticity is None:
        return choke * (upper - lower)
    power = 1.0 / elasticity + 1.0
    if abs(power) < 1e-12:
        return math.log(upper / lower)
    return float((upper**power - lower**power) / power)


def demand_index(facts: Facts) -> dict[tuple[str, int], float]:
    """Return reference demand relative to the base year, by segment and year."""
    world = facts.world
    rate: dict[tuple[str, int], float] = {}
    for row, value in facts.each(DemandRow):
        for year in range(row.year_from, row.year_to + 1):
            rate[row.segment, year] = value + world.demand_shift
    index: dict[tuple[str, int], float] = {}
    for segment in {row.segment for row in facts.data.rows(DemandRow)}:
        level = 1.0
        for year in world.years:
            if year > world.base_year:
                if (segment, year) not in rate:
                    raise InputError.one(
                        "demand.csv",
                        f"{segment}, {year}",
                        "no growth is given for the year",
                        "add a period that covers it, or shorten the horizon of the"
                        " world",
                    )
                level *= 1.0 + rate[segment, year]
            index[segment, year] = level
    return index


def location_shares(facts: Facts) -> tuple[dict[str, float], dict[str, float]]:
    """Return the shares of the world's chips by place of device making and by place of use."""
    share = facts.table(DemandLocationRow, "criterion", "region")
    total: dict[object, float] = defaultdict(float)
    for (criterion, _), value in share.items():
        total[criterion] += value
    makers = {str(r): v / total["maker"] for (c, r), v in share.items() if c == "maker"}
    users = {str(r): v / total["user"] for (c, r), v in share.items() if c == "user"}
    return makers, users


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
    flow = {(m, e): home_seed if m == e else 1.0 for m in makers for e in users}
    for _ in range(500):
        for m, wanted in makers.items():
            have = math.fsum(flow[m, e] for e in users)
            for e in users:
                flow[m, e] *= wanted / have if have > 0 else 0.0
        worst = 0.0
        for e, wanted in users.items():
            have = math.fsum(flow[m, e] for m in makers)
            worst = max(worst, abs(have - wanted))
            for m in makers:
                flow[m, e] *= wanted / have if have > 0 else 0.0
        if worst < 1e-13:
            break
    return {
        (m, e): flow[m, e] / users[e] for m in makers for e in users if users[e] > 0
    }


def trade_pattern(makers: dict[str, float], least: float) -> dict[str, float]:
    """Return each place's share of purchases of chips, at least `least`, summing to one."""
    floored = {m: max(share, least) for m, share in makers.items()}
    total = math.fsum(floored.values())
    return {m: share / total for m, share in floored.items()}


def route_steps(facts: Facts, substitution: float) -> list[tuple[float, float]]:
    """Return the steps of route inertia as (widening, cost as a share of the reference price).

    A wafer in step k costs ``ln(1 + Phi_k) / sigma``, Phi_k the cumulated widening at
    the middle of the step and sigma the elasticity of substitution between origins.
    """
    steps = sorted((row.step, value) for row, value in facts.each(RouteStepRow))
    done, found = 0.0, []
    for _, phi in steps:
        found.append((phi, math.log(1.0 + done + phi / 2.0) / substitution))
        done += phi
    return found


def device_steps(facts: Facts) -> list[tuple[float, float]]:
    """Return the steps of moving device making as (width, premium), shares of devices and of price."""
    values = {(row.step, row.item): value for row, value in facts.each(DeviceStepRow)}
    return [
        (values[k, "width"], values[k, "premium"])
        for k in sorted({k for k, _ in values})
    ]
