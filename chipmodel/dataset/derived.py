"""How sure a headline number is: the interval kept for it under ``data/derived/``.

`experiments/intervals.py` draws every number of the data that has a range, solves cases
at each draw and keeps, for each metric, the lowest and the highest result, that of the
data as they stand among them. Of n draws and one more, the one more lies between the
ends of the n with a chance of (n - 1)/(n + 1). An interval belongs to one state of the
data: it is told only beside a value equal to the one it was drawn around.
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

FOLDER, FILE = "derived", "intervals.csv"


CLOSE = 0.01
"""A value belongs to an interval if it is this near its centre, as a part of its width."""


CHANGE = "change of "
"""Stands before a metric for its change against the reference case."""


Ends = tuple[float, float]


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
        return (
            f"the central values of the data and {self.draws} draws of every number that"
            " has a range"
        )

    def of(self, case: str, world: str, metric: str, value: float) -> Ends | None:
        """Return low and high of a metric, or none if they were not drawn around this value."""
        found = self.known.get((case, world, metric))
        if found is None:
            return None
        centre, low, high = found
        near = abs(value - centre) <= CLOSE * (high - low) + 1e-6 * abs(centre)
        return (low, high) if near else None


def load_intervals(data: Dataset) -> Intervals:
    """Read the intervals kept with a data package; none if it has no such file.

    Raises
    ------
    InputError
        If the file is there and is not one of intervals.
    """
    path = data.root / FOLDER / FILE
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else Intervals({})


@lru_cache(maxsize=4)
def _read(path: Path, _: int) -> Intervals:
    try:
        rows = [
            row
            for row in csv.DictReader(io.StringIO(read_file(path).decode("utf-8-sig")))
            if row["low"]
        ]
        known = {
            (row["case"], row["world"], row["metric"]): (
                float(row["centre"]),
                float(row["low"]),
                float(row["high"]),
            )
            for row in rows
        }
        return Intervals(known, min((int(row["draws"]) for row in rows), default=0))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.one(
            f"{FOLDER}/{FILE}",
            "file",
            f"does not hold intervals ({error})",
            "write it anew with experiments/intervals.py, or remove it",
        ) from None


def with_ends(table: pd.DataFrame, intervals: Intervals) -> pd.DataFrame:
    """Return a table of metrics with the low and high known for its values, if any are."""
    found = [
        intervals.of(row.case, row.world, row.metric, row.value)  # type: ignore[arg-type]
        for row in table.itertuples()
    ]
    if not any(found):
        return table
    ends = [one or (float("nan"), float("nan")) for one in found]
    return table.assign(low=[low for low, _ in ends], high=[high for _, high in ends])
