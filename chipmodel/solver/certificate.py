"""The certificate of a solution, recomputed from the arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chipmodel.solver.linear_program import LinearProgram, Vector

TOLERANCE = 1e-6
"""Largest relative residual and gap a solution may have."""


@dataclass(frozen=True)
class Certificate:
    """How well a solution satisfies its own programme, recomputed from the arrays; all relative.

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
    """Recompute residuals and gap from the arrays, without the solver's word."""
    matrix, rhs, cost = program.matrix, program.rhs, program.cost
    activity = matrix @ x
    sizes = abs(matrix)
    size = 1.0 + np.abs(rhs) + sizes @ np.abs(x)
    short = np.where(program.is_equation, np.abs(activity - rhs), rhs - activity)
    primal = max(
        float((short / size).max(initial=0.0)),
        float((-x / (1.0 + np.abs(x))).max(initial=0.0)),
    )
    reduced = cost - matrix.T @ y
    weight = 1.0 + np.abs(cost) + sizes.T @ np.abs(y)
    dual = max(
        float((-reduced / weight).max(initial=0.0)),
        float(
            (np.where(program.is_equation, 0.0, -y) / (1.0 + np.abs(y))).max(
                initial=0.0
            )
        ),
    )
    objective, bound = float(cost @ x), float(rhs @ y)
    scale = max(1.0, abs(objective))
    slack = np.where(program.is_equation, 0.0, activity - rhs)
    both = max(
        float(np.abs(x * reduced).max(initial=0.0)),
        float(np.abs(slack * y).max(initial=0.0)),
    )
    return Certificate(
        max(primal, 0.0), max(dual, 0.0), both / scale, abs(objective - bound) / scale
    )
