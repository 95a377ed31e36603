"""The named numbers of the linear program, in plain Python.

Whatever is not affine (annuities, elasticity steps, cost of place, duty schedules) is
computed in this package, before the linear program is written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import regional_pool
from chipmodel.model.parameters.packaging import Packaging
from chipmodel.model.parameters.place_cost import RS, PlaceCost
from chipmodel.model.parameters.region_pace import RegionPace
from chipmodel.model.parameters.sites import Sites
from chipmodel.model.parameters.upstream import Upstream
from chipmodel.model.world import Event, World
from chipmodel.solver.ledger import Line
from chipmodel.solver.linear_program import Vector

TIE = 1e-3
"""Largest tie-breaking cost, MUSD per kwpm and year."""


COLUMNS_OF_CAPACITY = ("build", "retired")
"""Variables of the linear program that change capacity in service."""


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
    fab_gate : dict
        The part of it up to the fab gate, materials included: the price of a good
        wafer there at the reference price.
    other : dict
        Other value added: reference less long-run cost; may be negative.
    inputs : dict
        Cost of materials.
    """

    reference: dict[str, float]
    dutiable: dict[str, float]
    long_run: dict[str, float]
    fab_gate: dict[str, float]
    other: dict[str, float]
    inputs: dict[str, float]


@dataclass(frozen=True)
class Parameters:
    """Every number of the linear program, named.

    Money is MUSD of the data's year of money, real and undiscounted; flows are kwpm;
    unit costs are MUSD per kwpm and year.
    """

    data: Dataset
    world: World
    regions: tuple[str, ...]
    segments: tuple[str, ...]
    years: tuple[int, ...]
    rank: dict[str, int]
    """Position of each region in the data."""
    discount: dict[int, float]
    """Discount factor of each year, one in the base year."""
    recovery: float
    """Capital recovery factor."""
    parameter: dict[str, float]
    """Scalars of parameters.csv."""
    capacity: dict[RS, float]
    """Base-year capacity by region and segment."""
    use: dict[tuple[str, str], float]
    """u_base, u_min, u_max by segment."""
    usual: dict[str, float]
    """Usual use by segment: the share of capacity that runs outside a surge."""
    surge: dict[str, tuple[float, ...]]
    """Value of a good wafer at which each step of a surge pays, MUSD per kwpm and year.

    The steps share the span from usual use to the technical ceiling evenly.
    """
    yields: dict[tuple[str, str, int], float]
    """Good wafers per wafer by firm, segment and year, 1 the mean of the base year."""
    residual: dict[RS, float]
    """Cost of a new fab's output that no bill explains, by region and segment."""
    sites: Sites
    running: dict[RS, float]
    """Running cost by region and segment."""
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
    """Steps of route inertia as (widening, cost)."""
    device_moves: list[tuple[float, float]]
    """Steps of moving device making as (width, premium)."""
    freight: dict[str, float]
    """Domestic and international freight, shares of the reference price."""
    packaging: Packaging
    upstream: dict[str, Upstream]
    budgets: dict[tuple[str, int], float]
    """Investment budget by holder and year; empty when budgets do not bind."""
    capital: list[tuple[float, float]]
    """Steps of outside capital as (share of budget, premium); the last is unbounded."""
    homes: dict[str, str]
    """Home region of each named firm."""
    pace: RegionPace
    fixed_saved: dict[RS, float]
    """Running cost that one retired kwpm of a fleet saves, MUSD a year."""
    retiring: dict[RS, float]
    """What one kwpm that retires costs once, MUSD."""
    retirements: dict[tuple[str, int], float]
    """Retirements that the world states by fleet and year, kwpm."""
    available: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """Share of capacity that can run, where a disruption lowers it."""
    fixed: dict[tuple[str, int], float] = field(default_factory=dict)
    """Builds fixed by history or by an earlier pass, kwpm."""
    fixed_plants: dict[tuple[str, int], float] = field(default_factory=dict)
    """Builds of packaging plants fixed by an earlier pass, kwpm."""
    fixed_replaced: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """Replacement of inputs before a surprise, as in the pass that did not know it."""
    fixed_retired: dict[tuple[str, int], float] = field(default_factory=dict)
    """Fleets retired before a surprise by site and year, kwpm."""
    baseline_builds: dict[str, dict[tuple[str, int], float]] = field(
        default_factory=dict
    )
    """For each marginal grant, the builds of the case without it."""

    @property
    def places(self) -> list[RS]:
        """Regions and segments in which capacity runs or could be built."""
        with_sites = {(site.region, site.segment) for site in self.sites.sites.values()}
        # In the order of the data: rows and columns of the program follow it.
        places = []
        for segment in self.segments:
            for region in self.regions:
                if (region, segment) in with_sites:
                    places.append((region, segment))
        return places

    @cached_property
    def service(self) -> dict[tuple[str, int], list[tuple[int, float]]]:
        """Years in which a build is in service, each with the share of the year.

        By site and year of construction start.
        """
        service = {}
        for site in self.sites.sites.values():
            for build in site.builds:
                service[site.id, build] = site.service(build, self.years)
        return service

    def added_by(self, column: str, index: tuple[str, int]) -> list[tuple[int, float]]:
        """Return what one kwpm of a column adds to capacity in service, by year.

        Years in which it adds nothing are left out.

        Parameters
        ----------
        column : str
            One of `COLUMNS_OF_CAPACITY`.
        index : tuple of (str, int)
            Site and year of the column.
        """
        site, of_column = index
        if column == "build":
            return self.sites.sites[site].service(of_column, self.years)
        return [(of_column, -1.0)]

    def share_of_capacity(
        self, column: str, index: tuple[str, int], year: int
    ) -> float:
        """Return what one kwpm of a column adds to capacity in service in a year.

        Parameters
        ----------
        column : str
            One of `COLUMNS_OF_CAPACITY`.
        index : tuple of (str, int)
            Site and year of the column.
        year : int
        """
        site, of_column = index
        if column == "build":
            return self.sites.sites[site].in_service(of_column, year)
        return -1.0 if of_column == year else 0.0

    def run_share(self, region: str, segment: str, year: int) -> float:
        """Return the share of capacity that can run."""
        return self.available.get((region, segment, year), 1.0)

    def good(self, firm: str, segment: str, year: int) -> float:
        """Return the good wafers per wafer of a firm."""
        own = self.yields.get((firm, segment, year))
        return self.yields["other", segment, year] if own is None else own

    def home(self, firm: str, region: str) -> str:
        """Return the home of a firm; firms without a name are at home in the region."""
        home = self.homes[firm]
        return region if home == "host" else home

    def holder(self, firm: str, region: str) -> str:
        """Return the holder of the budget a firm invests from.

        That is the firm itself, or the pool of its home.
        """
        # Any year after history would do: a firm has a budget in all of them or none.
        if (firm, self.years[-1]) in self.budgets:
            return firm
        return regional_pool(self.home(firm, region))

    @cached_property
    def pools(self) -> dict[str, str]:
        """Home region of each pool that the firms without their own budget share."""
        return {regional_pool(region): region for region in self.regions}

    def leg(self, start: str, end: str, segment: str) -> float:
        """Return freight from one place to another, MUSD per kwpm and year."""
        kind = "domestic" if start == end else "international"
        return self.freight[kind] * self.prices.reference[segment]

    def tie(self, *places: str) -> float:
        """Return the tie-breaking cost of a route, different for every route.

        Between 0.4 and 1 of `TIE`.
        """
        # Fractional parts of multiples of irrational numbers do not coincide.
        weights = (0.6180339, 0.7548776, 0.5698402)
        # Not strict: a route of two places uses the first two weights.
        pairs = zip(places, weights, strict=False)
        mix = math.fsum(self.rank[place] * weight for place, weight in pairs)
        return TIE * (0.4 + 0.6 * (mix % 1.0))

    def weights(self, lines: Sequence[Line]) -> Vector:
        """Return the discounted weight of each account line in the objective."""
        # Cash beyond the horizon counts as in the last year.
        last = self.discount[self.years[-1]]
        return np.array(
            [line.weight * self.discount.get(line.year, last) for line in lines]
        )

    def with_events(self, events: tuple[Event, ...]) -> Parameters:
        """Return the numbers under some disruptions.

        Losses of several events in a year multiply.
        """
        available: dict[tuple[str, str, int], float] = {}
        for event in events:
            last = min(event.years[1], self.years[-1])
            for region, segment in self.places:
                in_segments = event.segments == ("all",) or segment in event.segments
                if region != event.region or not in_segments:
                    continue
                for year in range(event.years[0], last + 1):
                    key = (region, segment, year)
                    available[key] = available.get(key, 1.0) * (1.0 - event.depth)
        return replace(self, available=available)
