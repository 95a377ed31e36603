"""What each mechanism does: headline numbers with one mechanism at a time, and all.

    python experiments/mechanisms.py [--out data/derived/mechanisms.csv]

A mechanism has a number of the world at which it does nothing. The first row has all of
them there, each further row one mechanism at its number in the world, the last row all.
docs/calibration.md shows the table; about ten minutes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

import chipmodel as cm
from chipmodel.common.files import write_whole
from chipmodel.common.tables import table_csv
from chipmodel.results import metrics
from chipmodel.validation.shared import HINDCAST, WITH, WITHOUT

MECHANISMS = {
    "usual use and surge": "surge",
    "yields": "yield_gap",
    "slips": "slip",
    "retirement": "retirement",
    "congestion": "congestion",
}
"""Mechanisms and the number of a world that is zero without them."""

NUMBERS = (
    ("current_law", "central", "share.capacity.USA.all.2035"),
    ("current_law", "central", "share.capacity.USA.logic_lt10.2035"),
    ("current_law", "central", "share.capacity.KOR.logic_lt10.2035"),
    ("current_law", "central", "share.capacity.TWN.logic_lt10.2035"),
    ("current_law", "central", "share.capacity.CHN.all.2035"),
    ("current_law", "central", "capacity.all.all.2035"),
    ("current_law", "central", "outlay.USA"),
    (WITH, HINDCAST, "share.capacity.USA.all.2032"),
    (WITHOUT, HINDCAST, "share.capacity.USA.all.2032"),
    (WITH, HINDCAST, "capacity.all.all.2032"),
)
"""Case, world and metric of each number."""


def rows(data: cm.Dataset) -> list[dict[str, object]]:
    """Solve every row of the table."""
    off = dict.fromkeys(MECHANISMS.values(), 0.0)
    chosen = {"none": off}
    for name, number in MECHANISMS.items():
        chosen[name] = {key: value for key, value in off.items() if key != number}
    chosen["all"] = {}
    found = []
    for name, neutral in chosen.items():
        solved: dict[tuple[str, str], cm.Solution] = {}
        for case, world_name, metric in NUMBERS:
            if (case, world_name) not in solved:
                world = cm.load_world(world_name, data).with_(**neutral)
                solved[case, world_name] = cm.run(data, case, world)
            value = metrics.evaluate(metric, solved[case, world_name])
            found.append(
                {"mechanism": name, "case": case, "metric": metric, "value": value}
            )
        sys.stderr.write(f"{name}: solved\n")
    return found


def main() -> int:
    """Solve and write the table."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--out", default="data/derived/mechanisms.csv")
    given = options.parse_args()
    try:
        table = pd.DataFrame(rows(cm.load_dataset()))
        write_whole(Path(given.out), table_csv(table))
    except cm.ChipmodelError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, cm.InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
