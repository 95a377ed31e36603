"""Pace of building of a whole region: bands of capital a year, and what each costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chipmodel.dataset.rows import BillingRow, RegionPaceRow
from chipmodel.model.parameters.finance import Construction
from chipmodel.model.parameters.place_cost import RS, PlaceCost
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.model.parameters.sites import Sites


@dataclass(frozen=True)
class RegionPace:
    """Bands of what the builders of each region can start in a year.

    Attributes
    ----------
    premiums : tuple of float
        Extra cost of each band over multiplier 1, rising from 0; the last band is
        unbounded.
    widths : dict
        Width of every band but the last by region, band and year, MUSD of capital.
    works : dict
        How a fab is paid for while it is built, by region.
    """

    premiums: tuple[float, ...]
    widths: dict[tuple[str, int, int], float]
    works: dict[str, Construction]


def region_pace(
    facts: Facts,
    sites: Sites,
    costs: dict[RS, PlaceCost],
    capacity: dict[RS, float],
    index: dict[tuple[str, int], float],
    equipment_share: float,
) -> RegionPace:
    r"""Return the bands of each region and year after history.

    The first k bands together end at

    .. math:: \min(share_k \, capital_{r,t}, \; reach_k \, best_r)

    with capital the fleets of the base year at the cost of new fabs, grown with
    reference demand, and best the largest investment of a year on record: equipment
    billings over the share of equipment in capital.

    Parameters
    ----------
    facts : Facts
    sites : Sites
    costs : dict
        Cost of place by region and segment.
    capacity : dict
        Capacity of the base year by region and segment.
    index : dict
        Reference demand relative to the base year, by segment and year.
    equipment_share : float
        Share of equipment in the capital cost of a fab.
    """
    world = facts.world
    steps = facts.table(RegionPaceRow, "step", "item")
    numbers = sorted({int(str(step)) for step, _ in steps})
    best = best_years(facts, equipment_share)
    works = {place.group[1]: place.work for place in sites.places.values()}
    widths = {}
    for region in works:
        for t in range(world.history_until + 1, world.horizon + 1):
            capital = _capital(region, t, costs, capacity, index)
            end = 0.0
            for k, step in enumerate(numbers[:-1]):
                by_share = steps[step, "share"] * capital
                by_reach = steps[step, "reach"] * best[region]
                # A band that its neighbour below reaches beyond is empty.
                following = max(end, min(by_share, by_reach))
                widths[region, k, t] = following - end
                end = following
    premiums = tuple(steps[step, "premium"] for step in numbers)
    return RegionPace(premiums, widths, works)


def best_years(facts: Facts, equipment_share: float) -> dict[str, float]:
    """Return the largest investment of a year on record by region, MUSD."""
    best: dict[str, float] = {}
    for row, value in facts.each(BillingRow):
        investment = value / equipment_share
        best[row.region] = max(best.get(row.region, 0.0), investment)
    return best


def _capital(
    region: str,
    year: int,
    costs: dict[RS, PlaceCost],
    capacity: dict[RS, float],
    index: dict[tuple[str, int], float],
) -> float:
    """Return the capital of a region's fleets, grown with reference demand, MUSD."""
    parts = []
    for (place, segment), kwpm in sorted(capacity.items()):
        if place == region:
            parts.append(kwpm * costs[place, segment].capex * index[segment, year])
    return math.fsum(parts)
