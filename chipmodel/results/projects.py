"""Announced projects in a solution: what is in service at the end of each year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from chipmodel.model.parameters.finance import share_in_service
from chipmodel.results.solution import Solution


@dataclass(frozen=True)
class Project:
    """An announced project in a solution.

    Attributes
    ----------
    segment : str
        Segment of a fab; kind of packaging of a packaging plant.
    size : float
        Announced size, kwpm.
    in_service : dict
        Capacity in service by year, kwpm.
    """

    site: str
    name: str
    firm: str
    region: str
    segment: str
    size: float
    in_service: dict[int, float]


def fab_projects(solution: Solution, years: Collection[int]) -> tuple[Project, ...]:
    """Return the announced fabs with what the solution builds of them."""
    sites = solution.parameters.sites.sites
    total: dict[tuple[str, int], float] = defaultdict(float)
    for (site_id, start), kwpm in solution.quantities("build"):
        site = sites[site_id]
        if site.kind == "project":
            for year in years:
                # In full from the first year of service: a project is reported by what
                # it is at the end of a year.
                if site.in_service(start, year) > 0:
                    total[site_id, year] += kwpm
    projects = []
    for site in sites.values():
        if site.kind != "project":
            continue
        projects.append(
            Project(
                site=site.id,
                name=site.name,
                firm=site.firm,
                region=site.region,
                segment=site.segment,
                size=site.size or 0.0,
                in_service={year: total.get((site.id, year), 0.0) for year in years},
            )
        )
    return tuple(projects)


def packaging_projects(solution: Solution, years: Iterable[int]) -> tuple[Project, ...]:
    """Return the announced packaging plants with what the solution builds of them."""
    builds = solution.columns("assemble_build")
    projects = []
    for plant in solution.parameters.packaging.plants.values():
        if plant.kind != "project":
            continue
        in_service = dict.fromkeys(years, 0.0)
        for start in plant.builds:
            kwpm = builds.get((plant.id, start), 0.0)
            for year in in_service:
                in_service[year] += kwpm * share_in_service(start + plant.lead, year)
        projects.append(
            Project(
                site=plant.id,
                name=plant.name,
                firm=plant.firm,
                region=plant.region,
                segment=plant.package,
                size=plant.size or 0.0,
                in_service=in_service,
            )
        )
    return tuple(projects)
