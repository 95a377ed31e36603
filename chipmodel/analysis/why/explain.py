"""Why a case has no solution, in the words of its policies, or what binds in the solution it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

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


def explain_infeasible(
    data: Dataset, case: Case | str, world: World | str = "central"
) -> Diagnosis:
    """Say why a case has no solution in a world, or, if it has one, what binds in it and at what price.

    Parameters
    ----------
    data : Dataset
    case : Case or str
        A case, or the name of one; ``a+b`` adds cases.
    world : World or str

    Returns
    -------
    Diagnosis
        Printed, it is text to read; `Diagnosis.plain` is data.

    Raises
    ------
    InputError
        If the case does not fit the data.
    """
    case = load_case(case, data) if isinstance(case, str) else case
    world = load_world(world, data) if isinstance(world, str) else world
    parameters = build_parameters(data, world)
    check_case(case, parameters, impossible=False)
    try:
        solution = solve_in_passes(case, parameters)
    except Unsolved as error:
        if error.program is None:
            raise
        return _explain(
            Diagnosis(case, world, error.status, str(error), names=names_of(data)),
            error,
        )
    return Diagnosis(
        case,
        world,
        "optimal",
        extremes=extremes(solution.program),
        binding=what_binds(solution),
        names=names_of(data),
    )


def _explain(found: Diagnosis, failed: Unsolved) -> Diagnosis:
    program: LinearProgram = failed.program
    try:
        conflicts, more = find_conflicts(program, failed.parameters, failed.policies)
    except NoOptimum as error:
        return replace(
            found, status=error.status, said=str(error), extremes=extremes(program)
        )
    if conflicts:
        return replace(found, status="infeasible", conflicts=conflicts, more=more)
    imbalance = _imbalance(program, failed.parameters)
    if imbalance is not None:
        return replace(found, status="unbounded", imbalance=imbalance)
    return replace(found, extremes=extremes(program))


def _imbalance(program: LinearProgram, parameters: Parameters) -> Imbalance | None:
    r"""Return what may grow without end at a gain: :math:`\min c d` over :math:`A d \ge 0`, :math:`0 \le d \le 1`."""
    every = np.arange(len(program.rhs))
    lp = rows_as_lp(replace(program, rhs=np.zeros(len(program.rhs))), every)
    lp.col_cost_ = program.cost
    lp.col_upper_ = np.ones(len(program.cost))
    highs = new_solver()
    highs.passModel(lp)
    highs.run()
    ray = np.array(highs.getSolution().col_value)
    if (
        highs.getModelStatus() != highspy.HighsModelStatus.kOptimal
        or program.cost @ ray > -TOLERANCE
    ):
        return None
    names = [name for name, _ in program.column_labels]
    worth = [
        k for k in np.flatnonzero(ray > TOLERANCE) if names[k] in ("build", "output")
    ]
    top = max(worth or np.flatnonzero(ray > TOLERANCE), key=lambda k: ray[k])
    total: dict[str, float] = defaultdict(float)
    for line, amount in zip(
        program.labels.lines, program.weights * (program.lines @ ray), strict=True
    ):
        paid = f"{line.account} of {line.policy}" if line.policy else line.account
        total[paid] += float(amount) / ray[top]
    ranked = sorted(total.items(), key=lambda pair: -abs(pair[1]))
    return Imbalance(
        _in_words(program, int(top), parameters),
        tuple((name, -v) for name, v in ranked if v < -TOLERANCE),
        tuple((name, v) for name, v in ranked if v > TOLERANCE),
    )


def _in_words(program: LinearProgram, column: int, parameters: Parameters) -> str:
    """Return a build or an output by the name of its site, any other column by its own."""
    name, index = program.column_labels[column]
    if name not in ("build", "output"):
        return column_name(program, column)
    site = parameters.sites.sites[index[0]]
    return (
        f"{'kwpm begun at' if name == 'build' else 'kwpm made at'} {site.name},"
        f" {site.segment}, {index[-1]}"
    )


def extremes(program: LinearProgram) -> tuple[Extreme, ...]:
    """Return the least and the largest coefficient, cost and right-hand side, with the rows and columns they are in."""
    entries = program.matrix.tocoo()

    def entry(k: int) -> str:
        return (
            f"{column_name(program, int(entries.col[k]))} in"
            f" {row_name(program, int(entries.row[k]))}"
        )

    return (
        _extreme("coefficients", entries.data, entry),
        _extreme("costs", program.cost, lambda k: column_name(program, k)),
        _extreme("right-hand sides", program.rhs, lambda k: row_name(program, k)),
    )


def _extreme(what: str, values: Vector, name: Callable[[int], str]) -> Extreme:
    size = np.abs(values)
    there = np.flatnonzero(size)
    if not len(there):
        return Extreme(what, 0.0, "", 0.0, "")
    least, largest = int(there[size[there].argmin()]), int(there[size[there].argmax()])
    return Extreme(
        what, float(size[least]), name(least), float(size[largest]), name(largest)
    )
