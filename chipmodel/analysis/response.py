"""One case in one world as a function of some numbers, compiled once.

For searches that choose the next point from the last solution: a calibration, a rate
that spends a budget. A study of points known beforehand is a sweep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from chipmodel.analysis.starts import solve_from_nearest
from chipmodel.analysis.structure import Structures
from chipmodel.cases.case import Case, load_case
from chipmodel.cases.check import check_case, surprise_dates
from chipmodel.cases.levers import (
    Point,
    case_at,
    of_world,
    problems_of_numbers,
    world_at,
)
from chipmodel.common.errors import InputError, about
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World, load_world
from chipmodel.results.metrics import parse
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Labels, Summary
from chipmodel.solver.highs import Optimum
from chipmodel.solver.linear_program import LinearProgram
from chipmodel.solver.parametric import WarmSolver


class Response:
    """Solutions of similar cases, each from the basis of the one before.

    Parameters
    ----------
    without : tuple of str
        Groups of rows left out, for tests.
    """

    def __init__(self, without: Iterable[str] = ()) -> None:
        self._without = tuple(without)
        self._structures = Structures()
        self._solvers: dict[int, WarmSolver] = {}

    def solve(
        self, case: Case, parameters: Parameters
    ) -> tuple[LinearProgram, Optimum]:
        """Solve a case, from the basis of the last one of its structure."""
        structure, levers = self._structures.fitting(case, parameters, self._without)
        template = structure.template
        program = template.fill(levers, parameters.weights(template.labels.lines))
        with about(program, parameters, case.policies):
            # Structures are never dropped, so that a number stays that of one of them.
            solver = self._solvers.get(id(structure))
            if solver is not None:
                return program, solver.solve(program)
            optimum = solve_from_nearest(case, parameters, "anticipated", program)
            assert optimum.basis is not None
            self._solvers[id(structure)] = WarmSolver(template, optimum.basis)
            return program, optimum

    def solution(self, case: Case, parameters: Parameters) -> Solution:
        """Solve a case and return its solution with accounts."""
        return Solution.of(case, parameters, *self.solve(case, parameters))


class PointResponse:
    """Solutions of one case in one world at points: a `Response` to named numbers.

    Parameters
    ----------
    data : Dataset
    case : Case
    world : World
    """

    def __init__(self, data: Dataset, case: Case, world: World) -> None:
        self._data = data
        self._case = case
        self._world = world
        self._response = Response()

    def at(self, point: Point) -> Solution:
        """Solve at a point, from the basis of the one before."""
        case, parameters = self._at(point)
        return self._response.solution(case, parameters)

    def _at(self, point: Point) -> tuple[Case, Parameters]:
        """Return the case and the parameters of its world at a point."""
        of_the_world: Point = {}
        of_policies: Point = {}
        for number, value in point.items():
            part = of_the_world if of_world(number) else of_policies
            part[number] = value
        world = world_at(self._world, of_the_world, self._case.name)
        case = case_at(self._case, of_policies, self._case.name)
        return case, build_parameters(self._data, world).with_events(world.event)


def solve_for(
    data: Dataset,
    case: Case | str | Path,
    number: str,
    metric: str,
    goal: float,
    low: float,
    high: float,
    *,
    world: World | str | Path = "central",
    reference: Solution | None = None,
    tolerance: float = 1e-4,
) -> float:
    """Find the value of a policy's number at which a metric meets a goal.

    Parameters
    ----------
    data : Dataset
    case : Case or str
        A case without surprises, budgeted or marginal grants.
    number : str
        Such as ``s232.rate``.
    metric : str
        Name of a metric that rises or falls with the number.
    goal : float
        Value the metric is to have.
    low, high : float
        Bracket, above zero.
    reference : Solution, optional
        Needed by metrics that are differences to a reference case.
    tolerance : float
        Width of the last bracket relative to the first.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If the number or metric does not exist, or the goal does not lie between the
        values at the ends of the bracket.

    Examples
    --------
    >>> import chipmodel as cm  # doctest: +SKIP
    >>> case, number = "section232_25_flat", "s232.rate"
    >>> cm.solve_for(
    ...     data, case, number, "revenue.USA", 50_000, 0.01, 0.5
    ... )  # doctest: +SKIP
    """
    if isinstance(case, str | Path):
        case = load_case(case, data)
    if isinstance(world, str | Path):
        world = load_world(world, data)
    problems = problems_of_numbers([number], [case], case.name)
    if problems:
        raise InputError(problems)
    if not 0 < low < high:
        raise InputError.one(
            case.name,
            number,
            f"bracket {low:g} to {high:g} is not above zero and rising",
            "give 0 < low < high",
        )
    check_case(case, build_parameters(data, world))
    if surprise_dates(case, world) or any(p.needs_search for p in case.policies):
        what = "needs several solves: a surprise, or a grant that searches"
        fix = "remove known_from, and give grants a rate and form = 'open'"
        raise InputError.one(case.name, number, what, fix)
    wanted = parse(metric)
    base = None if reference is None else Summary.of(reference)
    # What the metric needs is known before the first solve.
    problems = wanted.problems(Labels.of(data, world))
    if problems:
        raise InputError(problems)
    response = PointResponse(data, case, world)

    def measured(value: float) -> float:
        return wanted.value(Summary.of(response.at({number: value})), base)

    at_low, at_high = measured(low), measured(high)
    if not min(at_low, at_high) <= goal <= max(at_low, at_high):
        what = (
            f"is {at_low:g} at {low:g} and {at_high:g} at {high:g}; the goal {goal:g}"
            " does not lie between"
        )
        # A metric that rises and falls again may meet it inside: that is not looked at.
        fix = "give a bracket at whose ends the metric lies on both sides of the goal"
        raise InputError.one(case.name, metric, what, fix)
    sign = 1.0 if at_high >= at_low else -1.0

    def rising(value: float) -> float:
        return sign * measured(value)

    return find_number(rising, sign * goal, low, high, tolerance)


def find_number(
    metric: Callable[[float], float],
    goal: float,
    low: float,
    high: float,
    tolerance: float = 1e-6,
) -> float:
    """Find the number at which a rising metric meets a goal, by the TOMS 748 algorithm.

    The metric may jump over the goal; the number below the jump is then returned.

    Parameters
    ----------
    metric : callable
        The number to the metric.
    goal : float
        What to meet.
    low, high : float
        Bracket. If the metric stays below the goal at `high`, `high` is returned.
    tolerance : float
        Width of the bracket at which the search stops, relative to its first width.

    Returns
    -------
    float
        Largest number found whose metric does not exceed the goal.
    """
    excess: dict[float, float] = {}

    # The ends are evaluated before the search, which asks for them again; each
    # evaluation is a solve.
    def excess_at(number: float) -> float:
        if number not in excess:
            excess[number] = metric(number) - goal
        return excess[number]

    if excess_at(low) > 0.0:
        return low
    if excess_at(high) <= 0.0:
        return high
    from scipy.optimize import toms748  # most runs search for nothing

    # Its root may lie on either side of a jump; the numbers tried give the side below.
    toms748(excess_at, low, high, xtol=tolerance * (high - low))
    return max(number for number, value in excess.items() if value <= 0.0)
