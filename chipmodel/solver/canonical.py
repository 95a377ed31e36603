"""The one optimal basis that does not depend on where a solve starts.

A linear program often has many optimal solutions and many optimal duals, and which one
the simplex method finds depends on its start. Where all costs and bounds differ a
little, by amounts drawn from the labels, it has one optimal basis. The linear program
itself is then solved from this basis, by a rule without chance: one start, one path,
one answer, whatever was solved before.
"""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np
from numpy.typing import NDArray

from chipmodel.solver.linear_program import Vector
from chipmodel.solver.warm_start import BASIC, LOWER, Basis, Keys

COST_NOISE = 1e-4
"""Average addition to the cost of a column, MUSD: a hundredth of a dollar a wafer."""

BOUND_NOISE = 1e-6
"""Average width by which a bound or an inequality is relaxed, in its own unit."""

TOLERANCE = 1e-9
"""Tolerance of the solve with these additions, far below them."""

DUAL, PRIMAL = 1, 4
"""Strategies of HiGHS: dual and primal simplex."""


def noise(keys: Keys) -> Vector:
    """Return a number from 0.5 to 1.5 for each key, the same in every program.

    Keys are hashes: their bits are as good as drawn.
    """
    return 0.5 + (keys >> np.uint64(11)) / 2.0**53


def perturb(lp: highspy.HighsLp, columns: Vector, rows: Vector) -> None:
    """Add noise to the costs of a linear program and relax what is no equation.

    So it has a solution wherever it had one, and stays bounded.
    """
    lp.col_cost_ = np.array(lp.col_cost_) + COST_NOISE * columns
    lp.col_lower_, lp.col_upper_ = _relaxed(lp.col_lower_, lp.col_upper_, columns)
    lp.row_lower_, lp.row_upper_ = _relaxed(lp.row_lower_, lp.row_upper_, rows)


def _relaxed(
    lower_sides: Sequence[float], upper_sides: Sequence[float], sizes: Vector
) -> tuple[Vector, Vector]:
    lower, upper = np.array(lower_sides), np.array(upper_sides)
    width = np.where(lower == upper, 0.0, BOUND_NOISE * sizes)
    # Infinite sides stay infinite.
    return lower - width, upper + width


def normalised(basis: Basis, lp: highspy.HighsLp) -> Basis:
    """Return a basis in which what is fixed and not basic is at its lower bound.

    HiGHS may call it either.
    """
    columns = _at_lower(basis.columns, lp.col_lower_, lp.col_upper_)
    rows = _at_lower(basis.rows, lp.row_lower_, lp.row_upper_)
    return Basis(columns, rows)


def _at_lower(
    status: NDArray[np.int8], lower: Sequence[float], upper: Sequence[float]
) -> NDArray[np.int8]:
    fixed = np.array(lower) == np.array(upper)
    return np.where(fixed & (status != BASIC), LOWER, status).astype(np.int8)
