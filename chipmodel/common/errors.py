"""What can go wrong for a user, reported with file, place and fix."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input.

    Attributes
    ----------
    file : str
        The file as the user named it, or the name of a table.
    place : str
        Line, column, key or field inside the file.
    what : str
        What is wrong.
    fix : str
        What to do about it.
    """

    file: str
    place: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.what}; {self.fix}"


def character(char: str) -> str:
    """Return the number and name of a character that is invisible or ambiguous."""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'a control character')}"


MOST_CHARACTERS = 3
"""Characters beyond ASCII that a message names."""


def _with_characters(problem: Problem) -> Problem:
    """Name the characters beyond ASCII: they may look like those that were meant."""
    text = problem.place + problem.what
    beyond_ascii = dict.fromkeys(char for char in text if not char.isascii())
    if not beyond_ascii or "U+" in problem.what:
        return problem
    names = [character(char) for char in list(beyond_ascii)[:MOST_CHARACTERS]]
    return replace(problem, what=f"{problem.what} (holds {', '.join(names)})")


class ChipmodelError(Exception):
    """Base of every error chipmodel raises on purpose."""


class InputError(ChipmodelError):
    """The input is wrong (exit code 2). All problems found are reported together."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        complete = {_with_characters(problem) for problem in problems}
        self.problems: tuple[Problem, ...] = tuple(sorted(complete, key=_order))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        # So that it can be sent back from another process.
        return type(self), (self.problems,)

    @classmethod
    def one(cls, file: str, place: str, what: str, fix: str) -> InputError:
        """Return the error for a single problem."""
        return cls([Problem(file, place, what, fix)])


def _order(problem: Problem) -> tuple[list[tuple[int, int, str]], ...]:
    """Return the key by which problems are sorted: numbers in them by size."""
    return tuple(_natural(text) for text in vars(problem).values())


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Return a text as parts that sort line 2 before line 10."""
    parts = []
    for part in re.findall(r"[0-9]+|[^0-9]+", text):
        # Digits of other alphabets stay in the text around them.
        digits = part.isascii() and part.isdigit() and len(part) < LONGEST_NUMBER
        number = int(part) if digits else -1
        parts.append((0 if number >= 0 else 1, number, part))
    return parts


LONGEST_NUMBER = 20
"""Digits of a number that is compared as one; longer ones are text."""


class Unfit(ValueError):
    """A value that a model refuses: what is wrong, and the fix.

    Raised while pydantic validates; `problems_of` turns it into a `Problem`.
    """

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(f"{what}; {fix}")


class Unsolved(ChipmodelError):
    """A linear program has no solution that can be trusted.

    Attributes
    ----------
    status : str
        What the solver reports.
    program, parameters, policies
        The linear program and what it was written from, for an explanation; None or
        empty if not known.
    """

    status: str = "unsolved"
    program: Any = None
    parameters: Any = None
    policies: tuple[Any, ...] = ()


class NoOptimum(Unsolved):
    """The model has no optimal solution (exit code 1)."""

    def __init__(self, status: str, message: str) -> None:
        self.status = status
        super().__init__(message)

    def __reduce__(self) -> tuple[type[NoOptimum], tuple[str, str]]:
        # Without the arrays: they stay in their process.
        return type(self), (self.status, str(self))


class Infeasible(NoOptimum):
    """The model has no solution, by whatever method it is solved."""


class WorkerLost(ChipmodelError):
    """A process or machine that solved part of a study is lost (exit code 1)."""

    def __init__(
        self,
        what: str = (
            "a process that solved part of the study ended before its time (killed, or"
            " out of memory)"
        ),
        fix: str = "run the same command again: what was finished is not lost",
    ) -> None:
        super().__init__(f"{what}; {fix}")
        self._parts = (what, fix)

    def __reduce__(self) -> tuple[type[WorkerLost], tuple[str, str]]:
        return type(self), self._parts


class OutOfMemory(ChipmodelError):
    """There is too little memory, here or within the limit set (exit code 1).

    Attributes
    ----------
    status : str
    """

    status = "out of memory"

    def __init__(self) -> None:
        super().__init__(
            "there is too little memory; give the process more (the shipped data need"
            " about 2 GB), end others, or use fewer processes (--jobs)"
        )

    def __reduce__(self) -> tuple[type[OutOfMemory], tuple[()]]:
        return type(self), ()


class CertificateError(Unsolved):
    """A solution failed its check: residuals, gap or an identity of the accounts."""

    status = "failed its certificate"

    def __reduce__(self) -> tuple[type[CertificateError], tuple[str]]:
        return type(self), (str(self),)


@contextmanager
def about(
    program: Any = None, parameters: Any = None, policies: Sequence[Any] = ()
) -> Iterator[None]:
    """Attach to an `Unsolved` the linear program and what it was written from.

    The innermost block that knows them counts.
    """
    try:
        yield
    except Unsolved as error:
        if error.program is None:
            error.program = program
        if error.parameters is None:
            error.parameters = parameters
        error.policies = error.policies or tuple(policies)
        raise
