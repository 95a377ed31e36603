"""Three fixed sweeps: ours against bare highspy, Pyomo's persistent HiGHS and rebuilds.

A rebuild is a `chipmodel.run` for each case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from common import HERE, Figures, Spent, clock, median, report
from persistent import Persistent, inside_highs

import chipmodel as cm
from chipmodel.results import metrics
from chipmodel.results.summary import Summary
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import new_solver
from chipmodel.solver.linear_program import LinearProgram
from chipmodel.solver.warm_start import STATUS, Basis
from chipmodel.studies.definition import Study
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import plan
from chipmodel.studies.sweep import (
    ALONE,
    Chunk,
    Shared,
    Task,
    prepare,
    solve_chunk,
)

CASE = str(HERE / "us_grant.toml")
TEN = {
    "s232.rate": (0.02, 0.5),
    "us_grant.rate": (0.02, 0.3),
    "us_credit.rate": (0.15, 0.33),
    "korea_credit.rate": (0.05, 0.3),
    "china_fund.rate": (0.02, 0.3),
    "s301_china.rate": (0.1, 0.9),
    "world.demand_shift": (-0.02, 0.02),
    "costs[item=capex]": (1.0, 1.3),
    "costs[item=running]": (0.8, 1.25),
    "freight[]": (0.5, 2.0),
}
METRICS = (
    "share.capacity.*.all.LAST",
    "share.capacity.*.logic_lt10.LAST",
    "revenue.*",
    "outlay.*",
    "hhi.all.LAST",
    "price.user.USA.logic_lt10.LAST",
    "objective",
)
EVERY = 8
"""A short run takes every 8th point of each axis of a grid ..."""

FIRST = 32
"""... and the first points of the Sobol sequence; only powers of two are balanced."""

SHORT = f"every {EVERY}th point of each axis, the first {FIRST} of the Sobol sequence"

PEERS = 4
"""Cases of the largest shape that the slow peers solve; the first is their warm-up."""


def studies(short: bool) -> dict[str, Study]:
    """Return the three sweeps."""
    step = EVERY if short else 1

    def grid(start: float, to: float, steps: int) -> tuple[float, ...]:
        return tuple(np.linspace(start, to, steps)[::step].tolist())

    common = {"cases": (CASE,), "metrics": METRICS, "title": "benchmark"}
    two_rates = {
        "s232.rate": grid(0.0, 0.5, 32),
        "us_grant.rate": grid(0.0, 0.4, 32),
    }
    design = {"kind": "sobol", "size": 500, "seed": 1, "ranges": TEN}
    demand = {"demand[]": grid(0.5, 1.5, 200)}
    of_design = Study.model_validate({"name": "ii", **common, "design": design})
    if short:
        points = tuple(of_design.points()[:FIRST])
        of_design = of_design.model_copy(update={"design": None, "point": points})
    return {
        "i": Study.model_validate({"name": "i", **common, "grid": two_rates}),
        "ii": of_design,
        "iii": Study.model_validate({"name": "iii", **common, "grid": demand}),
    }


def measure(only: Sequence[str], short: bool) -> Figures:
    """Measure the sweeps named."""
    results: Figures = {"sweep.points": SHORT if short else "all"}
    ratios = []
    data = cm.load_dataset()
    for name, study in studies(short).items():
        if name in only:
            figures = measure_sweep(name, study, data)
            results |= figures
            ratios.append(figures[f"sweep.{name}.outside_ratio"])
    if ratios:
        results["sweep.outside_ratio"] = max(ratios)
    return results


@dataclass
class Bare:
    """What bare highspy took."""

    spent: Spent = field(default_factory=Spent)
    pivots: int = 0
    cases: int = 0


def measure_sweep(name: str, study: Study, data: cm.Dataset) -> Figures:
    """Measure a sweep: ours and bare chunk by chunk, then the slow peers.

    Ours and bare run by turns, so that what else the machine does slows both.
    """
    planned = plan(study, data)
    inputs = Inputs(data)
    with clock() as preparing:
        sweep = prepare(planned.cells, data, planned.metrics, {}, study.chunk)
    sizes = []
    for template in sweep.shared.templates:
        rows = len(template.singleton_bounds.remaining_rows)
        sizes.append(f"{rows:,} rows, {len(template.labels.agents):,} columns")
    report(
        f"sweep {name}: {len(planned.cells)} cases, shapes: {', '.join(sizes)};"
        f" prepared in {preparing.cpu:.1f} s"
    )
    ours = Spent()
    bare = Bare()
    pivots = 0
    seconds_inside = 0.0
    tasks: list[Task] = []
    for chunk in sweep.chunks:
        # A case of a shape of its own is solved by a whole run: no sweep to measure.
        shared_tasks = tuple(task for task in chunk.tasks if task.shape != ALONE)
        if not shared_tasks:
            continue
        tasks += shared_tasks
        shared_chunk = Chunk(chunk.number, shared_tasks)
        with inside_highs() as highs, clock(ours):
            work = solve_chunk(sweep.shared, shared_chunk)
        pivots += work.pivots
        seconds_inside += highs.cpu
        solve_bare(sweep.shared, shared_chunk, inputs, bare)
        report(
            f"  chunk {chunk.number + 1} of {len(sweep.chunks)}: ours {ours.cpu:.1f} s,"
            f" bare {bare.spent.cpu:.1f} s"
        )
    count = bare.cases
    largest, _ = Counter(task.shape for task in tasks).most_common(1)[0]
    of_largest = tuple(task for task in tasks if task.shape == largest)
    peer = peers(sweep.shared, of_largest[:PEERS], data, inputs)
    outside = (ours.cpu - seconds_inside) / count
    figures = {
        "cases": count,
        "alone": len(planned.cells) - count,
        "prepare_s": preparing.cpu,
        "ours_s_per_case": ours.cpu / count,
        "bare_s_per_case": bare.spent.cpu / count,
        "ratio_to_bare": ours.cpu / bare.spent.cpu,
        "ratio_to_bare_wall": ours.wall / bare.spent.wall,
        "outside_s_per_case": outside,
        "pivots_per_case": pivots / count,
        "bare_pivots_per_case": bare.pivots / count,
        "outside_ratio": outside / peer["persistent_outside_s"],
        "speedup_vs_persistent": peer["persistent_s"] / peer["ours_s"],
        "speedup_vs_rebuild": peer["rebuild_s"] / peer["ours_s"],
    }
    for key, value in peer.items():
        figures[f"peers.{key}"] = value
    return {f"sweep.{name}.{key}": value for key, value in figures.items()}


# -- bare highspy ----------------------------------------------------------------------


def solve_bare(shared: Shared, chunk: Chunk, inputs: Inputs, bare: Bare) -> None:
    """Solve a chunk by dual simplex with nothing but passModel, setBasis, change*, run.

    What these calls are given is made beforehand and not counted.
    """
    solvers: dict[int, tuple[highspy.Highs, LinearProgram]] = {}
    for task in chunk.tasks:
        template = shared.templates[task.shape]
        parameters = inputs.parameters(task.cell.world)
        discounted = parameters.weights(template.labels.lines)
        levers = task.levers(shared.levers[task.shape])
        program = template.fill(levers, discounted)
        if task.shape not in solvers:
            lp = template.singleton_bounds.highs_lp(program)
            basis = basis_of(shared.starts[task.shape])
            with clock(bare.spent):
                highs = new_solver()
                highs.passModel(lp)
                highs.setBasis(basis)
                highs.run()
        else:
            highs, last = solvers[task.shape]
            calls = list(changes(highs, template.singleton_bounds, last, program))
            with clock(bare.spent):
                for call, arguments in calls:
                    call(*arguments)
                highs.run()
        status = highs.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"bare highspy: {highs.modelStatusToString(status)}")
        solvers[task.shape] = highs, program
        bare.pivots += highs.getInfo().simplex_iteration_count
        bare.cases += 1


def basis_of(start: Basis) -> highspy.HighsBasis:
    """Return a basis as HiGHS takes it."""
    basis = highspy.HighsBasis()
    basis.col_status = [STATUS[status] for status in start.columns.tolist()]
    basis.row_status = [STATUS[status] for status in start.rows.tolist()]
    basis.valid = True
    return basis


def changes(
    highs: highspy.Highs,
    singleton_bounds: SingletonBounds,
    old: LinearProgram,
    new: LinearProgram,
) -> Iterable[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Walk over the calls that turn a loaded linear program into another of its shape.

    They are those of `chipmodel.solver.parametric`, which makes them at once: here they
    are made beforehand, so that finding them is not counted.
    """
    if not np.array_equal(old.cost, new.cost):
        columns = np.arange(len(new.cost), dtype=np.int32)
        yield highs.changeColsCost, (len(columns), columns, new.cost)
    for bounds_of, change in (
        (singleton_bounds.column_bounds, highs.changeColsBounds),
        (singleton_bounds.row_bounds, highs.changeRowsBounds),
    ):
        old_lower, old_upper = bounds_of(old)
        lower, upper = bounds_of(new)
        differs = (old_lower != lower) | (old_upper != upper)
        places = np.flatnonzero(differs).astype(np.int32)
        if len(places):
            yield change, (len(places), places, lower[places], upper[places])
    old_values = old.matrix.data[singleton_bounds.entries]
    new_values = new.matrix.data[singleton_bounds.entries]
    entries = np.flatnonzero(old_values != new_values)
    # The column of an entry is the last one that starts at or before it.
    columns = np.searchsorted(singleton_bounds.column_starts, entries, side="right") - 1
    for row, column, value in zip(
        singleton_bounds.entry_rows[entries].tolist(),
        columns.tolist(),
        new_values[entries].tolist(),
        strict=True,
    ):
        yield highs.changeCoeff, (row, column, value)


# -- the usual ways --------------------------------------------------------------------


def peers(
    shared: Shared, tasks: tuple[Task, ...], data: cm.Dataset, inputs: Inputs
) -> Figures:
    """Solve the same few cases our way, with the persistent interface and by rebuilds.

    Figures are medians per case.
    """
    rest = len(tasks) - 1
    # A chunk of one takes what a start takes; the other cases start warm, and only they
    # are compared.
    with clock() as spent_on_first:
        first = solve_chunk(shared, Chunk(0, tasks[:1]))
    with clock() as spent_on_all:
        every = solve_chunk(shared, Chunk(0, tasks))
    report("  persistent ...")
    template = shared.templates[tasks[0].shape]
    parameters = inputs.parameters(tasks[0].cell.world)
    discounted = parameters.weights(template.labels.lines)
    persistent = Persistent(template, discounted, tasks, shared.levers[tasks[0].shape])
    warm = [persistent.solve(task) for task in tasks][1:]
    report("  rebuild ...")
    seconds = []
    pivots = []
    for task in tasks[:-1]:
        with clock() as spent:
            solution = cm.run(data, task.cell.case, task.cell.world)
            metrics.rows(shared.metrics, Summary.of(solution, task.cell.point), None)
        seconds.append(spent.cpu)
        pivots.append(solution.optimum.iterations)
    return {
        "cases": rest,
        "ours_s": (spent_on_all.cpu - spent_on_first.cpu) / rest,
        "ours_pivots": (every.pivots - first.pivots) / rest,
        "persistent_s": median([solve.cpu for solve in warm]),
        "persistent_outside_s": median([solve.cpu - solve.inside for solve in warm]),
        "persistent_pivots": median([solve.pivots for solve in warm]),
        "persistent_first_s": persistent.first.cpu,
        "rebuild_s": median(seconds),
        "rebuild_pivots": median(pivots),
    }
