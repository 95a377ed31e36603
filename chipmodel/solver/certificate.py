"""The certificate of a solution, recomputed from the arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipmodel.solver.linear_program import LinearProgram, Vector

TOLERANCE = 1e-6
"""Largest relative residual and gap a solution may have."""


@dataclass(frozen=True)
class Certificate:
    """How well a solution satisfies its linear program; all figures are relative.

    Attributes
    ----------
    primal : float
        Worst violation of a row or a sign, over the size of the row's terms.
    dual : float
        Worst negative reduced cost or dual, over the size of the column's cost.
    complementarity : float
        Worst product of a value and its reduced cost, or of a row's slack and its dual,
        over the objective.
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


def certify(program: LinearProgram, x: Vector, y: Vector) -> Certificate:
    r"""Recompute residuals and gap from the arrays, without figures of the solver.

    For the linear program

    .. math:: \min c^T x, \quad A x \ge b, \quad x \ge 0

    with equations among its rows.

    Parameters
    ----------
    program : LinearProgram
    x, y : array
        Value of each column, dual of each row.
    """
    matrix = program.matrix
    rhs = program.rhs
    cost = program.cost
    is_equation = program.is_equation
    absolute = abs(matrix)

    # Relative to the size of the terms: in a row of large numbers, an absolute residual
    # of mere rounding would look like a violation.
    activity = matrix @ x
    shortfall = rhs - activity
    violation = np.where(is_equation, np.abs(shortfall), shortfall)
    row_size = 1.0 + np.abs(rhs) + absolute @ np.abs(x)
    primal = max(_worst(violation / row_size), _worst(-x / (1.0 + np.abs(x))))

    reduced_cost = cost - matrix.T @ y
    column_size = 1.0 + np.abs(cost) + absolute.T @ np.abs(y)
    # The dual of an equation may have either sign.
    wrong_sign = np.where(is_equation, 0.0, -y) / (1.0 + np.abs(y))
    dual = max(_worst(-reduced_cost / column_size), _worst(wrong_sign))

    objective = float(cost @ x)
    dual_objective = float(rhs @ y)
    scale = max(1.0, abs(objective))
    slack = np.where(is_equation, 0.0, activity - rhs)
    products = max(_worst(np.abs(x * reduced_cost)), _worst(np.abs(slack * y)))
    return Certificate(
        primal=primal,
        dual=dual,
        complementarity=products / scale,
        gap=abs(objective - dual_objective) / scale,
    )


def _worst(values: Vector) -> float:
    """Return the largest of some values, never below zero."""
    return float(values.max(initial=0.0))
