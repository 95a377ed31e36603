"""Solve what takes long and store it with the data: validation, and the what-if grid.

    python experiments/keep.py [validation] [what_if] [--jobs 2]

The short form of the report shows the stored results, as long as data, cases, worlds
and studies are those they were computed from.
"""

from __future__ import annotations

import argparse
import sys

import pandas as pd

import chipmodel as cm
from chipmodel.common.errors import InputError
from chipmodel.common.progress import Progress
from chipmodel.common.workers import pool_of
from chipmodel.dataset.derived import store
from chipmodel.report.sections import published, what_if
from chipmodel.studies.case_cache import CaseCache
from chipmodel.validation.validate import validate


def print_progress(line: str) -> None:
    """Print a line of progress to stderr."""
    print(line, file=sys.stderr)


def main() -> int:
    """Solve and store."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "what", nargs="*", choices=["validation", "what_if", []], help="all by default"
    )
    options.add_argument("--out", default="data/derived", metavar="DIR")
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    given = options.parse_args()
    wanted = given.what or ["validation", "what_if"]
    try:
        data = cm.load_dataset()
        frames: dict[str, pd.DataFrame] = {}
        if "validation" in wanted:
            validation = validate(data, True, print_progress, given.jobs)
            assert validation.ladder is not None
            table = validation.table.astype({"low": float, "high": float})
            stored = (table, validation.ladder)
            frames |= dict(zip(published.KEPT, stored, strict=True))
            print("\n".join(validation.summary))
        if "what_if" in wanted:
            with Progress(sys.stderr) as on_progress:
                cache = CaseCache(data, pool_of(given.jobs), on_progress)
                cache.solve(what_if.cells(cache, False))
                solved = what_if.solved(cache, False)
            frames |= dict(zip(what_if.KEPT, solved, strict=True))
        written = store(data, given.out, frames)
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    for path in written:
        print("written:", path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
