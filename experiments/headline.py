"""Where capacity goes and who pays, under five policies.

The same as ``chipmodel study headline``:

    python experiments/headline.py --out results --jobs 2

writes ``results/headline/``: the comparison as CSV, the finding, four figures with
their tables, and a folder with the full tables of every solution.
"""

from __future__ import annotations

import argparse
import sys

import chipmodel as cm
from chipmodel.common.progress import Progress


def main() -> int:
    """Run the study and print its comparison and finding."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--out",
        default="results",
        metavar="DIR",
        help="folder for results (default: results)",
    )
    options.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes (default: 1)"
    )
    given = options.parse_args()
    try:
        with Progress(sys.stderr) as on_progress:
            result = cm.run_study(
                "headline",
                cm.load_dataset(),
                out=given.out,
                jobs=given.jobs,
                on_progress=on_progress,
            )
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, cm.InputError) else 1
    print(result.text())
    for path in result.written:
        print("written:", path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
