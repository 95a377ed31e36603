"""Intervals of headline numbers, stored with the data under ``data/derived/``.

`experiments/intervals.py` draws every number of the data that has a range, solves cases
at each draw and stores, for each metric, the lowest and the highest result, that of the
data themselves among them. A further draw is between the lowest and the highest of n
draws with a probability of (n - 1)/(n + 1). An interval belongs to one state of the
data: it is shown only beside a value equal to the one it was drawn around.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from chipmodel.common.errors import InputError
from chipmodel.common.files import read_file
from chipmodel.dataset.dataset import Dataset

FOLDER = "derived"

FILE = "intervals.csv"

CLOSE = 0.01
"""How far from its centre a value may be to belong to an interval, in widths."""

ROUNDING = 1e-6
"""The same as a part of the centre, for intervals of no width: digits in the file."""

CHANGE = "change of "
"""Prefix of a metric for its change against the reference case."""

Ends = tuple[float, float]
"""Low and high of an interval."""


@dataclass(frozen=True)
class Intervals:
    """Intervals by case, world and metric.

    Attributes
    ----------
    known : Mapping
        (case, world, metric) to (centre, low, high).
    draws : int
        Draws behind them.
    """

    known: Mapping[tuple[str, str, str], tuple[float, float, float]]
    draws: int = 0

    @property
    def description(self) -> str:
        """What an interval is taken over."""
        draws = f"{self.draws} draws of every number that has a range"
        return f"the central values of the data and {draws}"

    def of(self, case: str, world: str, metric: str, value: float) -> Ends | None:
        """Return low and high of a metric; None if they belong to another value.

        `value` is the result beside which the interval would be shown.
        """
        interval = self.known.get((case, world, metric))
        if interval is None:
            return None
        centre, low, high = interval
        # Intervals of other data would be wrong beside this value: better none.
        tolerance = CLOSE * (high - low) + ROUNDING * abs(centre)
        if abs(value - centre) > tolerance:
            return None
        return low, high


def load_intervals(data: Dataset) -> Intervals:
    """Read the intervals stored with a data package; none if it has no such file.

    Raises
    ------
    InputError
        If the file is present and does not hold intervals.
    """
    path = data.root / FOLDER / FILE
    if not path.is_file():
        return Intervals({})
    return _read(path, path.stat().st_mtime_ns)


# A report asks for intervals in every table. The time of change is part of the key, so
# that a file written again is read again.
@lru_cache(maxsize=4)
def _read(path: Path, _time_of_change: int) -> Intervals:
    known: dict[tuple[str, str, str], tuple[float, float, float]] = {}
    draws: list[int] = []
    try:
        text = read_file(path).decode("utf-8-sig")
        for row in csv.DictReader(io.StringIO(text)):
            if not row["low"]:
                continue  # a number without an interval
            ends = (float(row["centre"]), float(row["low"]), float(row["high"]))
            known[row["case"], row["world"], row["metric"]] = ends
            draws.append(int(row["draws"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.one(
            f"{FOLDER}/{FILE}",
            "file",
            f"does not hold intervals ({error})",
            "write it again with experiments/intervals.py, or remove it",
        ) from None
    return Intervals(known, min(draws, default=0))


def with_ends(table: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Return a table of metrics with columns low and high, if any of them are known."""
    ends = [
        intervals.of(row.case, row.world, row.metric, row.value)  # type: ignore[arg-type]
        for row in table.itertuples()
    ]
    if not any(ends):
        return table
    unknown = (float("nan"), float("nan"))
    lows = [(interval or unknown)[0] for interval in ends]
    highs = [(interval or unknown)[1] for interval in ends]
    return table.assign(low=lows, high=highs)
