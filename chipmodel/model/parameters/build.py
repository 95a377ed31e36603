"""Compute the parameters of a world from the data."""

from __future__ import annotations

import math
from collections import defaultdict

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.units import per_kwpm_year
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import (
    BudgetRow,
    CostRow,
    ElasticityRow,
    FreightRow,
    ParameterRow,
    PriceRow,
    RegionRow,
    SegmentRow,
)
from chipmodel.model.parameters.finance import capital_recovery
from chipmodel.model.parameters.market import (
    demand_index,
    device_pattern,
    device_steps,
    location_shares,
    route_steps,
    step_values,
    trade_pattern,
)
from chipmodel.model.parameters.packaging import Packaging, build_packaging
from chipmodel.model.parameters.parameters import Parameters, Prices
from chipmodel.model.parameters.place_cost import RS, place_costs
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.model.parameters.sites import (
    Group,
    Sites,
    base_capacity,
    build_sites,
    step_counts,
    utilisation,
)
from chipmodel.model.parameters.upstream import build_upstream
from chipmodel.model.world import World


def build_parameters(data: Dataset, world: World) -> Parameters:
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
    total = {
        s: math.fsum(v for (_, q), v in sorted(capacity.items()) if q == s)
        for s in segments
    }
    span = world.report_until - world.base_year
    growth = {s: index[s, world.report_until] ** (1.0 / span) - 1.0 for s in segments}
    scale = {(s, t): total[s] * index[s, t] for s in segments for t in years}
    costs = place_costs(facts)
    sites = build_sites(facts, costs, parameter, scale, _step_counts(data, world))
    recovery = capital_recovery(world.discount_rate, parameter["economic_life"])
    packaging = build_packaging(facts)
    freight = {str(row.leg): value for row, value in facts.each(FreightRow)}
    running = {place: cost.running for place, cost in costs.items()}
    prices = _prices(
        facts, capacity, use, sites, running, packaging, freight, recovery, segments
    )
    makers, users = location_shares(facts)
    elasticity = {
        (row.segment, row.item): value for row, value in facts.each(ElasticityRow)
    }
    wafers = {
        (s, t): total[s] * use[s, "u_base"] * index[s, t]
        for s in segments
        for t in years
    }
    growing = {
        t: math.fsum(prices.reference[s] * wafers[s, t] for s in segments)
        for t in years
    }
    return Parameters(
        data=data,
        world=world,
        regions=regions,
        segments=segments,
        years=years,
        rank={row.region: row.rank for row in region_rows},
        discount={
            t: (1.0 + world.discount_rate) ** -(t - world.base_year) for t in years
        },
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
            (e, s, t): users[e] * wafers[s, t]
            for e in regions
            for s in segments
            for t in years
            if users[e] > 0
        },
        values={s: step_values(elasticity[s, "demand"], world.choke) for s in segments},
        pattern=device_pattern(makers, users, parameter["home_seed"]),
        users=users,
        sold=trade_pattern(makers, parameter["route_minimum"]),
        routes=route_steps(facts, elasticity["all", "substitution"]),
        device_moves=device_steps(facts),
        freight=freight,
        packaging=packaging,
        upstream=build_upstream(
            facts, sites, wafers, capacity, growth, index, prices.reference
        ),
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
    index, span, last = (
        demand_index(plain),
        world.report_until - world.base_year,
        world.report_until,
    )
    growth = {
        s: value ** (1.0 / span) - 1.0 for (s, t), value in index.items() if t == last
    }
    return step_counts(
        plain,
        {str(row.parameter): value for row, value in plain.each(ParameterRow)},
        growth,
    )


def _check_world(
    world: World, regions: tuple[str, ...], segments: tuple[str, ...]
) -> None:
    problems = []
    for event in world.event:
        if event.region not in regions:
            problems.append(
                Problem(
                    world.name,
                    f"event {event.id}",
                    f"unknown region '{event.region}'",
                    "use one of " + ", ".join(regions),
                )
            )
        if event.years[1] < world.base_year or event.years[0] > world.horizon:
            problems.append(
                Problem(
                    world.name,
                    f"event {event.id}",
                    "years are outside the years solved",
                    f"choose years in {world.base_year} to {world.horizon}",
                )
            )
        problems += [
            Problem(
                world.name,
                f"event {event.id}",
                f"unknown segment '{s}'",
                "use one of " + ", ".join(segments),
            )
            for s in event.segments
            if s not in segments and event.segments != ("all",)
        ]
    if problems:
        raise InputError(problems)


def _prices(
    facts: Facts,
    capacity: dict[RS, float],
    use: dict[tuple[str, str], float],
    sites: Sites,
    running: dict[RS, float],
    packaging: Packaging,
    freight: dict[str, float],
    recovery: float,
    segments: tuple[str, ...],
) -> Prices:
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
        known = {
            r: v for (r, q), v in sorted(capacity.items()) if q == s and (r, s) in plant
        }
        weight = math.fsum(known.values())
        if weight <= 0:
            raise InputError.one(
                "expansion.csv",
                s,
                "no place with base capacity can be expanded",
                "add a weight",
            )
        fab = math.fsum(v * plant[r, s] for r, v in known.items()) / weight
        packing = math.fsum(
            share * (packaging.running[p] + recovery * packaging.capex[p])
            for (q, p), share in sorted(packaging.need.items())
            if q == s
        )
        long_run[s] = (
            fab + inputs[s] + packing + 2.0 * freight["international"] * reference[s]
        )
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
    base = {
        row.holder: value
        for row, value in facts.each(BudgetRow)
        if row.base_year == world.base_year
    }
    if not base:
        raise InputError.one(
            "budgets.csv",
            "base_year",
            f"no budget for {world.base_year}",
            "add rows for it",
        )
    budgets: dict[tuple[str, int], float] = defaultdict(float)
    for holder, value in base.items():
        for t in world.years:
            if t > world.history_until:
                budgets[holder, t] = value * growing[t] / growing[world.base_year]
    return dict(budgets)


def _capital(parameter: dict[str, float]) -> list[tuple[float, float]]:
    step, premium = parameter["capital_step"], parameter["capital_premium"]
    return [(step, premium * k) for k in range(1, 5)] + [(0.0, premium * 5)]
