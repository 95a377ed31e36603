"""Fit the slope and the US premium to the input targets T05 and T07.

    python experiments/calibrate.py [--write] [--profile]

Prints every point tried, the fit, and with ``--profile`` how well the targets determine
it: the profile over the slope. With ``--write`` the fitted values go into
``data/raw/calibration.csv``; ``python data/derive.py`` then puts them into the tables.
The fit starts from the priors in that file, so it gives the same numbers whether or not
the fitted values are in the data.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import chipmodel as cm
from chipmodel.common.files import write_whole
from chipmodel.validation.calibration import Fit, Fitter, fit, profile
from chipmodel.validation.free_parameters import read_free

FILE = Path(__file__).resolve().parent.parent / "data" / "raw" / "calibration.csv"
START = (0.5, -0.11)
"""Start of the search, in logarithms over the priors: near the optimum."""

SLOPES = (0.85, 1.67, 2.5, 3.3)
"""Slopes of the profile."""


def print_now(line: str) -> None:
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
        fitted, best = fit(fitter, np.array(START), print_now)
        report(fitted)
        if given.write:
            store(fitted)
        if given.profile:
            for row in profile(fitter, best, SLOPES):
                print_now(numbers_text(row))
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, cm.InputError) else 1
    return 0


def numbers_text(numbers: Mapping[str, float]) -> str:
    """Return numbers with their names on one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())


def report(fitted: Fit) -> None:
    """Print fitted values with priors, bounds and changes, and the model's numbers."""
    for quantity in fitted.free:
        value = fitted.values[quantity.quantity]
        print_now(
            f"{quantity.quantity}: {value:.4f}, prior {quantity.prior:g}, bounds"
            f" {quantity.low:g} to {quantity.high:g}, changed by"
            f" {value / quantity.prior - 1:+.1%}"
        )
    print_now(numbers_text(fitted.ours))
    print_now(f"cost {fitted.cost:.3f}, {fitted.evaluations} points")


def store(fitted: Fit) -> None:
    """Write the fitted values beside their priors."""
    with FILE.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        header = list(reader.fieldnames or [])
        rows = list(reader)
    lines = [",".join(header)]
    for row in rows:
        # The targets determine them to two decimals at most.
        row["fitted"] = f"{fitted.values[row['quantity']]:.2f}"
        # Quoted only where needed, as in the file: other lines stay equal to the byte.
        cells = []
        for name in header:
            cell = row[name]
            cells.append(f'"{cell}"' if "," in cell else cell)
        lines.append(",".join(cells))
    write_whole(FILE, "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
