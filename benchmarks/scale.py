"""Build, hand-over and solve at growing size: ours, plain Pyomo, and linopy.

Plain Pyomo is the same model in its own interface to HiGHS.
Each engine runs in a process of its own, so that peak memory is its own. HiGHS itself
is the same for all and is run once, by ours, under a limit: at a million variables the
simplex method takes longer than anyone waits. What only one engine needs is imported in
its own function, for the same reason: the memory of an import is no memory of another
engine.
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
from common import HERE, Figures, clock, peak_gb, process, report

from chipmodel.solver.highs import new_solver, run_and_certify
from chipmodel.solver.linear_program import LinearProgram

SIZES = {"shipped": None, "20r": (20, 1), "1m": (40, 3)}
"""Regions and spread of the data grown for each size."""

LIMIT = 600.0
"""Seconds HiGHS is given."""

ENGINES = ("ours", "pyomo", "linopy")


def measure(sizes: list[str], limit: float = LIMIT) -> Figures:
    """Measure the sizes named."""
    # Not above: growing data is no part of what an engine loads.
    from grow import grow

    results: Figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            growth = SIZES[size]
            data = ""
            if growth is not None:
                data = str(grow(folder / f"grown_{size}", *growth))
            # Ours comes first: it leaves the arrays that linopy is given.
            for engine in ENGINES:
                if engine == "linopy" and find_spec("linopy") is None:
                    report(
                        "linopy is not installed: pip install -r"
                        " benchmarks/requirements.txt"
                    )
                    continue
                report(f"scale {size}: {engine} ...")
                answer = folder / f"{size}_{engine}.json"
                arrays = folder / f"{size}.pickle"
                script = [sys.executable, str(HERE / "scale.py")]
                process([*script, engine, str(answer), str(arrays), str(limit), data])
                prefix = f"scale.{size}"
                if engine != "ours":
                    prefix += f".{engine}"
                for key, value in json.loads(answer.read_text()).items():
                    results[f"{prefix}.{key}"] = value
    return results


def ours(case: Any, parameters: Any, limit: float, file: Path) -> Figures:
    """Write, compile, hand over and solve the linear program, and make every table.

    The arrays are left in a file for linopy.
    """
    # Memory of imports, see above.
    from chipmodel.common.errors import NoOptimum
    from chipmodel.model.lp.compile import compile_program
    from chipmodel.model.lp.program import write
    from chipmodel.results.solution import TABLES, Solution
    from chipmodel.solver.bounds import SingletonBounds

    with clock() as writing:
        model = write(parameters, case.policies)
    with clock() as compiling:
        program = compile_program(model)
    # Peak memory should not count the Pyomo model beside what HiGHS allocates.
    del model
    with clock() as handing:
        singleton_bounds = SingletonBounds(program)
        highs = new_solver()
        highs.passModel(singleton_bounds.highs_lp(program))
    build_gb = peak_gb()
    file.write_bytes(pickle.dumps(Plain.of(program)))
    highs.setOptionValue("time_limit", limit)
    with clock() as solving:
        highs.run()
    solved = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    rows, columns = program.matrix.shape
    before = writing.cpu + compiling.cpu + handing.cpu
    figures = {
        "rows": rows,
        "columns": columns,
        "nonzeros": program.matrix.nnz,
        "rows_in_highs": len(singleton_bounds.remaining_rows),
        "write_s": writing.cpu,
        "compile_s": compiling.cpu,
        "handover_s": handing.cpu,
        "build_gb": build_gb,
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
        return figures
    try:
        with clock() as reading:
            optimum = run_and_certify(highs, singleton_bounds, program)
            solution = Solution.of(case, parameters, program, optimum)
            for name in TABLES:
                solution.table(name)
    except NoOptimum as error:
        raise SystemExit(str(error)) from None
    return {**figures, "tables_s": reading.cpu, "memory_gb": peak_gb()}


def pyomo(case: Any, parameters: Any, limit: float, file: Path) -> Figures:
    """Write the same linear program and pass it through Pyomo's interface to HiGHS."""
    # Memory of imports, see above.
    import pyomo.environ as pyo
    from pyomo.contrib.solver.common.factory import SolverFactory

    from chipmodel.model.lp.program import write

    with clock() as writing:
        written = write(parameters, case.policies)
        model = written.pyomo
        discounted = parameters.weights(written.lines).tolist()
        terms = []
        for weight, line in zip(discounted, model.account.values(), strict=True):
            if weight:
                terms.append(weight * line.expr)
        # The compiler reads each account line as an objective of its own; Pyomo's
        # interface takes one, their sum.
        model.account.deactivate()
        model.whole = pyo.Objective(expr=pyo.quicksum(terms))
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
    """A linear program as nothing but arrays: what linopy is given.

    Attributes
    ----------
    rows, columns : dict
        Places of the rows of each group, and of the columns of each variable.
    """

    matrix: Any
    rhs: Any
    cost: Any
    equal: Any
    rows: dict[str, Any]
    columns: dict[str, Any]

    @classmethod
    def of(cls, program: LinearProgram) -> Plain:
        """Take what is needed of a linear program."""
        labels = program.labels
        rows = {}
        for name in labels.groups:
            _, places = labels.rows(name)
            if len(places):
                rows[name] = places
        columns = {}
        for name, _ in labels.column_labels:
            if name not in columns:
                _, columns[name] = labels.columns(name)
        return cls(
            program.matrix.tocsr(),
            program.rhs,
            program.cost,
            labels.is_equation,
            rows,
            columns,
        )


def linopy(file: Path) -> Figures:
    """Write the same rows in linopy, a block for each group, and pass them to HiGHS.

    linopy is given the coefficients ready made, as arrays: what it takes to find them
    from the data is not counted, which flatters it.
    """
    # linopy is an optional extra of the benchmark; memory of imports, see above.
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
        coefficients = np.zeros(shape)
        # linopy fills rows up to one width with the variable -1.
        variables = np.full(shape, -1, dtype=np.int64)
        inside = np.arange(shape[1]) < counts[:, None]
        coefficients[inside] = matrix.data
        variables[inside] = label[matrix.indices]
        dims = (dim, "_term")
        terms = {"coeffs": (dims, coefficients), "vars": (dims, variables)}
        return lp.LinearExpression(xr.Dataset(terms), model)

    with clock() as writing:
        model = lp.Model()
        for name, places in given.columns.items():
            model.add_variables(
                lower=0,
                coords=[pd.RangeIndex(len(places), name=f"of_{name}")],
                name=name,
            )
        lengths = np.diff(given.matrix.indptr)
        for name, places in given.rows.items():
            for kind, sign in ((True, "="), (False, ">=")):
                chosen = places[given.equal[places] == kind]
                # A block is as wide as its longest row: rows of one group and of like
                # length go together.
                for k, part in enumerate(_alike(lengths[chosen])):
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
    # linopy reads arrays and needs none of this; memory of imports, see above.
    import chipmodel as cm
    from chipmodel.model.parameters.build import build_parameters

    data = cm.load_dataset(folder or None)
    case = cm.load_case("current_law", data)
    world = cm.load_world("central", data)
    parameters = build_parameters(data, world).with_events(world.event)
    measured = {"ours": ours, "pyomo": pyomo}[engine]
    figures = measured(case, parameters, float(limit), Path(arrays))
    Path(answer).write_text(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
