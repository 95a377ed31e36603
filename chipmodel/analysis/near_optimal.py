"""What else is nearly as good: how far a share can go at little more than least cost."""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chipmodel.common.errors import InputError
from chipmodel.results.solution import Solution
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import new_solver, run_highs

Vector = NDArray[np.float64]


ROUNDS, ENOUGH = 8, 1e-5
"""Most rounds of a search for an extreme share, and the move at which it ends."""


PRIMAL = 4
"""Primal simplex, by the number HiGHS gives it."""


def near_optimal(
    solution: Solution,
    region: str,
    segment: str,
    year: int,
    slacks: Sequence[float] = (0.01, 0.02, 0.05),
) -> pd.DataFrame:
    r"""Return how far a region's share of capacity can go at little more than least cost.

    For each slack the least and the greatest share in service in the region, segment
    and year, while the objective exceeds its optimum by at most the slack times the
    discounted resource cost. A share is a quotient: with s the share found last,
    :math:`capacity_r - s \, capacity_{world}` is optimised until s stands (Dinkelbach).

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
    program, frame = solution.program, solution.program.labels
    everywhere = {
        r: _in_service(solution, r, segment, year) for r in solution.parameters.regions
    }
    if region not in everywhere or not everywhere[region][0].any():
        raise InputError.one(
            "near_optimal",
            f"{region}, {segment}, {year}",
            "nothing can be built there by then",
            "choose another place or a later year",
        )
    goal = everywhere[region][0]
    costs = np.array([float(line.kind == "cost") for line in frame.lines]) * np.abs(
        program.weights
    )
    resource = float(costs @ (program.lines @ solution.optimum.x))

    def row(slack: float, end: str, x: Vector) -> tuple[float, str, float, float]:
        held = {
            r: fleet + float(counts @ x) for r, (counts, fleet) in everywhere.items()
        }
        return slack, end, held[region], held[region] / sum(held.values())

    found = [row(0.0, "optimum", solution.optimum.x)]
    highs = new_solver()
    highs.passModel(SingletonBounds(program).highs_lp(program))
    run_highs(highs)
    world = np.sum([counts for counts, _ in everywhere.values()], axis=0)
    every = np.arange(len(goal), dtype=np.int32)
    used = np.flatnonzero(program.cost).astype(np.int32)
    least = float(program.cost @ solution.optimum.x)
    scale = 1.0 / max(1.0, abs(least))
    highs.addRow(
        -highspy.kHighsInf, least * scale, len(used), used, scale * program.cost[used]
    )
    last = highs.getNumRow() - 1
    # The optimum fits every slack, so the basis stays primal feasible whatever is
    # optimised next.
    highs.setOptionValue("simplex_strategy", PRIMAL)
    for end, sign in (("least", 1.0), ("most", -1.0)):
        share = found[0][-1]
        for slack in sorted(slacks):
            highs.changeRowBounds(
                last, -highspy.kHighsInf, scale * (least + slack * resource)
            )
            for _ in range(ROUNDS):
                highs.changeColsCost(len(every), every, sign * (goal - share * world))
                run_highs(highs)
                reached = row(slack, end, np.array(highs.getSolution().col_value))
                moved, share = abs(reached[-1] - share), reached[-1]
                if moved < ENOUGH:
                    break
            found.append(reached)
    return pd.DataFrame(found, columns=["slack", "end", "capacity", "share"])


def _in_service(
    solution: Solution, region: str, segment: str, year: int
) -> tuple[Vector, float]:
    """Return what each column adds to capacity in service, and what stands anyway."""
    keys, places = solution.program.labels.columns("build")
    counts, fleet = np.zeros(len(solution.optimum.x)), 0.0
    sites = solution.parameters.sites
    for (site, start), at in zip(keys, places, strict=True):
        one = sites.sites[site]
        if (one.region, one.segment) == (region, segment):
            counts[at] = one.in_service(start, year)
    fleet = sum(
        one.size or 0.0 for one in sites.of(region, segment) if one.kind == "fleet"
    )
    return counts, fleet
