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
        self.folded = np.flatnonzero(single)
        self.kept = np.flatnonzero(~single)
        self.column = by_row.indices[by_row.indptr[:-1][self.folded]]
        by_column = program.matrix
        order = sparse.csc_matrix(
            (np.arange(by_column.nnz) + 1, by_column.indices, by_column.indptr),
            by_column.shape,
        )
        # Where in the columnwise data each folded row has its coefficient.
        self.place = order.tocsr().data[by_row.indptr[:-1][self.folded]] - 1
        renumber = np.full(len(single), -1)
        renumber[self.kept] = np.arange(len(self.kept))
        row = renumber[by_column.indices]
        self.inside = np.flatnonzero(row >= 0)
        self.row = row[self.inside].astype(np.int32)
        ends = np.concatenate(([0], np.cumsum(row >= 0)))[by_column.indptr]
        self.start = ends.astype(np.int32)
        self.equal = program.equal[self.folded]

    def bounds(self, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return the lower and upper bound of each column."""
        size = program.matrix.shape[1]
        lower, upper = np.zeros(size), np.full(size, INFINITY)
        slope = program.matrix.data[self.place]
        limit = program.rhs[self.folded] / slope
        up = (slope < 0) | self.equal
        low = (slope > 0) | self.equal
        np.minimum.at(upper, self.column[up], limit[up])
        np.maximum.at(lower, self.column[low], limit[low])
        return lower, upper

    def lp(self, program: LinearProgram) -> highspy.HighsLp:
        """Return a programme of the shape as HiGHS takes it."""
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = len(self.kept), program.matrix.shape[1]
        lp.col_cost_ = program.cost
        lp.col_lower_, lp.col_upper_ = self.bounds(program)
        lp.row_lower_, lp.row_upper_ = self.sides(program)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = self.start
        lp.a_matrix_.index_ = self.row
        lp.a_matrix_.value_ = program.matrix.data[self.inside]
        return lp

    def sides(self, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return the lower and upper side of each row handed over."""
        rhs = program.rhs[self.kept]
        return rhs, np.where(program.equal[self.kept], rhs, INFINITY)

    def point(self, found: Any, program: LinearProgram) -> tuple[Vector, Vector]:
        """Return the columns and the duals of every row of the programme."""
        x = np.array(found.col_value)
        reduced = np.array(found.col_dual)
        y = np.zeros(len(program.rhs))
        y[self.kept] = found.row_dual
        lower, upper = self.bounds(program)
        slope = program.matrix.data[self.place]
        limit = program.rhs[self.folded] / slope
        at = np.where(reduced > 0, lower, upper)[self.column]
        side = self.equal | ((slope > 0) == (reduced[self.column] > 0))
        binds = (reduced[self.column] != 0.0) & side & (limit == at)
        # From the last to the first, so that the first row of a bound keeps its dual.
        owner = np.full(len(x), -1)
        rows = np.flatnonzero(binds)[::-1]
        owner[self.column[rows]] = rows
        mine = owner[owner >= 0]
        y[self.folded[mine]] = reduced[self.column[mine]] / slope[mine]
        return x, y
