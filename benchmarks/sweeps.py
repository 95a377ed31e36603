"""Three fixed sweeps: ours against bare highspy, Pyomo's persistent interface and a rebuild per case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
from common import HERE, Figures, Spent, clock, median, tell
from pyomo.contrib.solver.common.factory import SolverFactory

import chipmodel as cm
from chipmodel.model.lp.compile import weights
from chipmodel.results import metrics
from chipmodel.results.summary import Summary
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import OPTIONS, new_solver
from chipmodel.solver.linear_program import LinearProgram, Vector
from chipmodel.solver.parametric import ParametricProgram
from chipmodel.solver.polynomials import PolynomialVector
from chipmodel.solver.warm_start import STATUS, Basis
from chipmodel.studies.definition import Study
from chipmodel.studies.plan import plan
from chipmodel.studies.sweep import (
    ALONE,
    Chunk,
    Shared,
    Task,
    Worlds,
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
"""... and the first points of the Sobol sequence, a power of two, for only those are balanced."""
SHORT = f"every {EVERY}th point of each axis, the first {FIRST} of the Sobol sequence"
PEERS = 4
"""Cases that the slow peers solve, the first of the largest shape; the first is their warm-up and not counted."""


def studies(short: bool) -> dict[str, Study]:
    """Return the three sweeps."""
    step = EVERY if short else 1

    def grid(start: float, to: float, steps: int) -> tuple[float, ...]:
        return tuple(np.linspace(start, to, steps)[::step].tolist())

    common = {"cases": (CASE,), "metrics": METRICS, "title": "benchmark"}
    ten = Study.model_validate(
        {
            "name": "ii",
            **common,
            "design": {"kind": "sobol", "size": 500, "seed": 1, "ranges": TEN},
        }
    )
    if short:
        ten = ten.model_copy(
            update={"design": None, "point": tuple(ten.points()[:FIRST])}
        )
    return {
        "i": Study.model_validate(
            {
                "name": "i",
                **common,
                "grid": {
                    "s232.rate": grid(0.0, 0.5, 32),
                    "us_grant.rate": grid(0.0, 0.4, 32),
                },
            }
        ),
        "ii": ten,
        "iii": Study.model_validate(
            {"name": "iii", **common, "grid": {"demand[]": grid(0.5, 1.5, 200)}}
        ),
    }


def measure(only: Sequence[str], short: bool) -> Figures:
    """Measure the sweeps named."""
    found: Figures = {"sweep.points": SHORT if short else "all"}
    outside = []
    data = cm.load_dataset()
    for name, study in studies(short).items():
        if name in only:
            figures = one(name, study, data)
            found |= figures
            outside.append(figures[f"sweep.{name}.outside_ratio"])
    if outside:
        found["sweep.outside_ratio"] = max(outside)
    return found


@contextmanager
def inside_highs() -> Iterator[Spent]:
    """Count the seconds that pass inside `Highs.run`, whoever calls it."""
    spent, run = Spent(), highspy.Highs.run

    def timed(highs: highspy.Highs) -> Any:
        with clock(spent):
            return run(highs)

    highspy.Highs.run = timed
    try:
        yield spent
    finally:
        highspy.Highs.run = run


@dataclass
class Bare:
    """What bare highspy took."""

    spent: Spent = field(default_factory=Spent)
    pivots: int = 0
    cases: int = 0


def one(name: str, study: Study, data: cm.Dataset) -> Figures:
    """Measure a sweep: ours and bare by turns, chunk by chunk, then the slow peers on the first cases."""
    planned = plan(study, data)
    worlds = Worlds(data)
    with clock() as preparing:
        sweep = prepare(planned.cells, data, planned.metrics, {}, study.chunk)
    told = ", ".join(
        f"{t.singleton_bounds.remaining_rows.size:,} rows, {len(t.labels.agents):,} columns"
        for t in sweep.shared.templates
    )
    tell(
        f"sweep {name}: {len(planned.cells)} cases, shapes: {told}; prepared in"
        f" {preparing.cpu:.1f} s"
    )
    ours, bare, pivots, inside = Spent(), Bare(), 0, 0.0
    for chunk in sweep.chunks:
        shared_chunk = Chunk(
            chunk.number, tuple(t for t in chunk.tasks if t.shape != ALONE)
        )
        if not shared_chunk.tasks:
            continue
        with inside_highs() as highs, clock(ours):
            work = solve_chunk(sweep.shared, shared_chunk)
        pivots, inside = pivots + work.pivots, inside + highs.cpu
        solve_bare(sweep.shared, shared_chunk, worlds, bare)
        tell(
            f"  chunk {chunk.number + 1} of {len(sweep.chunks)}: ours {ours.cpu:.1f} s,"
            f" bare {bare.spent.cpu:.1f} s"
        )
    count = bare.cases
    tasks = [
        task for chunk in sweep.chunks for task in chunk.tasks if task.shape != ALONE
    ]
    largest, _ = Counter(task.shape for task in tasks).most_common(1)[0]
    same = tuple(task for task in tasks if task.shape == largest)[:PEERS]
    peer = peers(sweep.shared, same, data, worlds)
    prefix = f"sweep.{name}."
    return {
        f"{prefix}cases": count,
        f"{prefix}alone": len(planned.cells) - count,
        f"{prefix}prepare_s": preparing.cpu,
        f"{prefix}ours_s_per_case": ours.cpu / count,
        f"{prefix}bare_s_per_case": bare.spent.cpu / count,
        f"{prefix}ratio_to_bare": ours.cpu / bare.spent.cpu,
        f"{prefix}ratio_to_bare_wall": ours.wall / bare.spent.wall,
        f"{prefix}outside_s_per_case": (ours.cpu - inside) / count,
        f"{prefix}pivots_per_case": pivots / count,
        f"{prefix}bare_pivots_per_case": bare.pivots / count,
        f"{prefix}outside_ratio": (
            (ours.cpu - inside) / count / peer["persistent_outside_s"]
        ),
        f"{prefix}speedup_vs_persistent": peer["persistent_s"] / peer["ours_s"],
        f"{prefix}speedup_vs_rebuild": peer["rebuild_s"] / peer["ours_s"],
        **{f"{prefix}peers.{key}": value for key, value in peer.items()},
    }


# -- bare highspy
# -----------------------------------------------------------------------------------


def solve_bare(shared: Shared, chunk: Chunk, worlds: Worlds, bare: Bare) -> None:
    """Solve a chunk with nothing but passModel, setBasis, change* and run; what they are given is made beforehand."""
    solvers: dict[int, tuple[highspy.Highs, LinearProgram]] = {}
    for task in chunk.tasks:
        template = shared.templates[task.shape]
        arrays = template.fill(
            task.levers, weights(template.labels.lines, worlds.numbers(task.cell))
        )
        if task.shape not in solvers:
            lp, basis = (
                template.singleton_bounds.highs_lp(arrays),
                basis_of(shared.starts[task.shape]),
            )
            with clock(bare.spent):
                highs = new_solver()
                highs.passModel(lp)
                highs.setBasis(basis)
                highs.run()
        else:
            highs, last = solvers[task.shape]
            calls = list(moves(highs, template.singleton_bounds, last, arrays))
            with clock(bare.spent):
                for call, given in calls:
                    call(*given)
                highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(
                f"bare highspy: {highs.modelStatusToString(highs.getModelStatus())}"
            )
        solvers[task.shape] = highs, arrays
        bare.pivots += highs.getInfo().simplex_iteration_count
        bare.cases += 1


def basis_of(start: Basis) -> highspy.HighsBasis:
    """Return a basis as HiGHS takes it."""
    basis = highspy.HighsBasis()
    basis.col_status = [STATUS[x] for x in start.columns.tolist()]
    basis.row_status = [STATUS[x] for x in start.rows.tolist()]
    basis.valid = True
    return basis


def moves(
    highs: highspy.Highs,
    singleton_bounds: SingletonBounds,
    old: LinearProgram,
    new: LinearProgram,
) -> Iterable[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Return the calls that turn one loaded case into the next."""
    if not np.array_equal(old.cost, new.cost):
        every = np.arange(len(new.cost), dtype=np.int32)
        yield highs.changeColsCost, (len(every), every, new.cost)
    for before, after, change in (
        (
            singleton_bounds.column_bounds(old),
            singleton_bounds.column_bounds(new),
            highs.changeColsBounds,
        ),
        (
            singleton_bounds.row_bounds(old),
            singleton_bounds.row_bounds(new),
            highs.changeRowsBounds,
        ),
    ):
        moved = np.flatnonzero(
            (before[0] != after[0]) | (before[1] != after[1])
        ).astype(np.int32)
        if len(moved):
            yield change, (len(moved), moved, after[0][moved], after[1][moved])
    was, now = (
        old.matrix.data[singleton_bounds.entries],
        new.matrix.data[singleton_bounds.entries],
    )
    entries = np.flatnonzero(was != now)
    columns = np.searchsorted(singleton_bounds.column_starts, entries, side="right") - 1
    for row, column, value in zip(
        singleton_bounds.entry_rows[entries].tolist(),
        columns.tolist(),
        now[entries].tolist(),
        strict=True,
    ):
        yield highs.changeCoeff, (row, column, value)


# -- the usual ways
# ---------------------------------------------------------------------------------


def peers(
    shared: Shared, tasks: tuple[Task, ...], data: cm.Dataset, worlds: Worlds
) -> Figures:
    """Solve the same few cases our way, with the persistent interface and by a rebuild; medians per case."""
    ours = []
    for count in (
        1,
        len(tasks),
    ):  # what a chunk of one takes is its start, which is no part of a hot case
        with clock() as spent:
            work = solve_chunk(shared, Chunk(0, tasks[:count]))
        ours.append((spent.cpu, work.pivots))
    rest = len(tasks) - 1
    tell("  persistent ...")
    template = shared.templates[tasks[0].shape]
    persistent = Persistent(
        template,
        weights(template.labels.lines, worlds.numbers(tasks[0].cell)),
        tasks[0],
    )
    hot = [persistent.solve(task.levers) for task in tasks][1:]
    tell("  rebuild ...")
    rebuilt = []
    for task in tasks[:-1]:
        with clock() as spent:
            solution = cm.run(data, task.cell.case, task.cell.world)
            metrics.rows(shared.metrics, Summary.of(solution, task.cell.point), None)
        rebuilt.append((spent.cpu, solution.optimum.iterations))
    return {
        "cases": rest,
        "ours_s": (ours[1][0] - ours[0][0]) / rest,
        "ours_pivots": (ours[1][1] - ours[0][1]) / rest,
        "persistent_s": median([cpu for cpu, _, _ in hot]),
        "persistent_outside_s": median([cpu - inside for cpu, inside, _ in hot]),
        "persistent_pivots": median([pivots for _, _, pivots in hot]),
        "persistent_first_s": persistent.first.cpu,
        "rebuild_s": median([cpu for cpu, _ in rebuilt]),
        "rebuild_pivots": median([pivots for _, pivots in rebuilt]),
    }


class Persistent:
    """The same programme in Pyomo's persistent interface to HiGHS, as fast as its options let it be.

    A plain model of the same coefficients: one mutable parameter for each number that
    differs, and expressions of them where the template has polynomials. Only parameters
    are looked at for changes.
    """

    def __init__(self, template: ParametricProgram, weight: Vector, task: Task) -> None:
        self.first = Spent()
        with clock(self.first):
            self.model = pyomo_model(template, weight, len(task.levers))
            self.solver = SolverFactory("highs")
            updates = self.solver.config.auto_updates
            for name in updates:
                updates[name] = name == "update_parameters"
            self.solver.config.solver_options = dict(OPTIONS)
            for k, value in enumerate(task.levers.tolist()):
                self.model.lever[k] = value
            self.solver.set_instance(self.model)

    def solve(self, levers: Any) -> tuple[float, float, int]:
        """Solve with new numbers; return seconds of the processor, those inside HiGHS, and pivots."""
        with inside_highs() as highs, clock() as spent:
            for k, value in enumerate(levers.tolist()):
                self.model.lever[k] = value
            self.solver.solve(self.model)
        return (
            spent.cpu,
            highs.cpu,
            self.solver._solver_model.getInfo().simplex_iteration_count,
        )


def pyomo_model(template: ParametricProgram, weight: Vector, count: int) -> Any:
    """Write a template as a Pyomo model with a mutable parameter for each lever."""
    matrix, rhs, lines = template.base_arrays
    model = pyo.ConcreteModel()
    model.lever = pyo.Param(range(count), mutable=True, initialize=0.0)
    model.x = pyo.Var(range(matrix.shape[1]), domain=pyo.NonNegativeReals)
    x = [model.x[j] for j in range(matrix.shape[1])]

    def filled(values: Any, polynomials: PolynomialVector) -> list[Any]:
        found: list[Any] = values.tolist()
        terms: list[list[Any]] = [[] for _ in polynomials.slots]
        for k, factor, powers in zip(
            polynomials._owners, polynomials._factors, polynomials._levers, strict=True
        ):
            term: Any = float(factor)
            for lever in powers[powers < count].tolist():
                term = term * model.lever[lever]
            terms[k].append(term)
        for slot, parts in zip(polynomials.slots.tolist(), terms, strict=True):
            found[slot] = sum(parts[1:], parts[0])
        return found

    sides = filled(rhs, template.rhs)
    coefficients = filled(matrix.data, template.matrix)
    rows: list[list[Any]] = [[] for _ in sides]
    for j in range(matrix.shape[1]):
        for k in range(matrix.indptr[j], matrix.indptr[j + 1]):
            rows[matrix.indices[k]].append(coefficients[k] * x[j])
    model.rows = pyo.ConstraintList()
    for terms, side, equal in zip(
        rows, sides, template.labels.is_equation, strict=True
    ):
        body = pyo.quicksum(terms)
        model.rows.add(body == side if equal else body >= side)
    costs = filled(lines.data, template.lines)
    model.cost = pyo.Objective(
        expr=pyo.quicksum(
            weight[i] * costs[k] * x[lines.indices[k]]
            for i in range(lines.shape[0])
            if weight[i]
            for k in range(lines.indptr[i], lines.indptr[i + 1])
        )
    )
    return model
