"""Solve a case in a world: checks, and passes of foresight for surprises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chipmodel.analysis.grants import solve_with_grants
from chipmodel.cases.case import Case, load_case
from chipmodel.cases.check import check_case, surprise_dates
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import Event, World, load_world
from chipmodel.results.solution import Solution
from chipmodel.solver.linear_program import LinearProgram


def run(
    data: Dataset, case: Case | str | Path, world: World | str | Path = "central"
) -> Solution:
    """Solve a case in a world.

    Parameters
    ----------
    data : Dataset
    case : Case, str or Path
        A case, the name of one, or its file; ``a+b`` adds cases.
    world : World, str or Path

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        If the case does not fit the data.
    NoOptimum
        If there is no optimal solution.
    """
    if isinstance(case, str | Path):
        case = load_case(case, data)
    if isinstance(world, str | Path):
        world = load_world(world, data)
    return solve_checked(data, case, world)


def solve_checked(
    data: Dataset,
    case: Case,
    world: World,
    started: Solution | None = None,
) -> Solution:
    """Check a case against the data and solve it.

    Parameters
    ----------
    data : Dataset
    case : Case
    world : World
    started : Solution, optional
        See `solve_in_passes`.
    """
    parameters = build_parameters(data, world)
    check_case(case, parameters)
    return solve_in_passes(case, parameters, started=started)


def first_pass(case: Case, world: World) -> tuple[Case, World]:
    """Return case and world as they are known in the base year, without surprises."""
    base = world.base_year
    return _known_case(case, base, base), world.with_(event=_known_events(world, base))


def needs_passes(case: Case, world: World) -> bool:
    """Whether a case needs several solves: a surprise, or a grant that searches."""
    if surprise_dates(case, world):
        return True
    return any(policy.needs_search for policy in case.policies)


def solve_in_passes(
    case: Case,
    parameters: Parameters,
    without: tuple[str, ...] = (),
    started: Solution | None = None,
) -> Solution:
    """Solve a checked case in passes, one per date at which something becomes known.

    In each pass, what was decided before the date is fixed to the pass before.

    Parameters
    ----------
    case : Case
    parameters : Parameters
        Those of its world before any event.
    without : tuple of str
        Groups of rows left out, for tests.
    started : Solution, optional
        The solution of the `first_pass` of this case and world, for cases that share
        one.
    """
    world = parameters.world
    base = world.base_year
    dates = surprise_dates(case, world)
    solution = started
    if solution is None:
        solution = solve_with_grants(
            _known_case(case, base, base),
            parameters.with_events(_known_events(world, base)),
            "anticipated",
            without,
        )
    # `state` has what is fixed and no event: those known by each date are added to it.
    state = parameters
    for date in dates:
        state = _fixed_before(date, state, solution)
        solution = solve_with_grants(
            _known_case(case, base, date),
            state.with_events(_known_events(world, date)),
            "surprise",
            without,
        )
    return replace(solution, case=case, world=world)


def _known_case(case: Case, base: int, date: int) -> Case:
    """Return a case with the policies known by a date."""
    known = []
    for policy in case.policies:
        if (policy.known_from or base) <= date:
            known.append(policy)
    return case.model_copy(update={"policies": tuple(known)})


def _known_events(world: World, date: int) -> tuple[Event, ...]:
    """Return the events known by a date."""
    known = []
    for event in world.event:
        if (event.known_from or world.base_year) <= date:
            known.append(event)
    return tuple(known)


def _fixed_before(date: int, parameters: Parameters, solution: Solution) -> Parameters:
    """Return parameters with what a solution decides before a date fixed."""
    sites = parameters.sites.sites
    builds = dict(parameters.fixed)
    for (site, year), size in solution.columns("build").items():
        # A fab is decided before its construction starts, by the time permits take.
        if sites[site].decided[year] < date:
            builds[site, year] = size
    plants = {}
    for (place, year), size in solution.columns("assemble_build").items():
        if year < date:
            plants[place, year] = size
    replaced = {}
    for key, value in solution.columns("replaced").items():
        year = key[-1]
        if year < date:
            replaced[key] = value
    retired = {}
    for (site, year), size in solution.columns("retired").items():
        if year < date:
            retired[site, year] = size
    return replace(
        parameters,
        fixed=builds,
        fixed_plants=plants,
        fixed_replaced=replaced,
        fixed_retired=retired,
    )


def program_of(data: Dataset, case: Case, world: World) -> LinearProgram:
    """Return the linear program of a case.

    Where its coefficients depend on other solves (a surprise, an open grant that seeks
    its rate, a marginal grant), these are solved and the last program is returned.
    """
    parameters = build_parameters(data, world)
    check_case(case, parameters)
    if needs_passes(case, world):
        return solve_in_passes(case, parameters).program
    return compile_program(write(parameters.with_events(world.event), case.policies))
