"""One linear program, compiled once for many cases.

The readable Pyomo model remains the one source of truth. Where cases differ in numbers
only, it is written once with polynomials in place of these numbers and compiled to
arrays plus a polynomial for every entry that depends on them. A case is then a few
vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from scipy import sparse

from chipmodel.common.errors import CertificateError, Infeasible, NoOptimum
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import Optimum, new_solver, run_and_certify
from chipmodel.solver.linear_program import LinearProgram, ProgramLabels, Vector
from chipmodel.solver.polynomials import PolynomialVector
from chipmodel.solver.solve import solve_program
from chipmodel.solver.warm_start import Basis

PREVIOUS = "previous basis"
"""Where a solve of a sweep starts."""


@dataclass(frozen=True)
class ParametricProgram:
    """The arrays of a shape, into which the numbers of a case are filled.

    Plain data: it can be sent to a process.

    Attributes
    ----------
    labels : ProgramLabels
    singleton_bounds : SingletonBounds
    base_arrays : tuple
        Matrix, right-hand sides and account lines, with one in every slot.
    stated_amounts : dict
        By row, the amounts stated that are the same in all cases.
    matrix, rhs, lines, stated : PolynomialVector
        The polynomials that fill the slots.
    """

    labels: ProgramLabels
    singleton_bounds: SingletonBounds
    base_arrays: tuple[Any, Vector, Any]
    stated_amounts: dict[int, float]
    matrix: PolynomialVector
    rhs: PolynomialVector
    lines: PolynomialVector
    stated: PolynomialVector

    def fill(self, levers: Vector, weights: Vector) -> LinearProgram:
        """Return the linear program of a case.

        Parameters
        ----------
        levers : array
            Its levers.
        weights : array
            Discounted weight of each account line in its objective.
        """
        base_matrix, base_rhs, base_lines = self.base_arrays
        rhs = base_rhs.copy()
        rhs[self.rhs.slots] = self.rhs.evaluate(levers)
        coefficients = base_matrix.data.copy()
        coefficients[self.matrix.slots] = self.matrix.evaluate(levers)
        matrix = sparse.csc_matrix(
            (coefficients, base_matrix.indices, base_matrix.indptr), base_matrix.shape
        )
        amounts = base_lines.data.copy()
        amounts[self.lines.slots] = self.lines.evaluate(levers)
        lines = sparse.csr_matrix(
            (amounts, base_lines.indices, base_lines.indptr), base_lines.shape
        )
        varying = zip(
            self.stated.slots.tolist(),
            self.stated.evaluate(levers).tolist(),
            strict=True,
        )
        stated = {**self.stated_amounts, **dict(varying)}
        return LinearProgram(self.labels, matrix, rhs, lines, weights, stated)


class WarmSolver:
    """Solve cases of one shape one after the other, each from the last one's basis.

    Parameters
    ----------
    parametric : ParametricProgram
    start : Basis
        Where the first case starts from.
    """

    def __init__(self, parametric: ParametricProgram, start: Basis) -> None:
        self.parametric = parametric
        self._start = start
        self._highs: highspy.Highs | None = None
        self._last: LinearProgram | None = None

    def solve(self, program: LinearProgram) -> Optimum:
        """Solve a case.

        Raises
        ------
        NoOptimum
            If it has no optimal solution.
        CertificateError
            If the solution fails its own check.
        """
        bounds = self.parametric.singleton_bounds
        if self._highs is None or self._last is None:
            self._highs = new_solver()
            self._highs.passModel(bounds.highs_lp(program))
            self._start.apply_to(self._highs)
        else:
            update_highs(self._highs, bounds, self._last, program)
        self._last = program
        try:
            optimum = run_and_certify(self._highs, bounds, program)
            return replace(optimum, start=PREVIOUS)
        except Infeasible:
            self._highs = None
            raise
        except (CertificateError, NoOptimum):
            # A warm start can fail where a cold one succeeds. The cold one decides, and
            # the next case starts as the first one did.
            self._highs = None
            return solve_program(program)


def update_highs(
    highs: highspy.Highs,
    singleton_bounds: SingletonBounds,
    old: LinearProgram,
    new: LinearProgram,
) -> None:
    """Change a loaded linear program into another of its shape, where they differ."""
    if not np.array_equal(old.cost, new.cost):
        everywhere = np.arange(len(new.cost), dtype=np.int32)
        highs.changeColsCost(len(everywhere), everywhere, new.cost)

    old_bounds = singleton_bounds.column_bounds(old)
    new_bounds = singleton_bounds.column_bounds(new)
    columns = _changed(old_bounds, new_bounds)
    if len(columns):
        lower, upper = new_bounds
        highs.changeColsBounds(len(columns), columns, lower[columns], upper[columns])

    old_sides = singleton_bounds.row_bounds(old)
    new_sides = singleton_bounds.row_bounds(new)
    rows = _changed(old_sides, new_sides)
    if len(rows):
        lower, upper = new_sides
        highs.changeRowsBounds(len(rows), rows, lower[rows], upper[rows])

    old_values = old.matrix.data[singleton_bounds.entries]
    new_values = new.matrix.data[singleton_bounds.entries]
    entries = np.flatnonzero(old_values != new_values)
    # The column of an entry is the last one that starts at or before it.
    starts = singleton_bounds.column_starts
    entry_columns = np.searchsorted(starts, entries, side="right") - 1
    for row, column, value in zip(
        singleton_bounds.entry_rows[entries].tolist(),
        entry_columns.tolist(),
        new_values[entries].tolist(),
        strict=True,
    ):
        highs.changeCoeff(row, column, value)


def _changed(old: tuple[Vector, Vector], new: tuple[Vector, Vector]) -> Any:
    """Return the numbers of the rows or columns whose bounds differ."""
    differs = (old[0] != new[0]) | (old[1] != new[1])
    return np.flatnonzero(differs).astype(np.int32)
