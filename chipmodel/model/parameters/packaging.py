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


@dataclass(frozen=True)
class Plant:
    """A packaging plant, a project or room to add one.

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
    """Read packaging off the data; announced plants may be built from the year that brings them on line in time."""
    world = facts.world
    cost = facts.table(AssemblyCostRow, "package", "item")
    lead = cost["all", "lead"] / MONTHS_PER_YEAR
    plants = {}
    for row, value in facts.each(AssemblyRow):
        first = world.history_until + 1
        if row.earliest is not None:
            first = max(first, row.earliest - int(lead))
        builds = (
            ()
            if row.kind == "fleet"
            else tuple(
                t
                for t in range(first, world.horizon + 1)
                if t + lead < world.horizon + 1
            )
        )
        if row.kind != "fleet" and not builds:
            continue
        size = None if row.kind == "greenfield" else value
        plants[row.site] = Plant(
            row.site,
            row.kind,
            row.package,
            row.name,
            row.firm,
            row.region,
            size,
            builds,
            lead,
        )
    packages = sorted({p.package for p in plants.values()})
    return Packaging(
        plants=plants,
        need={
            (row.segment, row.package): v
            for row, v in facts.each(AssemblyRecipeRow)
            if v > 0
        },
        running={p: per_kwpm_year(cost[p, "running"]) for p in packages},
        capex={p: cost[p, "capex"] for p in packages},
        routes=tuple(
            sorted(
                (row.region, row.assembly_region)
                for row in facts.data.rows(AssemblyRouteRow)
            )
        ),
    )
