"""The questions the project was started with, each answered by an experiment.

A question is a module ``qNN_name`` with

``TITLE``
    One line.
``ASKS``
    The question in a sentence.
``METHOD``
    How it is answered, in a line or two, with what is left out.
``cells(desk, short)``
    The cases it needs, so that those of all questions are solved together.
``answer(desk, short)``
    Tables, figures and findings, read off the desk's summaries.

``short`` asks for the fewest cases that still answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol

import pandas as pd

from chipmodel.desk import Desk
from chipmodel.errors import InputError
from chipmodel.plan import Cell
from chipmodel.text import offer


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

    def cells(self, desk: Desk, short: bool) -> list[Cell]:
        """Return the cases it needs."""

    def answer(self, desk: Desk, short: bool) -> Answer:
        """Answer it."""


def names() -> list[str]:
    """Return the names of the questions, in order."""
    return sorted(found.name for found in iter_modules(__path__) if found.name.startswith("q"))


def question(name: str) -> Question:
    """Return a question by its name or number (``q03``).

    Raises
    ------
    InputError
        If there is none, with the nearest names.
    """
    known = names()
    fits = [one for one in known if one == name or one.partition("_")[0] == name]
    if not fits:
        raise InputError.one("question", name, "no such question", offer(name, known))
    module: Any = import_module(f"{__name__}.{fits[0]}")
    return module  # type: ignore[no-any-return]
