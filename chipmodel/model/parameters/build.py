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
    PlaceResidualRow,
    PriceRow,
    RegionRow,
    SegmentRow,
)
from chipmodel.model.parameters.build_sites import (
    base_capacity,
    build_sites,
    step_counts,
    utilisation,
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
from chipmodel.model.parameters.region_pace import region_pace
from chipmodel.model.parameters.retirement import (
    fixed_saved,
    retiring_costs,
    stated_retirements,
)
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.model.parameters.sites import Group, Sites
from chipmodel.model.parameters.upstream import build_upstream
from chipmodel.model.parameters.yields import good_wafers
from chipmodel.model.world import World

CAPITAL_STEPS = 4
"""Steps of outside capital with a bound; one without follows."""

SURGE_STEPS = 2
"""Steps of rising cost between usual use and the technical ceiling."""


def build_parameters(data: Dataset, world: World) -> Parameters:
    """Return every number of the linear program of a world.

    Raises
    ------
    InputError
        If the data and the world do not fit.
    """
    facts = Facts(data, world)
    region_rows = sorted(data.rows(RegionRow), key=lambda row: row.rank)
    regions = tuple(row.region for row in region_rows)
    segments = tuple(row.segment for row in data.rows(SegmentRow))
    _check_events(world, regions, segments)
    years = tuple(world.years)
    parameter = facts.column(ParameterRow, "parameter")
    recovery = capital_recovery(world.discount_rate, parameter["economic_life"])

    capacity = base_capacity(facts)
    use = utilisation(facts)
    usual = {s: _usual_use(use, s, world) for s in segments}
    residual = _residuals(facts)
    index = demand_index(facts)
    growth = _mean_growth(index, world)
    scale = {}
    wafers = {}
    for segment in segments:
        # Exact sums, here and below: the builtin sum rounds differently from Python
        # 3.12 on, and the last digit decides between routes of equal cost.
        total = math.fsum(c for (_, s), c in capacity.items() if s == segment)
        for t in years:
            scale[segment, t] = total * index[segment, t]
            wafers[segment, t] = total * use[segment, "u_base"] * index[segment, t]

    costs = place_costs(facts)
    running = {place: cost.running for place, cost in costs.items()}
    sites = build_sites(facts, costs, parameter, scale, _step_counts(data, world))
    packaging = build_packaging(facts)
    freight = facts.column(FreightRow, "leg")
    plant_cost = _plant_costs(sites, running, residual, usual, recovery)
    fabs = {}
    packing = {}
    for segment in segments:
        fabs[segment] = _mean_over_capacity(plant_cost, capacity, segment)
        packing[segment] = _packing_cost(packaging, recovery, segment)
    prices = _prices(facts, fabs, packing, freight["international"])

    makers, users = location_shares(facts)
    elasticity = facts.table(ElasticityRow, "segment", "item")
    values = {}
    for segment in segments:
        values[segment] = step_values(elasticity[segment, "demand"], world.choke)
    parameters = Parameters(
        data=data,
        world=world,
        regions=regions,
        segments=segments,
        years=years,
        rank={row.region: row.rank for row in region_rows},
        discount={t: _discount_factor(world, t) for t in years},
        recovery=recovery,
        parameter=parameter,
        capacity=capacity,
        use=use,
        usual=usual,
        surge=_surge(prices, parameter["surge_rise"]),
        yields=good_wafers(facts, parameter["yield_convergence"]),
        residual=residual,
        sites=sites,
        running=running,
        costs=costs,
        prices=prices,
        index=index,
        reference=_reference_use(regions, users, wafers),
        values=values,
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
        budgets=_budgets(facts, _reference_sales(prices, wafers)),
        capital=_capital(parameter),
        homes=sites.homes,
        pace=region_pace(
            facts, sites, costs, capacity, index, 1.0 - parameter["building_share"]
        ),
        fixed_saved=fixed_saved(world, parameter, running, use),
        retiring=retiring_costs(parameter, costs),
        retirements=stated_retirements(world, sites),
        fixed=_history(sites),
    )
    _refuse_missing_budgets(parameters)
    return parameters


def _refuse_missing_budgets(parameters: Parameters) -> None:
    """Refuse builds of firms that neither have a budget nor share in one.

    Raises
    ------
    InputError
        With every holder whose budget is missing.
    """
    world = parameters.world
    if not parameters.budgets:
        return
    spenders: dict[str, str] = {}
    for site in parameters.sites.sites.values():
        if site.builds:
            holder = parameters.holder(site.firm, site.region)
            spenders.setdefault(holder, site.id)
    problems = []
    for holder, site_id in spenders.items():
        if (holder, world.horizon) not in parameters.budgets:
            place = f"{holder}, {world.base_year}"
            what = f"row is missing: what is built at {site_id} is paid from it"
            fix = "add the budget of the holder"
            problems.append(Problem("budgets.csv", place, what, fix))
    if problems:
        raise InputError(problems)


def _check_events(
    world: World, regions: tuple[str, ...], segments: tuple[str, ...]
) -> None:
    """Refuse events in places and years that the model does not have."""
    problems = []
    for event in world.event:
        place = f"event {event.id}"
        if event.region not in regions:
            what = f"unknown region '{event.region}'"
            fix = "use one of " + ", ".join(regions)
            problems.append(Problem(world.name, place, what, fix))
        if event.years[1] < world.base_year or event.years[0] > world.horizon:
            what = "years are outside the years solved"
            fix = f"choose years in {world.base_year} to {world.horizon}"
            problems.append(Problem(world.name, place, what, fix))
        if event.segments == ("all",):
            continue
        for segment in event.segments:
            if segment not in segments:
                what = f"unknown segment '{segment}'"
                fix = "use one of " + ", ".join(segments)
                problems.append(Problem(world.name, place, what, fix))
    if problems:
        raise InputError(problems)


def _discount_factor(world: World, year: int) -> float:
    return float((1.0 + world.discount_rate) ** -(year - world.base_year))


def _mean_growth(index: dict[tuple[str, int], float], world: World) -> dict[str, float]:
    """Return mean growth a year of each segment over the reported years."""
    last = world.report_until
    span = last - world.base_year
    growth = {}
    for segment, year in index:
        if year == last:
            growth[segment] = index[segment, last] ** (1.0 / span) - 1.0
    return growth


def _step_counts(data: Dataset, world: World) -> dict[Group, int]:
    """Return the number of cost steps of each place in the data as they are.

    It ignores the factors of a world, so that worlds that differ in numbers only share
    one linear program.
    """
    unscaled = world.model_copy(update={"scale": (), "demand_shift": 0.0})
    facts = Facts(data, unscaled)
    growth = _mean_growth(demand_index(facts), world)
    return step_counts(facts, facts.column(ParameterRow, "parameter"), growth)


def _usual_use(use: dict[tuple[str, str], float], segment: str, world: World) -> float:
    """Return the share of a segment's capacity that usually runs."""
    base, ceiling = use[segment, "u_base"], use[segment, "u_max"]
    return ceiling - world.surge * (ceiling - base)


def _surge(prices: Prices, rise: float) -> dict[str, tuple[float, ...]]:
    r"""Return the value of a good wafer at which each step of a surge pays.

    Positive mathematical programming (Howitt 1995): usual use is what is observed at
    the reference price, so one more wafer costs that price at the fab gate. From there
    the marginal cost of a good wafer rises evenly to 1 + `rise` times it at the
    technical ceiling; a step has the cost at its middle,

    .. math:: p_s \, (1 + rise \, (k + 1/2) / K)

    with p the reference price at the fab gate and K the number of steps.
    """
    steps = {}
    for segment, price in prices.fab_gate.items():
        middles = [(k + 0.5) / SURGE_STEPS for k in range(SURGE_STEPS)]
        steps[segment] = tuple(price * (1.0 + rise * middle) for middle in middles)
    return steps


def _residuals(facts: Facts) -> dict[RS, float]:
    """Return the residual cost of new fabs' output by place, MUSD per kwpm and year."""
    return {
        (row.region, row.segment): per_kwpm_year(value)
        for row, value in facts.each(PlaceResidualRow)
    }


def _plant_costs(
    sites: Sites,
    running: dict[RS, float],
    residual: dict[RS, float],
    usual: dict[str, float],
    recovery: float,
) -> dict[RS, float]:
    """Return the full cost of a new fab by region and segment, without materials.

    MUSD per kwpm and year, with the residual of the place.
    """
    cost: dict[RS, float] = {}
    for place in sites.places.values():
        _, region, segment = place.group
        # A fab spreads its capital over the capacity that usually runs.
        annuity = recovery * place.capex * place.work.interest / usual[segment]
        at_work = running[region, segment] + residual[region, segment]
        cost[region, segment] = annuity + at_work
    return cost


def _mean_over_capacity(
    cost: dict[RS, float], capacity: dict[RS, float], segment: str
) -> float:
    """Return the mean cost of a segment, weighted over base capacity."""
    weights = {}
    for place, amount in sorted(capacity.items()):
        # A fleet that cannot be expanded has no cost of a new plant.
        if place[1] == segment and place in cost:
            weights[place] = amount
    total = math.fsum(weights.values())
    if total <= 0:
        raise InputError.one(
            "expansion.csv",
            segment,
            "no place with base capacity can be expanded",
            "add a weight",
        )
    weighted = math.fsum(amount * cost[place] for place, amount in weights.items())
    return weighted / total


def _packing_cost(packaging: Packaging, recovery: float, segment: str) -> float:
    """Return the full cost of packaging a segment, MUSD per kwpm and year."""
    costs = []
    for (packed, package), share in packaging.need.items():
        if packed == segment:
            annuity = recovery * packaging.capex[package]
            costs.append(share * (packaging.running[package] + annuity))
    return math.fsum(costs)


def _prices(
    facts: Facts,
    fabs: dict[str, float],
    packing: dict[str, float],
    freight: float,
) -> Prices:
    """Return the prices of every segment.

    Parameters
    ----------
    facts : Facts
    fabs, packing : dict
        Full cost of a new fab without materials and of packaging, by segment.
    freight : float
        International freight, a share of the reference price.
    """
    segments = list(fabs)
    price = facts.table(PriceRow, "segment", "item")
    cost = facts.table(CostRow, "segment", "item")
    reference = {}
    dutiable = {}
    long_run = {}
    fab_gate = {}
    other = {}
    inputs = {}
    for s in segments:
        reference[s] = per_kwpm_year(price[s, "reference"])
        # Imports of fabless firms are declared near the foundry price.
        dutiable[s] = reference[s] * price[s, "customs_share"]
        inputs[s] = per_kwpm_year(cost[s, "inputs"])
        # Two legs: from the fab to packaging, and from there to the place of use.
        legs = 2.0 * freight * reference[s]
        fab_gate[s] = fabs[s] + inputs[s]
        long_run[s] = fab_gate[s] + packing[s] + legs
        # Not from a dual of the base year, which in a slack year is running cost only.
        other[s] = reference[s] - long_run[s]
    return Prices(reference, dutiable, long_run, fab_gate, other, inputs)


def _reference_use(
    regions: tuple[str, ...],
    users: dict[str, float],
    wafers: dict[tuple[str, int], float],
) -> dict[tuple[str, str, int], float]:
    """Return reference quantities by user, segment and year, kwpm."""
    quantities = {}
    for user in regions:
        if users[user] > 0:
            for (segment, t), amount in wafers.items():
                quantities[user, segment, t] = users[user] * amount
    return quantities


def _reference_sales(
    prices: Prices, wafers: dict[tuple[str, int], float]
) -> dict[int, float]:
    """Return the world's sales of chips at reference prices by year, MUSD."""
    sales: dict[int, list[float]] = defaultdict(list)
    for (segment, t), amount in wafers.items():
        sales[t].append(prices.reference[segment] * amount)
    return {t: math.fsum(values) for t, values in sales.items()}


def _budgets(facts: Facts, sales: dict[int, float]) -> dict[tuple[str, int], float]:
    """Return investment budgets by holder and year, which grow with reference sales."""
    world = facts.world
    # Without budgets their rows are not written: see `chipmodel.model.lp.finance`.
    if world.budgets == "none":
        return {}
    base = {}
    for row, value in facts.each(BudgetRow):
        if row.base_year == world.base_year:
            base[row.holder] = value
    if not base:
        raise InputError.one(
            "budgets.csv",
            "base_year",
            f"no budget for {world.base_year}",
            "add rows for it",
        )
    budgets = {}
    for holder, value in base.items():
        for t in world.years:
            if t > world.history_until:
                budgets[holder, t] = value * sales[t] / sales[world.base_year]
    return budgets


def _capital(parameter: dict[str, float]) -> list[tuple[float, float]]:
    """Return the steps of outside capital, each more expensive than the last."""
    width = parameter["capital_step"]
    premium = parameter["capital_premium"]
    bounded = [(width, premium * k) for k in range(1, CAPITAL_STEPS + 1)]
    # The last step has no width: capital from outside is costly, never exhausted.
    return [*bounded, (0.0, premium * (CAPITAL_STEPS + 1))]


def _history(sites: Sites) -> dict[tuple[str, int], float]:
    """Return the builds that history gives, by site and year, kwpm."""
    builds = {}
    for site in sites.sites.values():
        for t, amount in site.given.items():
            builds[site.id, t] = amount
    return builds
