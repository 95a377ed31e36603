"""Near-optimal solutions: the range of a share of capacity near minimum cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chipmodel.common.errors import InputError
from chipmodel.model.parameters.parameters import COLUMNS_OF_CAPACITY
from chipmodel.results.solution import Solution
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import new_solver, run_highs

Vector = NDArray[np.float64]

LARGEST_ROUNDS = 8
"""Rounds of a search for an extreme share."""

CONVERGED = 1e-5
"""Change of the share at which a search ends."""

PRIMAL = 4
"""Primal simplex, by the number HiGHS gives it."""

ENDS = (("least", 1.0), ("most", -1.0))
"""Names of the ends of a range, as in the table, and the signs of their objectives."""


def near_optimal(
    solution: Solution,
    region: str,
    segment: str,
    year: int,
    slacks: Sequence[float] = (0.01, 0.02, 0.05),
) -> pd.DataFrame:
    r"""Return the range of a region's share of capacity near minimum cost.

    For each slack, the smallest and the largest share in service in the region, segment
    and year, while the objective exceeds its optimum by at most the slack times the
    discounted resource cost. A share is a quotient: with s the share found last,
    :math:`capacity_r - s \, capacity_{world}` is optimised until s no longer changes
    (Dinkelbach's method).

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
    program = solution.program
    capacities = {}
    for name in solution.parameters.regions:
        capacities[name] = _in_service(solution, name, segment, year)
    if region not in capacities or not capacities[region].of_columns.any():
        raise InputError.one(
            "near_optimal",
            f"{region}, {segment}, {year}",
            "nothing can be built there by then",
            "choose another place or a later year",
        )

    def row(slack: float, end: str, x: Vector) -> tuple[float, str, float, float]:
        kwpm = {name: capacity.at(x) for name, capacity in capacities.items()}
        return slack, end, kwpm[region], kwpm[region] / sum(kwpm.values())

    optimum = row(0.0, "optimum", solution.optimum.x)
    rows = [optimum]
    highs = new_solver()
    highs.passModel(SingletonBounds(program).highs_lp(program))
    run_highs(highs)
    minimum_cost = float(program.cost @ solution.optimum.x)
    # The row of the objective is scaled to about one, as the other rows are.
    scale = 1.0 / max(1.0, abs(minimum_cost))
    used = np.flatnonzero(program.cost).astype(np.int32)
    highs.addRow(
        -highspy.kHighsInf,
        minimum_cost * scale,
        len(used),
        used,
        scale * program.cost[used],
    )
    cost_row = highs.getNumRow() - 1
    # The optimum satisfies every slack, so the basis stays primal feasible whatever is
    # optimised next.
    highs.setOptionValue("simplex_strategy", PRIMAL)
    resource_cost = _resource_cost(solution)
    here = capacities[region].of_columns
    world = np.sum([capacity.of_columns for capacity in capacities.values()], axis=0)
    columns = np.arange(len(here), dtype=np.int32)
    for end, sign in ENDS:
        share = optimum[-1]
        # From the smallest slack to the largest: a solution found stays feasible, and
        # its share is the level from which the next search starts.
        for slack in sorted(slacks):
            limit = scale * (minimum_cost + slack * resource_cost)
            highs.changeRowBounds(cost_row, -highspy.kHighsInf, limit)
            for _ in range(LARGEST_ROUNDS):
                goal = sign * (here - share * world)
                highs.changeColsCost(len(columns), columns, goal)
                run_highs(highs)
                reached = row(slack, end, np.array(highs.getSolution().col_value))
                change = abs(reached[-1] - share)
                share = reached[-1]
                if change < CONVERGED:
                    break
            rows.append(reached)
    return pd.DataFrame(rows, columns=["slack", "end", "capacity", "share"])


@dataclass(frozen=True)
class _Capacity:
    """Capacity in service as a function of a solution, kwpm.

    Attributes
    ----------
    of_columns : array
        What each column adds.
    fleet : float
        What is in service without any build.
    """

    of_columns: Vector
    fleet: float

    def at(self, x: Vector) -> float:
        """Return the capacity in a solution."""
        return self.fleet + float(self.of_columns @ x)


def _in_service(solution: Solution, region: str, segment: str, year: int) -> _Capacity:
    """Return the capacity in service in a region, segment and year."""
    parameters = solution.parameters
    sites = parameters.sites
    of_columns = np.zeros(len(solution.optimum.x))
    for column in COLUMNS_OF_CAPACITY:
        keys, places = solution.program.labels.columns(column)
        for index, place in zip(keys, places, strict=True):
            site = sites.sites[index[0]]
            if (site.region, site.segment) == (region, segment):
                share = parameters.share_of_capacity(column, index, year)
                of_columns[place] = share
    fleet = 0.0
    for site in sites.of(region, segment):
        if site.kind == "fleet":
            fleet += site.size or 0.0
    return _Capacity(of_columns, fleet)


def _resource_cost(solution: Solution) -> float:
    """Return the discounted resource cost of a solution, MUSD."""
    program = solution.program
    is_cost = [float(line.kind == "cost") for line in program.labels.lines]
    # A weight is a sign times the discount factor; only the latter is wanted.
    discounted = np.array(is_cost) * np.abs(program.weights)
    return float(discounted @ (program.lines @ solution.optimum.x))
