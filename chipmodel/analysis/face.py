"""The solutions of equal cost, by complementary slackness with the duals of one."""

from __future__ import annotations

import highspy
import numpy as np

from chipmodel.solver.highs import Optimum, new_solver, run_highs
from chipmodel.solver.iis import rows_as_lp
from chipmodel.solver.linear_program import LinearProgram, Vector

BINDS = 1e-9
"""Relative size from which a reduced cost or a dual counts as not zero."""


class Face:
    """The optimal face: columns of positive reduced cost at zero, tight rows tight."""

    def __init__(self, program: LinearProgram, optimum: Optimum) -> None:
        # A reduced cost is a difference of terms far larger than itself; what counts as
        # zero is relative to their sum.
        weight = 1.0 + np.abs(program.cost) + abs(program.matrix).T @ np.abs(optimum.y)
        reduced = program.cost - program.matrix.T @ optimum.y
        lp = rows_as_lp(program, np.arange(len(program.rhs)))
        lp.col_upper_ = np.where(reduced > BINDS * weight, 0.0, highspy.kHighsInf)
        tight = program.is_equation | (optimum.y > BINDS * (1.0 + np.abs(optimum.y)))
        lp.row_upper_ = np.where(tight, program.rhs, highspy.kHighsInf)
        self.start = optimum.x
        self._highs = new_solver()
        self._highs.passModel(lp)

    def best(self, direction: Vector) -> Vector:
        """Return the solution that is largest in a direction."""
        columns = np.arange(len(direction), dtype=np.int32)
        self._highs.changeColsCost(len(columns), columns, -direction)
        run_highs(self._highs)
        return np.array(self._highs.getSolution().col_value)
