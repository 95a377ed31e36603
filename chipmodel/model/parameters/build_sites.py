"""Read sites and places off the data of a world."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.units import MONTHS_PER_YEAR
from chipmodel.dataset.rows import (
    ConstructionRow,
    ExpansionRow,
    FirmRow,
    FleetRow,
    OperationRow,
    ProjectFactRow,
    ProjectRow,
)
from chipmodel.model.parameters.finance import Construction, construction
from chipmodel.model.parameters.place_cost import PlaceCost
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.model.parameters.sites import FLEET_STEPS, Group, Place, Site, Sites
from chipmodel.model.world import World

OTHER = "other"
"""The firm of expansion.csv that represents all firms without a weight."""

FINEST = 0.02
"""Steps of the cost multiplier are at most this far apart."""

SHARE_OF_GROWTH = 0.10
"""A year's step is at most this share of the yearly growth of its segment.

That is 1% of the growth of a decade.
"""


def base_capacity(facts: Facts) -> dict[tuple[str, str], float]:
    """Return capacity in the base year by region and segment, kwpm.

    Raises
    ------
    InputError
        If the data has no fleet for the base year.
    """
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row, value in facts.each(FleetRow):
        if row.base_year == facts.world.base_year:
            total[row.region, row.segment] += value
    if not total:
        raise InputError.one(
            "fleets.csv",
            "base_year",
            f"no fleet for {facts.world.base_year}",
            "choose a base_year of the data or add its fleets",
        )
    return dict(total)


def build_sites(
    facts: Facts,
    costs: dict[tuple[str, str], PlaceCost],
    parameter: dict[str, float],
    scale: dict[tuple[str, int], float],
    steps: dict[Group, int],
) -> Sites:
    """Return every site and place.

    Parameters
    ----------
    facts : Facts
    costs : dict
        Cost of place by region and segment.
    parameter : dict
        Scalars of parameters.csv.
    scale : dict
        Capacity of the world's base year grown with reference demand, by segment and
        year.
    steps : dict
        Number of cost steps of each place, without the last, unbounded one.

    Raises
    ------
    InputError
        If a project has no place that can add capacity.
    """
    weights = _weights(facts)
    months = facts.table(ConstructionRow, "region", "item")
    works = {}
    for region, item in months:
        if item == "build":
            works[str(region)] = construction(
                months[region, "build"],
                parameter["building_share"],
                facts.world.discount_rate,
            )
    places = {}
    # Sorted: the order of places is that of columns, whatever the order of the file.
    for group, weight in sorted(weights.items()):
        _, region, segment = group
        places[group] = _place(
            facts.world,
            group,
            costs[region, segment],
            works[region],
            weight,
            {t: scale[segment, t] for t in facts.world.years},
            parameter,
            steps[group],
        )
    every = [
        *_fleets(facts),
        *_projects(facts, works, facts.world.slip * parameter["slip"]),
        *_greenfield(facts, parameter, weights, works, months),
    ]
    sites = {site.id: site for site in every}
    # Output of a fleet rises from its cheapest to its most expensive fabs.
    spread = parameter["running_spread"]
    relative = []
    for k in range(FLEET_STEPS):
        # Middle of the step on a scale from -1 to 1.
        middle = (2 * k + 1) / FLEET_STEPS - 1.0
        relative.append(1.0 + spread * middle)
    return Sites(
        sites=sites,
        places=places,
        group_of=_groups(sites, places),
        fleet_running=tuple(relative),
        homes={row.firm: row.home for row in facts.data.rows(FirmRow)},
    )


def _weights(facts: Facts) -> dict[Group, float]:
    """Return the share of each group in the additions of its segment."""
    weights = {}
    for row, value in facts.each(ExpansionRow):
        if row.base_year == facts.world.base_year:
            weights[row.firm, row.region, row.segment] = value
    return weights


def step_counts(
    facts: Facts, parameter: dict[str, float], growth: dict[str, float]
) -> dict[Group, int]:
    """Return how many cost steps each place needs to be finely resolved.

    Parameters
    ----------
    facts : Facts
    parameter : dict
        Scalars of parameters.csv.
    growth : dict
        Mean growth a year of each segment over the reported years.
    """
    start = parameter["multiplier_start"]
    end = parameter["multiplier_end"]
    slope = parameter["slope"]
    counts = {}
    for group, weight in _weights(facts).items():
        segment = group[2]
        # The minimum growth bounds the number of steps of a segment that shrinks.
        by_growth = SHARE_OF_GROWTH * slope * max(growth[segment], 0.01) / weight
        rise = min(FINEST * start, by_growth)
        counts[group] = max(1, math.ceil((end - start) / rise))
    return counts


def _place(
    world: World,
    group: Group,
    cost: PlaceCost,
    work: Construction,
    weight: float,
    scale: dict[int, float],
    parameter: dict[str, float],
    count: int,
) -> Place:
    """Return a place with `count` cost steps and a last one without bound.

    The multiplier rises by `slope` per unit of builds relative to the place's weight in
    the capacity of its segment, which grows with reference demand (`scale`).
    """
    start = parameter["multiplier_start"]
    end = parameter["multiplier_end"]
    rise = (end - start) / count
    middles = [start + (k + 0.5) * rise for k in range(count)]
    widths = {}
    for t in world.years:
        # A fab that comes on line after the horizon is not built.
        in_time = t < world.horizon + 1 - work.lead
        if t > world.history_until and in_time:
            widths[t] = rise / parameter["slope"] * weight * scale[t]
    return Place(group, cost.capex, cost.running, (*middles, end), widths, work)


def _fleets(facts: Facts) -> list[Site]:
    sites = []
    for row, value in facts.each(FleetRow):
        if row.base_year == facts.world.base_year and value > 0:
            fleet = Site(
                id=f"fleet_{row.region.lower()}_{row.segment}_{row.firm}",
                kind="fleet",
                name=f"running fabs of {row.firm} in {row.region}",
                firm=row.firm,
                region=row.region,
                segment=row.segment,
                size=value,
                given={},
                committed=0.0,
                builds=(),
                ready={},
                decided={},
                started=None,
                premium=0.0,
                awards={},
            )
            sites.append(fleet)
    return sites


def _projects(facts: Facts, works: dict[str, Construction], slip: float) -> list[Site]:
    """Return the announced projects.

    Those that are not in operation come `slip` years later than announced.
    """
    world = facts.world
    details: dict[tuple[str, str], list[tuple[str | None, float]]] = defaultdict(list)
    for fact, value in facts.each(ProjectFactRow):
        details[fact.site, fact.item].append((fact.treasury, value))
    sites = []
    for name, (row, size) in sorted(_latest_projects(facts).items()):
        # What runs by the base year is in the fleets already.
        if row.status == "cancelled" or row.earliest <= world.base_year or size <= 0:
            continue
        started = row.construction_begun
        share = 0.0
        if started is not None and started <= world.committed_until:
            stated = math.fsum(value for _, value in details[name, "committed"])
            share = min(1.0, stated * world.committed)
        awards = {str(treasury): value for treasury, value in details[name, "award"]}
        late = 0.0 if row.status == "operating" else slip
        site = _project(world, row, size, share * size, late, works[row.region], awards)
        if site is not None:
            sites.append(site)
    return sites


def _latest_projects(facts: Facts) -> dict[str, tuple[ProjectRow, float]]:
    """Return the last row on each project by the information date, and its size."""
    information_date = date.fromisoformat(facts.world.information_date)
    latest: dict[str, tuple[ProjectRow, float]] = {}
    for row, size in facts.each(ProjectRow):
        # A hindcast must not know what was announced later.
        if date.fromisoformat(row.as_of) > information_date:
            continue
        if row.site not in latest or latest[row.site][0].as_of < row.as_of:
            latest[row.site] = (row, size)
    return latest


def _project(
    world: World,
    row: ProjectRow,
    size: float,
    committed: float,
    slip: float,
    work: Construction,
    awards: dict[str, float],
) -> Site | None:
    """Return an announced project; none if it cannot come on line in time.

    A committed part whose construction started by `history_until` is given, a later one
    is the minimum build of its first year. A project that slips starts later; a part
    that is under way started as announced, and takes longer.
    """
    # `earliest` is the first year of production, so construction starts a lead before.
    first = row.earliest - math.floor(work.lead)
    is_history = first <= world.history_until
    starts = max(math.floor(first + slip), world.history_until + 1)
    choices = list(range(starts, world.horizon + 1))
    given: dict[int, float] = {}
    if committed > 0 and first < starts:
        choices = [first, *choices]
    if is_history and committed > 0:
        given = {first: committed}
    ready = {}
    for t in choices:
        # Construction starts on the first day of a year. In the first year it waits
        # for the part of the slip that is no whole year.
        on_line = max(float(t), first + slip) + work.lead
        if on_line < world.horizon + 1:
            ready[t] = on_line
    if not ready or (given and first not in ready):
        return None
    return Site(
        id=row.site,
        kind="project",
        name=row.name,
        firm=row.firm,
        region=row.region,
        segment=row.segment,
        size=size,
        given=given,
        committed=0.0 if is_history else committed,
        builds=tuple(ready),
        ready=ready,
        decided={t: t for t in ready},
        started=row.construction_begun,
        premium=0.0,
        awards=awards,
    )


def _greenfield(
    facts: Facts,
    parameter: dict[str, float],
    weights: dict[Group, float],
    works: dict[str, Construction],
    months: dict[tuple[object, ...], float],
) -> list[Site]:
    """Return a site without size for every group; its builds need a permit first."""
    horizon = facts.world.horizon
    first_decision = facts.world.history_until + 1
    sites = []
    for firm, region, segment in sorted(weights):
        work = works[region]
        permit = months[region, "permit"] / MONTHS_PER_YEAR
        ready = {}
        decided = {}
        for t in range(first_decision + math.floor(permit), horizon + 1):
            # Construction starts on the first day of a year. In the first year it waits
            # for the rest of the permit's time.
            on_line = max(float(t), first_decision + permit) + work.lead
            if on_line < horizon + 1:
                ready[t] = on_line
                decided[t] = max(first_decision, t - math.ceil(permit))
        site = Site(
            id=f"new_{region.lower()}_{segment}_{firm}",
            kind="greenfield",
            name=f"new fabs of {firm} in {region}",
            firm=firm,
            region=region,
            segment=segment,
            size=None,
            given={},
            committed=0.0,
            builds=tuple(ready),
            ready=ready,
            decided=decided,
            started=None,
            premium=parameter["greenfield_premium"],
            awards={},
        )
        sites.append(site)
    return sites


def _groups(sites: dict[str, Site], places: dict[Group, Place]) -> dict[str, Group]:
    """Return the group of each site that can be built.

    That is its firm's, or that of all other firms.
    """
    group_of: dict[str, Group] = {}
    problems = []
    for site in sites.values():
        if site.kind == "fleet":
            continue
        of_firm = (site.firm, site.region, site.segment)
        of_others = (OTHER, site.region, site.segment)
        if of_firm in places:
            group_of[site.id] = of_firm
        elif of_others in places:
            group_of[site.id] = of_others
        else:
            problems.append(
                Problem(
                    "expansion.csv",
                    f"{site.region}, {site.segment}, {site.firm}",
                    f"no weight, but project {site.id} builds there",
                    "add the row",
                )
            )
    if problems:
        raise InputError(problems)
    return group_of


def utilisation(facts: Facts) -> dict[tuple[str, str], float]:
    """Return u_base, u_min and u_max by segment.

    A world that scales them past each other keeps them in order: use and ceiling are
    at least what is below them.
    """
    use = {(row.segment, row.item): value for row, value in facts.each(OperationRow)}
    ordered: dict[tuple[str, str], float] = {}
    for segment in dict.fromkeys(segment for segment, _ in use):
        smallest = 0.0
        for item in ("u_min", "u_base", "u_max"):
            smallest = max(smallest, use[segment, item])
            ordered[segment, item] = smallest
    return ordered
