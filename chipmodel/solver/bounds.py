"""What HiGHS is handed: rows on one column become bounds of the column, and their duals are read back.

Half the rows of the programme limit a single variable. As rows they burden every pivot
of a hot start; as bounds they cost nothing. The accounts still see them as rows, each
with its dual.
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


class SingletonBounds:
    """The form in which programmes of one shape are handed to HiGHS.

    Rows ``a x >= b`` or ``a x = b`` on a single column become its bounds: lower if a >
    0, upper if a < 0, both if an equation. The dual of such a row is the reduced cost
    of the column over a, if its bound is the one the column stands at; where several
    rows give the same bound the first has it.

    Parameters
    ----------
    program : LinearProgram
        Any programme of the shape.
    fold : bool
        Whether to fold rows at all; not for a file that others read.
    """

    def __init__(self, program: LinearProgram, fold: bool = True) -> None:
        by_row = program.matrix.tocsr()
        single = (np.diff(by_row.indptr) == 1) & fold
        single[single] = by_row.data[by_row.indptr[:-1][single]] != 0.0
        self.folded_rows = np.flatnonzero(single)
        self.remaining_rows = np.flatnonzero(~single)
        self.folded_columns = by_row.indices[by_row.indptr[:-1][self.folded_rows]]
        by_column = program.matrix
        order = sparse.csc_matrix(
            (np.arange(by_column.nnz) + 1, by_column.indices, by_column.indptr),
            by_column.shape,
        )
        # Where in the columnwise data each folded row has its coefficient.
        self.folded_entries = (
            order.tocsr().data[by_row.indptr[:-1][self.folded_rows]] - 1
        )
        renumber = np.full(len(single), -1)
        renumber[self.remaining_rows] = np.arange(len(self.remaining_rows))
        row = renumber[by_column.indices]
        self.entries = np.flatnonzero(row >= 0)
        self.entry_rows = row[self.entries].astype(np.int32)
        ends = np.concatenate(([0], np.cumsum(row >= 0)))[by_column.indptr]
        self.column_starts = ends.astype(np.int32)
        self.folded_equations = program.is_equation[self.folded_rows]

    def column_bounds(self, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return the lower and upper bound of each column."""
        size = program.matrix.shape[1]
        lower, upper = np.zeros(size), np.full(size, INFINITY)
        slope = program.matrix.data[self.folded_entries]
        limit = program.rhs[self.folded_rows] / slope
        up = (slope < 0) | self.folded_equations
        low = (slope > 0) | self.folded_equations
        np.minimum.at(upper, self.folded_columns[up], limit[up])
        np.maximum.at(lower, self.folded_columns[low], limit[low])
        return lower, upper

    def highs_lp(self, program: LinearProgram) -> highspy.HighsLp:
        """Return a programme of the shape as HiGHS takes it."""
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = len(self.remaining_rows), program.matrix.shape[1]
        lp.col_cost_ = program.cost
        lp.col_lower_, lp.col_upper_ = self.column_bounds(program)
        lp.row_lower_, lp.row_upper_ = self.row_bounds(program)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = self.column_starts
        lp.a_matrix_.index_ = self.entry_rows
        lp.a_matrix_.value_ = program.matrix.data[self.entries]
        return lp

    def row_bounds(self, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return the lower and upper side of each row handed over."""
        rhs = program.rhs[self.remaining_rows]
        return rhs, np.where(program.is_equation[self.remaining_rows], rhs, INFINITY)

    def primal_and_dual(
        self, found: Any, program: LinearProgram
    ) -> tuple[Vector, Vector]:
        """Return the columns and the duals of every row of the programme."""
        x = np.array(found.col_value)
        reduced = np.array(found.col_dual)
        y = np.zeros(len(program.rhs))
        y[self.remaining_rows] = found.row_dual
        lower, upper = self.column_bounds(program)
        slope = program.matrix.data[self.folded_entries]
        limit = program.rhs[self.folded_rows] / slope
        at = np.where(reduced > 0, lower, upper)[self.folded_columns]
        side = self.folded_equations | (
            (slope > 0) == (reduced[self.folded_columns] > 0)
        )
        binds = (reduced[self.folded_columns] != 0.0) & side & (limit == at)
        # From the last to the first, so that the first row of a bound keeps its dual.
        owner = np.full(len(x), -1)
        rows = np.flatnonzero(binds)[::-1]
        owner[self.folded_columns[rows]] = rows
        mine = owner[owner >= 0]
        y[self.folded_rows[mine]] = reduced[self.folded_columns[mine]] / slope[mine]
        return x, y
