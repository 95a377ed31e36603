"""Verify a solution by other methods, and find the ranges of non-unique numbers.

An optimum may have many solutions of equal cost. The range of a quantity over all of
them is found on the optimal face: with the duals of the first solve, columns of
positive reduced cost stay at zero and rows of positive dual stay tight; then the
quantity is minimised and maximised. What does not change is unique, and every method
must find it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import highspy
import numpy as np
import pandas as pd

from chipmodel.analysis.face import Face
from chipmodel.analysis.uniqueness import Uniqueness, uniqueness
from chipmodel.common.errors import CertificateError
from chipmodel.common.text import columns
from chipmodel.model.parameters.parameters import COLUMNS_OF_CAPACITY
from chipmodel.results.solution import Solution
from chipmodel.solver.iis import rows_as_lp
from chipmodel.solver.linear_program import LinearProgram, Vector

AGREE = 1e-7
"""Largest relative difference of an objective or of a unique quantity."""

PATIENCE = 60.0
"""Seconds given to the first-order method, which may not converge."""

Options = dict[str, str | int | float | bool]
"""Options of HiGHS by name."""

METHODS: dict[str, Options] = {
    "ipm": {"solver": "ipm", "run_crossover": "on"},
    "pdlp": {"solver": "pdlp", "kkt_tolerance": 1e-8, "time_limit": PATIENCE},
}
"""Options of HiGHS: interior point with crossover, and a first-order method."""

EXACT = ("ipm",)
"""Methods precise enough for headline numbers; the others give the objective."""

RANGE_COLUMNS = [
    "metric",
    "unit",
    "case",
    "world",
    "value",
    "least",
    "largest",
    "unique",
]


@dataclass(frozen=True)
class Range:
    """A headline number and its range over all solutions of equal cost.

    Attributes
    ----------
    name, unit : str
    value : float
        As reported.
    low, high : float
        Ends of the range.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float

    @property
    def unique(self) -> bool:
        """Whether all solutions of equal cost agree on it."""
        return _near(self.low, self.high)


@dataclass(frozen=True)
class Second:
    """The result of another method.

    Attributes
    ----------
    method : str
    converged : bool
        Whether it ended at an optimum within its time limit.
    status : str
        Of the solver.
    difference : float, optional
        Of its objective, relative; none if it did not converge.
    quantities : float, optional
        Largest relative distance of a headline number of its solution from the range of
        that number.
    """

    method: str
    converged: bool
    status: str
    difference: float | None = None
    quantities: float | None = None


@dataclass(frozen=True)
class Verification:
    """Results of other methods for a solution, and what of it is not unique.

    Attributes
    ----------
    objective : float
    methods : tuple of Second
    ranges : tuple of Range
        Of headline numbers.
    uniqueness : Uniqueness
        Of builds, flows and prices.
    """

    objective: float
    methods: tuple[Second, ...]
    ranges: tuple[Range, ...]
    uniqueness: Uniqueness

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
                    f"  {second.method}: did not converge ({second.status}); not"
                    " compared"
                )
        loose = [number for number in self.ranges if not number.unique]
        total = len(self.ranges)
        lines.append(f"  {total - len(loose)} of {total} headline numbers are unique")
        rows = []
        for number in loose:
            ends = f"{number.low:.6g} to {number.high:.6g} {number.unit}"
            rows.append([f"  {number.name}", ends, f"reported {number.value:.6g}"])
        return [*lines, *columns(rows), *self.uniqueness.lines()]

    def plain(self) -> dict[str, object]:
        """Return it as plain data, with the keys of a manifest."""
        methods = []
        for second in self.methods:
            methods.append(
                {
                    "method": second.method,
                    "converged": second.converged,
                    "said": second.status,
                    "difference": second.difference,
                    "quantities": second.quantities,
                }
            )
        ranges = []
        for number in self.ranges:
            ranges.append(
                {
                    "name": number.name,
                    "unit": number.unit,
                    "value": number.value,
                    "least": number.low,
                    "largest": number.high,
                    "unique": number.unique,
                }
            )
        return {
            "objective": self.objective,
            "methods": methods,
            "ranges": ranges,
            "uniqueness": self.uniqueness.plain(),
        }


def verify(solution: Solution) -> Verification:
    """Solve the linear program of a solution again by other methods and compare.

    The objective must agree to `AGREE`, relative; so must every headline number that is
    unique, and one that is not must lie in its range. Of a first-order method, only the
    objective is compared.

    Raises
    ------
    CertificateError
        If a method that converges finds something else.
    """
    program, optimum = solution.program, solution.optimum
    face = _Face(program, optimum)
    headline = _headline(solution)
    ranges = []
    for number in headline:
        low, high = face.range(number.ratio)
        value = number.ratio(optimum.x)
        ranges.append(Range(number.name, number.unit, value, low, high))
    methods = []
    for method, options in METHODS.items():
        x, status = _solve(program, options)
        if x is None:
            methods.append(Second(method, False, status))
            continue
        objective = float(program.cost @ x)
        distance = 0.0
        for number, known in zip(headline, ranges, strict=True):
            distance = max(distance, _distance(number.ratio(x), known))
        difference = abs(objective / optimum.objective - 1.0)
        if difference > AGREE or (method in EXACT and distance > AGREE):
            raise CertificateError(
                f"{method} finds another solution: objective {objective:.9g} instead of"
                f" {optimum.objective:.9g}, headline numbers up to {distance:.1e} out"
                " of their ranges"
            )
        methods.append(Second(method, True, status, difference, distance))
    return Verification(
        optimum.objective,
        tuple(methods),
        tuple(ranges),
        uniqueness(solution, face),
    )


def ranges_table(verified: Mapping[str, Verification]) -> pd.DataFrame:
    """Return headline numbers with their ranges, of solutions by ``case--world``."""
    rows = []
    for name, verification in verified.items():
        case, world = name.split("--", 1)
        for number in verification.ranges:
            rows.append(
                {
                    "metric": number.name,
                    "unit": number.unit,
                    "case": case,
                    "world": world,
                    "value": number.value,
                    "least": number.low,
                    "largest": number.high,
                    "unique": "yes" if number.unique else "no",
                }
            )
    return pd.DataFrame(rows, columns=RANGE_COLUMNS)


def _near(low: float, high: float) -> bool:
    # Relative above one, absolute below: a share of zero has no relative error.
    return abs(low - high) <= AGREE * max(1.0, abs(low), abs(high))


def _distance(value: float, known: Range) -> float:
    """Return how far a value lies outside a range, relative to the value reported."""
    outside = max(known.low - value, value - known.high, 0.0)
    return outside / max(1.0, abs(known.value))


def _solve(program: LinearProgram, options: Options) -> tuple[Vector | None, str]:
    """Solve a linear program with some options; return the solution and the status."""
    # Neither the options of `new_solver` nor rows folded into bounds: an error there
    # would otherwise be repeated here.
    highs = highspy.Highs()
    settings: Options = {"output_flag": False, "threads": 1, **options}
    for option, value in settings.items():
        highs.setOptionValue(option, value)
    lp = rows_as_lp(program, np.arange(len(program.rhs)))
    lp.col_cost_ = program.cost
    highs.passModel(lp)
    highs.run()
    status = highs.getModelStatus()
    text = str(highs.modelStatusToString(status)).lower()
    if status != highspy.HighsModelStatus.kOptimal:
        return None, text
    return np.array(highs.getSolution().col_value), text


@dataclass(frozen=True)
class _Ratio:
    """A number of a solution: ``(top x + top0) / (bottom x + bottom0)``.

    Without bottom it is its numerator.
    """

    top: Vector
    top0: float = 0.0
    bottom: Vector | None = None
    bottom0: float = 1.0

    def __call__(self, x: Vector) -> float:
        denominator = self.bottom0
        if self.bottom is not None:
            denominator = float(self.bottom @ x) + self.bottom0
        if not denominator:
            return 0.0
        return (float(self.top @ x) + self.top0) / denominator

    def above(self, level: float) -> Vector:
        """Return the direction in which the number rises above a level."""
        if self.bottom is None:
            return self.top
        return self.top - level * self.bottom


@dataclass(frozen=True)
class _Number:
    """A headline number: name of its metric, unit, and how it is computed."""

    name: str
    unit: str
    ratio: _Ratio


def _headline(solution: Solution) -> list[_Number]:
    """Return the headline numbers of a solution.

    They are shares of capacity in the last year reported and the cash that treasuries
    pay.
    """
    parameters = solution.parameters
    column_labels = solution.program.column_labels
    last = solution.world.report_until
    fleet: dict[tuple[str, str], float] = defaultdict(float)
    for site in parameters.sites.sites.values():
        if site.kind == "fleet":
            fleet[site.region, site.segment] += site.size or 0.0
    nothing = np.zeros(len(column_labels))
    added: dict[tuple[str, str], Vector] = defaultdict(nothing.copy)
    for k, (variable, index) in enumerate(column_labels):
        if variable in COLUMNS_OF_CAPACITY:
            site = parameters.sites.sites[index[0]]
            share = parameters.share_of_capacity(variable, index, last)
            added[site.region, site.segment][k] = share
    groups: dict[str, Sequence[str]] = {"all": parameters.segments}
    if len(parameters.segments) > 1:
        # With one segment, its shares are those of all capacity.
        leading = parameters.data.leading_segment
        groups[leading] = (leading,)
    numbers = []
    for label, segments in groups.items():
        places = list(product(parameters.regions, segments))
        world = sum((added[place] for place in places), nothing)
        world_fleet = sum(fleet[place] for place in places)
        for region in parameters.regions:
            here = sum((added[region, s] for s in segments), nothing)
            here_fleet = sum(fleet[region, s] for s in segments)
            ratio = _Ratio(here, here_fleet, world, world_fleet)
            name = f"share.capacity.{region}.{label}.{last}"
            numbers.append(_Number(name, "share", ratio))
    for region, cash in _outlays(solution).items():
        numbers.append(_Number(f"outlay.{region}", "MUSD", _Ratio(cash)))
    return numbers


def _outlays(solution: Solution) -> dict[str, Vector]:
    """Return the cash of each treasury in the years reported, by column of the LP."""
    program = solution.program
    outlays: dict[str, Vector] = {}
    for line, row in zip(program.labels.lines, program.lines, strict=True):
        treasury = line.payer.startswith("treasury:") and line.account.endswith("_cash")
        if treasury and line.year <= solution.world.report_until:
            region = line.payer.removeprefix("treasury:")
            # A treasury has a line for each policy, account and year.
            outlays[region] = outlays.get(region, 0.0) + row.toarray().ravel()
    return outlays


class _Face(Face):
    """The solutions of equal cost, with the ranges of numbers over them."""

    def range(self, number: _Ratio) -> tuple[float, float]:
        """Return the smallest and the largest value of a number on the face."""
        return self._end(number, -1.0), self._end(number, 1.0)

    def _end(self, number: _Ratio, sign: float) -> float:
        """Return one end, by Dinkelbach's method.

        The level of a ratio is raised until no solution lies above it.
        """
        x = self.start
        level = number(x)
        while True:
            rising = number.above(level)
            best = self.best(sign * rising)
            gain = sign * float(rising @ (best - x))
            # Far below the precision to which values are compared.
            negligible = AGREE * 1e-2 * max(1.0, abs(float(rising @ x)))
            if gain <= negligible or number.bottom is None:
                return number(best) if gain > 0 else level
            x = best
            level = number(x)
