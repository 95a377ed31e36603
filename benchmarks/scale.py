"""Build, hand-over and solve at growing size: ours, plain Pyomo with its HiGHS interface, and linopy.

Each engine runs in a process of its own, so that peak memory is its own. HiGHS itself
is the same for all and is run once, by ours, under a limit: at a million variables the
simplex method takes longer than anyone waits.
"""

from __future__ import annotations

import json
import pickle
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import highspy
import numpy as np
from common import HERE, Figures, clock, peak_gb, process, tell

from chipmodel.solver.highs import new_solver, run_and_certify

SIZES = {"shipped": None, "20r": (20, 1), "1m": (40, 3)}
"""Regions and spread of the data grown for each size."""
LIMIT = 600.0
"""Seconds HiGHS is given."""
ENGINES = ("ours", "pyomo", "linopy")


def measure(sizes: list[str], limit: float = LIMIT) -> Figures:
    """Measure the sizes named."""
    from grow import grow

    found: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            grown = SIZES[size]
            data = (
                ""
                if grown is None
                else str(grow(Path(folder) / f"grown_{size}", *grown))
            )
            for engine in ENGINES:
                if engine == "linopy" and find_spec("linopy") is None:
                    tell(
                        "linopy is not installed: pip install -r"
                        " benchmarks/requirements.txt"
                    )
                    continue
                tell(f"scale {size}: {engine} ...")
                answer, arrays = (
                    Path(folder) / f"{size}_{engine}.json",
                    Path(folder) / f"{size}.pickle",
                )
                process(
                    [
                        sys.executable,
                        str(HERE / "scale.py"),
                        engine,
                        str(answer),
                        str(arrays),
                        str(limit),
                        data,
                    ]
                )
                found |= {
                    (
                        f"scale.{size}.{key}"
                        if engine == "ours"
                        else f"scale.{size}.{engine}.{key}"
                    ): value
                    for key, value in json.loads(answer.read_text()).items()
                }
    return found


def ours(case: Any, numbers: Any, limit: float, file: Path) -> Figures:
    """Write, compile, hand over, solve, and make every table; leave the arrays in a file for linopy."""
    from chipmodel.common.errors import NoOptimum
    from chipmodel.model.lp.compile import compile_program
    from chipmodel.model.lp.program import write
    from chipmodel.results.solution import TABLES, Solution
    from chipmodel.solver.bounds import SingletonBounds

    with clock() as writing:
        programme = write(numbers, case.policies)
    with clock() as compiling:
        arrays = compile_program(programme)
    del programme
    with clock() as handing:
        singleton_bounds, highs = SingletonBounds(arrays), new_solver()
        highs.passModel(singleton_bounds.highs_lp(arrays))
    built = peak_gb()
    file.write_bytes(pickle.dumps(Plain.of(arrays)))
    highs.setOptionValue("time_limit", limit)
    with clock() as solving:
        highs.run()
    solved = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    rows, columns = arrays.matrix.shape
    before = writing.cpu + compiling.cpu + handing.cpu
    found = {
        "rows": rows,
        "columns": columns,
        "nonzeros": arrays.matrix.nnz,
        "rows_handed_over": len(singleton_bounds.remaining_rows),
        "write_s": writing.cpu,
        "compile_s": compiling.cpu,
        "handover_s": handing.cpu,
        "build_gb": built,
        "solve_s": solving.cpu,
        "solve_wall_s": solving.wall,
        "solved": solved,
        "pivots": highs.getInfo().simplex_iteration_count,
        "memory_gb": peak_gb(),
        # Where HiGHS was cut short its time is a lower bound, and so this ratio an
        # upper one.
        "build_to_solve": before / solving.cpu,
    }
    if not solved:
        return found
    try:
        with clock() as reading:
            optimum = run_and_certify(highs, singleton_bounds, arrays)
            solution = Solution.of(case, numbers, arrays, optimum)
            for name in TABLES:
                solution.table(name)
    except NoOptimum as error:
        raise SystemExit(str(error)) from None
    return {**found, "tables_s": reading.cpu, "memory_gb": peak_gb()}


def pyomo(case: Any, numbers: Any, limit: float, file: Path) -> Figures:
    """Write the same programme and hand it over through Pyomo's own interface to HiGHS."""
    import pyomo.environ as pyo
    from pyomo.contrib.solver.common.factory import SolverFactory

    from chipmodel.model.lp.compile import weights
    from chipmodel.model.lp.program import write

    with clock() as writing:
        programme = write(numbers, case.policies)
        model, weight = programme.model, weights(programme.lines, numbers)
        model.whole = pyo.Objective(
            expr=pyo.quicksum(
                float(w) * line.expr
                for w, line in zip(weight, model.account.values(), strict=True)
                if w
            )
        )
        model.account.deactivate()
    with clock() as handing:
        solver = SolverFactory("highs")
        solver.set_instance(model)
    return {
        "write_s": writing.cpu,
        "handover_s": handing.cpu,
        "build_gb": peak_gb(),
        "columns": solver._solver_model.getNumCol(),
    }


@dataclass(frozen=True)
class Plain:
    """A programme as nothing but arrays: what linopy is given."""

    matrix: Any
    rhs: Any
    cost: Any
    equal: Any
    rows: dict[str, Any]
    """Places of the rows of each family."""
    columns: dict[str, Any]
    """Places of the columns of each variable."""

    @classmethod
    def of(cls, arrays: Any) -> Plain:
        """Take what is needed of arrays."""
        frame = arrays.labels
        names = dict.fromkeys(name for name, _ in frame.column_labels)
        rows = {
            name: frame.rows(name)[1]
            for name in frame.groups
            if len(frame.rows(name)[1])
        }
        return cls(
            arrays.matrix.tocsr(),
            arrays.rhs,
            arrays.cost,
            frame.is_equation,
            rows,
            {name: frame.columns(name)[1] for name in names},
        )


def linopy(file: Path) -> Figures:
    """Write the same rows in linopy, a block for each family, and hand them over.

    linopy is given the coefficients ready made, as arrays: what it takes to find them
    from the data is not counted, which flatters it.
    """
    import linopy as lp
    import pandas as pd
    import xarray as xr

    given: Plain = pickle.loads(file.read_bytes())
    order = np.concatenate(list(given.columns.values()))
    label = np.empty(len(order), dtype=np.int64)
    label[order] = np.arange(len(order))
    before = peak_gb()

    def expression(model: Any, matrix: Any, dim: str) -> Any:
        counts = np.diff(matrix.indptr)
        shape = (matrix.shape[0], max(int(counts.max(initial=0)), 1))
        coefficients, variables = np.zeros(shape), np.full(shape, -1, dtype=np.int64)
        inside = np.arange(shape[1]) < counts[:, None]
        coefficients[inside], variables[inside] = matrix.data, label[matrix.indices]
        dims = (dim, "_term")
        return lp.LinearExpression(
            xr.Dataset({"coeffs": (dims, coefficients), "vars": (dims, variables)}),
            model,
        )

    with clock() as writing:
        model = lp.Model()
        for name, places in given.columns.items():
            model.add_variables(
                lower=0,
                coords=[pd.RangeIndex(len(places), name=f"of_{name}")],
                name=name,
            )
        for name, places in given.rows.items():
            for kind, sign in ((True, "="), (False, ">=")):
                chosen = places[given.equal[places] == kind]
                # A block is as wide as its longest row: rows of one family and of like
                # length go together.
                for k, part in enumerate(_alike(np.diff(given.matrix.indptr)[chosen])):
                    rows = chosen[part]
                    left = expression(
                        model, given.matrix[rows], f"row_{name}_{k}_{sign}"
                    )
                    model.add_constraints(
                        left, sign, given.rhs[rows], name=f"{name}_{k}_{kind}"
                    )
        cost = xr.Dataset({"coeffs": ("_term", given.cost), "vars": ("_term", label)})
        model.add_objective(lp.LinearExpression(cost, model))
    with clock() as handing:
        highs = model.to_highspy(set_names=False)
    return {
        "write_s": writing.cpu,
        "handover_s": handing.cpu,
        "build_gb": peak_gb(),
        "gb_before": before,
        "columns": highs.getNumCol(),
        "rows": highs.getNumRow(),
    }


def _alike(lengths: Any) -> list[Any]:
    """Return the places of rows of like length: within a factor of two."""
    if not len(lengths):
        return []
    kind = np.ceil(np.log2(np.maximum(lengths, 1))).astype(int)
    return [np.flatnonzero(kind == k) for k in np.unique(kind)]


def main(engine: str, answer: str, arrays: str, limit: str, folder: str) -> None:
    """Measure one engine at one size, in this process."""
    if engine == "linopy":
        Path(answer).write_text(json.dumps(linopy(Path(arrays))))
        return
    import chipmodel as cm
    from chipmodel.model.parameters.build import build_parameters

    data = cm.load_dataset(folder or None)
    case, world = cm.load_case("current_law", data), cm.load_world("central", data)
    numbers = build_parameters(data, world).with_events(world.event)
    call = {"ours": ours, "pyomo": pyomo}[engine]
    Path(answer).write_text(json.dumps(call(case, numbers, float(limit), Path(arrays))))


if __name__ == "__main__":
    main(*sys.argv[1:])
