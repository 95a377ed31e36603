"""Bases of many linear programs in one file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipmodel.solver.warm_start import LOWER, WarmStart

FORMAT = 2

ABSENT = 3
"""Status of a row or column that a linear program does not have."""


@dataclass(frozen=True, eq=False)
class BasisFile:
    """Bases by name, over the rows and columns of all of them.

    Attributes
    ----------
    places : dict
        Position of each name.
    column_keys, row_keys : array
        Sorted.
    statuses : array
        Names by columns and rows, a status in two bits.
    """

    places: dict[str, int]
    column_keys: NDArray[np.uint64]
    row_keys: NDArray[np.uint64]
    statuses: NDArray[np.uint8]

    @classmethod
    def of(cls, starts: Mapping[str, WarmStart]) -> BasisFile:
        """Gather bases by name."""
        columns = _union([start.column_keys for start in starts.values()])
        rows = _union([start.row_keys for start in starts.values()])
        packed = []
        for start in starts.values():
            of_columns = _spread(columns, start.column_keys, start.columns)
            of_rows = _spread(rows, start.row_keys, start.rows)
            packed.append(_packed(np.concatenate([of_columns, of_rows])))
        places = {name: place for place, name in enumerate(starts)}
        return cls(places, columns, rows, _stacked(packed, len(columns) + len(rows)))

    def start(self, name: str) -> WarmStart | None:
        """Return the basis of a name."""
        place = self.places.get(name)
        if place is None:
            return None
        size = len(self.column_keys)
        status = _unpacked(self.statuses[place], size + len(self.row_keys))
        columns, rows = status[:size], status[size:]
        has_column, has_row = columns != ABSENT, rows != ABSENT
        return WarmStart(
            self.column_keys[has_column],
            columns[has_column],
            self.row_keys[has_row],
            rows[has_row],
        )

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        stream = io.BytesIO()
        # Similar bases differ in few places: what remains of the others is small.
        differences = self.statuses.copy()
        differences[1:] ^= self.statuses[:1]
        np.savez_compressed(
            stream,
            format=np.array(FORMAT),
            names=np.array(list(self.places), dtype=np.str_),
            column_keys=self.column_keys,
            row_keys=self.row_keys,
            statuses=differences,
        )
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> BasisFile | None:
        """Read the content of a file; None if it is damaged or of another form."""
        try:
            with np.load(io.BytesIO(content)) as arrays:
                names = [str(name) for name in arrays["names"]]
                columns, rows = arrays["column_keys"], arrays["row_keys"]
                statuses = arrays["statuses"]
                form = int(arrays["format"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        if form != FORMAT or not (_are_keys(columns) and _are_keys(rows)):
            return None
        size = -(-(len(columns) + len(rows)) // 4)
        if statuses.dtype != np.uint8 or statuses.shape != (len(names), size):
            return None
        statuses[1:] ^= statuses[:1]
        places = {name: place for place, name in enumerate(names)}
        return cls(places, columns, rows, statuses)


def _are_keys(keys: NDArray[Any]) -> bool:
    return (
        keys.dtype == np.uint64
        and keys.ndim == 1
        and bool((keys[1:] > keys[:-1]).all())
    )


def _union(keys: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    return np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *keys]))


def _spread(
    keys: NDArray[np.uint64], known: NDArray[np.uint64], status: NDArray[np.int8]
) -> NDArray[np.uint8]:
    """Return the status of each key; a basis has no other status than these three."""
    spread = np.full(len(keys), ABSENT, dtype=np.uint8)
    plain = np.where(status > ABSENT, LOWER, status).astype(np.uint8)
    spread[np.searchsorted(keys, known)] = plain
    return spread


def _stacked(packed: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    return np.array(packed, dtype=np.uint8).reshape(len(packed), -(-size // 4))


def _packed(status: NDArray[np.uint8]) -> NDArray[np.uint8]:
    padded = np.zeros(-(-len(status) // 4) * 4, dtype=np.uint8)
    padded[: len(status)] = status
    four = padded.reshape(-1, 4)
    packed = four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6
    return packed.astype(np.uint8)


def _unpacked(packed: NDArray[np.uint8], size: int) -> NDArray[np.int8]:
    four = np.stack([packed >> shift & 3 for shift in (0, 2, 4, 6)], axis=1)
    return four.reshape(-1)[:size].astype(np.int8)
