r"""Find which builds, flows and prices of a solution are not unique.

An optimum may have many solutions of equal cost, and another version of the solver may
return another one. All numbers of a table are tested together: the sum of them with
random weights,

.. math:: \max_{x \in F} \sum_i w_i q_i(x) - \min_{x \in F} \sum_i w_i q_i(x)

over the solutions F of equal cost, is zero if and only if each of them is unique (but
for weights that no draw gives). Where it is not, the two ends show numbers that move;
they are taken out and the rest is tested again, until nothing moves. For prices, F are
the optimal duals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chipmodel.analysis.face import BINDS, Face
from chipmodel.common.errors import NoOptimum
from chipmodel.common.text import columns
from chipmodel.common.units import per_wafer
from chipmodel.results.solution import Solution
from chipmodel.solver.highs import new_solver, run_highs
from chipmodel.solver.linear_program import Vector

MOVES = 1e-6
"""Change from which a number moves; relative above one, absolute below."""

POSITIVE = 1e-9
"""Value from which a column is not at zero."""

SEED = 1
"""Of the random weights; the same numbers are found in every run."""

WIDEST = 10
"""Flows and builds without a name that are listed as text."""

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Loose:
    """A number of a table that other solutions of equal cost have otherwise.

    Attributes
    ----------
    table : str
        ``builds``, ``trade`` or ``prices``.
    key : tuple
        Site and year of a build; flow, segment, places and year; stage, segment,
        region and year of a price.
    is_named : bool
        Whether it is a build of a named project.
    unit : str
    value : float
        As reported.
    low, high : float
        Smallest and largest value found; the range may be wider. A price that could
        double has no upper end.
    """

    table: str
    key: Key
    is_named: bool
    unit: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Uniqueness:
    """Which numbers of a solution are not unique.

    Attributes
    ----------
    totals : dict
        Numbers tested by table.
    loose : tuple of Loose
        Those that are not unique.
    untested : dict
        Tables that could not be tested, with the status of the solver.
    """

    totals: dict[str, int]
    loose: tuple[Loose, ...]
    untested: dict[str, str]

    def __hash__(self) -> int:
        # Dictionaries have no hash; equality compares them all the same.
        return hash(self.loose)

    def lines(self) -> list[str]:
        """Return it as text: named builds and prices whole, the widest of the rest."""
        lines = []
        for table, total in self.totals.items():
            if table in self.untested:
                lines.append(f"  {table}: not tested ({self.untested[table]})")
                continue
            loose = [number for number in self.loose if number.table == table]
            unique = f"{total - len(loose):,} of {total:,} are unique"
            lines.append(f"  {table}: {unique}{'; not unique:' if loose else ''}")
            lines += _listed(loose)
        return lines

    def plain(self) -> dict[str, object]:
        """Return it as plain data, with the keys of a manifest."""
        loose = []
        for number in self.loose:
            loose.append(
                {
                    "table": number.table,
                    "key": list(number.key),
                    "unit": number.unit,
                    "value": number.value,
                    "least": number.low,
                    # JSON has no infinity.
                    "largest": None if number.high == np.inf else number.high,
                }
            )
        return {"totals": self.totals, "loose": loose, "untested": self.untested}


def _listed(loose: Sequence[Loose]) -> list[str]:
    """Return numbers as lines: all that are named, and the widest of the others."""
    named = [number for number in loose if number.is_named or number.table == "prices"]
    others = [number for number in loose if number not in named]
    others.sort(key=lambda number: number.low - number.high)
    rows = []
    for number in [*named, *others[:WIDEST]]:
        name = " ".join(str(part) for part in number.key if part != "")
        ends = f"{number.low:.6g} to {number.high:.6g} {number.unit}"
        if number.high == np.inf:
            ends = f"{number.low:.6g} {number.unit} or more"
        rows.append([f"    {name}", ends, f"reported {number.value:.6g}"])
    lines = columns(rows)
    if len(others) > WIDEST:
        lines.append(f"    and {len(others) - WIDEST:,} more, less wide")
    return lines


@dataclass(frozen=True)
class _Numbers:
    """Numbers that are tested together.

    Attributes
    ----------
    labels : list of (str, Key, bool)
        Table, key, and whether it is a build of a named project.
    units : list of str
    forms : sparse matrix
        A linear form of the solution for each; the number moves if its form does.
    tolerance : array
        Change from which a form moves.
    read : callable
        From a solution to the numbers as they are reported.
    """

    labels: list[tuple[str, Key, bool]]
    units: list[str]
    forms: Any
    tolerance: Vector
    read: Callable[[Vector], Vector]


def uniqueness(solution: Solution, face: Face) -> Uniqueness:
    """Find the builds, flows and prices of a solution that are not unique.

    Parameters
    ----------
    solution : Solution
    face : Face
        Its solutions of equal cost.
    """
    totals: dict[str, int] = defaultdict(int)
    loose: list[Loose] = []
    untested: dict[str, str] = {}
    prices, dual_face = _prices(solution)
    quantities = (_quantities(solution), face.best, solution.optimum.x)
    duals = (prices, dual_face.best, dual_face.start)
    for numbers, best, start in (quantities, duals):
        for table, _, _ in numbers.labels:
            totals[table] += 1
        try:
            for number in _moving(numbers, best, start):
                doubled = number.high >= (2.0 - MOVES) * number.value > 0
                endless = number.table == "prices" and doubled
                loose.append(replace(number, high=np.inf) if endless else number)
        except NoOptimum as error:
            for table in {label[0] for label in numbers.labels}:
                untested[table] = error.status
    return Uniqueness(dict(totals), tuple(loose), untested)


def _moving(
    numbers: _Numbers, best: Callable[[Vector], Vector], start: Vector
) -> list[Loose]:
    """Return the numbers that move, with their ranges."""
    random = np.random.default_rng(SEED)
    at_start = numbers.forms @ start
    reported = numbers.read(start)
    low = reported.copy()
    high = reported.copy()
    moves = np.zeros(len(reported), dtype=bool)
    found_more = len(reported) > 0
    while found_more:
        # Scaled, so that a price of thousands does not hide a flow of tenths.
        drawn = random.uniform(1.0, 2.0, len(reported)) / numbers.tolerance
        weights = np.where(moves, 0.0, drawn * numbers.tolerance.min())
        direction = numbers.forms.T @ weights
        before = moves.copy()
        for sign in (1.0, -1.0):
            x = best(sign * direction)
            values = numbers.read(x)
            low = np.fmin(low, values)
            high = np.fmax(high, values)
            moves |= np.abs(numbers.forms @ x - at_start) > numbers.tolerance
        found_more = bool((moves & ~before).any())
    loose = []
    for place in np.flatnonzero(moves):
        table, key, is_named = numbers.labels[place]
        ends = (float(low[place]), float(high[place]))
        value = float(reported[place])
        loose.append(Loose(table, key, is_named, numbers.units[place], value, *ends))
    return loose


def _quantities(solution: Solution) -> _Numbers:
    """Return the builds and flows of a solution, and what makers pay for them.

    The price of a maker is a mean over what it buys: it moves with the flows where
    those of one place and another cost it different amounts.
    """
    last = solution.world.report_until
    labels_of = solution.program.labels
    sites = solution.parameters.sites.sites
    plants = solution.parameters.packaging.plants
    sums: dict[tuple[str, Key, bool], list[int]] = defaultdict(list)
    for variable, of in (("build", sites), ("assemble_build", plants)):
        for (site, year), place in _columns(solution, variable):
            if year <= last:
                named = of[site].kind == "project"
                sums["builds", (site, year), named].append(place)
    for (s, r, a, m, t), place in _columns(solution, "ship"):
        if t <= last:
            sums["trade", ("chips", s, r, a, m, t), False].append(place)
    for (s, _, m, e, t), place in _columns(solution, "device"):
        if t <= last:
            sums["trade", ("devices", s, m, e, t), False].append(place)
    for (e, s, t), place in _columns(solution, "consumed"):
        if t <= last:
            sums["trade", ("use", s, e, t), False].append(place)
    flows = _matrix(list(sums.values()), len(labels_of.column_labels))
    at_start = flows @ solution.optimum.x

    keys, paid, bought = _purchases(solution)
    mean = (paid @ solution.optimum.x) / (bought @ solution.optimum.x)
    above_mean = paid - sparse.diags(mean) @ bought

    def read(x: Vector) -> Vector:
        flow = bought @ x
        buys = flow > POSITIVE
        price = np.where(buys, (paid @ x) / np.where(buys, flow, 1.0), np.nan)
        return np.concatenate([flows @ x, price])

    flow = bought @ solution.optimum.x
    tolerance = MOVES * np.concatenate(
        [np.maximum(1.0, np.abs(at_start)), np.abs(mean) * np.maximum(1.0, flow)]
    )
    return _Numbers(
        labels=[*sums, *(("prices", key, False) for key in keys)],
        units=["kwpm"] * len(sums) + ["USD/wafer"] * len(keys),
        forms=sparse.vstack([flows, above_mean], format="csr"),
        tolerance=tolerance,
        read=read,
    )


def _purchases(solution: Solution) -> tuple[list[Key], Any, Any]:
    """Return what makers buy: keys, payment by column in USD, and quantity."""
    last = solution.world.report_until
    price = solution.duals("device_balance")
    paid: dict[Key, dict[int, float]] = defaultdict(dict)
    for (s, c, m, t), place in _columns(solution, "rest"):
        if t <= last:
            paid["maker", s, m, t][place] = per_wafer(price[s, c, m, t])
    for (s, c, m, _, t), place in _columns(solution, "device"):
        if t <= last and (s, c, m, t) in price:
            paid["maker", s, m, t][place] = per_wafer(price[s, c, m, t])
    size = len(solution.program.labels.column_labels)
    keys = []
    for key, payments in paid.items():
        if solution.optimum.x[list(payments)].sum() > POSITIVE:
            keys.append(key)
    places = [list(paid[key]) for key in keys]
    amounts = [list(paid[key].values()) for key in keys]
    return keys, _matrix(places, size, amounts), _matrix(places, size)


def _columns(solution: Solution, variable: str) -> list[tuple[Any, int]]:
    """Return the columns of a variable: index and place."""
    keys, places = solution.program.labels.columns(variable)
    return list(zip(keys, np.asarray(places).tolist(), strict=True))


def _matrix(
    places: Sequence[Sequence[int]],
    size: int,
    amounts: Sequence[Sequence[float]] | None = None,
) -> Any:
    """Return a matrix with a row a list of places; ones without amounts."""
    counts = [len(row) for row in places]
    rows = np.repeat(np.arange(len(places)), counts)
    flat = np.array([place for row in places for place in row], dtype=int)
    values = np.ones(len(flat))
    if amounts is not None:
        values = np.array([amount for row in amounts for amount in row], dtype=float)
    return sparse.csr_matrix((values, (rows, flat)), (len(places), size))


class DualFace:
    """The optimal duals, by complementary slackness with one solution.

    Parameters
    ----------
    solution : Solution
    boxed : array of int
        Rows whose duals may change by their own size at most: where nothing is made,
        a price may have no upper end.
    """

    def __init__(self, solution: Solution, boxed: NDArray[np.int64]) -> None:
        program, optimum = solution.program, solution.optimum
        size = 1.0 + np.abs(program.rhs) + abs(program.matrix) @ np.abs(optimum.x)
        slack = program.matrix @ optimum.x - program.rhs
        has_dual = optimum.y > BINDS * (1.0 + np.abs(optimum.y))
        tight = program.is_equation | has_dual | (slack <= BINDS * size)
        self.rows = np.flatnonzero(tight)
        self.start = optimum.y[self.rows]
        weight = 1.0 + np.abs(program.cost)
        weight += abs(program.matrix).T @ np.abs(optimum.y)
        reduced = program.cost - program.matrix.T @ optimum.y
        is_basic = (optimum.x > POSITIVE) & (np.abs(reduced) <= 1e-7 * weight)

        matrix = program.matrix.tocsr()[self.rows].T.tocsc()
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = matrix.shape
        lp.col_cost_ = np.zeros(len(self.rows))
        lower = np.where(program.is_equation[self.rows], -highspy.kHighsInf, 0.0)
        upper = np.full(len(self.rows), highspy.kHighsInf)
        in_box = np.isin(self.rows, boxed)
        width = np.maximum(1.0, np.abs(self.start))
        lower[in_box] = np.maximum(lower, self.start - width)[in_box]
        upper[in_box] = (self.start + width)[in_box]
        lp.col_lower_, lp.col_upper_ = lower, upper
        lp.row_lower_ = np.where(is_basic, program.cost, -highspy.kHighsInf)
        lp.row_upper_ = program.cost
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = matrix.indptr
        lp.a_matrix_.index_ = matrix.indices
        lp.a_matrix_.value_ = matrix.data
        self._highs = new_solver()
        self._highs.passModel(lp)

    def best(self, direction: Vector) -> Vector:
        """Return the duals that are largest in a direction."""
        places = np.arange(len(direction), dtype=np.int32)
        self._highs.changeColsCost(len(places), places, -direction)
        run_highs(self._highs)
        return np.array(self._highs.getSolution().col_value)


def _prices(solution: Solution) -> tuple[_Numbers, DualFace]:
    """Return the prices that are duals, and the optimal duals."""
    last = solution.world.report_until
    discount = solution.parameters.discount
    labels: list[tuple[str, Key, bool]] = []
    rows = []
    scales = []
    for stage, group in (("fab", "fab_gate"), ("user", "demand_balance")):
        keys, places = solution.program.labels.rows(group)
        for key, place in zip(keys, np.asarray(places).tolist(), strict=True):
            if key[-1] <= last:
                place_first = key[:2] if stage == "fab" else (key[1], key[0])
                labels.append(("prices", (stage, *place_first, key[-1]), False))
                rows.append(place)
                scales.append(per_wafer(1.0) / discount[key[-1]])
    face = DualFace(solution, np.array(rows, dtype=int))
    columns_of = {row: column for column, row in enumerate(face.rows.tolist())}
    # A row that is not tight has a dual of zero in every solution.
    tight = [k for k, row in enumerate(rows) if row in columns_of]
    columns_tight = [[columns_of[rows[k]]] for k in tight]
    amounts = [[scales[k]] for k in tight]
    forms = _matrix(columns_tight, len(face.rows), amounts)
    numbers = _Numbers(
        labels=[labels[k] for k in tight],
        units=["USD/wafer"] * len(tight),
        forms=forms,
        tolerance=MOVES * np.maximum(1.0, np.abs(forms @ face.start)),
        read=lambda y: np.asarray(forms @ y),
    )
    return numbers, face
