"""Fit the slope and the American premium to the input targets T05 and T07, and say how well they are pinned.

    python experiments/calibrate.py [--write] [--profile]

Prints every point tried, the fit and the profile over the slope. With ``--write`` the
fitted values go into ``data/raw/calibration.csv``; ``python data/derive.py`` then puts
them into the tables. The fit starts from the priors kept in that file, so it gives the
same numbers whether or not they stand in the data.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

import chipmodel as cm
from chipmodel.common.files import write_whole
from chipmodel.validation.calibration import Fit, Fitter, fit, profile
from chipmodel.validation.free_parameters import read_free

FILE = Path(__file__).resolve().parent.parent / "data" / "raw" / "calibration.csv"
BEGIN = (0.5, -0.11)
"""Where the search starts, in logarithms over the priors: near the optimum, to save solves."""
SLOPES = (0.85, 1.67, 2.5, 3.3)


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def main() -> int:
    """Fit, print, and write if asked."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--write", action="store_true", help=f"write the fitted values into {FILE.name}"
    )
    options.add_argument(
        "--profile",
        action="store_true",
        help="also the fit over the slope, with T08 alongside",
    )
    given = options.parse_args()
    try:
        data = cm.load_dataset()
        fitter = Fitter(data, read_free(FILE, data))
        found, best = fit(fitter, np.array(BEGIN), say)
        report(found)
        if given.write:
            keep(found)
        if given.profile:
            for row in profile(fitter, best, SLOPES):
                say("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, cm.InputError) else 1
    return 0


def report(found: Fit) -> None:
    """Print what was fitted, its bounds, how far it moved, and our numbers."""
    for one in found.free:
        value = found.values[one.quantity]
        say(
            f"{one.quantity}: {value:.4f}, prior {one.prior:g}, bounds {one.low:g} to"
            f" {one.high:g}, moved {value / one.prior - 1:+.1%}"
        )
    say("  ".join(f"{name} {value:.4g}" for name, value in found.ours.items()))
    say(f"cost {found.cost:.3f}, {found.evaluations} points")


def keep(found: Fit) -> None:
    """Write the fitted values beside their priors, to two decimals: the targets pin them no finer."""
    with FILE.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        header, rows = list(reader.fieldnames or []), list(reader)
    lines = [",".join(header)]
    for row in rows:
        row["fitted"] = f"{found.values[row['quantity']]:.2f}"
        lines.append(
            ",".join(f'"{row[c]}"' if "," in row[c] else row[c] for c in header)
        )
    write_whole(FILE, "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
