"""What can go wrong for a user, told with file, place and mend."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, order=True)
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
    """Return a character by its number and name, for one that is not seen or looks like another."""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'a control character')}"


def _spelled_out(problem: Problem) -> Problem:
    """Name the characters beyond ASCII in what is wrong: they may look like the ones that were meant."""
    odd = dict.fromkeys(c for c in problem.place + problem.what if not c.isascii())
    if not odd or "U+" in problem.what:
        return problem
    return replace(
        problem,
        what=f"{problem.what} (holds {', '.join(character(c) for c in [*odd][:3])})",
    )


class ChipmodelError(Exception):
    """Base of every error chipmodel raises on purpose."""


class InputError(ChipmodelError):
    """The input is wrong (exit code 2). All problems found are reported together."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted({_spelled_out(p) for p in problems})
        )
        super().__init__("\n".join(str(p) for p in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return type(self), (
            self.problems,
        )  # so that it survives the way back from another process

    @classmethod
    def one(cls, file: str, place: str, what: str, fix: str) -> InputError:
        """Return the error for a single problem."""
        return cls([Problem(file, place, what, fix)])


class Unsolved(ChipmodelError):
    """A programme has no solution that can be trusted; `program` holds it, if it is known, to be explained."""

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
        return type(self), (
            self.status,
            str(self),
        )  # without the arrays: they stay in their process


class WorkerLost(ChipmodelError):
    """What solved part of a study is gone (exit code 1)."""

    def __init__(
        self,
        what: str = "a process that solved part of the study ended before its time (killed, or out of memory)",
    ) -> None:
        super().__init__(
            f"{what}; run the same command again: what was finished is kept"
        )


class CertificateError(Unsolved):
    """A solution failed its own check: residuals, gap or an identity of the accounts."""

    status = "failed its certificate"

    def __reduce__(self) -> tuple[type[CertificateError], tuple[str]]:
        return type(self), (str(self),)


@contextmanager
def about(
    program: Any = None, parameters: Any = None, policies: Sequence[Any] = ()
) -> Iterator[None]:
    """Let what goes wrong in a solve carry the programme it went wrong with, and what that was written from."""
    try:
        yield
    except Unsolved as error:
        error.program = program if error.program is None else error.program
        error.parameters = parameters if error.parameters is None else error.parameters
        error.policies = error.policies or tuple(policies)
        raise
