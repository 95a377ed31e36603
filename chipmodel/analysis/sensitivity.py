"""Sensitivity of results to the data: tornado tables, and intervals over all ranges.

A number here is a factor on the facts of a table and item that share a name. Its range
is the one the facts themselves have. Varied one at a time, the numbers give a tornado;
drawn together, an interval.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chipmodel.cases.case import Case
from chipmodel.cases.check import check_case, overpaid_builds
from chipmodel.cases.levers import Point, world_at
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import CHANGE
from chipmodel.dataset.fields import Fact
from chipmodel.dataset.rows import UNREAD
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World
from chipmodel.results.metrics import parse

NARROWEST = 1.001
"""A range narrower than this factor is no range."""


AWARD = "project_facts[item=award,site={}]"
"""Name of the factor on the award to a project."""


CUT = 0.85
"""Factor by which an award that exceeds the cost of its fab is lowered each time."""


TRIES = 24
"""Number of times an award is lowered at most."""


NAMED_BY = {"demand": "year_from", "yields": "firm", "place_residual": "region"}
"""Column by which the facts of a table without items share a name.

One factor on the yields of all firms would change no ratio between them.
"""


ENDS = ("low", "high")


TORNADO_COLUMNS = [
    "metric",
    "case",
    "number",
    "factor_low",
    "factor_high",
    "centre",
    "at_low",
    "at_high",
    "swing",
]


INTERVAL_COLUMNS = ["metric", "unit", "case", "world", "centre", "low", "high", "draws"]
"""Columns of intervals; those of their digests are added where they are stored."""


@dataclass(frozen=True)
class Range:
    """A number of the data with its range, as a factor on the facts that share a name.

    Attributes
    ----------
    number : str
        Name in a point of a study: ``costs[item=capex]``.
    low, high : float
        Geometric means of low and high over the value, within what every fact of the
        name can be.
    facts : int
        How many facts it moves.
    assumed : int
        How many of them are assumptions (grade E).
    """

    number: str
    low: float
    high: float
    facts: int
    assumed: int


def ranges(data: Dataset) -> list[Range]:
    """Return every number of the data that has a range, by table and item."""
    facts_of: dict[str, list[Fact]] = defaultdict(list)
    ranged: dict[str, list[Fact]] = defaultdict(list)
    for table, fact in data.facts():
        name = _name(table, fact)
        facts_of[name].append(fact)
        # A factor on what the linear program does not read would change nothing.
        read = table not in UNREAD and table != "incentives"
        if read and _has_range(fact):
            ranged[name].append(fact)
    numbers = []
    for name, facts in sorted(ranged.items()):
        low, high = _mean_factors(facts)
        # The factor moves all facts of the name, also those without a range.
        for fact in facts_of[name]:
            smallest, largest = _possible_factors(fact)
            low = max(low, smallest)
            high = min(high, largest)
        if high / low > NARROWEST:
            assumed = sum(fact.grade == "E" for fact in facts)
            numbers.append(Range(name, low, high, len(facts), assumed))
    return numbers


def _has_range(fact: Fact) -> bool:
    """Whether a fact has a range that a factor on its value can reach."""
    if fact.low is None or fact.high is None or fact.value == 0:
        return False
    # A factor changes no sign.
    return fact.low * fact.value > 0 and fact.high * fact.value > 0


def _mean_factors(facts: Sequence[Fact]) -> tuple[float, float]:
    """Return the geometric means of low and high over the value."""
    logs_low = []
    logs_high = []
    for fact in facts:
        assert fact.low is not None
        assert fact.high is not None
        # Of a negative value, low over value is the larger of the two.
        low, high = sorted((fact.low / fact.value, fact.high / fact.value))
        logs_low.append(math.log(low))
        logs_high.append(math.log(high))
    count = len(facts)
    return math.exp(sum(logs_low) / count), math.exp(sum(logs_high) / count)


def _possible_factors(fact: Fact) -> tuple[float, float]:
    """Return the factors between which a fact is possible: a share stays a share."""
    if fact.value <= 0:
        return 0.0, math.inf
    smallest, largest = fact.limits(fact.item_name)
    low = (smallest or 0.0) / fact.value
    return low, math.inf if largest is None else largest / fact.value


def _name(table: str, fact: Fact) -> str:
    for column in ("item", "parameter"):
        if column in type(fact).model_fields:
            return f"{table}[{column}={getattr(fact, column)}]"
    if table in NAMED_BY:
        column = NAMED_BY[table]
        return f"{table}[{column}={getattr(fact, column)}]"
    return f"{table}[]"


def one_at_a_time(numbers: Sequence[Range]) -> list[Point]:
    """Return the points of a tornado.

    The first is the data themselves; then each number is at its low and at its high.
    """
    centre = dict.fromkeys((number.number for number in numbers), 1.0)
    points = [centre]
    for number in numbers:
        for end in (number.low, number.high):
            if end != 1.0:
                points.append({**centre, number.number: end})
    return points


def tornado(table: pd.DataFrame, numbers: Sequence[Range]) -> pd.DataFrame:
    """Return the swing of every metric and case with each number, widest first.

    Parameters
    ----------
    table : DataFrame
        Of a study over the points of `one_at_a_time`.
    numbers : sequence of Range

    Returns
    -------
    DataFrame
        Columns ``metric, case, number, factor_low, factor_high, centre, at_low,
        at_high, swing``.
    """
    names = [number.number for number in numbers]
    bare = table.assign(case=table["case"].str.partition("[")[0])
    rows = []
    for (metric, case), part in bare.groupby(["metric", "case"], sort=False):
        unchanged = (part[names] - 1.0).abs().to_numpy() < 1e-12
        centre = float(part["value"].to_numpy()[unchanged.all(axis=1)][0])
        for k, number in enumerate(numbers):
            alone = part[~unchanged[:, k]]
            values = {}
            for name in ENDS:
                end = getattr(number, name)
                # An end at the value itself has no point of its own.
                values[name] = centre
                if end != 1.0:
                    here = np.isclose(alone[number.number].to_numpy(), end)
                    values[name] = float(alone["value"].to_numpy()[here][0])
            rows.append(
                (
                    metric,
                    case,
                    number.number,
                    number.low,
                    number.high,
                    centre,
                    values["low"],
                    values["high"],
                    abs(values["high"] - values["low"]),
                )
            )
    wide = pd.DataFrame(rows, columns=TORNADO_COLUMNS)
    return wide.sort_values(
        ["metric", "case", "swing"],
        ascending=[True, True, False],
        kind="stable",
        ignore_index=True,
    )


def most_influential(table: pd.DataFrame, count: int = 20) -> list[str]:
    """Return the numbers that change results most, by a tornado.

    For every metric and case swings are taken relative to the widest, so that shares
    and money count alike; numbers are ranked by the mean of these.
    """
    widest = table.groupby(["metric", "case"])["swing"].transform("max")
    positive = widest.where(widest > 0, 1.0)
    relative = np.where(widest > 0, table["swing"] / positive, 0.0)
    means = table.assign(relative=relative).groupby("number")["relative"].mean()
    ranked = means.sort_values(ascending=False, kind="stable")
    return [str(name) for name in ranked.index[:count]]


def spread(numbers: Sequence[Range], unit: NDArray[np.float64]) -> list[Point]:
    """Return points from places in the unit cube.

    Each number is spread evenly in its logarithm over its range.
    """
    names = [number.number for number in numbers]
    low = np.log([number.low for number in numbers])
    high = np.log([number.high for number in numbers])
    factors = np.exp(low + unit * (high - low))
    return [dict(zip(names, row, strict=True)) for row in factors.tolist()]


def affordable(
    points: Sequence[Point], cases: Sequence[Case], data: Dataset, world: World
) -> list[Point]:
    """Return the points with awards lowered where they would pay more than a fab costs.

    An award is a sum of money. Where capital is drawn cheap it can exceed the cost of
    the fab it was promised to, which no government would pay and for which a case is
    refused; there the award to that project is lowered until it does not. Every point
    then names every award lowered at any of them.

    Raises
    ------
    InputError
        If a case is refused at a point for anything else.
    """
    cuts = [_cuts_at(point, cases, data, world) for point in points]
    uncut: Point = {}
    for cut in cuts:
        uncut.update(dict.fromkeys(cut, 1.0))
    return [{**point, **uncut, **cut} for point, cut in zip(points, cuts, strict=True)]


def _cuts_at(point: Point, cases: Sequence[Case], data: Dataset, world: World) -> Point:
    """Return the factors on awards at a point that make its cases affordable."""
    cuts: Point = {}
    # Several instruments may pay for one fab, and cost depends on the point, so the cut
    # that is needed is found by trying.
    for _ in range(TRIES):
        changed = world_at(world, {**point, **cuts}, "sensitivity")
        parameters = build_parameters(data, changed)
        sites = _overpaid(cases, parameters)
        if not sites:
            break
        for site in sites:
            name = AWARD.format(site)
            cuts[name] = CUT * cuts.get(name, 1.0)
    # Whatever awards could not cure is reported as for any case.
    for case in cases:
        check_case(case, parameters)
    return cuts


def _overpaid(cases: Sequence[Case], parameters: Parameters) -> list[str]:
    """Return the announced projects that cases pay more for than they cost."""
    sites = set()
    for case in cases:
        overpaid = overpaid_builds(list(case.policies), parameters)
        for site, _ in overpaid.values():
            if parameters.sites.sites[site].kind == "project":
                sites.add(site)
    return sorted(sites)


def intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return the interval of every metric, and of its change, over draws of the data.

    Parameters
    ----------
    table : DataFrame
        Of a study whose first point is the data themselves.

    Returns
    -------
    DataFrame
        Columns ``metric, unit, case, world, centre, low, high, draws``.
    """
    bare = table.assign(
        case=table["case"].str.partition("[")[0],
        world=table["world"].str.partition("[")[0],
    )
    keys = ["metric", "unit", "case", "world"]
    rows = []
    for (metric, unit, case, world), part in bare.groupby(keys, sort=False):
        measures = {metric: part["value"]}
        is_difference = parse(str(metric)).family.against
        if not is_difference and part["difference"].abs().max() > 0:
            measures[f"{CHANGE}{metric}"] = part["difference"]
        for name, values in measures.items():
            centre = float(values.iloc[0])
            low, high = values.min(), values.max()
            rows.append((name, unit, case, world, centre, low, high, len(values) - 1))
    return pd.DataFrame(rows, columns=INTERVAL_COLUMNS)
