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
"""Of HiGHS: rows first, from an elastic filter; others take minutes on the shipped data or find nothing."""


TOLERANCE = 1e-6


RowNumbers = NDArray[np.int64]


def infeasible_subsystem(program: LinearProgram, kept: RowNumbers) -> RowNumbers | None:
    """Return some of the kept rows that cannot hold together, none too many; none if all can."""
    if feasible(program, kept):
        return None
    highs = new_solver()
    highs.setOptionValue("iis_strategy", IIS_STRATEGY)
    highs.passModel(rows_as_lp(program, kept))
    _, iis = highs.getIis()
    rows = kept[np.array(iis.row_index_, dtype=int)] if iis.valid_ else kept[:0]
    if not len(rows) or feasible(program, rows):
        raise NoOptimum(
            "infeasible", "no solution, and HiGHS finds no set of rows that says why"
        )
    return rows


def feasible(program: LinearProgram, rows: Sequence[int] | RowNumbers) -> bool:
    """Whether some rows of a programme can hold together."""
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
    """Return some rows of a programme as HiGHS takes them, with no cost but that of the slack."""
    matrix = (
        program.matrix.tocsr()[rows].tocsc()
        if len(rows) < len(program.rhs)
        else program.matrix
    )
    if slack is not None:
        matrix = sparse.hstack([matrix, slack], format="csc")
    price = np.zeros(matrix.shape[1])
    if cost is not None:
        price[len(price) - len(cost) :] = cost
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_ = price
    lp.col_lower_ = np.zeros(len(price))
    lp.col_upper_ = np.full(len(price), highspy.kHighsInf)
    lp.row_lower_ = program.rhs[rows]
    lp.row_upper_ = np.where(
        program.is_equation[rows], program.rhs[rows], highspy.kHighsInf
    )
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = (
        matrix.indptr,
        matrix.indices,
        matrix.data,
    )
    return lp
