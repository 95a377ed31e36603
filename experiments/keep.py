"""Store what takes long to solve: the evaluation of targets, and the what-if grid.

    python experiments/keep.py [validation] [what_if] [--jobs 2]
    python experiments/keep.py --restamp

The tables go to ``data/derived/``. The short form of the report shows them as long as
data, cases, worlds and studies have the numbers they were made with.

``--restamp`` is for a change of the package that moves no number, such as a reworded
note or a column that the model does not read. It solves only the reference case of the
grid, compares it with the stored numbers, and writes the present stamp into the tables
if they agree. It cannot see a change that this case does not depend on: compare the
text of the linear programs before and after as well (`chipmodel export`). The stored
intervals have digests of their own: `experiments/intervals.py --restamp`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import chipmodel as cm
from chipmodel.common.errors import InputError
from chipmodel.common.progress import Progress
from chipmodel.common.workers import pool_of
from chipmodel.dataset.derived import FOLDER
from chipmodel.report.sections import published, what_if
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.stored_tables import STAMP, restamp, store_tables
from chipmodel.validation.validate import validate

SAME = 1e-6
"""Relative difference between a stored number and one solved again."""


def solved_tables(
    data: cm.Dataset, wanted: list[str], folder: str, jobs: int
) -> list[Path]:
    """Solve what is wanted and store it."""
    frames: dict[str, pd.DataFrame] = {}
    if "validation" in wanted:
        validation = validate(data, True, print_progress, jobs)
        assert validation.ladder is not None
        # A target without a band has None there; as a float it is an empty cell.
        targets = validation.table.astype({"low": float, "high": float})
        tables = (targets, validation.ladder)
        frames |= dict(zip(published.STORED, tables, strict=True))
        print("\n".join(validation.summary))
    if "what_if" in wanted:
        with Progress(sys.stderr) as on_progress:
            cache = CaseCache(data, pool_of(jobs), on_progress)
            cache.solve(what_if.cells(cache, False))
            grid = what_if.solved(cache, False)
        frames |= dict(zip(what_if.STORED, grid, strict=True))
    return store_tables(data, folder, frames)


def restamped_tables(data: cm.Dataset) -> list[Path]:
    """Write the present stamp into all stored tables.

    Raises
    ------
    InputError
        If the reference case no longer gives the stored numbers.
    """
    name = what_if.STORED[1]
    stored = pd.read_csv(data.root / FOLDER / f"{name}.csv").drop(columns=STAMP)
    solved = what_if.solved_reference(CaseCache(data))
    # By position: a heading may have been reworded.
    if stored.shape != solved.shape or not np.allclose(
        stored.to_numpy(), solved.to_numpy(), rtol=SAME, atol=SAME
    ):
        raise InputError.one(
            f"{FOLDER}/{name}.csv",
            "file",
            "has other numbers than the reference case gives now",
            "solve all again: python experiments/keep.py",
        )
    return [restamp(data, name) for name in (*published.STORED, *what_if.STORED)]


def tables_of(given: argparse.Namespace) -> list[Path]:
    """Write the tables that the command line asks for."""
    data = cm.load_dataset()
    if given.restamp:
        return restamped_tables(data)
    wanted = given.what or ["validation", "what_if"]
    return solved_tables(data, wanted, given.out, given.jobs)


def print_progress(line: str) -> None:
    """Print a line of progress to stderr."""
    print(line, file=sys.stderr)


def main() -> int:
    """Solve and store, or only stamp again."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "what", nargs="*", choices=["validation", "what_if", []], help="all by default"
    )
    options.add_argument("--out", default="data/derived", metavar="DIR")
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    options.add_argument(
        "--restamp", action="store_true", help="write the present stamp, solve one case"
    )
    given = options.parse_args()
    try:
        written = tables_of(given)
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    for path in written:
        print("written:", path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
