"""Which numbers carry the answer when all move at once? Elementary effects after Morris, with SALib.

    python experiments/morris.py [--out data/derived/morris.csv] [--trajectories 2]
    [--jobs 2] [--short]

The twenty most telling numbers of ``data/derived/tornado.csv`` move along trajectories
through their ranges, one at a time from wherever the others stand. For each metric it
writes mu_star, the mean size of what a number does, its confidence, and sigma, how much
that hangs on the others. ``--short`` takes three numbers. Needs SALib (the extra
``sensitivity``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import chipmodel as cm
from chipmodel.analysis.sensitivity import affordable, most_influential, ranges, spread
from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.common.progress import Progress
from chipmodel.common.tables import table_csv
from chipmodel.model.world import load_world
from chipmodel.studies.definition import Study
from chipmodel.studies.run import run_study

CASE = "current_law"
METRICS = (
    "share.capacity.USA.logic_lt10.2035",
    "share.capacity.USA.all.2035",
    "hhi.logic_lt10.2035",
    "outlay.USA",
)
COUNT, LEVELS, SEED = 20, 4, 2026


def main() -> int:
    """Sample, solve, analyse and write."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--out", default="data/derived/morris.csv", metavar="FILE")
    options.add_argument(
        "--tornado", default="data/derived/tornado.csv", metavar="FILE"
    )
    options.add_argument(
        "--work",
        default=None,
        metavar="DIR",
        help="folder for what is solved, to go on from",
    )
    options.add_argument("--trajectories", type=int, default=2, metavar="N")
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    options.add_argument(
        "--short", action="store_true", help="three numbers, two trajectories"
    )
    given = options.parse_args()
    try:
        if not Path(given.tornado).is_file():
            raise InputError.one(
                given.tornado,
                "file",
                "is not there",
                "write it with experiments/tornado.py",
            )
        from SALib.analyze import morris as analysis
        from SALib.sample import morris as sampling

        data = cm.load_dataset()
        chosen = most_influential(
            pd.read_csv(given.tornado), 3 if given.short else COUNT
        )
        moved = [one for one in ranges(data) if one.number in chosen]
        problem = {
            "num_vars": len(moved),
            "names": [one.number for one in moved],
            "bounds": [[0.0, 1.0]] * len(moved),
        }
        unit = sampling.sample(
            problem,
            2 if given.short else given.trajectories,
            num_levels=LEVELS,
            seed=SEED,
        )
        points = affordable(
            spread(moved, unit),
            [cm.load_case(CASE, data)],
            data,
            load_world("central", data),
        )
        different = list({tuple(point.items()): point for point in points}.values())
        study = Study(
            name="morris",
            title="Elementary effects",
            cases=(CASE,),
            metrics=METRICS,
            chunk=1,
            point=tuple(different),
        )
        with Progress(sys.stderr) as on_progress:
            table = run_study(
                study, data, given.work, jobs=given.jobs, on_progress=on_progress
            ).table
        rows = []
        for metric, part in table.groupby("metric", sort=False):
            at = {
                tuple(point.items()): value
                for point, value in zip(different, part["value"], strict=True)
            }
            values = np.array([at[tuple(point.items())] for point in points])
            found = analysis.analyze(
                problem, unit, values, num_levels=LEVELS, seed=SEED
            )
            rows += [
                (metric, *row)
                for row in zip(
                    found["names"],
                    found["mu_star"],
                    found["mu_star_conf"],
                    found["mu"],
                    found["sigma"],
                    strict=True,
                )
            ]
        frame = pd.DataFrame(
            rows, columns=["metric", "number", "mu_star", "mu_star_conf", "mu", "sigma"]
        )
        frame = frame.sort_values(
            ["metric", "mu_star"],
            ascending=[True, False],
            kind="stable",
            ignore_index=True,
        )
        write_whole(Path(given.out), table_csv(frame))
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    print("written:", given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
