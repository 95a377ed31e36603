"""From a Pyomo programme to arrays, to HiGHS, and back with a certificate.

The engine knows neither data nor policies: rows are ``A x >= b`` or ``A x = b``, columns are at
least zero, and each account line is a row of `lines`; the cost is their discounted, weighted sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy import sparse

from chipmodel.errors import CertificateError, InputError, NoOptimum, Problem, about
from chipmodel.lp import Programme
from chipmodel.lp.book import COLUMN

Vector = NDArray[np.float64]
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
class Arrays:
    """A linear programme as arrays, with a label for every row and column.

    Attributes
    ----------
    rows_of, columns_of : list of (str, tuple)
        Group and index of each row; variable and index of each column.
    equal : array of bool
        Rows that are equations.
    lines : sparse matrix
        Account lines by columns, undiscounted.
    weights : array
        Discounted weight of each line in the objective.
    """

    matrix: Any
    rhs: Vector
    equal: NDArray[np.bool_]
    lines: Any
    weights: Vector
    rows_of: list[tuple[str, tuple[Any, ...]]]
    columns_of: list[tuple[str, tuple[Any, ...]]]
    programme: Programme

    @cached_property
    def cost(self) -> Vector:
        """Cost of each column, discounted."""
        return np.asarray(self.weights @ self.lines).ravel()

    @cached_property
    def agents(self) -> list[str]:
        """Agent of each column."""
        whose = self.programme.agents
        found = []
        for name, index in self.columns_of:
            who = whose[name]
            found.append(who if isinstance(who, str) else who(*index))
        return found

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and largest size of coefficients, costs and right-hand sides that are not zero."""
        found = {}
        for name, values in (("matrix", self.matrix.data), ("cost", self.cost), ("rhs", self.rhs)):
            size = np.abs(values[values != 0])
            found[name] = (float(size.min()), float(size.max())) if len(size) else (0.0, 0.0)
        return found


@dataclass(frozen=True)
class Certificate:
    """How well a solution satisfies its own programme, recomputed from the arrays; all relative.

    Attributes
    ----------
    primal : float
        Worst violation of a row or a sign, over the size of the row's terms.
    dual : float
        Worst negative reduced cost or dual, over the size of the column's cost.
    gap : float
        Difference of the objective and the dual objective, over the objective.
    """

    primal: float
    dual: float
    gap: float

    @property
    def worst(self) -> float:
        """The worst of the three."""
        return max(self.primal, self.dual, self.gap)


@dataclass(frozen=True)
class Optimum:
    """An optimal solution with its duals and certificate."""

    x: Vector
    y: Vector
    objective: float
    certificate: Certificate
    iterations: int
    seconds: float


def compile_arrays(programme: Programme) -> Arrays:
    """Compile a programme to arrays.

    Raises
    ------
    NoOptimum
        If a row that no variable enters does not hold; its arrays hold such rows as well, empty.
    """
    form = LinearStandardFormCompiler().write(programme.model, mixed_form=True)
    matrix = sparse.csc_matrix(form.A)
    lines = sparse.csr_matrix(form.c)
    n = programme.numbers
    last = n.discount[n.years[-1]]
    weights = np.array([line.weight * n.discount.get(line.year, last) for line in programme.lines])
    rows = [(row.constraint.parent_component().local_name, _index(row.constraint.index())) for row in form.rows]
    columns = [(var.parent_component().local_name, _index(var.index())) for var in form.columns]
    equal = np.array([row.bound_type == 0 for row in form.rows], dtype=bool)
    rhs = np.asarray(form.rhs, dtype=float)
    _refuse_ownerless(programme, rows, rhs)
    arrays = Arrays(matrix, rhs, equal, lines, weights, rows, columns, programme)
    if programme.broken:
        with about(_with_broken(arrays)):
            raise NoOptimum("infeasible", _cannot_hold(programme))
    return arrays


def _with_broken(arrays: Arrays) -> Arrays:
    """Return the arrays with the rows that no variable enters."""
    broken = arrays.programme.broken
    empty = sparse.csc_matrix((len(broken), arrays.matrix.shape[1]))
    return replace(
        arrays,
        matrix=sparse.vstack([arrays.matrix, empty], format="csc"),
        rhs=np.append(arrays.rhs, [row.rhs for row in broken]),
        equal=np.append(arrays.equal, [row.equal for row in broken]),
        rows_of=[*arrays.rows_of, *((row.group, row.index) for row in broken)],
    )


def _cannot_hold(programme: Programme) -> str:
    first, *others = programme.broken
    place = ", ".join(str(part) for part in first.index)
    also = f" (nor can {len(others)} more)" if others else ""
    return f"{first.group} ({place}) cannot hold whatever is built or bought{also}"


def _refuse_ownerless(programme: Programme, rows: list[tuple[str, tuple[Any, ...]]], rhs: Vector) -> None:
    """Refuse a balance with a right-hand side: its dual would be a rent that nobody owns."""
    names = {rows[i][0] for i in np.flatnonzero(np.abs(rhs) > 1e-9)}
    stray = [programme.groups[name] for name in names if programme.groups[name].owner is None]
    if stray:
        raise InputError(
            Problem(f"policy {group.policy}" if group.policy else "programme", f"balance {group.name}",
                    "has a right-hand side, a rent that nobody owns", "write it as a limit with an owner")
            for group in stray
        )


def _index(index: Any) -> tuple[Any, ...]:
    if isinstance(index, tuple):
        return index
    return () if index is None else (index,)


def highs_lp(arrays: Arrays) -> highspy.HighsLp:
    """Return the programme as HiGHS takes it."""
    lp = highspy.HighsLp()
    rows, columns = arrays.matrix.shape
    lp.num_row_, lp.num_col_ = rows, columns
    lp.col_cost_ = arrays.cost
    lp.col_lower_ = np.zeros(columns)
    lp.col_upper_ = np.full(columns, highspy.kHighsInf)
    lp.row_lower_ = arrays.rhs
    lp.row_upper_ = np.where(arrays.equal, arrays.rhs, highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = arrays.matrix.indptr
    lp.a_matrix_.index_ = arrays.matrix.indices
    lp.a_matrix_.value_ = arrays.matrix.data
    return lp


def solver() -> highspy.Highs:
    """Return a HiGHS with the options every solve uses: one thread, silent, dual simplex with devex pricing."""
    highs = highspy.Highs()
    for option, value in OPTIONS.items():
        highs.setOptionValue(option, value)
    return highs


def solve(arrays: Arrays) -> Optimum:
    """Solve a programme cold on one thread.

    Raises
    ------
    NoOptimum
        If it is infeasible, unbounded or not solved to optimality.
    CertificateError
        If the solution fails its own check.
    """
    highs = solver()
    highs.passModel(highs_lp(arrays))
    return finish(highs, arrays)


def finish(highs: highspy.Highs, arrays: Arrays) -> Optimum:
    """Run HiGHS on a loaded programme and check what it says."""
    before = highs.getRunTime()
    run_highs(highs)
    found = highs.getSolution()
    x, y = np.array(found.col_value), np.array(found.row_dual)
    info = highs.getInfo()
    certificate = certify(arrays, x, y)
    if certificate.worst > TOLERANCE:
        raise CertificateError(f"the solution fails its certificate: {certificate}")
    return Optimum(x, y, float(arrays.cost @ x), certificate, int(info.simplex_iteration_count),
                   highs.getRunTime() - before)


def run_highs(highs: highspy.Highs) -> Vector:
    """Run HiGHS and return the columns.

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
    return np.array(highs.getSolution().col_value)


def certify(arrays: Arrays, x: Vector, y: Vector) -> Certificate:
    """Recompute residuals and gap from the arrays, without the solver's word."""
    matrix, rhs, cost = arrays.matrix, arrays.rhs, arrays.cost
    activity = matrix @ x
    size = 1.0 + np.abs(rhs) + abs(matrix) @ np.abs(x)
    short = np.where(arrays.equal, np.abs(activity - rhs), rhs - activity)
    primal = max(float((short / size).max(initial=0.0)), float((-x / (1.0 + np.abs(x))).max(initial=0.0)))
    reduced = cost - matrix.T @ y
    weight = 1.0 + np.abs(cost) + abs(matrix).T @ np.abs(y)
    dual = max(
        float((-reduced / weight).max(initial=0.0)),
        float((np.where(arrays.equal, 0.0, -y) / (1.0 + np.abs(y))).max(initial=0.0)),
    )
    objective, bound = float(cost @ x), float(rhs @ y)
    gap = abs(objective - bound) / max(1.0, abs(objective))
    return Certificate(max(primal, 0.0), max(dual, 0.0), gap)


def agent_of(column: str, agent: str) -> str:
    """Return who pays or receives on a line: a named party, or the agent of the column."""
    return agent if column == COLUMN else column


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
