"""A whole process against a bare one, and two processes against one."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import Figures, Ran, clock, median, process, report
from sweeps import studies

import chipmodel as cm
from chipmodel.common.cache import VARIABLE
from chipmodel.common.workers import Processes
from chipmodel.solver.bounds import SingletonBounds
from chipmodel.solver.highs import OPTIONS
from chipmodel.studies.plan import plan
from chipmodel.studies.sweep import prepare, solve_chunk

BARE = """
import sys
import pyomo.environ, pandas, pydantic, highspy
highs = highspy.Highs()
for option, value in {options}.items():
    highs.setOptionValue(option, value)
highs.readModel(sys.argv[1])
highs.run()
assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
"""
"""A process that imports what ours imports and solves the same linear program from a
file, with the same options."""


def single(runs: int) -> Figures:
    """Measure `chipmodel run current_law` against the bare process, by turns.

    Ours reads the data and writes every table.
    """
    chipmodel = [sys.executable, "-m", "chipmodel"]
    pairs = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mps = folder / "current_law.mps"
        process(
            [*chipmodel, "export", "current_law", "--format", "mps", "--out", str(mps)]
        )
        bare = [sys.executable, "-c", BARE.format(options=repr(OPTIONS)), str(mps)]
        # The first pair is the warm-up: it fills the caches of files.
        for k in range(runs + 1):
            out = folder / f"out_{k}"
            of_ours = process([*chipmodel, "run", "current_law", "--out", str(out)])
            of_bare = process(bare)
            report(
                f"single {k}: ours {of_ours.cpu:.1f} s, bare {of_bare.cpu:.1f} s of the"
                " processor"
            )
            pairs.append((of_ours, of_bare))
    counted = pairs[1:]
    ratios = [ours.cpu / bare.cpu for ours, bare in counted]
    ratios_wall = [ours.wall / bare.wall for ours, bare in counted]
    return {
        "single.runs": runs,
        "single.ours_s": median([ours.cpu for ours, _ in counted]),
        "single.bare_s": median([bare.cpu for _, bare in counted]),
        "single.ratio_to_bare": median(ratios),
        "single.ratio_to_bare_wall": median(ratios_wall),
        "single.ours_gb": median([ours.gb for ours, _ in counted]),
        "single.bare_gb": median([bare.gb for _, bare in counted]),
    }


WARM = """
import sys
import numpy, pandas, highspy
highs = highspy.Highs()
for option, value in {options}.items():
    highs.setOptionValue(option, value)
arrays = numpy.load(sys.argv[1])
lp = highspy.HighsLp()
lp.num_col_, lp.num_row_ = len(arrays["cost"]), len(arrays["row_lower"])
lp.col_cost_, lp.col_lower_, lp.col_upper_ = (
    arrays["cost"], arrays["lower"], arrays["upper"]
)
lp.row_lower_, lp.row_upper_ = arrays["row_lower"], arrays["row_upper"]
lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
lp.a_matrix_.start_, lp.a_matrix_.index_ = arrays["start"], arrays["index"]
lp.a_matrix_.value_ = arrays["value"]
highs.passModel(lp)
basis = highspy.HighsBasis()
kinds = [highspy.HighsBasisStatus(k) for k in range(5)]
basis.col_status = [kinds[k] for k in arrays["columns"].tolist()]
basis.row_status = [kinds[k] for k in arrays["rows"].tolist()]
basis.valid = True
highs.setBasis(basis)
highs.run()
assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
"""
"""A process that solves the same linear program from arrays and from the same basis."""

CHANGED = """
title = "One number changed"
baseline = "current_law"
status = "hypothetical"
as_of = "2026-06-30"
summary = "The US credit at another rate."
[set]
"us_credit.rate" = 0.33
"""


def warm(runs: int) -> Figures:
    """Measure `chipmodel run current_law` again, and with one number changed.

    The cache has what a first run left there. The bare process gets the linear program
    as arrays, with the same basis.
    """
    chipmodel = [sys.executable, "-m", "chipmodel"]
    taken: dict[str, list[Ran]] = {"cold": [], "ours": [], "changed": [], "bare": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        changed = folder / "changed.toml"
        changed.write_text(CHANGED)
        arrays = folder / "arrays.npz"
        np.savez(arrays, **_arrays_of_current_law())
        bare = [sys.executable, "-c", WARM.format(options=repr(OPTIONS)), str(arrays)]
        for k in range(runs):
            cache = {**os.environ, VARIABLE: str(folder / f"cache_{k}")}
            out = ["--out", str(folder / f"out_{k}")]
            run = [*chipmodel, "run"]
            taken["cold"].append(process([*run, "current_law", *out], env=cache))
            process([*run, "current_law", *out], env=cache)
            taken["ours"].append(process([*run, "current_law", *out], env=cache))
            taken["changed"].append(process([*run, str(changed), *out], env=cache))
            taken["bare"].append(process(bare))
            last = {kind: f"{ran[-1].cpu:.1f}" for kind, ran in taken.items()}
            report(f"warm {k}: seconds of the processor {last}")
    seconds = {kind: median([ran.cpu for ran in taken[kind]]) for kind in taken}
    ratios = [
        ours.cpu / bare.cpu
        for ours, bare in zip(taken["ours"], taken["bare"], strict=True)
    ]
    return {
        "run.warm.runs": runs,
        "run.warm.first_s": seconds["cold"],
        "run.warm.again_s": seconds["ours"],
        "run.warm.one_number_changed_s": seconds["changed"],
        "run.warm.bare_s": seconds["bare"],
        "run.warm.ratio_to_bare": median(ratios),
    }


def _arrays_of_current_law() -> dict[str, Any]:
    """Return the linear program of `current_law` as HiGHS has it, and its basis."""
    data = cm.load_dataset()
    solution = cm.run(data, "current_law")
    program, basis = solution.program, solution.optimum.basis
    assert basis is not None
    lp = SingletonBounds(program).highs_lp(program)
    return {
        "cost": np.array(lp.col_cost_),
        "lower": np.array(lp.col_lower_),
        "upper": np.array(lp.col_upper_),
        "row_lower": np.array(lp.row_lower_),
        "row_upper": np.array(lp.row_upper_),
        "start": np.array(lp.a_matrix_.start_),
        "index": np.array(lp.a_matrix_.index_),
        "value": np.array(lp.a_matrix_.value_),
        "columns": basis.columns,
        "rows": basis.rows,
    }


def parallel(repeats: int, short: bool) -> Figures:
    """Measure the chunks of a sweep in one process and in two, by turns.

    Both are fresh processes that are sent the compiled linear program; compiling it is
    done once before and counted in neither.
    """
    data = cm.load_dataset()
    # Several chunks for each process, so that neither waits long for the last one.
    chunk = 4 if short else 25
    study = studies(short)["iii"].model_copy(update={"chunk": chunk})
    planned = plan(study, data)
    sweep = prepare(planned.cells, data, planned.metrics, {}, study.chunk)

    def seconds_with(jobs: int) -> float:
        with clock() as spent:
            done = list(Processes(jobs).each(solve_chunk, sweep.shared, sweep.chunks))
        assert len(done) == len(sweep.chunks)
        return spent.wall

    pairs = []
    for k in range(repeats):
        alone = seconds_with(1)
        shared = seconds_with(2)
        pairs.append((alone, shared))
        report(f"parallel {k}: one process {alone:.1f} s, two {shared:.1f} s")
    speedups = [alone / shared for alone, shared in pairs]
    return {
        "parallel.repeats": repeats,
        "parallel.cases": len(planned.cells),
        "parallel.one_s": median([alone for alone, _ in pairs]),
        "parallel.two_s": median([shared for _, shared in pairs]),
        "parallel.speedup_2": median(speedups),
        "parallel.speedups": sorted(round(speedup, 3) for speedup in speedups),
    }
