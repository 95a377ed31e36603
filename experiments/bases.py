"""Bases from which the cases of the report start: ``data/derived/bases.npz``.

    python experiments/bases.py [--jobs 2]

The short and the full report are made in a folder that is thrown away, every case of
the data package is solved, and the bases of all these solves are gathered in one file.
It is a run of half an hour without the file and of minutes with an older one. A start
decides how long a solve takes and never what it finds, so that an old file is slow and
not wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import chipmodel as cm
from chipmodel.analysis import starts
from chipmodel.cases.case import list_cases
from chipmodel.common.cache import VARIABLE
from chipmodel.common.files import write_whole
from chipmodel.common.progress import Progress
from chipmodel.common.workers import pool_of
from chipmodel.dataset.derived import FOLDER
from chipmodel.report.build import build_report


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Solve every case and keep the bases.")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    given = parser.parse_args()
    data = cm.load_dataset()
    old = starts.of_package(data.root)
    with TemporaryDirectory() as place:
        cache = Path(place) / "cache"
        os.environ[VARIABLE] = str(cache)
        if old is not None:
            starts.scatter(old, cache)
        pool = pool_of(given.jobs)
        with Progress(sys.stderr) as on_progress:
            for short in (True, False):
                report = Path(place) / f"report, short {short}"
                build_report(data, report, short, pool, on_progress)
        # Some cases belong to no question.
        for name in list_cases(data):
            cm.run(data, name)
        bases = starts.gather(cache)
    path = data.root / FOLDER / starts.FILE
    write_whole(path, bases.to_bytes())
    sys.stdout.write(f"{len(bases.places)} bases, {path.stat().st_size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
