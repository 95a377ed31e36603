"""What a question is and what its answer consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell


@dataclass(frozen=True)
class Column:
    """A column of a table: its key in the code and its heading for readers.

    Attributes
    ----------
    key : str
        Name of the column in the frame.
    label : str
        Name for readers, as in the legend of a figure.
    unit : str
        Unit of the numbers; empty for text, and where the label or the title of the
        table states it.
    digits : int, optional
        Decimals to which `rounded` rounds; not rounded by default.
    """

    key: str
    label: str
    unit: str = ""
    digits: int | None = None

    @property
    def heading(self) -> str:
        """Label and unit, as the head of the column in a written table.

        >>> Column("cost_world", "World", "USD bn", 3).heading
        'World, USD bn'
        """
        if not self.unit:
            return self.label
        return f"{self.label}, {self.unit}"


@dataclass(frozen=True)
class Table:
    """A table of an answer.

    Attributes
    ----------
    name : str
        Its file, without ending.
    title : str
        What it shows, with units where a heading does not state them.
    frame : DataFrame
        The numbers, which figures and findings read by key.
    columns : sequence of Column
        What is written, in this order; a column of the frame that is not listed is not
        written. Empty: every column of the frame, under its key.
    """

    name: str
    title: str
    frame: pd.DataFrame
    columns: Sequence[Column] = ()

    @property
    def written(self) -> pd.DataFrame:
        """The table as in its file and on the page: headings instead of keys."""
        if not self.columns:
            return self.frame
        keys = [column.key for column in self.columns]
        headings = [column.heading for column in self.columns]
        return self.frame[keys].set_axis(headings, axis="columns")


@dataclass(frozen=True)
class Figure:
    """A figure of an answer, drawn from one of its tables.

    Attributes
    ----------
    name : str
        Its file, without ending.
    title : str
        What it shows.
    table : str
        Name of the table it draws.
    alt : str
        What a reader who cannot see it should know, with the numbers that matter.
    draw : callable
        From the table's frame to (figure, axes) of matplotlib.
    """

    name: str
    title: str
    table: str
    alt: str
    draw: Callable[[pd.DataFrame], tuple[Any, Any]]


@dataclass(frozen=True)
class Answer:
    """The answer to a question: its finding, and the tables and figures behind it.

    Attributes
    ----------
    finding : tuple of str
        Sentences filled from the numbers, one paragraph each.
    tables : sequence of Table
    figures : sequence of Figure
    """

    finding: tuple[str, ...]
    tables: Sequence[Table]
    figures: Sequence[Figure]


class Question(Protocol):
    """The module of a question."""

    TITLE: str
    ASKS: str
    METHOD: str

    def cells(self, cache: CaseCache, short: bool) -> list[Cell]:
        """Return the cases it needs."""

    def answer(self, cache: CaseCache, short: bool) -> Answer:
        """Return the answer, from the summaries of these cases."""


def rounded(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]
) -> pd.DataFrame:
    """Return rows as a frame, with numbers rounded to the digits of their columns.

    The last digit is the last one a solve can vouch for, so findings, ranks and figures
    are computed from the rounded numbers, as a reader of the table would compute them.
    """
    frame = pd.DataFrame(list(rows))
    if frame.empty:
        # Without rows the frame has no columns, which the figures look up by key.
        return pd.DataFrame(columns=[column.key for column in columns])
    for column in columns:
        if column.digits is None:
            continue
        # Adding zero turns -0.0 into 0.0.
        values = [round(value, column.digits) + 0.0 for value in frame[column.key]]
        frame[column.key] = values
    return frame
