"""Irreducible infeasible subsystems, found by HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chipmodel.common.errors import NoOptimum
from chipmodel.solver.highs import new_solver
from chipmodel.solver.linear_program import LinearProgram, Vector

IIS_STRATEGY = 6
"""Strategy of HiGHS: rows first, from an elastic filter.

Others take minutes on the shipped data or find nothing.
"""

TOLERANCE = 1e-6
"""Smallest violation of a row that counts."""

RowNumbers = NDArray[np.int64]


def infeasible_subsystem(
    program: LinearProgram, candidates: RowNumbers
) -> RowNumbers | None:
    """Return a small set of rows that cannot hold together.

    Parameters
    ----------
    program : LinearProgram
    candidates : array of int
        Rows to choose from.

    Returns
    -------
    array of int or None
        None if all candidates can hold together.

    Raises
    ------
    NoOptimum
        If they cannot, but HiGHS finds no such set.
    """
    if feasible(program, candidates):
        return None
    highs = new_solver()
    highs.setOptionValue("iis_strategy", IIS_STRATEGY)
    highs.passModel(rows_as_lp(program, candidates))
    _, iis = highs.getIis()
    rows = candidates[:0]
    if iis.valid_:
        rows = candidates[np.array(iis.row_index_, dtype=int)]
    # HiGHS may call a set infeasible that is not.
    if not len(rows) or feasible(program, rows):
        raise NoOptimum(
            "infeasible", "no solution, and HiGHS finds no set of rows that explains it"
        )
    return rows


def feasible(program: LinearProgram, rows: Sequence[int] | RowNumbers) -> bool:
    """Return whether some rows of a linear program can hold together."""
    highs = new_solver()
    highs.passModel(rows_as_lp(program, np.asarray(rows, dtype=np.int64)))
    highs.run()
    return bool(highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def rows_as_lp(
    program: LinearProgram,
    rows: RowNumbers,
    slack: Any = None,
    cost: Vector | None = None,
) -> highspy.HighsLp:
    """Return some rows of a linear program as HiGHS takes them.

    Parameters
    ----------
    program : LinearProgram
    rows : array of int
    slack : sparse matrix, optional
        Columns added to the right of those of the linear program.
    cost : array, optional
        Cost of the added columns; all others cost nothing.
    """
    matrix = program.matrix
    if len(rows) < len(program.rhs):
        matrix = matrix.tocsr()[rows].tocsc()
    if slack is not None:
        matrix = sparse.hstack([matrix, slack], format="csc")
    row_count, column_count = matrix.shape
    costs = np.zeros(column_count)
    if cost is not None:
        costs[column_count - len(cost) :] = cost
    rhs = program.rhs[rows]
    lp = highspy.HighsLp()
    lp.num_row_ = row_count
    lp.num_col_ = column_count
    lp.col_cost_ = costs
    lp.col_lower_ = np.zeros(column_count)
    lp.col_upper_ = np.full(column_count, highspy.kHighsInf)
    lp.row_lower_ = rhs
    lp.row_upper_ = np.where(program.is_equation[rows], rhs, highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.indptr
    lp.a_matrix_.index_ = matrix.indices
    lp.a_matrix_.value_ = matrix.data
    return lp
