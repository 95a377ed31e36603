r"""Fit the few unpublished parameters to the published results that may be used for it.

Free are the quantities of ``data/raw/calibration.csv``: one slope common to all places
and the premium of the United States, each within its bounds. No input target informs
another premium or the elasticity between origins, so these stay at their priors. With x
the logarithm of a quantity over its prior,

.. math:: \min_x \sum_k ((ours_k - theirs_k) / s_k)^2 + \sum_j (x_j / p_j)^2

s is half of the target's band (a fifth of that for T07, which is to be met within a
point), p a quarter of the logarithm of the bounds: the prior determines what the
targets do not. Only targets of role `input` enter. T05 enters by the ratios of its
rungs to the first: the size of a fab, which turns kwpm into fabs, is not in the linear
program, and it is the ratios that identify the slope of supply.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from chipmodel.analysis.response import PointResponse
from chipmodel.cases.levers import Point
from chipmodel.common.errors import InputError
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import TargetRow
from chipmodel.results import metrics
from chipmodel.validation import ladder
from chipmodel.validation.free_parameters import Free
from chipmodel.validation.shared import HINDCAST, WITH, WITHOUT, ReplicationSetup

FITTED = ("T05", "T07")
"""Targets of role input that depend on what is fitted.

T01 to T03 hold by the derivation of the cost of place.
"""

TIGHT = 0.2
"""Part of half the band of T07 that counts as one unit of miss."""

STEP = 0.03
"""Step of finite differences, in logarithms.

The response of a linear program has kinks; a smaller step would see them one by one.
"""

SUPPORTED_SHARE = "share.capacity.USA.all.2032"
"""Metric of T07 (with CHIPS) and T08 (without)."""

FABS = "fabs."
"""Prefix of the metrics of T05."""

CLOSE_TO_T07 = 0.002
"""Miss of T07, as a share of capacity, at which the search of a profile ends."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """The result of a calibration.

    Attributes
    ----------
    values : dict
        Fitted value by quantity.
    ours : dict
        Our number for every target used, and for T08 as ``without``.
    cost : float
        Half the sum of squares.
    evaluations : int
        Points solved.
    """

    free: tuple[Free, ...]
    values: dict[str, float]
    ours: dict[str, float]
    cost: float
    evaluations: int


class Fitter:
    """The fitted targets as functions of the free parameters.

    Raises
    ------
    InputError
        If the data hold no input target to fit to.
    """

    def __init__(self, data: Dataset, free: Sequence[Free]) -> None:
        self.free = tuple(free)
        self._setup = ReplicationSetup(data)
        self.targets = [
            row
            for row in data.rows(TargetRow)
            # Targets of role test are withheld for validation.
            if row.role == "input" and row.target in FITTED and row.experiment
        ]
        if not self.targets:
            raise InputError.one(
                "targets.csv",
                ", ".join(FITTED),
                "no input target to fit to",
                "add the rows",
            )
        self._samples = self._sample_points()
        self._with = self._hindcast(WITH)
        # Only a profile and the result of a fit need it: it is compiled when asked for.
        self._without: PointResponse | None = None
        self._ladder = self._ladder_response()
        # The optimiser asks for the same point for residuals, slopes and the report.
        self._known: dict[bytes, dict[str, float]] = {}

    def _sample_points(self) -> list[Point]:
        """Return points that move every free parameter, together and apart.

        A response learns from them which coefficients depend on which parameter.
        """
        count = len(self.free)
        together = [np.full(count, x) for x in (0.0, 0.11, -0.07)]
        # Without this one, parameters that always move together would share a lever,
        # and none could be changed alone.
        apart = np.array([0.05 * (k + 1) for k in range(count)])
        return [self.point(x) for x in (*together, apart)]

    def _ladder_response(self) -> PointResponse:
        return PointResponse(
            self._setup.data,
            ladder.ladder_case(self._setup, form="open", rate=0.1),
            ladder.ladder_world(self._setup),
        )

    def _hindcast(self, case: str) -> PointResponse:
        return PointResponse(
            self._setup.data,
            self._setup.case(case),
            self._setup.world(HINDCAST),
        )

    def point(self, x: Vector) -> Point:
        """Return the factors on facts at a point."""
        return {
            free.number: free.factor(value)
            for free, value in zip(self.free, x, strict=True)
        }

    @property
    def evaluations(self) -> int:
        """Points solved."""
        return len(self._known)

    def share(self, x: Vector) -> float:
        """Return the US share with CHIPS (T07)."""
        return metrics.evaluate(SUPPORTED_SHARE, self._with.at(self.point(x)))

    def ours(self, x: Vector) -> dict[str, float]:
        """Return our number for every fitted target."""
        key = x.tobytes()
        if key not in self._known:
            self._known[key] = self._numbers(self.point(x))
        return self._known[key]

    def _numbers(self, point: Point) -> dict[str, float]:
        numbers = {}
        rungs = ladder.at_budgets(ladder.climb(self._ladder, point), self._setup)
        for budget, rung in rungs.items():
            numbers[f"{FABS}{budget}"] = ladder.fabs(rung, self._setup)
        solution = self._with.at(point)
        for row in self.targets:
            if not row.metric.startswith(FABS):
                numbers[row.metric] = metrics.evaluate(row.metric, solution)
        return numbers

    def without_support(self, x: Vector) -> float:
        """Return the US share without CHIPS (T08, a test that is never fitted)."""
        if self._without is None:
            self._without = self._hindcast(WITHOUT)
        return metrics.evaluate(SUPPORTED_SHARE, self._without.at(self.point(x)))

    def residuals(self, x: Vector) -> Vector:
        """Return the weighted misses and the pull of the prior."""
        ours = self.ours(x)
        by_metric = {row.metric: row for row in self.targets}
        first = by_metric.get(f"{FABS}0")
        residuals = []
        for row in self.targets:
            number = ours[row.metric]
            if first is None or not row.metric.startswith(FABS):
                residuals.append((number - row.value) / (TIGHT * _half_band(row)))
            elif row is not first:
                # By ratio to the first rung, so that the size of a fab cancels.
                ratio = number / max(ours[first.metric], 1e-6)
                miss = (ratio - row.value / first.value) * first.value
                residuals.append(miss / _half_band(row))
        for free, value in zip(self.free, x, strict=True):
            residuals.append(value / free.spread)
        return np.array(residuals)

    def slopes(self, x: Vector) -> Vector:
        """Return the derivatives of the residuals, by steps to the inside of bounds."""
        here = self.residuals(x)
        columns = []
        for k, free in enumerate(self.free):
            _, highest = free.bounds
            step = STEP if x[k] + STEP < highest else -STEP
            moved = x.copy()
            moved[k] += step
            columns.append((self.residuals(moved) - here) / step)
        return np.array(columns).T


def _half_band(row: TargetRow) -> float:
    assert row.low is not None
    assert row.high is not None
    return (row.high - row.low) / 2.0


def fit(
    fitter: Fitter,
    start: Vector | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
    most: int = 12,
) -> tuple[Fit, Vector]:
    """Fit the free parameters by least squares.

    Parameters
    ----------
    start : array, optional
        Where to start, in logarithms over the priors; at the priors by default.
    most : int
        Largest number of evaluations.

    Returns
    -------
    Fit
    array
        Where it ended, in logarithms over the priors.
    """
    if start is None:
        start = np.zeros(len(fitter.free))
    low, high = np.array([free.bounds for free in fitter.free]).T

    def reported(x: Vector) -> Vector:
        residuals = fitter.residuals(x)
        on_progress(
            f"{np.round(x, 3).tolist()} -> {0.5 * float(residuals @ residuals):.4f}"
            f" {fitter.ours(x)}"
        )
        return residuals

    end: Any = least_squares(
        reported,
        start,
        jac=fitter.slopes,
        bounds=(low, high),
        max_nfev=most,
        # Loose: the targets determine the parameters to two digits at most, and a point
        # takes several solves.
        xtol=2e-3,
        ftol=1e-2,
    )
    values = {}
    for free, value in zip(fitter.free, end.x, strict=True):
        values[free.quantity] = free.prior * math.exp(value)
    ours = {**fitter.ours(end.x), "without": fitter.without_support(end.x)}
    result = Fit(fitter.free, values, ours, float(end.cost), fitter.evaluations)
    return result, np.asarray(end.x)


def profile(
    fitter: Fitter,
    best: Vector,
    slopes: Sequence[float],
    on_progress: Callable[[str], None] = lambda _: None,
) -> list[dict[str, float]]:
    """Return, for some slopes, the premium that meets T07, and T05 and T08 there.

    Parameters
    ----------
    fitter : Fitter
        With the slope first and the premium of the United States second.
    best : array
        Where the fit ended.
    slopes : sequence of float
        Slopes, in the unit of the data.
    """
    slope_free, premium_free = fitter.free[:2]
    rows = []
    for slope in slopes:
        x = best.copy()
        x[0] = math.log(slope / slope_free.prior)
        x[1] = _premium_that_meets_t07(fitter, x)
        rows.append(
            {
                "slope": slope,
                "premium": premium_free.prior * math.exp(x[1]),
                **fitter.ours(x),
                "without": fitter.without_support(x),
            }
        )
        on_progress(str(rows[-1]))
    return rows


def _premium_that_meets_t07(fitter: Fitter, start: Vector) -> float:
    """Return the logarithm of the premium at which T07 is met, by the secant method."""
    goal = next(row.value for row in fitter.targets if row.target == "T07")
    low, high = fitter.free[1].bounds
    x = start.copy()
    tried: list[tuple[float, float]] = []
    for _ in range(3):
        share = fitter.share(x)
        tried.append((float(x[1]), share))
        if abs(share - goal) < CLOSE_TO_T07:
            break
        if len(tried) == 1:
            # First guess: the share falls with the premium at an elasticity of four.
            # The steps after it use the slope observed.
            step = math.log(share / goal) / 4.0
        else:
            (x_before, share_before), (x_now, share_now) = tried[-2:]
            step = 0.0
            if share_now != share_before:
                step = (goal - share_now) * (x_now - x_before)
                step /= share_now - share_before
        x[1] = min(max(x[1] + step, low), high)
    return float(x[1])
