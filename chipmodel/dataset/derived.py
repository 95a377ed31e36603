"""Intervals of headline numbers, stored with the data under ``data/derived/``.

`experiments/intervals.py` draws every number of the data that has a range, solves cases
at each draw and stores, for each metric, the lowest and the highest result, that of the
data themselves among them. A further draw is between the lowest and the highest of n
draws with a probability of (n - 1)/(n + 1).

Intervals belong to one state of the data and of the model. The file holds a digest of
all values and ranges it was drawn from, and one of the linear program of each case and
world; where either is another now, no interval is shown. `experiments/intervals.py`
draws them again; after a change that moves no number, the same with ``--restamp``
writes the present digests. Beside a value other than the one it was drawn around, no
interval is shown either: another solver may find another optimum.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
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

VALUES = "values"
"""Column of the digest of the data, `Dataset.values_digest`."""

PROGRAM = "program"
"""Column of the digest of the linear programs, `metrics.programs_of`."""

Ends = tuple[float, float]
"""Low and high of an interval."""


@dataclass(frozen=True)
class Intervals:
    """Intervals by case, world and metric.

    Attributes
    ----------
    known : Mapping
        (case, world, metric) to (centre, low, high, digest of the linear programs).
    draws : int
        Draws behind them.
    """

    known: Mapping[tuple[str, str, str], tuple[float, float, float, str]]
    draws: int = 0

    @property
    def description(self) -> str:
        """What an interval is taken over."""
        draws = f"{self.draws} draws of every number that has a range"
        return f"the central values of the data and {draws}"

    def of(
        self, case: str, world: str, metric: str, value: float, program: str
    ) -> Ends | None:
        """Return low and high of a metric; None if they belong to another value.

        `value` is the result beside which the interval would be shown, and `program`
        the digest of the linear programs it is from.
        """
        interval = self.known.get((case, world, metric))
        if interval is None:
            return None
        centre, low, high, drawn_with = interval
        if program != drawn_with:
            return None
        # Intervals of other data would be wrong beside this value: better none.
        tolerance = CLOSE * (high - low) + ROUNDING * abs(centre)
        if abs(value - centre) > tolerance:
            return None
        return low, high


def load_intervals(data: Dataset) -> Intervals:
    """Read the intervals stored with a data package.

    There are none if it has no such file, or has other values or ranges than those they
    were drawn from.

    Raises
    ------
    InputError
        If the file is present and does not hold intervals.
    """
    path = data.root / FOLDER / FILE
    if not path.is_file():
        return Intervals({})
    values, intervals = _read(path, path.stat().st_mtime_ns)
    return intervals if values == {data.values_digest} else Intervals({})


# A report asks for intervals in every table. The time of change is part of the key, so
# that a file written again is read again.
@lru_cache(maxsize=4)
def _read(path: Path, _time_of_change: int) -> tuple[set[str], Intervals]:
    """Return the digests of the data that intervals were drawn from, and those."""
    values: set[str] = set()
    known: dict[tuple[str, str, str], tuple[float, float, float, str]] = {}
    draws: list[int] = []
    try:
        text = read_file(path).decode("utf-8-sig")
        for row in csv.DictReader(io.StringIO(text)):
            if not row["low"]:
                continue  # a number without an interval
            # A file of an earlier version has no digests: it belongs to no data.
            values.add(row.get(VALUES, ""))
            ends = (float(row["centre"]), float(row["low"]), float(row["high"]))
            key = (row["case"], row["world"], row["metric"])
            known[key] = (*ends, row.get(PROGRAM, ""))
            draws.append(int(row["draws"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.one(
            f"{FOLDER}/{FILE}",
            "file",
            f"does not hold intervals ({error})",
            "write it again with experiments/intervals.py, or remove it",
        ) from None
    return values, Intervals(known, min(draws, default=0))


def with_ends(
    table: pd.DataFrame, intervals: Intervals, programs: Sequence[str]
) -> pd.DataFrame:
    """Return a table of metrics with columns low and high, if any of them are known.

    `programs` has the digest of the linear programs of each row.
    """
    ends = []
    for row, program in zip(table.itertuples(), programs, strict=True):
        key = (row.case, row.world, row.metric, row.value)
        ends.append(intervals.of(*key, program))  # type: ignore[arg-type]
    if not any(ends):
        return table
    unknown = (float("nan"), float("nan"))
    lows = [(interval or unknown)[0] for interval in ends]
    highs = [(interval or unknown)[1] for interval in ends]
    return table.assign(low=lows, high=highs)
