"""Upstream inputs: what fabs need, who supplies it, how fast it can be replaced."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from chipmodel.dataset.rows import (
    InputFactRow,
    InputRecipeRow,
    InputRow,
    InputSupplyRow,
)
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.model.parameters.sites import Sites


@dataclass(frozen=True)
class Upstream:
    """One input.

    Attributes
    ----------
    basis : str
        ``wafer`` (needed per wafer made) or ``capacity`` (needed per kwpm added, when
        tools move in).
    need : dict
        Index of need by segment.
    shares : dict
        Share of supply by region of the supplier.
    supply : dict
        Supply of the world by year, index units.
    ramp : dict
        What the fabs of a region can replace anew in a year, by region and year, index
        units.
    usual : dict
        What the fabs of a region usually need, by region and year: their share of base
        capacity in the world's reference need, index units.
    replaced_at : float
        Extra cost of a replaced unit, MUSD: the premium, a share of what the unit
        serves, wafers at their reference price or capacity at its mean capital cost.
    """

    basis: str
    need: dict[str, float]
    shares: dict[str, float]
    supply: dict[int, float]
    ramp: dict[tuple[str, int], float]
    usual: dict[tuple[str, int], float]
    replaced_at: float


def build_upstream(
    facts: Facts,
    sites: Sites,
    wafers: dict[tuple[str, int], float],
    capacity: dict[tuple[str, str], float],
    growth: dict[str, float],
    index: dict[tuple[str, int], float],
    price: dict[str, float],
) -> dict[str, Upstream]:
    """Build every input.

    Supply grows with reference demand: for wafer inputs the need of reference output,
    for capacity inputs the need of the reference additions, each with its slack, and
    never less than what commitments already under way need. ``ramp`` is the replacement
    share of that need, by the region's share of base capacity.
    """
    world = facts.world
    item = facts.table(InputFactRow, "input", "item")
    need: dict[str, dict[str, float]] = defaultdict(dict)
    for recipe, value in facts.each(InputRecipeRow):
        if value > 0:
            need[recipe.input][recipe.segment] = value
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for supply, value in facts.each(InputSupplyRow):
        if value > 0:
            shares[supply.input][supply.supplier] = value
    found = {}
    for row in facts.data.rows(InputRow):
        j = row.input
        segments = need[j]
        world_capacity = {
            s: math.fsum(c for (_, q), c in capacity.items() if q == s)
            for s in segments
        }
        reference = {}
        for t in world.years:
            if row.basis == "wafer":
                reference[t] = math.fsum(segments[s] * wafers[s, t] for s in segments)
            else:
                reference[t] = math.fsum(
                    segments[s] * world_capacity[s] * index[s, t] * max(growth[s], 0.01)
                    for s in segments
                )
                reference[t] = max(reference[t], _committed_need(sites, segments, t))
        total = (
            math.fsum(
                segments[s] * c for (_, s), c in capacity.items() if s in segments
            )
            or 1.0
        )
        base = {
            r: (
                math.fsum(
                    segments[s] * c
                    for (q, s), c in capacity.items()
                    if q == r and s in segments
                )
                / total
            )
            for r in {q for q, _ in capacity}
        }
        usual = {(r, t): base[r] * reference[t] for r in base for t in world.years}
        ramp = {key: item[j, "replacement"] * value for key, value in usual.items()}
        supply_of = {t: (1.0 + item[j, "slack"]) * reference[t] for t in world.years}
        found[j] = Upstream(
            row.basis,
            segments,
            dict(shares[j]),
            supply_of,
            ramp,
            usual,
            item[j, "premium"] * _worth(row.basis, segments, sites, capacity, price),
        )
    return found


def _worth(
    basis: str,
    need: dict[str, float],
    sites: Sites,
    capacity: dict[tuple[str, str], float],
    price: dict[str, float],
) -> float:
    """Return what one index unit serves, MUSD: the mean over base capacity of wafers or capacity."""
    if basis == "wafer":
        worth = {s: price[s] for s in need}
    else:
        capex: dict[str, list[float]] = defaultdict(list)
        for (_, _, s), place in sites.places.items():
            capex[s].append(place.capex)
        worth = {s: math.fsum(capex[s]) / len(capex[s]) for s in need if s in capex}
    total = math.fsum(c * need[s] for (_, s), c in capacity.items() if s in need)
    served = math.fsum(c * worth[s] for (_, s), c in capacity.items() if s in worth)
    return served / total if total else 0.0


def _committed_need(sites: Sites, segments: dict[str, float], year: int) -> float:
    total = 0.0
    for name, group in sites.group_of.items():
        site = sites.sites[name]
        if site.segment not in segments:
            continue
        tools = sites.places[group].work.tools
        under_way = dict(site.given)
        if site.committed:
            under_way[site.builds[0]] = (
                under_way.get(site.builds[0], 0.0) + site.committed
            )
        for start, amount in under_way.items():
            if 0 <= year - start < len(tools):
                total += segments[site.segment] * amount * tools[year - start]
    return total
