"""The range of the US share of leading-edge capacity at 1, 2 and 5% above minimum cost.

    python experiments/near_optimal.py [--out data/derived/near_optimal.csv] [--short]

writes the smallest and the largest share for each.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chipmodel as cm
from chipmodel.analysis.near_optimal import near_optimal
from chipmodel.common.files import write_whole
from chipmodel.common.tables import table_csv


def main() -> int:
    """Solve, explore and write."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--out", default="data/derived/near_optimal.csv", metavar="FILE"
    )
    options.add_argument("--short", action="store_true", help="1% only")
    given = options.parse_args()
    try:
        slacks = (0.01,) if given.short else (0.01, 0.02, 0.05)
        solution = cm.run(cm.load_dataset(), "current_law")
        shares = near_optimal(solution, "USA", "logic_lt10", 2035, slacks)
    except cm.ChipmodelError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, cm.InputError) else 1
    write_whole(Path(given.out), table_csv(shares))
    print(shares.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
