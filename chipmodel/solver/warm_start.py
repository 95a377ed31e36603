"""Bases of linear programs solved before, as starts for similar ones.

A basis is carried over by the labels of rows and columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

Labels = Sequence[Any]


@dataclass(frozen=True)
class Basis:
    """A basis as plain data: status of each column and row."""

    columns: NDArray[np.int8]
    rows: NDArray[np.int8]

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


@dataclass(frozen=True)
class WarmStart:
    """A basis by the labels of its columns and rows.

    Attributes
    ----------
    columns, rows : dict
        Status by label.
    """

    columns: dict[Any, int]
    rows: dict[Any, int]

    @classmethod
    def of(cls, basis: Basis, columns: Labels, rows: Labels) -> WarmStart:
        """Return a start from a basis, given the labels of its columns and rows."""
        return cls(
            dict(zip(columns, basis.columns.tolist(), strict=True)),
            dict(zip(rows, basis.rows.tolist(), strict=True)),
        )

    def basis_for(self, columns: Labels, rows: Labels) -> Basis | None:
        """Return the basis from which a linear program with these labels may start.

        An unknown column is at its lower bound, an unknown row is slack.

        Returns
        -------
        Basis or None
            None if too many columns are unknown.
        """
        unknown = sum(label not in self.columns for label in columns)
        if unknown > NEAR * len(columns):
            return None
        column_status = [self.columns.get(label, LOWER) for label in columns]
        row_status = [self.rows.get(label, BASIC) for label in rows]
        return Basis(
            np.array(column_status, dtype=np.int8), np.array(row_status, dtype=np.int8)
        )
