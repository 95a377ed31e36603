"""From data, world and case to the named numbers of the programme, in plain Python.

Whatever is not affine (annuities, elasticity steps, cost of place, duty schedules) is computed
here, before the linear programme is written.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property

from chipmodel.dataset import Dataset
from chipmodel.errors import InputError, Problem
from chipmodel.numbers.facts import Facts
from chipmodel.numbers.finance import capital_recovery
from chipmodel.numbers.market import (
    GRID,
    demand_index,
    device_pattern,
    device_steps,
    location_shares,
    route_steps,
    step_values,
    trade_pattern,
)
from chipmodel.numbers.packaging import Packaging, build_packaging
from chipmodel.numbers.place_cost import PlaceCost, place_costs
from chipmodel.numbers.sites import Group, Sites, base_capacity, build_sites, step_counts, utilisation
from chipmodel.numbers.upstream import Upstream, build_upstream
from chipmodel.schema import (
    BudgetRow,
    CostRow,
    ElasticityRow,
    FreightRow,
    ParameterRow,
    PriceRow,
    RegionRow,
    SegmentRow,
)
from chipmodel.units import per_kwpm_year
from chipmodel.world import Event, World

RS = tuple[str, str]
TIE = 1e-3
"""Largest tie-breaking cost, MUSD per kwpm and year."""

__all__ = ["GRID", "Numbers", "build_numbers"]


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
class Numbers:
    """Every number of the programme, named.

    Money is MUSD of the data's base year, real and undiscounted; flows are kwpm; unit costs are
    MUSD per kwpm and year.
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
    baseline_builds: dict[str, dict[tuple[str, int], float]] = field(default_factory=dict)
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
            (site.id, build): [(t, share) for t in self.years if (share := site.in_service(build, t)) > 0]
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
        return f"pool_{self.home(firm, region).lower()}"

    def leg(self, start: str, end: str, segment: str) -> float:
        """Return freight from one place to another."""
        kind = "domestic" if start == end else "international"
        return self.freight[kind] * self.prices.reference[segment]

    def tie(self, *places: str) -> float:
        """Return the tie-breaking cost of a route: between 0.4 and 1 of `TIE`, different for every route."""
        weights = (0.6180339, 0.7548776, 0.5698402)
        mix = math.fsum(self.rank[p] * weight for p, weight in zip(places, weights, strict=False))
        return TIE * (0.4 + 0.6 * (mix % 1.0))

    def with_events(self, events: tuple[Event, ...]) -> Numbers:
        """Return the numbers under some disruptions."""
        available: dict[tuple[str, str, int], float] = {}
        for event in events:
            for r, s in self.places:
                if r == event.region and (event.segments == ("all",) or s in event.segments):
                    for t in range(event.years[0], min(event.years[1], self.years[-1]) + 1):
                        available[r, s, t] = available.get((r, s, t), 1.0) * (1.0 - event.depth)
        return replace(self, available=available)


def build_numbers(data: Dataset, world: World) -> Numbers:
    """Compute every number of the programme.

    Raises
    ------
    InputError
        If the data and the world do not fit.
    """
    facts = Facts(data, world)
    region_rows = sorted(data.rows(RegionRow), key=lambda row: row.rank)
    regions = tuple(row.region for row in region_rows)
    segments = tuple(row.segment for row in data.rows(SegmentRow))
    _check_world(world, regions, segments)
    parameter = {str(row.parameter): value for row, value in facts.each(ParameterRow)}
    capacity = base_capacity(facts)
    use = utilisation(facts)
    index = demand_index(facts)
    years = tuple(world.years)
    total = {s: math.fsum(v for (_, q), v in sorted(capacity.items()) if q == s) for s in segments}
    span = world.report_until - world.base_year
    growth = {s: index[s, world.report_until] ** (1.0 / span) - 1.0 for s in segments}
    scale = {(s, t): total[s] * index[s, t] for s in segments for t in years}
    costs = place_costs(facts)
    sites = build_sites(facts, costs, parameter, scale, _step_counts(data, world))
    recovery = capital_recovery(world.discount_rate, parameter["economic_life"])
    packaging = build_packaging(facts)
    freight = {str(row.leg): value for row, value in facts.each(FreightRow)}
    running = {place: cost.running for place, cost in costs.items()}
    prices = _prices(facts, capacity, use, sites, running, packaging, freight, recovery, segments)
    makers, users = location_shares(facts)
    elasticity = {(row.segment, row.item): value for row, value in facts.each(ElasticityRow)}
    wafers = {(s, t): total[s] * use[s, "u_base"] * index[s, t] for s in segments for t in years}
    growing = {t: math.fsum(prices.reference[s] * wafers[s, t] for s in segments) for t in years}
    return Numbers(
        data=data,
        world=world,
        regions=regions,
        segments=segments,
        years=years,
        rank={row.region: row.rank for row in region_rows},
        discount={t: (1.0 + world.discount_rate) ** -(t - world.base_year) for t in years},
        recovery=recovery,
        parameter=parameter,
        capacity=capacity,
        use=use,
        sites=sites,
        running=running,
        costs=costs,
        prices=prices,
        index=index,
        reference={
            (e, s, t): users[e] * wafers[s, t] for e in regions for s in segments for t in years if users[e] > 0
        },
        values={s: step_values(elasticity[s, "demand"], world.choke) for s in segments},
        pattern=device_pattern(makers, users, parameter["home_seed"]),
        users=users,
        sold=trade_pattern(makers, parameter["route_minimum"]),
        routes=route_steps(facts, elasticity["all", "substitution"]),
        device_moves=device_steps(facts),
        freight=freight,
        packaging=packaging,
        upstream=build_upstream(facts, sites, wafers, capacity, growth, index, prices.reference),
        budgets=_budgets(facts, growing),
        capital=_capital(parameter),
        homes=sites.homes,
        fixed={(s.id, t): v for s in sites.sites.values() for t, v in s.given.items()},
    )


def _step_counts(data: Dataset, world: World) -> dict[Group, int]:
    """Return the number of cost steps of each place, those of the data whatever the world scales.

    So worlds that differ in numbers share one programme.
    """
    plain = Facts(data, world.model_copy(update={"scale": (), "demand_shift": 0.0}))
    index, span, last = demand_index(plain), world.report_until - world.base_year, world.report_until
    growth = {s: value ** (1.0 / span) - 1.0 for (s, t), value in index.items() if t == last}
    return step_counts(plain, {str(row.parameter): value for row, value in plain.each(ParameterRow)}, growth)


def _check_world(world: World, regions: tuple[str, ...], segments: tuple[str, ...]) -> None:
    problems = []
    for event in world.event:
        if event.region not in regions:
            problems.append(Problem(world.name, f"event {event.id}", f"unknown region '{event.region}'",
                                    "use one of " + ", ".join(regions)))
        if event.years[1] < world.base_year or event.years[0] > world.horizon:
            problems.append(Problem(world.name, f"event {event.id}", "years are outside the years solved",
                                    f"choose years in {world.base_year} to {world.horizon}"))
        problems += [
            Problem(world.name, f"event {event.id}", f"unknown segment '{s}'", "use one of " + ", ".join(segments))
            for s in event.segments
            if s not in segments and event.segments != ("all",)
        ]
    if problems:
        raise InputError(problems)


def _prices(facts: Facts, capacity: dict[RS, float], use: dict[tuple[str, str], float], sites: Sites,
            running: dict[RS, float], packaging: Packaging, freight: dict[str, float], recovery: float,
            segments: tuple[str, ...]) -> Prices:
    price = {(row.segment, row.item): value for row, value in facts.each(PriceRow)}
    cost = {(row.segment, row.item): value for row, value in facts.each(CostRow)}
    reference = {s: per_kwpm_year(price[s, "reference"]) for s in segments}
    inputs = {s: per_kwpm_year(cost[s, "inputs"]) for s in segments}
    plant: dict[RS, float] = {}
    for place in sites.places.values():
        _, region, segment = place.group
        annuity = recovery * place.capex * place.work.interest / use[segment, "u_max"]
        plant[region, segment] = annuity + running[region, segment]
    long_run = {}
    for s in segments:
        known = {r: v for (r, q), v in sorted(capacity.items()) if q == s and (r, s) in plant}
        weight = math.fsum(known.values())
        if weight <= 0:
            raise InputError.one("expansion.csv", s, "no place with base capacity can be expanded", "add a weight")
        fab = math.fsum(v * plant[r, s] for r, v in known.items()) / weight
        packing = math.fsum(
            share * (packaging.running[p] + recovery * packaging.capex[p])
            for (q, p), share in sorted(packaging.need.items())
            if q == s
        )
        long_run[s] = fab + inputs[s] + packing + 2.0 * freight["international"] * reference[s]
    return Prices(
        reference=reference,
        dutiable={s: reference[s] * price[s, "customs_share"] for s in segments},
        long_run=long_run,
        other={s: reference[s] - long_run[s] for s in segments},
        inputs=inputs,
    )


def _budgets(facts: Facts, growing: dict[int, float]) -> dict[tuple[str, int], float]:
    world = facts.world
    if world.budgets == "none":
        return {}
    base = {row.holder: value for row, value in facts.each(BudgetRow) if row.base_year == world.base_year}
    if not base:
        raise InputError.one("budgets.csv", "base_year", f"no budget for {world.base_year}", "add rows for it")
    budgets: dict[tuple[str, int], float] = defaultdict(float)
    for holder, value in base.items():
        for t in world.years:
            if t > world.history_until:
                budgets[holder, t] = value * growing[t] / growing[world.base_year]
    return dict(budgets)


def _capital(parameter: dict[str, float]) -> list[tuple[float, float]]:
    step, premium = parameter["capital_step"], parameter["capital_premium"]
    return [(step, premium * k) for k in range(1, 5)] + [(0.0, premium * 5)]
