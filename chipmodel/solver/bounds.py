"""Rows on a single column as bounds of that column, with their duals recovered.

Half the rows of the linear program limit a single variable. As rows they burden every
pivot of a warm start; as bounds they cost nothing. The accounts still see them as rows,
each with its dual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

if TYPE_CHECKING:
    from chipmodel.solver.linear_program import LinearProgram

Vector = NDArray[np.float64]

INFINITY = highspy.kHighsInf

AT_BOUND = 1e-6
"""Relative distance within which a column is at its bound."""


class SingletonBounds:
    """The form in which HiGHS solves linear programs of one shape.

    Rows ``a x >= b`` or ``a x = b`` on a single column become its bounds: lower if a >
    0, upper if a < 0, both if an equation. The dual of such a row is the reduced cost
    of the column over a, if its bound is active; where several rows give the same bound
    the first has the dual.

    Parameters
    ----------
    program : LinearProgram
        Any linear program of the shape.
    fold : bool
        Whether to turn rows into bounds at all; not for a file that others read.

    Attributes
    ----------
    folded_rows, remaining_rows : array of int
        Rows that become bounds, and rows that HiGHS gets as rows.
    folded_columns, folded_entries, folded_equations : array
        Of each folded row its column, the position of its coefficient in the data of
        the columnwise matrix, and whether it is an equation.
    entries, entry_rows : array of int
        Positions of the remaining coefficients in the data of the columnwise matrix,
        and their rows as HiGHS numbers them.
    column_starts : array of int
        Where each column starts among `entries`.
    """

    def __init__(self, program: LinearProgram, fold: bool = True) -> None:
        by_column = program.matrix
        by_row = by_column.tocsr()
        first_entry = by_row.indptr[:-1]
        is_single = (np.diff(by_row.indptr) == 1) & fold
        # A coefficient that is zero in this program gives no bound.
        is_single[is_single] = by_row.data[first_entry[is_single]] != 0.0
        self.folded_rows = np.flatnonzero(is_single)
        self.remaining_rows = np.flatnonzero(~is_single)
        self.folded_columns = by_row.indices[first_entry[self.folded_rows]]
        self.folded_equations = program.is_equation[self.folded_rows]

        # The matrix with the position of each coefficient, from one, as its value: it
        # shows where conversion by rows takes it. Zeros would be dropped.
        positions = sparse.csc_matrix(
            (np.arange(by_column.nnz) + 1, by_column.indices, by_column.indptr),
            by_column.shape,
        )
        positions_by_row = positions.tocsr().data
        self.folded_entries = positions_by_row[first_entry[self.folded_rows]] - 1

        new_number = np.full(len(is_single), -1)
        new_number[self.remaining_rows] = np.arange(len(self.remaining_rows))
        row = new_number[by_column.indices]
        remains = row >= 0
        self.entries = np.flatnonzero(remains)
        self.entry_rows = row[self.entries].astype(np.int32)
        counts = np.concatenate(([0], np.cumsum(remains)))
        self.column_starts = counts[by_column.indptr].astype(np.int32)

    def column_bounds(self, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return the lower and upper bound of each column."""
        size = program.matrix.shape[1]
        lower = np.zeros(size)
        upper = np.full(size, INFINITY)
        slope, limit = self._slopes_and_limits(program)
        is_upper = (slope < 0) | self.folded_equations
        is_lower = (slope > 0) | self.folded_equations
        np.minimum.at(upper, self.folded_columns[is_upper], limit[is_upper])
        np.maximum.at(lower, self.folded_columns[is_lower], limit[is_lower])
        return lower, upper

    def _slopes_and_limits(self, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return a and b / a of each folded row."""
        slope = program.matrix.data[self.folded_entries]
        return slope, program.rhs[self.folded_rows] / slope

    def row_bounds(self, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return the lower and upper side of each remaining row."""
        rhs = program.rhs[self.remaining_rows]
        is_equation = program.is_equation[self.remaining_rows]
        return rhs, np.where(is_equation, rhs, INFINITY)

    def highs_lp(self, program: LinearProgram) -> highspy.HighsLp:
        """Return a linear program of the shape as HiGHS takes it."""
        lp = highspy.HighsLp()
        lp.num_row_ = len(self.remaining_rows)
        lp.num_col_ = program.matrix.shape[1]
        lp.col_cost_ = program.cost
        lp.col_lower_, lp.col_upper_ = self.column_bounds(program)
        lp.row_lower_, lp.row_upper_ = self.row_bounds(program)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = self.column_starts
        lp.a_matrix_.index_ = self.entry_rows
        lp.a_matrix_.value_ = program.matrix.data[self.entries]
        return lp

    def primal_and_dual(
        self, solution: Any, program: LinearProgram
    ) -> tuple[Vector, Vector]:
        """Return the columns and the duals of every row, those of folded rows too."""
        x = np.array(solution.col_value)
        reduced_cost = np.array(solution.col_dual)
        y = np.zeros(len(program.rhs))
        y[self.remaining_rows] = solution.row_dual

        lower, upper = self.column_bounds(program)
        slope, limit = self._slopes_and_limits(program)
        reduced = reduced_cost[self.folded_columns]
        # A positive reduced cost keeps a column at its lower bound, a negative one at
        # its upper bound.
        active_bound = np.where(reduced_cost > 0, lower, upper)[self.folded_columns]
        gives_that_side = self.folded_equations | ((slope > 0) == (reduced > 0))
        # A reduced cost within the tolerance of HiGHS may have the sign of a bound at
        # which the column is not; times a large bound it would be a large rent.
        value = x[self.folded_columns]
        is_at_bound = np.abs(value - active_bound) <= AT_BOUND * (1.0 + np.abs(value))
        binds = (reduced != 0.0) & gives_that_side & (limit == active_bound)
        binds &= is_at_bound
        # From the last to the first, so that the first row of a bound gets its dual.
        binding = np.flatnonzero(binds)[::-1]
        owner = np.full(len(x), -1)
        owner[self.folded_columns[binding]] = binding
        owners = owner[owner >= 0]
        y[self.folded_rows[owners]] = reduced[owners] / slope[owners]
        return x, y
