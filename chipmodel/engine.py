"""Arrays to HiGHS, and back with a certificate. It knows neither data nor policies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import highspy
import numpy as np

from chipmodel.arrays import Arrays, Label, Vector
from chipmodel.basis import Basis, Start
from chipmodel.errors import CertificateError, NoOptimum
from chipmodel.handover import Handover

OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "simplex_dual_edge_weight_strategy": 1,
    "simplex_scale_strategy": 4,
}
"""Options of every solve; devex pricing and full scaling were measured fastest on the shipped cases."""
TOLERANCE = 1e-6
"""Largest relative residual and gap a solution may have."""


@dataclass(frozen=True)
class Certificate:
    """How well a solution satisfies its own programme, recomputed from the arrays; all relative.

    Attributes
    ----------
    primal : float
        Worst violation of a row or a sign, over the size of the row's terms.
    dual : float
        Worst negative reduced cost or dual, over the size of the column's cost.
    complementarity : float
        Worst product of a value and its reduced cost, or of a row's slack and its dual, over the objective.
    gap : float
        Difference of the objective and the dual objective, over the objective.
    """

    primal: float
    dual: float
    complementarity: float
    gap: float

    @property
    def worst(self) -> float:
        """The worst of the four."""
        return max(self.primal, self.dual, self.complementarity, self.gap)


@dataclass(frozen=True)
class Optimum:
    """An optimal solution with its duals and certificate."""

    x: Vector
    y: Vector
    objective: float
    certificate: Certificate
    iterations: int
    seconds: float
    basis: Basis | None = None
    """The basis of what was handed over, after a cold solve."""


def solver() -> highspy.Highs:
    """Return a HiGHS with the options every solve uses: one thread, silent, dual simplex with devex pricing."""
    highs = highspy.Highs()
    for option, value in OPTIONS.items():
        highs.setOptionValue(option, value)
    return highs


def solve(arrays: Arrays, start: Start | None = None) -> Optimum:
    """Solve a programme on one thread, cold or from the basis of one much like it.

    Raises
    ------
    NoOptimum
        If it is infeasible, unbounded or not solved to optimality.
    CertificateError
        If the solution fails its own check.
    """
    handover = Handover(arrays)
    basis = None if start is None else start.at(*_handed(arrays, handover))
    if basis is not None:
        highs = _loaded(arrays, handover)
        basis.give(highs)
        try:
            return finish(highs, handover, arrays)
        except (CertificateError, NoOptimum):
            pass  # A hot start may lose its way; what a cold one says counts.
    highs = _loaded(arrays, handover)
    return replace(finish(highs, handover, arrays), basis=Basis.of(highs))


def start_from(arrays: Arrays, optimum: Optimum) -> Start:
    """Return where programmes much like one solved cold may start from."""
    assert optimum.basis is not None
    return Start.of(optimum.basis, *_handed(arrays, Handover(arrays)))


def _loaded(arrays: Arrays, handover: Handover) -> highspy.Highs:
    highs = solver()
    highs.passModel(handover.lp(arrays))
    return highs


def _handed(arrays: Arrays, handover: Handover) -> tuple[list[Label], list[Label]]:
    """Return the labels of the columns and rows handed over."""
    return arrays.columns_of, [arrays.rows_of[k] for k in handover.kept.tolist()]


def finish(highs: highspy.Highs, handover: Handover, arrays: Arrays) -> Optimum:
    """Run HiGHS on a loaded programme and check what it says."""
    before = highs.getRunTime()
    run_highs(highs)
    x, y = handover.point(highs.getSolution(), arrays)
    info = highs.getInfo()
    certificate = certify(arrays, x, y)
    if certificate.worst > TOLERANCE:
        raise CertificateError(f"the solution fails its certificate: {certificate}")
    return Optimum(x, y, float(arrays.cost @ x), certificate, int(info.simplex_iteration_count),
                   highs.getRunTime() - before)


def run_highs(highs: highspy.Highs) -> None:
    """Run HiGHS.

    Raises
    ------
    NoOptimum
        If it does not end at an optimum.
    """
    highs.run()
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        said = highs.modelStatusToString(status).lower()
        advice = {
            highspy.HighsModelStatus.kInfeasible: "rules and physical limits contradict each other",
            highspy.HighsModelStatus.kUnbounded: "some support exceeds every cost; lower it",
        }.get(status, "the solver stopped short of an optimum")
        raise NoOptimum(said, f"no optimal solution: the programme is {said}; {advice}")


def certify(arrays: Arrays, x: Vector, y: Vector) -> Certificate:
    """Recompute residuals and gap from the arrays, without the solver's word."""
    matrix, rhs, cost = arrays.matrix, arrays.rhs, arrays.cost
    activity = matrix @ x
    sizes = abs(matrix)
    size = 1.0 + np.abs(rhs) + sizes @ np.abs(x)
    short = np.where(arrays.equal, np.abs(activity - rhs), rhs - activity)
    primal = max(float((short / size).max(initial=0.0)), float((-x / (1.0 + np.abs(x))).max(initial=0.0)))
    reduced = cost - matrix.T @ y
    weight = 1.0 + np.abs(cost) + sizes.T @ np.abs(y)
    dual = max(
        float((-reduced / weight).max(initial=0.0)),
        float((np.where(arrays.equal, 0.0, -y) / (1.0 + np.abs(y))).max(initial=0.0)),
    )
    objective, bound = float(cost @ x), float(rhs @ y)
    scale = max(1.0, abs(objective))
    slack = np.where(arrays.equal, 0.0, activity - rhs)
    both = max(float(np.abs(x * reduced).max(initial=0.0)), float(np.abs(slack * y).max(initial=0.0)))
    return Certificate(max(primal, 0.0), max(dual, 0.0), both / scale, abs(objective - bound) / scale)


def find_number(metric: Callable[[float], float], goal: float, low: float, high: float, tolerance: float = 1e-6,
                most: int = 60) -> float:
    """Find the number at which a rising metric meets a goal, by bisection with secant steps.

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
    below, above = metric(low), metric(high)
    if above <= goal:
        return high
    width = high - low
    for count in range(most):
        if high - low <= tolerance * width or abs(goal - below) <= tolerance * max(1.0, abs(goal)):
            break
        secant = low + (high - low) * (goal - below) / (above - below) if above > below else low
        middle = (low + high) / 2.0 if count % 3 == 2 else min(max(secant, low + 0.01 * (high - low)),
                                                             high - 0.01 * (high - low))
        value = metric(middle)
        if value <= goal:
            low, below = middle, value
        else:
            high, above = middle, value
    return low
