"""What retiring saves and costs, and the retirements that a world states."""

from __future__ import annotations

from difflib import get_close_matches

from chipmodel.common.errors import InputError, Problem
from chipmodel.model.parameters.place_cost import RS, PlaceCost
from chipmodel.model.parameters.sites import Sites
from chipmodel.model.world import Retirement, World


def fixed_saved(
    world: World,
    parameter: dict[str, float],
    running: dict[RS, float],
    use: dict[tuple[str, str], float],
) -> dict[RS, float]:
    """Return the running cost that one retired kwpm of a fleet saves, MUSD a year.

    Up to u_min running cost is paid whether a fleet runs or not; retiring saves a share
    of it.
    """
    share = world.retirement * parameter["fixed_cost_saved"]
    saved = {}
    for (region, segment), cost in running.items():
        saved[region, segment] = share * use[segment, "u_min"] * cost
    return saved


def retiring_costs(
    parameter: dict[str, float], costs: dict[RS, PlaceCost]
) -> dict[RS, float]:
    """Return what one kwpm that retires costs once, MUSD.

    It is a share of the capital cost of a new fab at the place.
    """
    share = parameter["retirement_cost"]
    return {place: share * cost.capex for place, cost in costs.items()}


def stated_retirements(world: World, sites: Sites) -> dict[tuple[str, int], float]:
    """Return the retirements that a world states, by fleet and year, kwpm.

    Raises
    ------
    InputError
        If one names no fleet, or a year in which nothing is decided.
    """
    retired: dict[tuple[str, int], float] = {}
    problems = []
    for number, stated in enumerate(world.retire, start=1):
        place = f"retire {number} ({stated.site})"
        fault = _fault(stated, world, sites)
        if fault is not None:
            problems.append(Problem(world.name, place, *fault))
            continue
        size = sites.sites[stated.site].size or 0.0
        key = (stated.site, stated.year)
        retired[key] = max(retired.get(key, 0.0), stated.share * size)
    if problems:
        raise InputError(problems)
    return retired


def _fault(stated: Retirement, world: World, sites: Sites) -> tuple[str, str] | None:
    """Return what is wrong with a retirement and the fix; none if nothing is."""
    fleets = [site.id for site in sites.sites.values() if site.kind == "fleet"]
    near = get_close_matches(stated.site, fleets, n=3, cutoff=0.0)
    fix = "name a fleet, such as " + ", ".join(near)
    site = sites.sites.get(stated.site)
    if site is None:
        return f"there is no site '{stated.site}'", fix
    if site.kind == "project":
        what = "is a project under construction or planned: it runs no fab to retire"
        return what, f"{fix}; end a project with a row of status cancelled"
    if site.kind != "fleet":
        return "is a place for new fabs: it runs no fab to retire", fix
    if not world.history_until < stated.year <= world.horizon:
        years = f"{world.history_until + 1} to {world.horizon}"
        return (
            f"year {stated.year} is not one that is decided",
            f"choose one in {years}",
        )
    return None
