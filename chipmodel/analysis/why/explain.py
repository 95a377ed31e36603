"""Why a case has no solution, or what binds in the solution it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np

from chipmodel.analysis.run import solve_in_passes
from chipmodel.analysis.why.binding import what_binds
from chipmodel.analysis.why.conflicts import find_conflicts
from chipmodel.analysis.why.diagnosis import Diagnosis, Extreme, Imbalance
from chipmodel.analysis.why.rows import column_name, row_name
from chipmodel.cases.case import Case, load_case
from chipmodel.cases.check import check_case
from chipmodel.cases.describe import names_of
from chipmodel.common.errors import NoOptimum, Unsolved
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World, load_world
from chipmodel.solver.highs import new_solver
from chipmodel.solver.iis import TOLERANCE, rows_as_lp
from chipmodel.solver.linear_program import LinearProgram, Vector

GROWING = ("build", "output")
"""Variables of which an unbounded case is explained, where they grow without end."""


def explain_infeasible(
    data: Dataset, case: Case | str | Path, world: World | str | Path = "central"
) -> Diagnosis:
    """Explain why a case has no solution in a world; if it has one, what binds in it.

    Parameters
    ----------
    data : Dataset
    case : Case, str or Path
        A case, the name of one, or its file; ``a+b`` adds cases.
    world : World, str or Path

    Returns
    -------
    Diagnosis
        Printed, it is text to read; `Diagnosis.plain` is data.

    Raises
    ------
    InputError
        If the case does not fit the data.
    """
    if isinstance(case, str | Path):
        case = load_case(case, data)
    if isinstance(world, str | Path):
        world = load_world(world, data)
    parameters = build_parameters(data, world)
    # Rules that cannot hold together are what is to be explained, not refused.
    check_case(case, parameters, impossible=False)
    names = names_of(data)
    try:
        solution = solve_in_passes(case, parameters)
    except Unsolved as error:
        if error.program is None:
            raise
        unexplained = Diagnosis(case, world, error.status, str(error), names=names)
        return _explained(unexplained, error)
    return Diagnosis(
        case,
        world,
        "optimal",
        extremes=extremes(solution.program),
        binding=what_binds(solution),
        names=names,
    )


def _explained(diagnosis: Diagnosis, failed: Unsolved) -> Diagnosis:
    """Return a diagnosis with the reason for which a solve failed."""
    program: LinearProgram = failed.program
    try:
        conflicts, more = find_conflicts(program, failed.parameters, failed.policies)
    except NoOptimum as error:
        return replace(
            diagnosis,
            status=error.status,
            said=str(error),
            extremes=extremes(program),
        )
    if conflicts:
        return replace(diagnosis, status="infeasible", conflicts=conflicts, more=more)
    imbalance = _imbalance(program, failed.parameters)
    if imbalance is not None:
        return replace(diagnosis, status="unbounded", imbalance=imbalance)
    return replace(diagnosis, extremes=extremes(program))


def _imbalance(program: LinearProgram, parameters: Parameters) -> Imbalance | None:
    r"""Return what may grow without end at a gain, or none.

    .. math:: \min c d \quad A d \ge 0, \; 0 \le d \le 1
    """
    ray = _gainful_ray(program)
    if ray is None:
        return None
    growing = np.flatnonzero(ray > TOLERANCE).tolist()
    # Flows and purchases grow with what is made; a build or an output names the site.
    readable = [k for k in growing if program.column_labels[k][0] in GROWING]
    top = max(readable or growing, key=lambda k: float(ray[k]))
    # What each account pays for one more unit of the column that grows most.
    amounts = program.weights * (program.lines @ ray)
    total: dict[str, float] = defaultdict(float)
    for line, amount in zip(program.labels.lines, amounts, strict=True):
        account = line.account
        if line.policy:
            account += f" of {line.policy}"
        total[account] += float(amount) / ray[top]
    ranked = sorted(total.items(), key=lambda entry: -abs(entry[1]))
    support = tuple((name, -amount) for name, amount in ranked if amount < -TOLERANCE)
    cost = tuple((name, amount) for name, amount in ranked if amount > TOLERANCE)
    return Imbalance(_column_text(program, top, parameters), support, cost)


def _gainful_ray(program: LinearProgram) -> Vector | None:
    """Return a direction in which the objective falls without end, or none."""
    every = np.arange(len(program.rhs))
    # A ray added to any feasible point must leave the rows satisfied, so their sides
    # are zero; its length is arbitrary, and bounded to make the search finite.
    lp = rows_as_lp(replace(program, rhs=np.zeros(len(program.rhs))), every)
    lp.col_cost_ = program.cost
    lp.col_upper_ = np.ones(len(program.cost))
    highs = new_solver()
    highs.passModel(lp)
    highs.run()
    ray = np.array(highs.getSolution().col_value)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    gain = -float(program.cost @ ray)
    return ray if gain >= TOLERANCE else None


def _column_text(program: LinearProgram, column: int, parameters: Parameters) -> str:
    """Return a build or an output with the name of its site, any other by its own."""
    name, index = program.column_labels[column]
    if name not in GROWING:
        return column_name(program, column)
    site = parameters.sites.sites[index[0]]
    activity = "kwpm started at" if name == "build" else "kwpm made at"
    return f"{activity} {site.name}, {site.segment}, {index[-1]}"


def extremes(program: LinearProgram) -> tuple[Extreme, ...]:
    """Return the smallest and largest coefficient, cost and right-hand side.

    Each comes with the row and column it is in.
    """
    entries = program.matrix.tocoo()

    def entry(k: int) -> str:
        column = column_name(program, int(entries.col[k]))
        return f"{column} in {row_name(program, int(entries.row[k]))}"

    return (
        _extreme("coefficients", entries.data, entry),
        _extreme("costs", program.cost, lambda k: column_name(program, k)),
        _extreme("right-hand sides", program.rhs, lambda k: row_name(program, k)),
    )


def _extreme(what: str, values: Vector, name: Callable[[int], str]) -> Extreme:
    size = np.abs(values)
    nonzero = np.flatnonzero(size)
    if not len(nonzero):
        return Extreme(what, 0.0, "", 0.0, "")
    smallest = int(nonzero[size[nonzero].argmin()])
    largest = int(nonzero[size[nonzero].argmax()])
    return Extreme(
        what,
        float(size[smallest]),
        name(smallest),
        float(size[largest]),
        name(largest),
    )
