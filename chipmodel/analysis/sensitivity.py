"""Which numbers carry the answer, and how sure the answer is: results over the ranges of the data.

A number here is a factor on the facts of a table and item that share a name. Its range
is the one the facts themselves have; drawn by itself it gives a tornado, drawn together
with others an interval.
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
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import UNREAD, World
from chipmodel.results.metrics import parse

WIDE = 1.001
"""A range narrower than this factor is no range."""


AWARD = "project_facts[item=award,site={}]"


LESS, TRIES = 0.85, 24
"""Factor by which an award that exceeds the cost of its fab is lowered, and how often at most."""


@dataclass(frozen=True)
class Range:
    """A number of the data with its own range, as a factor on the facts that share a name.

    Attributes
    ----------
    number : str
        Name in a point of a study: ``costs[item=capex]``.
    low, high : float
        Geometric means of low and high over the value, as far as every fact stays what
        it can be.
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
    """Return every number of the data that has a range, by table and item: what a tornado moves."""
    groups: dict[str, list[Fact]] = defaultdict(list)
    every: dict[str, list[Fact]] = defaultdict(list)
    for table, fact in data.facts():
        every[_name(table, fact)].append(fact)
        if (
            table in UNREAD
            or table in ("incentives",)
            or fact.low is None
            or fact.high is None
        ):
            continue
        if fact.value == 0 or fact.low * fact.value <= 0 or fact.high * fact.value <= 0:
            continue  # a factor cannot reach a range around or at zero
        groups[_name(table, fact)].append(fact)
    found = []
    for number, facts in sorted(groups.items()):
        ends = [
            sorted((f.low / f.value, f.high / f.value))
            for f in facts
            if f.low and f.high
        ]
        low, high = (
            math.exp(sum(math.log(end[k]) for end in ends) / len(ends)) for k in (0, 1)
        )
        least, most = zip(*(_room(fact) for fact in every[number]), strict=True)
        low, high = max(low, *least), min(high, *most)
        if high / low > WIDE:
            found.append(
                Range(number, low, high, len(facts), sum(f.grade == "E" for f in facts))
            )
    return found


def _room(fact: Fact) -> tuple[float, float]:
    """Return the least and the greatest factor at which a fact stays what it can be: a share stays a share."""
    if fact.value <= 0:
        return 0.0, math.inf
    least, most = fact.limits(fact.item_name)
    return (least or 0.0) / fact.value, math.inf if most is None else most / fact.value


def _name(table: str, fact: Fact) -> str:
    for column in ("item", "parameter"):
        if column in type(fact).model_fields:
            return f"{table}[{column}={getattr(fact, column)}]"
    if table == "demand":
        return f"demand[year_from={fact.year_from}]"  # type: ignore[attr-defined]
    return f"{table}[]"


def one_at_a_time(found: Sequence[Range]) -> list[dict[str, float]]:
    """Return the points of a tornado: the data as they stand, then each number at its low and at its high."""
    centre = {one.number: 1.0 for one in found}
    return [
        centre,
        *(
            {**centre, one.number: end}
            for one in found
            for end in (one.low, one.high)
            if end != 1.0
        ),
    ]


def tornado(table: pd.DataFrame, found: Sequence[Range]) -> pd.DataFrame:
    """Return the swing of every metric and case with each number, widest first.

    Parameters
    ----------
    table : DataFrame
        Of a study over the points of `one_at_a_time`.
    found : sequence of Range
    """
    names = [one.number for one in found]
    rows = []
    for (metric, case), part in table.assign(
        case=table["case"].str.partition("[")[0]
    ).groupby(["metric", "case"], sort=False):
        still = (part[names] - 1.0).abs().to_numpy() < 1e-12
        centre = float(part["value"].to_numpy()[still.all(axis=1)][0])
        for k, one in enumerate(found):
            alone = part[~still[:, k]]
            at, value = alone[one.number].to_numpy(), alone["value"].to_numpy()
            ends = {
                name: centre if end == 1.0 else float(value[np.isclose(at, end)][0])
                for name, end in (("low", one.low), ("high", one.high))
            }
            rows.append(
                (
                    metric,
                    case,
                    one.number,
                    one.low,
                    one.high,
                    centre,
                    ends["low"],
                    ends["high"],
                    abs(ends["high"] - ends["low"]),
                )
            )
    wide = pd.DataFrame(
        rows,
        columns=[
            "metric",
            "case",
            "number",
            "factor_low",
            "factor_high",
            "centre",
            "at_low",
            "at_high",
            "swing",
        ],
    )
    return wide.sort_values(
        ["metric", "case", "swing"],
        ascending=[True, True, False],
        kind="stable",
        ignore_index=True,
    )


def most_telling(table: pd.DataFrame, count: int = 20) -> list[str]:
    """Return the numbers that move results most, by a tornado.

    For every metric and case swings are taken relative to the widest, so that shares
    and money count alike; numbers are ranked by the mean of these.
    """
    widest = table.groupby(["metric", "case"])["swing"].transform("max")
    told = table.assign(
        relative=np.where(
            widest > 0, table["swing"] / widest.where(widest > 0, 1.0), 0.0
        )
    )
    mean = (
        told.groupby("number")["relative"]
        .mean()
        .sort_values(ascending=False, kind="stable")
    )
    return [str(name) for name in mean.index[:count]]


def spread(found: Sequence[Range], unit: NDArray[np.float64]) -> list[Point]:
    """Return points from places in the unit cube, evenly in the logarithm of each number over its range."""
    low, high = (
        np.log([getattr(one, end) for one in found]) for end in ("low", "high")
    )
    return [
        dict(zip((one.number for one in found), row, strict=True))
        for row in np.exp(low + unit * (high - low)).tolist()
    ]


def affordable(
    points: Sequence[Point], cases: Sequence[Case], data: Dataset, world: World
) -> list[Point]:
    """Return the points with awards lowered where they would pay more than a fab costs.

    An award is a sum of money. Where capital is drawn cheap it can exceed the cost of
    the fab it was promised to, which no government would pay and which a case is
    refused for; there the award to that project is lowered until it does not. Every
    point then names every award lowered at any of them.

    Raises
    ------
    InputError
        If a case is refused at a point for anything else.
    """
    lowered = [_lowered(point, cases, data, world) for point in points]
    every = dict.fromkeys(name for cut in lowered for name in cut)
    return [
        {**point, **{name: cut.get(name, 1.0) for name in every}}
        for point, cut in zip(points, lowered, strict=True)
    ]


def _lowered(point: Point, cases: Sequence[Case], data: Dataset, world: World) -> Point:
    cut: Point = {}
    for _ in range(TRIES):
        parameters = build_parameters(
            data, world_at(world, {**point, **cut}, "sensitivity")
        )
        sites = _overpaid(cases, parameters)
        if not sites:
            break
        cut |= {
            AWARD.format(site): LESS * cut.get(AWARD.format(site), 1.0)
            for site in sites
        }
    for case in cases:
        check_case(case, parameters)
    return cut


def _overpaid(cases: Sequence[Case], parameters: Parameters) -> list[str]:
    """Return the announced projects that cases pay more for than they cost."""
    named = {
        site.id for site in parameters.sites.sites.values() if site.kind == "project"
    }
    found = {
        site
        for case in cases
        for site, _ in overpaid_builds(list(case.policies), parameters).values()
    }
    return sorted(found & named)


def intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return, for every metric and its change, the value at the data and the ends of it and the draws.

    Parameters
    ----------
    table : DataFrame
        Of a study whose first point is the data as they stand.

    Returns
    -------
    DataFrame
        Columns ``metric, unit, case, world, centre, low, high, draws``.
    """
    rows = []
    bare = table.assign(
        case=table["case"].str.partition("[")[0],
        world=table["world"].str.partition("[")[0],
    )
    for (metric, unit, case, world), part in bare.groupby(
        ["metric", "unit", "case", "world"], sort=False
    ):
        kinds = {metric: part["value"]}
        if not parse(str(metric)).family.against and part["difference"].abs().max() > 0:
            kinds[f"{CHANGE}{metric}"] = part["difference"]
        for name, values in kinds.items():
            rows.append(
                (
                    name,
                    unit,
                    case,
                    world,
                    float(values.iloc[0]),
                    values.min(),
                    values.max(),
                    len(values) - 1,
                )
            )
    return pd.DataFrame(
        rows,
        columns=["metric", "unit", "case", "world", "centre", "low", "high", "draws"],
    )
