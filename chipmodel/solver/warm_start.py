"""Bases of linear programs solved before, as starts for similar ones.

A basis is carried over by the keys of rows and columns, so that it survives rows and
columns that are added or go.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

STATUS = {
    int(status): status for status in highspy.HighsBasisStatus.__members__.values()
}
"""Status of a column or row by its number; numbers can be sent to a process."""

LOWER = int(highspy.HighsBasisStatus.kLower)
BASIC = int(highspy.HighsBasisStatus.kBasic)

NEAR = 0.01
"""Largest share of unknown columns with which a basis is a start.

With more of them a cold solve is faster.
"""

Keys = NDArray[np.uint64]
Statuses = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Basis:
    """A basis as plain data: status of each column and row."""

    columns: Statuses
    rows: Statuses

    @classmethod
    def of(cls, highs: highspy.Highs) -> Basis:
        """Return the current basis of a solver."""
        basis = highs.getBasis()
        columns = [int(status) for status in basis.col_status]
        rows = [int(status) for status in basis.row_status]
        return cls(np.array(columns, dtype=np.int8), np.array(rows, dtype=np.int8))

    def apply_to(self, highs: highspy.Highs) -> None:
        """Make it the basis from which a solver starts."""
        basis = highspy.HighsBasis()
        basis.col_status = [STATUS[status] for status in self.columns.tolist()]
        basis.row_status = [STATUS[status] for status in self.rows.tolist()]
        basis.valid = True
        highs.setBasis(basis)


@dataclass(frozen=True, eq=False)
class WarmStart:
    """A basis by the keys of its columns and rows; both are in order of the keys."""

    column_keys: Keys
    columns: Statuses
    row_keys: Keys
    rows: Statuses

    @classmethod
    def of(cls, basis: Basis, column_keys: Keys, row_keys: Keys) -> WarmStart:
        """Return a start from a basis, given the keys of its columns and rows."""
        by_column, by_row = np.argsort(column_keys), np.argsort(row_keys)
        return cls(
            column_keys[by_column],
            basis.columns[by_column],
            row_keys[by_row],
            basis.rows[by_row],
        )

    def basis_for(self, column_keys: Keys, row_keys: Keys) -> Basis | None:
        """Return the basis from which a linear program with these keys may start.

        An unknown column is at its lower bound, an unknown row is slack.

        Returns
        -------
        Basis or None
            None if too many columns are unknown.
        """
        columns, unknown = _looked_up(
            column_keys, self.column_keys, self.columns, LOWER
        )
        if unknown > NEAR * len(column_keys):
            return None
        rows, _ = _looked_up(row_keys, self.row_keys, self.rows, BASIC)
        return Basis(columns, rows)


def _looked_up(
    keys: Keys, known: Keys, statuses: Statuses, otherwise: int
) -> tuple[Statuses, int]:
    """Return the status of each key, and how many are unknown."""
    if not len(known):
        return np.full(len(keys), otherwise, dtype=np.int8), len(keys)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    is_known = known[places] == keys
    found = np.where(is_known, statuses[places], otherwise)
    return found.astype(np.int8), int((~is_known).sum())
