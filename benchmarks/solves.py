"""The solves of a whole report against cold solves of the same cases."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from common import Figures, Spent, clock, process, report

import chipmodel as cm
from chipmodel.analysis.run import first_pass
from chipmodel.analysis.structure import Structures
from chipmodel.common.cache import VARIABLE
from chipmodel.report.build import modules
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import new_solver, run_and_certify
from chipmodel.studies.case_cache import CaseCache, key_of
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell

EVERY = 10
"""A short run solves every tenth case cold and takes its mean for all."""


def measure(short: bool) -> Figures:
    """Measure the full report with shipped bases and an empty cache.

    The numerator is everything the report takes, reading, writing and drawing included;
    the denominator only what HiGHS takes from nothing.
    """
    cells = list(_cells())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "chipmodel", "report", "--jobs", "2"]
        command += ["--out", str(folder / "report")]
        env = {**os.environ, VARIABLE: str(folder / "cache")}
        whole = process(command, env=env)
        report(f"report: {whole.cpu:.0f} s of the processor, {whole.wall:.0f} s")
    sample = cells[:: EVERY if short else 1]
    structures, inputs = Structures(), Inputs(cm.load_dataset())
    cold = Spent()
    for cell in sample:
        case, world = first_pass(cell.case, cell.world)
        program = structures.program(case, inputs.parameters(world))
        bounds = SingletonBounds(program)
        lp = bounds.highs_lp(program)
        with clock(cold):
            highs = new_solver()
            highs.passModel(lp)
            run_and_certify(highs, bounds, program)
        report(f"  {cell.label}: {cold.cpu:.0f} s so far")
    of_all = cold.cpu / len(sample) * len(cells)
    return {
        "report.full.cases": len(cells),
        "report.full.s": whole.cpu,
        "report.full.wall_s": whole.wall,
        "report.full.cold_cases": len(sample),
        "report.full.cold_s": of_all,
        "report.full.seconds_per_solve_ratio": whole.cpu / of_all,
    }


def _cells() -> Iterator[Cell]:
    """Walk over the cases of all questions, each once."""
    data = cm.load_dataset()
    cache = CaseCache(data)
    seen = set()
    for module in modules(data, False):
        for batch in cache.plan(module.cells(cache, False)):
            for cell in batch.cells:
                if key_of(cell) not in seen:
                    seen.add(key_of(cell))
                    yield cell
