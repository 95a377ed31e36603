"""A table as the page shows it: headings, cells as text, and the values to sort by."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from chipmodel.display.latex import cells, numeric

ROWS = 80
"""Rows of a table shown; its CSV has all."""


LONG = 14
"""Rows above which a table scrolls by itself."""


WIDE = 8
"""Columns above which a table is set smaller."""


@dataclass(frozen=True)
class Heading:
    """The heading of a column."""

    text: str
    is_number: bool


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and the value a column of numbers is sorted by."""

    text: str
    value: str
    is_number: bool


@dataclass(frozen=True)
class TableView:
    """A table as the page shows it.

    Attributes
    ----------
    headings : list of Heading
    rows : list of list of Cell
        The first rows if the table is long.
    total : int
        Rows of the whole table.
    """

    headings: list[Heading]
    rows: list[list[Cell]]
    total: int

    @classmethod
    def of(cls, frame: pd.DataFrame) -> TableView:
        """Return the view of a table."""
        first = frame.head(ROWS)
        is_number = [numeric(first[column]) for column in first.columns]
        headings = []
        for column, number in zip(first.columns, is_number, strict=True):
            headings.append(Heading(str(column).replace("_", " "), number))
        rows = []
        values_of_rows = first.itertuples(index=False, name=None)
        for texts, values in zip(cells(first), values_of_rows, strict=True):
            row = []
            for text, value, number in zip(texts, values, is_number, strict=True):
                # A missing number has no text, and is sorted behind all others.
                key = str(value) if number and text else ""
                row.append(Cell(text, key, number))
            rows.append(row)
        return cls(headings, rows, len(frame))

    @property
    def shown(self) -> int:
        """Number of rows shown."""
        return len(self.rows)

    @property
    def is_long(self) -> bool:
        """Whether it scrolls by itself."""
        return self.shown > LONG

    @property
    def is_wide(self) -> bool:
        """Whether it is set smaller."""
        return len(self.headings) > WIDE
