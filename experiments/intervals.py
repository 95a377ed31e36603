"""How sure are the headline numbers? Every case at draws of the numbers that carry the answer.

    python experiments/intervals.py [--out data/derived/intervals.csv] [--jobs 2] [--short]

The twenty most telling numbers of ``data/derived/tornado.csv`` are drawn together, each evenly in its
logarithm over its own range (a Latin hypercube), and every case of the headline study and of the
questions is solved at each draw. What is written is where nine in ten draws lie, which the study and the
report show beside their numbers. ``--short`` takes four draws of the headline study. It is a long run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

import chipmodel as cm
from chipmodel.errors import InputError
from chipmodel.files import write_whole
from chipmodel.progress import Progress
from chipmodel.sensitivity import affordable, intervals, most_telling, ranges, spread
from chipmodel.study import load_study, run_study, table_csv
from chipmodel.world import load_world

MORE = ("section232_25", "section232_100", "japan_domestic_first", "japan_support_withdrawn", "chips_withdrawn_korea",
        "china_decoupling", "credit_extended", "friendshore_60", "friendshore_95")
"""Cases of the questions that are drawn beside those of the headline study."""
METRICS = ("capacity.*.all.2035", "capacity.*.logic_lt10.2035")
COUNT, SEED = 20, 2026


def main() -> int:
    """Draw, solve and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", default="data/derived/intervals.csv", metavar="FILE")
    options.add_argument("--tornado", default="data/derived/tornado.csv", metavar="FILE")
    options.add_argument("--draws", type=int, default=32, metavar="N")
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    options.add_argument("--short", action="store_true", help="four draws of the headline study")
    given = options.parse_args()
    try:
        from scipy.stats import qmc

        data = cm.load_dataset()
        chosen = most_telling(pd.read_csv(given.tornado), COUNT)
        moved = [one for one in ranges(data) if one.number in chosen]
        unit = qmc.LatinHypercube(len(moved), rng=SEED).random(4 if given.short else given.draws)
        study = load_study("headline", data)
        names = study.cases if given.short else (*study.cases, *MORE)
        centre = dict.fromkeys((one.number for one in moved), 1.0)
        points = affordable([centre, *spread(moved, unit)], [cm.load_case(name, data) for name in names], data,
                            load_world("central", data))
        drawn = study.model_copy(update={
            "name": "intervals", "cases": names, "metrics": (*study.metrics, *METRICS), "figures": (),
            "keep": "metrics", "point": tuple(points), "chunk": 11 * len(names)})
        with Progress(sys.stderr) as tell:
            result = run_study(drawn, data, jobs=given.jobs, tell=tell)
        write_whole(Path(given.out), table_csv(intervals(result.table)))
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    print("written:", given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
