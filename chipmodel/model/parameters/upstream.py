"""Upstream inputs: what fabs need, who supplies it, how fast it can be replaced."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain

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
        What the fabs of a region can newly replace in a year, by region and year, index
        units.
    usual : dict
        What the fabs of a region usually need, by region and year: their share of base
        capacity in the world's reference need, index units.
    replaced_at : float
        Extra cost of a replaced unit, MUSD: the premium times the value of what the
        unit serves (wafers at their reference price, or capacity at its mean capital
        cost).
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
    """Return every input.

    Supply grows with reference demand: for wafer inputs the need of reference output,
    for capacity inputs the need of the reference additions, each with its slack, and
    never less than what commitments already under way need. ``ramp`` is the replacement
    share of that need, by the region's share of base capacity.

    Parameters
    ----------
    facts : Facts
    sites : Sites
    wafers : dict
        Reference output by segment and year, kwpm.
    capacity : dict
        Base-year capacity by region and segment, kwpm.
    growth : dict
        Mean growth a year of each segment over the reported years.
    index : dict
        Reference demand relative to the base year, by segment and year.
    price : dict
        Reference price by segment, MUSD per kwpm and year.
    """
    item = facts.table(InputFactRow, "input", "item")
    needs: dict[str, dict[str, float]] = defaultdict(dict)
    for recipe, value in facts.each(InputRecipeRow):
        if value > 0:
            needs[recipe.input][recipe.segment] = value
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for supply, value in facts.each(InputSupplyRow):
        if value > 0:
            shares[supply.input][supply.supplier] = value
    inputs = {}
    for row in facts.data.rows(InputRow):
        name = row.input
        need = needs[name]
        reference = {}
        for t in facts.world.years:
            if row.basis == "wafer":
                reference[t] = math.fsum(need[s] * wafers[s, t] for s in need)
            else:
                additions = _reference_additions(need, capacity, growth, index, t)
                reference[t] = max(additions, _committed_need(sites, need, t))
        usual = {}
        for region, share in _shares_of_capacity(need, capacity).items():
            for t, amount in reference.items():
                usual[region, t] = share * amount
        # Need and supply are index numbers of one reference, because no source gives
        # physical quantities.
        slack = 1.0 + item[name, "slack"]
        replacement = item[name, "replacement"]
        worth = _worth(row.basis, need, sites, capacity, price)
        inputs[name] = Upstream(
            basis=row.basis,
            need=need,
            shares=dict(shares[name]),
            supply={t: slack * amount for t, amount in reference.items()},
            ramp={key: replacement * amount for key, amount in usual.items()},
            usual=usual,
            replaced_at=item[name, "premium"] * worth,
        )
    return inputs


def _reference_additions(
    need: dict[str, float],
    capacity: dict[tuple[str, str], float],
    growth: dict[str, float],
    index: dict[tuple[str, int], float],
    year: int,
) -> float:
    """Return what the world's reference additions need in a year, index units."""
    needed = []
    for segment, per_kwpm in need.items():
        total = math.fsum(c for (_, s), c in capacity.items() if s == segment)
        # The minimum leaves some supply where a segment shrinks.
        rate = max(growth[segment], 0.01)
        needed.append(per_kwpm * total * index[segment, year] * rate)
    return math.fsum(needed)


def _shares_of_capacity(
    need: dict[str, float], capacity: dict[tuple[str, str], float]
) -> dict[str, float]:
    """Return each region's share of base capacity, weighted by need."""
    weighted: dict[str, list[float]] = defaultdict(list)
    for (region, segment), amount in capacity.items():
        # Entered even where nothing is needed: such a region has a share of zero.
        values = weighted[region]
        if segment in need:
            values.append(need[segment] * amount)
    total = math.fsum(chain.from_iterable(weighted.values())) or 1.0
    return {region: math.fsum(values) / total for region, values in weighted.items()}


def _worth(
    basis: str,
    need: dict[str, float],
    sites: Sites,
    capacity: dict[tuple[str, str], float],
    price: dict[str, float],
) -> float:
    """Return the value of what one index unit serves, MUSD.

    The mean over base capacity of wafers or capacity.
    """
    if basis == "wafer":
        worth = {s: price[s] for s in need}
    else:
        capex: dict[str, list[float]] = defaultdict(list)
        for (_, _, s), place in sites.places.items():
            capex[s].append(place.capex)
        worth = {s: math.fsum(capex[s]) / len(capex[s]) for s in need if s in capex}
    needed = math.fsum(c * need[s] for (_, s), c in capacity.items() if s in need)
    served = math.fsum(c * worth[s] for (_, s), c in capacity.items() if s in worth)
    return served / needed if needed else 0.0


def _committed_need(sites: Sites, need: dict[str, float], year: int) -> float:
    """Return what projects under way need in a year, index units."""
    total = 0.0
    for name, group in sites.group_of.items():
        site = sites.sites[name]
        if site.segment not in need:
            continue
        tools = sites.places[group].work.tools
        under_way = dict(site.given)
        # A commitment that is not history starts in the first year it can.
        if site.committed:
            first = site.builds[0]
            under_way[first] = under_way.get(first, 0.0) + site.committed
        for start, amount in under_way.items():
            if 0 <= year - start < len(tools):
                total += need[site.segment] * amount * tools[year - start]
    return total
