"""Hold the model against published results and keep the evaluation with the data.

    python experiments/validation.py [--jobs 2]

does what ``chipmodel validate`` does and writes ``data/derived/validation.csv`` and ``validation_ladder.csv``,
which the short form of the report shows as long as the data are those it was made with.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chipmodel as cm
from chipmodel.errors import InputError
from chipmodel.files import write_whole
from chipmodel.report.held import DIGEST, KEPT
from chipmodel.study import table_csv
from chipmodel.validation.validate import validate


def main() -> int:
    """Evaluate, print and keep."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", default="data/derived", metavar="DIR")
    options.add_argument("--jobs", type=int, default=1, metavar="N")
    given = options.parse_args()
    try:
        data = cm.load_dataset()
        found = validate(data, True, lambda line: print(line, file=sys.stderr), given.jobs)
        assert found.ladder is not None
        table = found.table.astype({"low": float, "high": float}).assign(**{DIGEST: data.digest})
        for frame, name in ((table, KEPT["targets"]), (found.ladder, KEPT["ladder"])):
            write_whole(Path(given.out) / name, table_csv(frame))
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    print("\n".join(found.summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
