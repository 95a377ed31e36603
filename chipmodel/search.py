"""Search over a number: until a metric meets a value, each try a hot start of one compiled programme."""

from __future__ import annotations

from chipmodel.accounts import compute
from chipmodel.arrays import Arrays
from chipmodel.case import Case, load_case
from chipmodel.dataset import Dataset
from chipmodel.engine import Optimum, find_number
from chipmodel.errors import InputError
from chipmodel.metrics import parse
from chipmodel.numbers import build_numbers
from chipmodel.points import case_at, problems_of_numbers
from chipmodel.solution import Solution
from chipmodel.summary import Summary
from chipmodel.template import along
from chipmodel.world import World, load_world


def solve_for(data: Dataset, case: Case | str, number: str, metric: str, goal: float, low: float, high: float, *,
              world: World | str = "central", reference: Solution | None = None, tolerance: float = 1e-4) -> float:
    """Find the value of an instrument's number at which a metric meets a goal.

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
        If the number or metric does not exist, or the goal is not met within the bracket.

    Examples
    --------
    >>> import chipmodel as cm  # doctest: +SKIP
    >>> cm.solve_for(data, "section232_25_flat", "s232.rate", "revenue.USA", 50_000, 0.01, 0.5)  # doctest: +SKIP
    """
    case = load_case(case, data) if isinstance(case, str) else case
    world = load_world(world, data) if isinstance(world, str) else world
    problems = problems_of_numbers([number], [case], case.name)
    if problems:
        raise InputError(problems)
    if not 0 < low < high:
        raise InputError.one(case.name, number, f"bracket {low:g} to {high:g} is not above zero and rising",
                             "give 0 < low < high")
    asked, base = parse(metric), None if reference is None else Summary.of(reference)
    numbers = build_numbers(data, world).with_events(world.event)

    def measure(there: Case, arrays: Arrays, optimum: Optimum) -> float:
        solution = Solution(there, world, numbers, arrays, optimum, compute(arrays, optimum), "anticipated")
        return asked.value(Summary.of(solution), base)

    measured = along(lambda value: case_at(case, {number: value}, case.name), numbers, high, measure)
    ends = measured(low), measured(high)
    if not min(ends) <= goal <= max(ends):
        raise InputError.one(case.name, metric, f"goes from {ends[0]:g} to {ends[1]:g} within the bracket and does not "
                             f"meet {goal:g}", "widen the bracket or change the goal")
    sign = 1.0 if ends[1] >= ends[0] else -1.0
    return find_number(lambda value: sign * measured(value), sign * goal, low, high, tolerance)
