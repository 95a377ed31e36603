"""Sites: fleets, announced projects and greenfield places, with their costs, steps and years."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
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
from chipmodel.model.parameters.finance import (
    Construction,
    construction,
    share_in_service,
)
from chipmodel.model.parameters.place_cost import PlaceCost
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.model.world import World
from chipmodel.solver.ledger import Party

OTHER = "other"


FLEET_STEPS = 5
"""Steps of running cost between u_min and u_max of a fleet."""


FINEST = 0.02
"""Steps of the cost multiplier are at most this far apart."""


SHARE_OF_GROWTH = 0.10
"""A year's step is at most this share of the yearly growth of its segment: 1% of the growth of a decade."""


Group = tuple[str, str, str]
"""Firm, region, segment: the place in which builds compete for the same construction capacity."""


@dataclass(frozen=True)
class Site:
    """A fleet, a project or a greenfield place.

    Attributes
    ----------
    size : float or None
        kwpm; none for greenfield.
    given : dict
        Builds by year that are history, kwpm.
    committed : float
        Least build in its first year, kwpm: what is under way beyond history.
    builds : tuple of int
        Years in which construction may start.
    ready : dict
        Time at which a build of each year comes on line.
    decided : dict
        Year in which a build of each year is decided (construction start less the
        permit time).
    started : int or None
        Year construction began, as far as known on the world's information date.
    premium : float
        Extra capital cost as a share (land and permits of a greenfield place).
    awards : dict
        Public awards by treasury, MUSD for the whole size.
    """

    id: str
    kind: str
    name: str
    firm: str
    region: str
    segment: str
    size: float | None
    given: dict[int, float]
    committed: float
    builds: tuple[int, ...]
    ready: dict[int, float]
    decided: dict[int, int]
    started: int | None
    premium: float
    awards: dict[str, float]

    @property
    def agent(self) -> str:
        """The agent that owns it: the firm at this place."""
        return Party("fab", self.firm, self.region).label

    def in_service(self, build: int, year: int) -> float:
        """Return the share of `year` for which a build of year `build` is in service."""
        return share_in_service(self.ready[build], year)


@dataclass(frozen=True)
class Place:
    """A group: a firm's builds of a segment in a region, and what they cost.

    Attributes
    ----------
    capex : float
        MUSD per kwpm at multiplier 1.
    running : float
        MUSD per kwpm and year, without inputs.
    multipliers : tuple of float
        Cost multiplier of each step, rising.
    widths : dict
        Width of every step but the last by year, kwpm; the last is unbounded.
    """

    group: Group
    capex: float
    running: float
    multipliers: tuple[float, ...]
    widths: dict[int, float]
    work: Construction

    @property
    def agent(self) -> str:
        """The agent that owns the room to build."""
        firm, region, *_ = self.group
        return Party("fab", firm, region).label


@dataclass(frozen=True)
class Sites:
    """All sites and places of a data set in a world."""

    sites: dict[str, Site]
    places: dict[Group, Place]
    group_of: dict[str, Group]
    fleet_running: tuple[float, ...]
    """Running cost of each fleet step above u_min, relative to the mean."""
    homes: dict[str, str]
    """Home region of each named firm."""

    def of(self, region: str, segment: str) -> list[Site]:
        """Return the sites of a region and segment."""
        return [
            s
            for s in self.sites.values()
            if s.region == region and s.segment == segment
        ]


def base_capacity(facts: Facts) -> dict[tuple[str, str], float]:
    """Return capacity in the base year by region and segment, kwpm."""
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
    """Build every site and place.

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
        Number of cost steps of each place, the last one apart.
    """
    world = facts.world
    weights = {
        (row.firm, row.region, row.segment): v
        for row, v in facts.each(ExpansionRow)
        if row.base_year == world.base_year
    }
    months = facts.table(ConstructionRow, "region", "item")
    works = {
        str(region): construction(
            months[region, "build"], parameter["building_share"], world.discount_rate
        )
        for region, item in months
        if item == "build"
    }
    places = {
        group: _place(
            facts,
            costs[group[1], group[2]],
            parameter,
            group,
            weight,
            scale,
            works[group[1]],
            steps[group],
        )
        for group, weight in sorted(weights.items())
    }
    sites: dict[str, Site] = {}
    for site in (
        *_fleets(facts),
        *_projects(facts, works),
        *_greenfield(facts, parameter, weights, works, months),
    ):
        sites[site.id] = site
    group_of = _groups(sites, places)
    spread = parameter["running_spread"]
    relative = tuple(
        1.0 + spread * ((2 * k + 1) / FLEET_STEPS - 1.0) for k in range(FLEET_STEPS)
    )
    homes = {row.firm: row.home for row in facts.data.rows(FirmRow)}
    return Sites(sites, places, group_of, relative, homes)


def step_counts(
    facts: Facts, parameter: dict[str, float], growth: dict[str, float]
) -> dict[Group, int]:
    """Return how many cost steps each place needs to keep them fine.

    Parameters
    ----------
    growth : dict
        Mean growth a year of each segment over the reported years.
    """
    start, end, slope = (
        parameter["multiplier_start"],
        parameter["multiplier_end"],
        parameter["slope"],
    )
    finest = {
        (row.firm, row.region, row.segment): min(
            FINEST * start,
            SHARE_OF_GROWTH * slope * max(growth[row.segment], 0.01) / weight,
        )
        for row, weight in facts.each(ExpansionRow)
        if row.base_year == facts.world.base_year
    }
    return {
        group: max(1, math.ceil((end - start) / rise)) for group, rise in finest.items()
    }


def _place(
    facts: Facts,
    cost: PlaceCost,
    parameter: dict[str, float],
    group: Group,
    weight: float,
    scale: dict[tuple[str, int], float],
    work: Construction,
    count: int,
) -> Place:
    segment = group[2]
    start, end, slope = (
        parameter["multiplier_start"],
        parameter["multiplier_end"],
        parameter["slope"],
    )
    rise = (end - start) / count
    multipliers = (*(start + (k + 0.5) * rise for k in range(count)), end)
    last = facts.world.horizon + 1 - work.lead
    widths = {
        t: rise / slope * weight * scale[segment, t]
        for t in facts.world.years
        if facts.world.history_until < t < last
    }
    return Place(group, cost.capex, cost.running, multipliers, widths, work)


def _fleets(facts: Facts) -> list[Site]:
    sites = []
    for row, value in facts.each(FleetRow):
        if row.base_year == facts.world.base_year and value > 0:
            name = f"fleet_{row.region.lower()}_{row.segment}_{row.firm}"
            sites.append(
                Site(
                    name,
                    "fleet",
                    f"running fabs of {row.firm} in {row.region}",
                    row.firm,
                    row.region,
                    row.segment,
                    value,
                    {},
                    0.0,
                    (),
                    {},
                    {},
                    None,
                    0.0,
                    {},
                )
            )
    return sites


def _projects(facts: Facts, works: dict[str, Construction]) -> list[Site]:
    world = facts.world
    latest: dict[str, tuple[ProjectRow, float]] = {}
    for row, value in facts.each(ProjectRow):
        known = date.fromisoformat(row.as_of) <= date.fromisoformat(
            world.information_date
        )
        if known and (row.site not in latest or latest[row.site][0].as_of < row.as_of):
            latest[row.site] = (row, value)
    detail: dict[tuple[str, str], list[tuple[str | None, float]]] = defaultdict(list)
    for fact, value in facts.each(ProjectFactRow):
        detail[fact.site, fact.item].append((fact.treasury, value))
    sites = []
    for name, (row, size) in sorted(latest.items()):
        if row.status == "cancelled" or row.earliest <= world.base_year or size <= 0:
            continue
        started = row.construction_begun
        under_way = started is not None and started <= world.committed_until
        whole = math.fsum(v for _, v in detail[name, "committed"])
        share = min(1.0, whole * world.committed) if under_way else 0.0
        awards = {str(treasury): v for treasury, v in detail[name, "award"]}
        site = _project(world, row, size, share, started, works[row.region], awards)
        if site is not None:
            sites.append(site)
    return sites


def _project(
    world: World,
    row: ProjectRow,
    size: float,
    share: float,
    started: int | None,
    work: Construction,
    awards: dict[str, float],
) -> Site | None:
    first = row.earliest - math.floor(work.lead)
    free = range(max(first, world.history_until + 1), world.horizon + 1)
    builds = [t for t in free if t + work.lead < world.horizon + 1]
    given: dict[int, float] = {}
    committed = share * size
    if first <= world.history_until and committed > 0:
        given, committed = {first: committed}, 0.0
        builds = [first, *builds]
    if not builds:
        return None
    ready = {t: t + work.lead for t in builds}
    return Site(
        row.site,
        "project",
        row.name,
        row.firm,
        row.region,
        row.segment,
        size,
        given,
        committed if first > world.history_until else 0.0,
        tuple(builds),
        ready,
        {t: t for t in builds},
        started,
        0.0,
        awards,
    )


def _greenfield(
    facts: Facts,
    parameter: dict[str, float],
    weights: dict[Group, float],
    works: dict[str, Construction],
    months: dict[tuple[object, ...], float],
) -> list[Site]:
    world = facts.world
    decide = world.history_until + 1
    sites = []
    for firm, region, segment in sorted(weights):
        work = works[region]
        permit = months[region, "permit"] / MONTHS_PER_YEAR
        builds, ready, decided = [], {}, {}
        for t in range(decide + math.floor(permit), world.horizon + 1):
            on_line = max(float(t), decide + permit) + work.lead
            if on_line < world.horizon + 1:
                builds.append(t)
                ready[t] = on_line
                decided[t] = max(decide, t - math.ceil(permit))
        name = f"new_{region.lower()}_{segment}_{firm}"
        sites.append(
            Site(
                name,
                "greenfield",
                f"new fabs of {firm} in {region}",
                firm,
                region,
                segment,
                None,
                {},
                0.0,
                tuple(builds),
                ready,
                decided,
                None,
                parameter["greenfield_premium"],
                {},
            )
        )
    return sites


def _groups(sites: dict[str, Site], places: dict[Group, Place]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    problems = []
    for site in sites.values():
        if site.kind == "fleet":
            continue
        for group in (
            (site.firm, site.region, site.segment),
            (OTHER, site.region, site.segment),
        ):
            if group in places:
                found[site.id] = group
                break
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
    return found


def utilisation(facts: Facts) -> dict[tuple[str, str], float]:
    """Return u_base, u_min and u_max by segment."""
    return {(row.segment, row.item): value for row, value in facts.each(OperationRow)}
