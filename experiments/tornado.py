"""Sensitivity to each number of the data: at its low and its high, one at a time.

    python experiments/tornado.py [--out data/derived/tornado.csv] [--jobs 2] [--short]

writes the swing of every headline number with each number of the data, widest first.
``--short`` varies four numbers only. Where capital is so cheap that an award in money
exceeds the cost of its fab, the award is lowered.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chipmodel as cm
from chipmodel.analysis.sensitivity import affordable, one_at_a_time, ranges, tornado
from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.common.progress import Progress
from chipmodel.common.tables import table_csv
from chipmodel.model.world import load_world
from chipmodel.studies.definition import Study
from chipmodel.studies.run import run_study

METRICS = (
    "share.capacity.USA.logic_lt10.2035",
    "share.capacity.TWN.logic_lt10.2035",
    "share.capacity.USA.all.2035",
    "hhi.logic_lt10.2035",
    "outlay.USA",
    "cost.buyers.USA",
)
SHORT = (
    "costs[item=capex]",
    "place_residual[region=USA]",
    "elasticities[item=substitution]",
    "parameters[parameter=slope]",
)


def main() -> int:
    """Run the tornado and write its table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--out", default="data/derived/tornado.csv", metavar="FILE")
    options.add_argument(
        "--work",
        default=None,
        metavar="DIR",
        help="folder for solved cases, to continue from",
    )
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    options.add_argument("--short", action="store_true", help="four numbers only")
    options.add_argument(
        "--only",
        nargs="+",
        default=(),
        metavar="NUMBER",
        help="numbers to vary; all by default",
    )
    options.add_argument("--data", default=None, metavar="DIR")
    options.add_argument(
        "--cases", nargs="+", default=["current_law", "section232_25_flat"]
    )
    options.add_argument("--metrics", nargs="+", default=list(METRICS))
    given = options.parse_args()
    try:
        data = cm.load_dataset(given.data)
        cases = [cm.load_case(name, data) for name in given.cases]
        numbers = ranges(data)
        only = SHORT if given.short else given.only
        if only:
            numbers = [number for number in numbers if number.number in only]
        points = affordable(
            one_at_a_time(numbers), cases, data, load_world("central", data)
        )
        study = Study(
            name="tornado",
            title="Every number at its low and its high",
            cases=tuple(given.cases),
            reference=given.cases[0],
            metrics=tuple(given.metrics),
            point=tuple(points),
            chunk=1,
        )
        with Progress(sys.stderr) as on_progress:
            result = run_study(
                study, data, given.work, jobs=given.jobs, on_progress=on_progress
            )
        write_whole(Path(given.out), table_csv(tornado(result.table, numbers)))
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    print("written:", given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
