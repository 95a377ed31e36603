"""A whole process against a bare one, and two processes against one."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import Figures, clock, median, process, report
from sweeps import studies

import chipmodel as cm
from chipmodel.common.workers import Processes
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
