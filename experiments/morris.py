"""Sensitivity when all numbers vary: elementary effects after Morris, with SALib.

    python experiments/morris.py [--out data/derived/morris.csv] [--trajectories 2]
    [--jobs 2] [--short]

The twenty most influential numbers of ``data/derived/tornado.csv`` vary along
trajectories through their ranges, one at a time, while the others are where the
trajectory has taken them. For each metric it writes mu_star, the mean size of the
effect of a number, its confidence, and sigma, how much the effect depends on the other
numbers. ``--short`` takes three numbers. Needs SALib (the extra ``sensitivity``).
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
COUNT = 20
"""Numbers that vary: effects of the others are small already in the tornado."""

LEVELS = 4
"""Levels of each number along a trajectory, as is usual with the method."""

SEED = 2026
COLUMNS = ["metric", "number", "mu_star", "mu_star_conf", "mu", "sigma"]
EFFECTS = ["names", "mu_star", "mu_star_conf", "mu", "sigma"]
"""Keys of SALib's analysis, in the order of the columns after the metric."""


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
        help="folder for solved cases, to continue from",
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
        # SALib is an optional extra.
        from SALib.analyze import morris as analysis
        from SALib.sample import morris as sampling

        data = cm.load_dataset()
        count = COUNT
        trajectories = given.trajectories
        if given.short:
            count = 3
            trajectories = 2
        chosen = most_influential(pd.read_csv(given.tornado), count)
        numbers = [number for number in ranges(data) if number.number in chosen]
        problem = {
            "num_vars": len(numbers),
            "names": [number.number for number in numbers],
            "bounds": [[0.0, 1.0]] * len(numbers),
        }
        unit = sampling.sample(problem, trajectories, num_levels=LEVELS, seed=SEED)
        points = affordable(
            spread(numbers, unit),
            [cm.load_case(CASE, data)],
            data,
            load_world("central", data),
        )
        # Trajectories can cross; a study takes each point once.
        keys = [tuple(point.items()) for point in points]
        different = dict(zip(keys, points, strict=True))
        study = Study(
            name="morris",
            title="Elementary effects",
            cases=(CASE,),
            metrics=METRICS,
            chunk=1,
            point=tuple(different.values()),
        )
        with Progress(sys.stderr) as on_progress:
            table = run_study(
                study, data, given.work, jobs=given.jobs, on_progress=on_progress
            ).table
        rows = []
        for metric, part in table.groupby("metric", sort=False):
            value_at = dict(zip(different, part["value"], strict=True))
            values = np.array([value_at[key] for key in keys])
            effects = analysis.analyze(
                problem, unit, values, num_levels=LEVELS, seed=SEED
            )
            by_number = zip(*(effects[name] for name in EFFECTS), strict=True)
            rows += [(metric, *row) for row in by_number]
        frame = pd.DataFrame(rows, columns=COLUMNS)
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
