"""From data, world and case to the named numbers of the programme, in plain Python.

Whatever is not affine (annuities, elasticity steps, cost of place, duty schedules) is
computed here, before the linear programme is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import regional_pool
from chipmodel.model.parameters.packaging import Packaging
from chipmodel.model.parameters.place_cost import RS, PlaceCost
from chipmodel.model.parameters.sites import Sites
from chipmodel.model.parameters.upstream import Upstream
from chipmodel.model.world import Event, World

TIE = 1e-3
"""Largest tie-breaking cost, MUSD per kwpm and year."""


@dataclass(frozen=True)
class Prices:
    """What a wafer of a segment is worth and costs, MUSD per kwpm and year.

    Attributes
    ----------
    reference : dict
        Reference chip price.
    dutiable : dict
        Customs value.
    long_run : dict
        Full cost of a new plant before support, weighted over base capacity.
    other : dict
        Other value added: reference less long-run cost; may be negative.
    inputs : dict
        Cost of materials.
    """

    reference: dict[str, float]
    dutiable: dict[str, float]
    long_run: dict[str, float]
    other: dict[str, float]
    inputs: dict[str, float]


@dataclass(frozen=True)
class Parameters:
    """Every number of the programme, named.

    Money is MUSD of the data's base year, real and undiscounted; flows are kwpm; unit
    costs are MUSD per kwpm and year.
    """

    data: Dataset
    world: World
    regions: tuple[str, ...]
    segments: tuple[str, ...]
    years: tuple[int, ...]
    rank: dict[str, int]
    discount: dict[int, float]
    recovery: float
    """Capital recovery factor."""
    parameter: dict[str, float]
    capacity: dict[RS, float]
    """Base-year capacity by region and segment."""
    use: dict[tuple[str, str], float]
    """u_base, u_min, u_max by segment."""
    sites: Sites
    running: dict[RS, float]
    costs: dict[RS, PlaceCost]
    prices: Prices
    index: dict[tuple[str, int], float]
    """Reference demand relative to the base year, by segment and year."""
    reference: dict[tuple[str, str, int], float]
    """Reference quantity by user, segment and year."""
    values: dict[str, tuple[float, ...]]
    """Value of each demand step by segment."""
    pattern: dict[tuple[str, str], float]
    """Share of a user's devices made in each place."""
    users: dict[str, float]
    """Share of the world's chips used in each place."""
    sold: dict[str, float]
    """Share of output sold to each place of device making."""
    routes: list[tuple[float, float]]
    device_moves: list[tuple[float, float]]
    freight: dict[str, float]
    packaging: Packaging
    upstream: dict[str, Upstream]
    budgets: dict[tuple[str, int], float]
    """Investment budget by holder and year; empty when budgets do not bind."""
    capital: list[tuple[float, float]]
    """Steps of outside capital as (share of budget, premium); the last step has no width."""
    homes: dict[str, str]
    available: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """Share of capacity that can run, where a disruption lowers it."""
    fixed: dict[tuple[str, int], float] = field(default_factory=dict)
    """Builds fixed by history or by an earlier pass, kwpm."""
    fixed_plants: dict[tuple[str, int], float] = field(default_factory=dict)
    fixed_replaced: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """Replacement of inputs before a surprise, fixed to the pass that did not know it."""
    baseline_builds: dict[str, dict[tuple[str, int], float]] = field(
        default_factory=dict
    )
    """For each marginal programme, the builds of the case without it."""

    @property
    def places(self) -> list[RS]:
        """Regions and segments in which capacity runs or could be built."""
        have = {(s.region, s.segment) for s in self.sites.sites.values()}
        return [(r, s) for s in self.segments for r in self.regions if (r, s) in have]

    @cached_property
    def service(self) -> dict[tuple[str, int], list[tuple[int, float]]]:
        """Years in which a build of a site is in service, each with the share of the year."""
        return {
            (site.id, build): [
                (t, share)
                for t in self.years
                if (share := site.in_service(build, t)) > 0
            ]
            for site in self.sites.sites.values()
            for build in site.builds
        }

    def run_share(self, region: str, segment: str, year: int) -> float:
        """Return the share of capacity that can run."""
        return self.available.get((region, segment, year), 1.0)

    def home(self, firm: str, region: str) -> str:
        """Return the home of a firm; a nameless one is at home where it stands."""
        home = self.homes[firm]
        return region if home == "host" else home

    def holder(self, firm: str, region: str) -> str:
        """Return who holds the budget a firm invests from: itself, or the pool of its home."""
        if (firm, self.years[-1]) in self.budgets:
            return firm
        return regional_pool(self.home(firm, region))

    @cached_property
    def pools(self) -> dict[str, str]:
        """Home region of each pool that the firms without their own budget share."""
        return {regional_pool(region): region for region in self.regions}

    def leg(self, start: str, end: str, segment: str) -> float:
        """Return freight from one place to another."""
        kind = "domestic" if start == end else "international"
        return self.freight[kind] * self.prices.reference[segment]

    def tie(self, *places: str) -> float:
        """Return the tie-breaking cost of a route: between 0.4 and 1 of `TIE`, different for every route."""
        weights = (0.6180339, 0.7548776, 0.5698402)
        mix = math.fsum(
            self.rank[p] * weight for p, weight in zip(places, weights, strict=False)
        )
        return TIE * (0.4 + 0.6 * (mix % 1.0))

    def with_events(self, events: tuple[Event, ...]) -> Parameters:
        """Return the numbers under some disruptions."""
        available: dict[tuple[str, str, int], float] = {}
        for event in events:
            for r, s in self.places:
                if r == event.region and (
                    event.segments == ("all",) or s in event.segments
                ):
                    for t in range(
                        event.years[0], min(event.years[1], self.years[-1]) + 1
                    ):
                        available[r, s, t] = available.get((r, s, t), 1.0) * (
                            1.0 - event.depth
                        )
        return replace(self, available=available)
