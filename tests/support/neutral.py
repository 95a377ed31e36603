"""Tables of the two-region data at neutral numbers, as version 0.2.0 gave them.

    python tests/support/neutral.py --write

Every mechanism added since has numbers of the world at which it does nothing; the
world of the two-region data holds these numbers. The stored values are those of the
version before the first of these mechanisms and are never written again by a change of
the model: ``--write`` was used once. They are solved as that version did, cold and with
its options of HiGHS, because what is not unique depends on these.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd

import chipmodel as cm
from chipmodel.analysis import grants
from chipmodel.solver import highs
from chipmodel.solver.bounds import SingletonBounds

TESTS = Path(__file__).resolve().parents[1]
STORED = TESTS / "golden" / "neutral.csv"
CASES = ("no_policy", "tariff", "floor")
"""Cases without support, whose formula has changed."""

OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "solver": "simplex",
    "simplex_dual_edge_weight_strategy": 1,
    "simplex_scale_strategy": 4,
}
"""Options of HiGHS of version 0.2.0."""


def values() -> pd.DataFrame:
    """Return objective, prices, output, builds and trade of each case."""
    data = cm.load_dataset(TESTS / "data" / "two")
    with (
        patch.dict(highs.OPTIONS, OPTIONS, clear=True),
        patch.object(grants, "solve_from_nearest", _solved_cold),
    ):
        return _values(data)


def _solved_cold(*arguments: Any) -> highs.Optimum:
    """Solve a linear program as HiGHS does by itself."""
    program = arguments[-1]
    bounds = SingletonBounds(program)
    solver = highs.new_solver()
    solver.passModel(bounds.highs_lp(program))
    return highs.run_and_certify(solver, bounds, program)


def _values(data: cm.Dataset) -> pd.DataFrame:
    frames = []
    for case in CASES:
        solution = cm.run(data, case)
        rows = [("objective", "", solution.objective)]
        for name in ("prices", "output", "builds", "trade"):
            table = getattr(solution, name)
            numbers = table.select_dtypes("float").columns
            labels = [column for column in table if column not in numbers]
            for row in table.itertuples(index=False):
                label = "|".join(str(getattr(row, column)) for column in labels)
                for number in numbers:
                    rows.append((name, f"{label}|{number}", getattr(row, number)))
        frame = pd.DataFrame(rows, columns=["table", "row", "value"])
        frame.insert(0, "case", case)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    values().to_csv(STORED, index=False)
