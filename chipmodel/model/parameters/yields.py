"""Yields of firms: good wafers per wafer, and how they converge."""

from __future__ import annotations

import math
from collections import defaultdict

from chipmodel.dataset.rows import FleetRow, YieldRow
from chipmodel.model.parameters.scaled_facts import Facts

OTHER = "other"
"""The firm of yields.csv that holds every firm without a row of its own."""


def good_wafers(facts: Facts, convergence: float) -> dict[tuple[str, str, int], float]:
    r"""Return good wafers per wafer by firm, segment and year.

    The best firm of a segment stays where it is; every other firm closes a fixed share
    c of its gap a year, along a path that no policy moves:

    .. math:: y_{f,s,t} = 1 - g \, (1 - yield_{f,s} / \max_f yield_{f,s}) (1-c)^{t-t_0}

    with g the scale of the world (`World.yield_gap`). A good wafer is a wafer at the
    mean yield of the base year's fleets, so that prices, demand and duties of the base
    year keep their units: y is divided by its mean over these fleets.

    Parameters
    ----------
    facts : Facts
    convergence : float
        Share of its gap that a firm closes a year.

    Returns
    -------
    dict
        By firm, segment and year; firms without a row are firm ``other``.
    """
    world = facts.world
    stated: dict[str, dict[str, float]] = defaultdict(dict)
    for row, value in facts.each(YieldRow):
        stated[row.segment][row.firm] = value
    fleets: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for fleet, kwpm in facts.each(FleetRow):
        if fleet.base_year == world.base_year:
            known = fleet.firm in stated[fleet.segment]
            fleets[fleet.segment][fleet.firm if known else OTHER] += kwpm
    good = {}
    for segment, yields in stated.items():
        best = max(yields.values())
        gap = {f: world.yield_gap * (1.0 - y / best) for f, y in yields.items()}
        capacity = fleets[segment]
        running = math.fsum(capacity.values())
        lost = math.fsum(kwpm * gap[firm] for firm, kwpm in capacity.items())
        mean = 1.0 - (lost / running if running > 0 else 0.0)
        for firm in yields:
            for t in world.years:
                left = gap[firm] * (1.0 - convergence) ** (t - world.base_year)
                good[firm, segment, t] = (1.0 - left) / mean
    return good
