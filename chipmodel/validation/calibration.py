r"""Fit the few numbers that nobody publishes to the published results that may be used for it.

Free are the quantities of ``data/raw/calibration.csv``: one slope common to all places
and the premium of the United States, each within its bounds. No input target says
anything about another premium or pins the elasticity between origins, so these keep
their priors. With x the logarithm of a number over its prior,

.. math:: \min_x \sum_k ((ours_k - theirs_k) / s_k)^2 + \sum_j (x_j / p_j)^2

s is half of the target's band (a fifth of that for T07, which is to be met within a point), p a
quarter of the logarithm of the bounds: the prior holds what the targets do not say. Only targets of
role `input` enter. T05 enters by the ratios of its rungs to the first: the size of a fab, which turns
kwpm into fabs, is no part of the programme, and the ratios are what tells the slope of supply.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipmodel.analysis.response import PointResponse
from chipmodel.cases.levers import Point
from chipmodel.common.errors import InputError, Problem
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.fields import Fact
from chipmodel.dataset.rows import TABLES, TargetRow
from chipmodel.results import metrics
from chipmodel.validation import ladder
from chipmodel.validation.shared import HINDCAST, WITH, WITHOUT, ReplicationSetup

FITTED = ("T05", "T07")
"""Targets of role input that hang on what is fitted; T01 to T03 hold by the derivation of the cost of place."""


TIGHT = 0.2
"""Part of half the band of T07 that counts as one unit of miss: it is asked for within a point."""


STEP = 0.03
"""Step of finite differences, in logarithms: programmes answer in kinks, smaller steps see them singly."""


Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Free:
    """A number to fit, with what it is called in a point, its prior, its bounds and its value in the data."""

    quantity: str
    number: str
    prior: float
    low: float
    high: float
    now: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds of the logarithm over the prior."""
        return math.log(self.low / self.prior), math.log(self.high / self.prior)

    @property
    def spread(self) -> float:
        """Standard deviation of the prior, a quarter of the logarithm of the bounds."""
        return math.log(self.high / self.low) / 4.0

    def factor(self, x: float) -> float:
        """Return the factor on the fact as it stands in the data."""
        return self.prior * math.exp(x) / self.now


@dataclass(frozen=True)
class Fit:
    """What a calibration found.

    Attributes
    ----------
    values : dict
        Fitted value by quantity.
    ours : dict
        Our number for every target used, and for T08 beside it.
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


def read_free(path: Path, data: Dataset) -> tuple[Free, ...]:
    """Read the quantities to fit and check them.

    Raises
    ------
    InputError
        If there is none, bounds cross, a prior lies outside its bounds, or no fact
        answers.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise InputError.one(
            path.name, "file", "no quantity is free", "add a row for each number to fit"
        )
    problems, found = [], []
    for line, row in enumerate(rows, start=2):
        place = f"line {line}, {row['quantity']}"
        prior, low, high = float(row["prior"]), float(row["low"]), float(row["high"])
        if not low < high:
            problems.append(
                Problem(
                    path.name,
                    place,
                    f"bounds cross: {low:g} is not below {high:g}",
                    "swap them",
                )
            )
            continue
        if not 0 < low <= prior <= high:
            problems.append(
                Problem(
                    path.name,
                    place,
                    f"prior {prior:g} is outside {low:g} to {high:g}",
                    "choose bounds around the prior, above zero",
                )
            )
            continue
        number, now = _fact(row, data)
        if now is None:
            problems.append(
                Problem(
                    path.name,
                    place,
                    f"no fact of {row['table']}.csv answers",
                    "check column and row",
                )
            )
            continue
        found.append(Free(row["quantity"], number, prior, low, high, now))
    if problems:
        raise InputError(problems)
    return tuple(found)


def _fact(row: dict[str, str], data: Dataset) -> tuple[str, float | None]:
    """Return the name in a point of the fact a quantity stands for, and its value."""
    extra = {
        "cost_factors": {"item": "place"},
        "elasticities": {"item": "substitution"},
    }.get(row["table"], {})
    where = {**extra, row["column"]: row["row"]}
    name = f"{row['table']}[{','.join(f'{k}={v}' for k, v in where.items())}]"
    rows = data.tables.get(row["table"], ()) if row["table"] in TABLES else ()
    hit = [
        one
        for one in rows
        if isinstance(one, Fact)
        and all(str(getattr(one, k, None)) == v for k, v in where.items())
    ]
    return name, hit[0].value if len(hit) == 1 else None


class Fitter:
    """The fitted targets as functions of the free numbers.

    Raises
    ------
    InputError
        If the data hold no input target to fit to.
    """

    def __init__(self, data: Dataset, free: Sequence[Free]) -> None:
        self.free = tuple(free)
        self._bench = ReplicationSetup(data)
        self.targets = [
            row
            for row in data.rows(TargetRow)
            if row.role == "input" and row.target in FITTED and row.experiment
        ]
        if not self.targets:
            raise InputError.one(
                "targets.csv",
                ", ".join(FITTED),
                "no input target to fit to",
                "add the rows",
            )
        samples = [self.point(np.full(len(self.free), x)) for x in (0.0, 0.11, -0.07)]
        samples += [
            self.point(np.array([0.05 * (k + 1) for k in range(len(self.free))]))
        ]
        self._samples = samples
        self._with = self._hindcast(WITH)
        self._without: PointResponse | None = None
        rate = f"{ladder.GRANT}.rate"
        climbing = [{**point, rate: 0.1 + 0.05 * k} for k, point in enumerate(samples)]
        self._ladder = PointResponse(
            data,
            ladder.ladder_case(self._bench, form="open", rate=0.1),
            ladder.ladder_world(self._bench),
            climbing,
        )
        self._known: dict[bytes, dict[str, float]] = {}

    def _hindcast(self, case: str) -> PointResponse:
        return PointResponse(
            self._bench.data,
            self._bench.case(case),
            self._bench.world(HINDCAST),
            self._samples,
        )

    def point(self, x: Vector) -> Point:
        """Return the factors on facts at a point."""
        return {
            one.number: one.factor(value)
            for one, value in zip(self.free, x, strict=True)
        }

    @property
    def evaluations(self) -> int:
        """Points solved."""
        return len(self._known)

    def share(self, x: Vector) -> float:
        """Return the American share with CHIPS (T07)."""
        return metrics.evaluate(
            "share.capacity.USA.all.2032", self._with.at(self.point(x))
        )

    def ours(self, x: Vector) -> dict[str, float]:
        """Return our number for every fitted target."""
        if x.tobytes() not in self._known:
            point = self.point(x)
            found = {}
            rungs = ladder.at_budgets(ladder.climb(self._ladder, point), self._bench)
            for budget, rung in rungs.items():
                found[f"fabs.{budget}"] = ladder.fabs(rung, self._bench)
            shares = [
                row.metric for row in self.targets if not row.metric.startswith("fabs.")
            ]
            solution = self._with.at(point)
            found |= {name: metrics.evaluate(name, solution) for name in shares}
            self._known[x.tobytes()] = found
        return self._known[x.tobytes()]

    def without_support(self, x: Vector) -> float:
        """Return the American share without CHIPS (T08, a test that is never fitted)."""
        if self._without is None:
            self._without = self._hindcast(WITHOUT)
        return metrics.evaluate(
            "share.capacity.USA.all.2032", self._without.at(self.point(x))
        )

    def residuals(self, x: Vector) -> Vector:
        """Return the weighted misses and the pull of the prior."""
        ours, rows = self.ours(x), self.targets
        first = next((row for row in rows if row.metric == "fabs.0"), None)
        misses = []
        for row in rows:
            if first is None or not row.metric.startswith("fabs."):
                misses.append((ours[row.metric] - row.value) / (TIGHT * _half(row)))
            elif row is not first:
                ratio = ours[row.metric] / max(ours[first.metric], 1e-6)
                misses.append(
                    (ratio - row.value / first.value) * first.value / _half(row)
                )
        return np.array(
            [
                *misses,
                *(value / one.spread for one, value in zip(self.free, x, strict=True)),
            ]
        )

    def slopes(self, x: Vector) -> Vector:
        """Return the derivatives of the residuals, by steps to the inside of the bounds."""
        here = self.residuals(x)
        columns = []
        for k, one in enumerate(self.free):
            step = STEP if x[k] + STEP < one.bounds[1] else -STEP
            moved = x.copy()
            moved[k] += step
            columns.append((self.residuals(moved) - here) / step)
        return np.array(columns).T


def _half(row: TargetRow) -> float:
    assert row.low is not None
    assert row.high is not None
    return (row.high - row.low) / 2.0


def fit(
    fitter: Fitter,
    start: Vector | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
    most: int = 12,
) -> tuple[Fit, Vector]:
    """Fit the free numbers.

    Returns
    -------
    Fit
    array
        Where it ended, in logarithms over the priors.
    """
    from scipy.optimize import least_squares

    low, high = (
        np.array(side)
        for side in zip(*(one.bounds for one in fitter.free), strict=True)
    )

    def told(x: Vector) -> Vector:
        found = fitter.residuals(x)
        on_progress(
            f"{np.round(x, 3).tolist()} -> {0.5 * float(found @ found):.4f}"
            f" {fitter.ours(x)}"
        )
        return found

    begin = np.zeros(len(fitter.free)) if start is None else start
    end: Any = least_squares(
        told,
        begin,
        jac=fitter.slopes,
        bounds=(low, high),
        max_nfev=most,
        xtol=2e-3,
        ftol=1e-2,
    )
    values = {
        one.quantity: one.prior * math.exp(value)
        for one, value in zip(fitter.free, end.x, strict=True)
    }
    ours = {**fitter.ours(end.x), "without": fitter.without_support(end.x)}
    return Fit(
        fitter.free, values, ours, float(end.cost), fitter.evaluations
    ), np.asarray(end.x)


def profile(
    fitter: Fitter,
    best: Vector,
    slopes: Sequence[float],
    on_progress: Callable[[str], None] = lambda _: None,
) -> list[dict[str, float]]:
    """Return, for some slopes, the premium that meets T07 and what T05 and T08 then are.

    Parameters
    ----------
    fitter : Fitter
        With the slope first and the premium of the United States second.
    best : array
        Where the fit ended.
    slopes : sequence of float
        Slopes, in the unit of the data.
    """
    goal = next(row.value for row in fitter.targets if row.target == "T07")
    low, high = fitter.free[1].bounds
    rows = []
    for slope in slopes:
        x = best.copy()
        x[0] = math.log(slope / fitter.free[0].prior)
        tried: list[tuple[float, float]] = []
        for _ in range(3):
            tried.append((x[1], fitter.share(x)))
            if abs(tried[-1][1] - goal) < 0.002:
                break
            if len(tried) == 1:
                step = math.log(tried[0][1] / goal) / 4.0
            else:
                (a, fa), (b, fb) = tried[-2:]
                step = (goal - fb) * (b - a) / (fb - fa) if fb != fa else 0.0
            x[1] = min(max(x[1] + step, low), high)
        ours = fitter.ours(x)
        rows.append(
            {
                "slope": slope,
                "premium": fitter.free[1].prior * math.exp(x[1]),
                **ours,
                "without": fitter.without_support(x),
            }
        )
        on_progress(str(rows[-1]))
    return rows
