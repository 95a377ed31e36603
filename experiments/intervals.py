"""Intervals of headline numbers: cases at draws of all numbers that have a range.

    python experiments/intervals.py [--out data/derived/intervals.csv] [--jobs 2]
    [--short]
    python experiments/intervals.py --restamp

All numbers of the data that have a range are drawn together, each evenly in its
logarithm over its range (a Latin hypercube). Every case of the headline study and some
cases of the questions are solved at each draw. The lowest and the highest result are
written; the study and the report show them beside their numbers. ``--short`` takes two
draws of the headline study. It is a long run; with ``--work`` it continues where it was
stopped.

The file holds digests of the values and ranges of the data and of the linear programs
(`chipmodel.dataset.derived`); with others no interval is shown. ``--restamp`` is for a
change that moves no number, such as a row group that never binds: it solves each case
once, compares the results with the centres of the stored intervals, and writes the
present digests if they agree.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from scipy.stats import qmc

import chipmodel as cm
from chipmodel.analysis.sensitivity import affordable, intervals, ranges, spread
from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.common.progress import Progress
from chipmodel.common.tables import table_csv
from chipmodel.common.workers import pool_of
from chipmodel.model.world import load_world
from chipmodel.studies.plan import load_study
from chipmodel.studies.run import run_study
from chipmodel.studies.stored_intervals import stamped

MORE = (
    "section232_25",
    "japan_domestic_first",
    "korea_japan_pushed_away",
    "china_decoupling",
)
"""Cases of the questions, solved at each draw beside those of the headline study."""

METRICS = ("capacity.*.all.2035", "capacity.*.logic_lt10.2035")
"""Metrics of the questions, beside those of the headline study."""

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
        help="folder for solved cases, to continue from",
    )
    options.add_argument("--draws", type=int, default=12, metavar="N")
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    options.add_argument(
        "--short", action="store_true", help="two draws of the headline study"
    )
    options.add_argument(
        "--restamp",
        action="store_true",
        help="write the present digests, solve each case once",
    )
    given = options.parse_args()
    try:
        data = cm.load_dataset()
        if given.restamp:
            restamp(data, given.out, given.jobs)
            return 0
        study = load_study("headline", data)
        names = study.cases
        draws = 2
        if not given.short:
            names = (*study.cases, *MORE)
            draws = given.draws
        numbers = ranges(data)
        unit = qmc.LatinHypercube(len(numbers), rng=SEED).random(draws)
        centre = dict.fromkeys([number.number for number in numbers], 1.0)
        cases = [cm.load_case(name, data) for name in names]
        points = affordable(
            [centre, *spread(numbers, unit)], cases, data, load_world("central", data)
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
        central = drawn.model_copy(update={"point": ()})
        store(intervals(result.table), central, data, given.out, given.jobs)
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def restamp(data: cm.Dataset, out: str, jobs: int) -> None:
    """Write the present digests into the stored intervals."""
    table = pd.read_csv(out)
    headline = load_study("headline", data)
    cases = dict.fromkeys([*headline.cases, *table["case"]])
    central = headline.model_copy(update={"cases": tuple(cases), "figures": ()})
    store(table, central, data, out, jobs)


def store(
    table: pd.DataFrame, central: cm.Study, data: cm.Dataset, out: str, jobs: int
) -> None:
    """Add the digests to intervals and write them."""
    with_digests = stamped(table, central, data, pool_of(jobs), print_progress)
    write_whole(Path(out), table_csv(with_digests))
    print("written:", out)


def print_progress(line: str) -> None:
    """Print a line of progress to stderr."""
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
