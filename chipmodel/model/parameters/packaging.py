"""Assembly and packaging: plants, places to add one, costs and needs."""

from __future__ import annotations

from dataclasses import dataclass

from chipmodel.common.units import MONTHS_PER_YEAR, per_kwpm_year
from chipmodel.dataset.rows import (
    AssemblyCostRow,
    AssemblyRecipeRow,
    AssemblyRouteRow,
    AssemblyRow,
)
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.model.world import World


@dataclass(frozen=True)
class Plant:
    """A packaging plant, an announced project or a greenfield place.

    Attributes
    ----------
    size : float or None
        kwpm; none for greenfield.
    builds : tuple of int
        Years in which construction may start.
    lead : float
        Years from start to service.
    """

    id: str
    kind: str
    package: str
    name: str
    firm: str
    region: str
    size: float | None
    builds: tuple[int, ...]
    lead: float

    @property
    def agent(self) -> str:
        """The agent that owns it."""
        return f"assembly:{self.region}"


@dataclass(frozen=True)
class Packaging:
    """All packaging.

    Attributes
    ----------
    need : dict
        Share of wafers by segment and package.
    running, capex : dict
        MUSD per kwpm and year, and MUSD per kwpm, by package.
    routes : tuple of (str, str)
        Regions of fabs and of the packaging places they may use.
    """

    plants: dict[str, Plant]
    need: dict[tuple[str, str], float]
    running: dict[str, float]
    capex: dict[str, float]
    routes: tuple[tuple[str, str], ...]


def build_packaging(facts: Facts) -> Packaging:
    """Return the packaging of a data set.

    An announced plant may be built from the year that brings it on line in time.
    """
    cost = facts.table(AssemblyCostRow, "package", "item")
    lead = cost["all", "lead"] / MONTHS_PER_YEAR
    plants = {}
    for row, size in facts.each(AssemblyRow):
        builds = _start_years(row, lead, facts.world)
        if builds or row.kind == "fleet":
            plants[row.site] = Plant(
                id=row.site,
                kind=row.kind,
                package=row.package,
                name=row.name,
                firm=row.firm,
                region=row.region,
                size=None if row.kind == "greenfield" else size,
                builds=builds,
                lead=lead,
            )
    packages = sorted({plant.package for plant in plants.values()})
    need: dict[tuple[str, str], float] = {}
    for recipe, share in facts.each(AssemblyRecipeRow):
        if share > 0:
            need[recipe.segment, recipe.package] = share
    route_rows = facts.data.rows(AssemblyRouteRow)
    routes = sorted((row.region, row.assembly_region) for row in route_rows)
    running = {}
    capex = {}
    for package in packages:
        running[package] = per_kwpm_year(cost[package, "running"])
        capex[package] = cost[package, "capex"]
    return Packaging(plants, need, running, capex, tuple(routes))


def _start_years(row: AssemblyRow, lead: float, world: World) -> tuple[int, ...]:
    """Return the years in which construction of a plant may start."""
    if row.kind == "fleet":
        return ()
    first = world.history_until + 1
    if row.earliest is not None:
        # `earliest` is the first year of service, so construction starts a lead before.
        first = max(first, row.earliest - int(lead))
    # A plant that would come on line after the horizon is never used.
    years = range(first, world.horizon + 1)
    return tuple(t for t in years if t + lead < world.horizon + 1)
