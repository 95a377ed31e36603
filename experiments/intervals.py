"""How sure are the headline numbers? Cases at draws of everything that has a range.

    python experiments/intervals.py [--out data/derived/intervals.csv] [--jobs 2]
    [--short]

Every number of the data that has a range is drawn, all together, each evenly in its
logarithm over its range (a Latin hypercube), and every case of the headline study and
some of the questions are solved at each draw. What is written is the lowest and the
highest result, which the study and the report show beside their numbers. ``--short``
takes two draws of the headline study. It is a long run; with ``--work`` it goes on
where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chipmodel as cm
from chipmodel.analysis.sensitivity import affordable, intervals, ranges, spread
from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.common.progress import Progress
from chipmodel.common.tables import table_csv
from chipmodel.model.world import load_world
from chipmodel.studies.plan import load_study
from chipmodel.studies.run import run_study

MORE = (
    "section232_25",
    "japan_domestic_first",
    "korea_japan_pushed_away",
    "china_decoupling",
)
"""Cases of the questions that are drawn beside those of the headline study."""
METRICS = ("capacity.*.all.2035", "capacity.*.logic_lt10.2035")
SEED = 2026


def main() -> int:
    """Draw, solve and write."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--out", default="data/derived/intervals.csv", metavar="FILE")
    options.add_argument(
        "--work",
        default=None,
        metavar="DIR",
        help="folder for what is solved, to go on from",
    )
    options.add_argument("--draws", type=int, default=12, metavar="N")
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    options.add_argument(
        "--short", action="store_true", help="two draws of the headline study"
    )
    given = options.parse_args()
    try:
        from scipy.stats import qmc

        data = cm.load_dataset()
        moved = ranges(data)
        unit = qmc.LatinHypercube(len(moved), rng=SEED).random(
            2 if given.short else given.draws
        )
        study = load_study("headline", data)
        names = study.cases if given.short else (*study.cases, *MORE)
        centre = dict.fromkeys((one.number for one in moved), 1.0)
        points = affordable(
            [centre, *spread(moved, unit)],
            [cm.load_case(name, data) for name in names],
            data,
            load_world("central", data),
        )
        drawn = study.model_copy(
            update={
                "name": "intervals",
                "cases": names,
                "metrics": (*study.metrics, *METRICS),
                "figures": (),
                "keep": "metrics",
                "point": tuple(points),
                "chunk": len(names),
            }
        )
        with Progress(sys.stderr) as on_progress:
            result = run_study(
                drawn, data, given.work, jobs=given.jobs, on_progress=on_progress
            )
        write_whole(Path(given.out), table_csv(intervals(result.table)))
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    print("written:", given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
