"""A whole process against a bare one, and two processes against one."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import Figures, clock, median, process, tell

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
"""A process that imports what ours imports and solves the same programme from a file, with the same options."""


def single(runs: int) -> Figures:
    """Measure `chipmodel run current_law`, data read and tables written, against the bare process, by turns."""
    from chipmodel.solver.highs import OPTIONS

    chipmodel = [sys.executable, "-m", "chipmodel"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mps = folder / "current_law.mps"
        process(
            [*chipmodel, "export", "current_law", "--format", "mps", "--out", str(mps)]
        )
        bare = [sys.executable, "-c", BARE.format(options=repr(OPTIONS)), str(mps)]
        pairs = []
        for k in range(runs + 1):  # the first pair is the warm-up
            pair = (
                process(
                    [
                        *chipmodel,
                        "run",
                        "current_law",
                        "--out",
                        str(folder / f"out_{k}"),
                    ]
                ),
                process(bare),
            )
            tell(
                f"single {k}: ours {pair[0].cpu:.1f} s, bare {pair[1].cpu:.1f} s of the"
                " processor"
            )
            pairs.append(pair)
    counted = pairs[1:]
    return {
        "single.runs": runs,
        "single.ours_s": median([a.cpu for a, _ in counted]),
        "single.bare_s": median([b.cpu for _, b in counted]),
        "single.ratio_to_bare": median([a.cpu / b.cpu for a, b in counted]),
        "single.ratio_to_bare_wall": median([a.wall / b.wall for a, b in counted]),
        "single.ours_gb": median([a.gb for a, _ in counted]),
        "single.bare_gb": median([b.gb for _, b in counted]),
    }


def parallel(repeats: int, short: bool) -> Figures:
    """Measure the chunks of a sweep in one process and in two, by turns.

    Both are fresh processes that are sent the compiled programme; compiling it is done
    once before and counted in neither.
    """
    from sweeps import studies

    import chipmodel as cm
    from chipmodel.common.workers import Processes
    from chipmodel.studies.plan import plan
    from chipmodel.studies.sweep import prepare, solve_chunk

    data = cm.load_dataset()
    study = studies(short)["iii"].model_copy(update={"chunk": 4 if short else 25})
    planned = plan(study, data)
    sweep = prepare(planned.cells, data, planned.metrics, {}, study.chunk)
    pairs = []
    for k in range(repeats):
        took = []
        for jobs in (1, 2):
            with clock() as spent:
                done = [
                    work
                    for _, work in Processes(jobs).each(
                        solve_chunk, sweep.shared, sweep.chunks
                    )
                ]
            assert len(done) == len(sweep.chunks)
            took.append(spent.wall)
        pairs.append(took)
        tell(f"parallel {k}: one process {took[0]:.1f} s, two {took[1]:.1f} s")
    return {
        "parallel.repeats": repeats,
        "parallel.cases": len(planned.cells),
        "parallel.one_s": median([one for one, _ in pairs]),
        "parallel.two_s": median([two for _, two in pairs]),
        "parallel.speedup_2": median([one / two for one, two in pairs]),
        "parallel.speedups": sorted(round(one / two, 3) for one, two in pairs),
    }
