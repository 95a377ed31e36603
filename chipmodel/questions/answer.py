"""What a question is and what its answer consists of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell


@dataclass(frozen=True)
class Table:
    """A table of an answer.

    Attributes
    ----------
    name : str
        Its file, without ending.
    title : str
        What it shows, with units where a column does not say them.
    frame : DataFrame
        One row a line; names of columns a reader understands.
    """

    name: str
    title: str
    frame: pd.DataFrame


@dataclass(frozen=True)
class Figure:
    """A figure of an answer, drawn from one of its tables.

    Attributes
    ----------
    name : str
        Its file, without ending.
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
    """What a question found: three or four sentences filled from the numbers, and what they are read off."""

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
        """Answer it."""
