"""A second opinion on a solution: other methods, and the range of headline numbers that are not unique.

An optimum may hold many solutions of equal cost. The range of a quantity over all of
them is found on the optimal face: with the duals of the first solve, columns of
positive reduced cost stay at zero and rows of positive dual stay tight; then the
quantity is made as small and as large as it goes. What does not move is unique, and
every method must find it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import highspy
import numpy as np
import pandas as pd

from chipmodel.common.errors import CertificateError
from chipmodel.common.text import columns
from chipmodel.results.solution import Solution
from chipmodel.solver.highs import Optimum, new_solver, run_highs
from chipmodel.solver.iis import rows_as_lp
from chipmodel.solver.ledger import Party
from chipmodel.solver.linear_program import LinearProgram, Vector

AGREE = 1e-7
"""Largest relative difference of an objective or of a unique quantity."""


BINDS = 1e-9
"""Relative size from which a reduced cost or a dual is one."""


PATIENCE = 60.0
"""Seconds given to the first-order method, which may not converge."""


METHODS: dict[str, dict[str, Any]] = {
    "ipm": {"solver": "ipm", "run_crossover": "on"},
    "pdlp": {"solver": "pdlp", "kkt_tolerance": 1e-8, "time_limit": PATIENCE},
}
"""An interior point method with crossover, and a first-order one, too coarse for its quantities to be held to."""


EXACT = ("ipm",)


@dataclass(frozen=True)
class Range:
    """A headline number: its value, and the least and largest value over all solutions of equal cost."""

    name: str
    unit: str
    value: float
    least: float
    largest: float

    @property
    def unique(self) -> bool:
        """Whether all solutions of equal cost agree on it."""
        return _near(self.least, self.largest)


@dataclass(frozen=True)
class Second:
    """What another method found.

    Attributes
    ----------
    converged : bool
        Whether it ended at an optimum in the time it had.
    difference : float
        Of its objective, relative; none if it did not converge.
    quantities : float
        Largest relative distance of a headline number of its solution from the range it
        may lie in.
    """

    method: str
    converged: bool
    said: str
    difference: float | None = None
    quantities: float | None = None


@dataclass(frozen=True)
class Verification:
    """What other methods say of a solution, and which headline numbers are unique."""

    objective: float
    methods: tuple[Second, ...]
    ranges: tuple[Range, ...]

    def lines(self) -> list[str]:
        """Return it as text."""
        lines = ["Verified by other methods"]
        for second in self.methods:
            if second.converged:
                lines.append(
                    f"  {second.method}: objective differs by {second.difference:.1e},"
                    f" headline numbers by {second.quantities:.1e} at most, relative"
                )
            else:
                lines.append(
                    f"  {second.method}: did not converge ({second.said}); not compared"
                )
        loose = [r for r in self.ranges if not r.unique]
        lines.append(
            f"  {len(self.ranges) - len(loose)} of {len(self.ranges)} headline numbers"
            " are unique"
        )
        rows = [
            [
                f"  {r.name}",
                f"{r.least:.6g} to {r.largest:.6g} {r.unit}",
                f"reported {r.value:.6g}",
            ]
            for r in loose
        ]
        return lines + columns(rows)

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "objective": self.objective,
            "methods": [asdict(second) for second in self.methods],
            "ranges": [{**asdict(r), "unique": r.unique} for r in self.ranges],
        }


def verify(solution: Solution) -> Verification:
    """Solve the programme of a solution again by other methods and compare.

    The objective must agree to `AGREE`, relative; so must every headline number that is
    unique, and one that is not must lie in its range. Of a first-order method, only the
    objective is held to that.

    Raises
    ------
    CertificateError
        If a method that converges finds something else.
    """
    program, optimum = solution.program, solution.optimum
    face = _Face(program, optimum)
    headline = _headline(solution)
    ranges = tuple(
        Range(name, unit, of(optimum.x), *face.range(of)) for name, unit, of in headline
    )
    methods = []
    for method, options in METHODS.items():
        x, said = _solve(program, options)
        if x is None:
            methods.append(Second(method, False, said))
            continue
        objective = float(program.cost @ x)
        off = max(
            (
                _outside(of(x), r)
                for (_, _, of), r in zip(headline, ranges, strict=True)
            ),
            default=0.0,
        )
        difference = abs(objective / optimum.objective - 1.0)
        if difference > AGREE or (method in EXACT and off > AGREE):
            raise CertificateError(
                f"{method} finds another solution: objective {objective:.9g} instead of"
                f" {optimum.objective:.9g}, headline numbers up to {off:.1e} out of"
                " their ranges"
            )
        methods.append(Second(method, True, said, difference, off))
    return Verification(optimum.objective, tuple(methods), ranges)


def ranges_table(verified: Mapping[str, Verification]) -> pd.DataFrame:
    """Return headline numbers with their ranges, of verified solutions by ``case--world``."""
    rows = [
        (
            r.name,
            r.unit,
            *name.split("--", 1),
            r.value,
            r.least,
            r.largest,
            "yes" if r.unique else "no",
        )
        for name, found in verified.items()
        for r in found.ranges
    ]
    return pd.DataFrame(
        rows,
        columns=[
            "metric",
            "unit",
            "case",
            "world",
            "value",
            "least",
            "largest",
            "unique",
        ],
    )


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= AGREE * max(1.0, abs(a), abs(b))


def _outside(value: float, found: Range) -> float:
    return max(found.least - value, value - found.largest, 0.0) / max(
        1.0, abs(found.value)
    )


def _solve(
    program: LinearProgram, options: dict[str, Any]
) -> tuple[Vector | None, str]:
    highs = highspy.Highs()
    for option, value in {"output_flag": False, "threads": 1, **options}.items():
        highs.setOptionValue(option, value)
    lp = rows_as_lp(program, np.arange(len(program.rhs)))
    lp.col_cost_ = program.cost
    highs.passModel(lp)
    highs.run()
    status = highs.getModelStatus()
    said = str(highs.modelStatusToString(status)).lower()
    return (
        np.array(highs.getSolution().col_value)
        if status == highspy.HighsModelStatus.kOptimal
        else None
    ), said


@dataclass(frozen=True)
class _Ratio:
    """A number of a solution: ``(top x + top0) / (bottom x + bottom0)``; without bottom, its numerator."""

    top: Vector
    top0: float = 0.0
    bottom: Vector | None = None
    bottom0: float = 1.0

    def __call__(self, x: Vector) -> float:
        below = (
            self.bottom0
            if self.bottom is None
            else float(self.bottom @ x) + self.bottom0
        )
        return (float(self.top @ x) + self.top0) / below if below else 0.0

    def above(self, level: float) -> Vector:
        """Return the direction in which the number rises above a level."""
        return self.top if self.bottom is None else self.top - level * self.bottom


def _headline(solution: Solution) -> list[tuple[str, str, _Ratio]]:
    """Return shares of capacity in the last year reported and the cash that treasuries pay, by name of metric."""
    n, program, last = (
        solution.parameters,
        solution.program,
        solution.world.report_until,
    )
    fleet: dict[tuple[str, str], float] = defaultdict(float)
    added: dict[tuple[str, str], Vector] = defaultdict(
        lambda: np.zeros(len(program.column_labels))
    )
    for site in n.sites.sites.values():
        if site.kind == "fleet":
            fleet[site.region, site.segment] += site.size or 0.0
    for k, (name, index) in enumerate(program.column_labels):
        if name == "build":
            site = n.sites.sites[index[0]]
            added[site.region, site.segment][k] = site.in_service(index[1], last)
    found = []
    for label, segments in {
        "all": n.segments,
        n.data.leading_segment: (n.data.leading_segment,),
    }.items():
        world = sum(
            (added[r, s] for r in n.regions for s in segments),
            np.zeros(len(program.column_labels)),
        )
        for r in n.regions:
            own = sum(
                (added[r, s] for s in segments), np.zeros(len(program.column_labels))
            )
            ratio = _Ratio(
                own,
                sum(fleet[r, s] for s in segments),
                world,
                sum(fleet[q, s] for q in n.regions for s in segments),
            )
            found.append((f"share.capacity.{r}.{label}.{last}", "share", ratio))
    return found + [
        (f"outlay.{r}", "MUSD", _Ratio(cash)) for r, cash in _outlays(solution).items()
    ]


def _outlays(solution: Solution) -> dict[str, Vector]:
    """Return the cash each treasury pays in the years reported as a row over the columns."""
    program = solution.program
    found: dict[str, Vector] = {}
    for line, row in zip(program.labels.lines, program.lines, strict=True):
        payer = Party.of(line.payer)
        cash = payer.is_treasury and line.is_cash
        if cash and line.year <= solution.world.report_until:
            region = payer.name
            found[region] = found.get(region, 0.0) + row.toarray().ravel()
    return found


class _Face:
    """The solutions of equal cost, by complementary slackness with the duals of one of them."""

    def __init__(self, program: LinearProgram, optimum: Optimum) -> None:
        weight = 1.0 + np.abs(program.cost) + abs(program.matrix).T @ np.abs(optimum.y)
        reduced = program.cost - program.matrix.T @ optimum.y
        lp = rows_as_lp(program, np.arange(len(program.rhs)))
        lp.col_upper_ = np.where(reduced > BINDS * weight, 0.0, highspy.kHighsInf)
        tight = program.is_equation | (optimum.y > BINDS * (1.0 + np.abs(optimum.y)))
        lp.row_upper_ = np.where(tight, program.rhs, highspy.kHighsInf)
        self.start = optimum.x
        self.highs = new_solver()
        self.highs.passModel(lp)

    def range(self, of: _Ratio) -> tuple[float, float]:
        """Return the least and the largest value of a number on the face."""
        return self._end(of, -1.0), self._end(of, 1.0)

    def _end(self, of: _Ratio, sign: float) -> float:
        r"""Return one end, by Dinkelbach's method: raise a ratio's level until nothing lies above it."""
        level, x = of(self.start), self.start
        while True:
            rising = of.above(level)
            found = self._best(sign * rising)
            gain = sign * float(rising @ (found - x))
            if (
                gain <= AGREE * max(1.0, abs(float(rising @ x))) * 1e-2
                or of.bottom is None
            ):
                return of(found) if gain > 0 else level
            level, x = of(found), found

    def _best(self, direction: Vector) -> Vector:
        every = np.arange(len(direction), dtype=np.int32)
        self.highs.changeColsCost(len(every), every, -direction)
        run_highs(self.highs)
        return np.array(self.highs.getSolution().col_value)
