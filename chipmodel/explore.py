"""What else is nearly as good, and which numbers carry the answer."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chipmodel.dataset import Dataset
from chipmodel.engine import run_highs, solver
from chipmodel.errors import InputError
from chipmodel.handover import Handover
from chipmodel.schema import Fact
from chipmodel.solution import Solution
from chipmodel.world import UNREAD

Vector = NDArray[np.float64]
ROUNDS, ENOUGH = 8, 1e-5
"""Most rounds of a search for an extreme share, and the move at which it ends."""
PRIMAL = 4
"""Primal simplex, by the number HiGHS gives it."""
WIDE = 1.001
"""A range narrower than this factor is no range."""


def near_optimal(solution: Solution, region: str, segment: str, year: int,
                 slacks: Sequence[float] = (0.01, 0.02, 0.05)) -> pd.DataFrame:
    r"""Return how far a region's share of capacity can go at little more than least cost.

    For each slack the least and the greatest share in service in the region, segment and year, while
    the objective exceeds its optimum by at most the slack times the discounted resource cost. A share
    is a quotient: with s the share found last, :math:`capacity_r - s \, capacity_{world}` is optimised
    until s stands (Dinkelbach).

    Parameters
    ----------
    solution : Solution
    region, segment : str
    year : int
    slacks : sequence of float
        Shares of resource cost.

    Returns
    -------
    pandas.DataFrame
        Columns ``slack, end, capacity, share``; slack 0 is the optimum itself.

    Raises
    ------
    InputError
        If nothing can be built there.
    """
    arrays, frame = solution.arrays, solution.arrays.frame
    everywhere = {r: _in_service(solution, r, segment, year) for r in solution.numbers.regions}
    if region not in everywhere or not everywhere[region][0].any():
        raise InputError.one("near_optimal", f"{region}, {segment}, {year}", "nothing can be built there by then",
                             "choose another place or a later year")
    goal = everywhere[region][0]
    costs = np.array([float(line.kind == "cost") for line in frame.lines]) * np.abs(arrays.weights)
    resource = float(costs @ (arrays.lines @ solution.optimum.x))

    def row(slack: float, end: str, x: Vector) -> tuple[float, str, float, float]:
        held = {r: fleet + float(counts @ x) for r, (counts, fleet) in everywhere.items()}
        return slack, end, held[region], held[region] / sum(held.values())

    found = [row(0.0, "optimum", solution.optimum.x)]
    highs = solver()
    highs.passModel(Handover(arrays).lp(arrays))
    run_highs(highs)
    world = np.sum([counts for counts, _ in everywhere.values()], axis=0)
    every = np.arange(len(goal), dtype=np.int32)
    used = np.flatnonzero(arrays.cost).astype(np.int32)
    least = float(arrays.cost @ solution.optimum.x)
    scale = 1.0 / max(1.0, abs(least))
    highs.addRow(-highspy.kHighsInf, least * scale, len(used), used, scale * arrays.cost[used])
    last = highs.getNumRow() - 1
    # The optimum fits every slack, so the basis stays primal feasible whatever is optimised next.
    highs.setOptionValue("simplex_strategy", PRIMAL)
    for end, sign in (("least", 1.0), ("most", -1.0)):
        share = found[0][-1]
        for slack in sorted(slacks):
            highs.changeRowBounds(last, -highspy.kHighsInf, scale * (least + slack * resource))
            for _ in range(ROUNDS):
                highs.changeColsCost(len(every), every, sign * (goal - share * world))
                run_highs(highs)
                reached = row(slack, end, np.array(highs.getSolution().col_value))
                moved, share = abs(reached[-1] - share), reached[-1]
                if moved < ENOUGH:
                    break
            found.append(reached)
    return pd.DataFrame(found, columns=["slack", "end", "capacity", "share"])


def _in_service(solution: Solution, region: str, segment: str, year: int) -> tuple[Vector, float]:
    """Return what each column adds to capacity in service, and what stands anyway."""
    keys, places = solution.arrays.frame.columns("build")
    counts, fleet = np.zeros(len(solution.optimum.x)), 0.0
    sites = solution.numbers.sites
    for (site, start), at in zip(keys, places, strict=True):
        one = sites.sites[site]
        if (one.region, one.segment) == (region, segment):
            counts[at] = one.in_service(start, year)
    fleet = sum(one.size or 0.0 for one in sites.of(region, segment) if one.kind == "fleet")
    return counts, fleet


@dataclass(frozen=True)
class Range:
    """A number of the data with its own range, as a factor on the facts that share a name.

    Attributes
    ----------
    number : str
        Name in a point of a study: ``costs[item=capex]``.
    low, high : float
        Geometric means of low and high over the value.
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
    for table, fact in data.facts():
        if table in UNREAD or table in ("incentives",) or fact.low is None or fact.high is None:
            continue
        if fact.value == 0 or fact.low * fact.value <= 0 or fact.high * fact.value <= 0:
            continue  # a factor cannot reach a range around or at zero
        groups[_name(table, fact)].append(fact)
    found = []
    for number, facts in sorted(groups.items()):
        ends = [sorted((f.low / f.value, f.high / f.value)) for f in facts if f.low and f.high]
        low, high = (math.exp(sum(math.log(end[k]) for end in ends) / len(ends)) for k in (0, 1))
        if high / low > WIDE:
            found.append(Range(number, low, high, len(facts), sum(f.grade == "E" for f in facts)))
    return found


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
    return [centre, *({**centre, one.number: end} for one in found for end in (one.low, one.high))]


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
    for (metric, case), part in table.assign(case=table["case"].str.partition("[")[0]).groupby(["metric", "case"],
                                                                                              sort=False):
        still = (part[names] - 1.0).abs().to_numpy() < 1e-12
        centre = float(part["value"].to_numpy()[still.all(axis=1)][0])
        for k, one in enumerate(found):
            alone = part[~still[:, k]]
            at, value = alone[one.number].to_numpy(), alone["value"].to_numpy()
            ends = {name: float(value[np.isclose(at, end)][0]) for name, end in (("low", one.low), ("high", one.high))}
            rows.append((metric, case, one.number, one.low, one.high, centre, ends["low"], ends["high"],
                         abs(ends["high"] - ends["low"])))
    wide = pd.DataFrame(rows, columns=["metric", "case", "number", "factor_low", "factor_high", "centre", "at_low",
                                       "at_high", "swing"])
    return wide.sort_values(["metric", "case", "swing"], ascending=[True, True, False], kind="stable",
                            ignore_index=True)
