"""Where a solve may start from: the basis of a programme solved before, carried over by the labels of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

STATUS = {int(x): x for x in highspy.HighsBasisStatus.__members__.values()}


LOWER, BASIC = (
    int(x) for x in (highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic)
)


NEAR = 0.01
"""Largest share of columns another programme may lack for its basis to be a start; from further off a cold one wins."""


Labels = Sequence[Any]


@dataclass(frozen=True)
class Basis:
    """A basis as plain data: status of each column and row."""

    columns: NDArray[np.int8]
    rows: NDArray[np.int8]

    @classmethod
    def of(cls, highs: highspy.Highs) -> Basis:
        """Return the basis a solver stands at."""
        basis = highs.getBasis()
        return cls(
            *(
                np.array([int(x) for x in part], dtype=np.int8)
                for part in (basis.col_status, basis.row_status)
            )
        )

    def apply_to(self, highs: highspy.Highs) -> None:
        """Let a solver start from it."""
        basis = highspy.HighsBasis()
        basis.col_status = [STATUS[x] for x in self.columns.tolist()]
        basis.row_status = [STATUS[x] for x in self.rows.tolist()]
        basis.valid = True
        highs.setBasis(basis)


@dataclass(frozen=True)
class WarmStart:
    """A basis and what its columns and rows stand for.

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
        """Return the basis from which a programme with these labels may start; none if it is another programme.

        A column it does not know stands at its bound, a row it does not know is slack.
        """
        found = [self.columns.get(label, -1) for label in columns]
        if found.count(-1) > NEAR * len(found):
            return None
        at = np.array(found, dtype=np.int8)
        at[at < 0] = LOWER
        return Basis(
            at, np.array([self.rows.get(label, BASIC) for label in rows], dtype=np.int8)
        )
