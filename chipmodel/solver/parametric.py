"""One programme compiled once for many cases: arrays that are polynomials in the numbers that differ.

The readable Pyomo programme stays the one source of truth. Where cases differ in
numbers only, it is written once with traced numbers in their place and compiled to
arrays plus, for every entry that hangs on them, its polynomial. A case is then a few
vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy import sparse

from chipmodel.common.errors import CertificateError, NoOptimum
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import Optimum, new_solver, run_and_certify
from chipmodel.solver.linear_program import LinearProgram, ProgramLabels, Vector
from chipmodel.solver.polynomials import PolynomialVector
from chipmodel.solver.warm_start import Basis


@dataclass(frozen=True)
class ParametricProgram:
    """The arrays of a shape, to be filled with the numbers of a case.

    Plain data: it can be sent to a process.

    Attributes
    ----------
    base_arrays : tuple
        Matrix, right-hand sides and account lines, with one in every slot.
    matrix, rhs, lines : Polynomials
        What fills the slots.
    """

    labels: ProgramLabels
    singleton_bounds: SingletonBounds
    base_arrays: tuple[Any, Vector, Any]
    matrix: PolynomialVector
    rhs: PolynomialVector
    lines: PolynomialVector

    def fill(self, levers: Vector, weights: Vector) -> LinearProgram:
        """Return the arrays of a case.

        Parameters
        ----------
        levers : array
            Its levers.
        weights : array
            Discounted weight of each account line in its objective.
        """
        of_matrix, of_rhs, of_lines = self.base_arrays
        matrix, rhs, lines = of_matrix.data.copy(), of_rhs.copy(), of_lines.data.copy()
        matrix[self.matrix.slots] = self.matrix.evaluate(levers)
        rhs[self.rhs.slots] = self.rhs.evaluate(levers)
        lines[self.lines.slots] = self.lines.evaluate(levers)
        return LinearProgram(
            self.labels,
            sparse.csc_matrix(
                (matrix, of_matrix.indices, of_matrix.indptr), of_matrix.shape
            ),
            rhs,
            sparse.csr_matrix(
                (lines, of_lines.indices, of_lines.indptr), of_lines.shape
            ),
            weights,
        )


class WarmSolver:
    """Solves cases of one shape one after the other, each from the basis of the one before.

    Parameters
    ----------
    parametric : ParametricProgram
    start : Basis, optional
        Where the first case starts from; cold without one.
    """

    def __init__(
        self, parametric: ParametricProgram, start: Basis | None = None
    ) -> None:
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
        """
        if self._highs is None or self._last is None:
            self._highs = new_solver()
            self._highs.passModel(self.parametric.singleton_bounds.highs_lp(program))
            if self._start is not None:
                self._start.apply_to(self._highs)
        else:
            update_highs(
                self._highs, self.parametric.singleton_bounds, self._last, program
            )
        self._last = program
        try:
            return run_and_certify(
                self._highs, self.parametric.singleton_bounds, program
            )
        except (CertificateError, NoOptimum):
            # A hot start may lose its way; what a cold one says counts, and the next
            # case goes on from there.
            self._highs = self._last = None
            highs = new_solver()
            highs.passModel(self.parametric.singleton_bounds.highs_lp(program))
            optimum = run_and_certify(highs, self.parametric.singleton_bounds, program)
            self._highs, self._last = highs, program
            return optimum

    @property
    def basis(self) -> Basis | None:
        """Basis of the case solved last."""
        return None if self._highs is None else Basis.of(self._highs)


def update_highs(
    highs: highspy.Highs,
    singleton_bounds: SingletonBounds,
    old: LinearProgram,
    new: LinearProgram,
) -> None:
    """Change a loaded programme into another of its shape, where they differ."""
    if not np.array_equal(old.cost, new.cost):
        every = np.arange(len(new.cost), dtype=np.int32)
        highs.changeColsCost(len(every), every, new.cost)
    for before, after, change in (
        (
            singleton_bounds.column_bounds(old),
            singleton_bounds.column_bounds(new),
            highs.changeColsBounds,
        ),
        (
            singleton_bounds.row_bounds(old),
            singleton_bounds.row_bounds(new),
            highs.changeRowsBounds,
        ),
    ):
        moved = np.flatnonzero(
            (before[0] != after[0]) | (before[1] != after[1])
        ).astype(np.int32)
        if len(moved):
            change(len(moved), moved, after[0][moved], after[1][moved])
    inside = singleton_bounds.entries
    was, now = old.matrix.data[inside], new.matrix.data[inside]
    entries = np.flatnonzero(was != now)
    columns = np.searchsorted(singleton_bounds.column_starts, entries, side="right") - 1
    for row, column, value in zip(
        singleton_bounds.entry_rows[entries].tolist(),
        columns.tolist(),
        now[entries].tolist(),
        strict=True,
    ):
        highs.changeCoeff(row, column, value)
