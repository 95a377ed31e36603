"""What each verb of the command line does: from its arguments to an answer in text and in plain data."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chipmodel.cases.case import Case, load_case
from chipmodel.common.errors import InputError, Problem
from chipmodel.dataset.dataset import Dataset, load_dataset
from chipmodel.model.world import World, load_world

SHIPPED = "chipmodel-data"
"""Name of the data package that comes with chipmodel."""


@dataclass(frozen=True)
class Answer:
    """What a verb found: lines for people, plain data for programs, and the exit code."""

    lines: list[str]
    plain: dict[str, Any]
    code: int = 0


def dataset(args: argparse.Namespace) -> Dataset:
    """Load the data package that ``--data`` names; the shipped one without it."""
    return _load(getattr(args, "data", None))


def _load(where: str | None) -> Dataset:
    return load_dataset(None if where in (None, SHIPPED) else where)


def _place(args: argparse.Namespace, named: str | None = None) -> str:
    """Return where the data lies: the folder as given, or that it came with chipmodel."""
    where = named or getattr(args, "data", None)
    return "shipped with chipmodel" if where in (None, SHIPPED) else str(where)


def _asked(args: argparse.Namespace) -> tuple[Dataset, Case, World]:
    """Load what a verb asks for; problems of case and world are told together."""
    data = dataset(args)
    problems: list[Problem] = []
    found: list[Any] = []
    for load, name in ((load_case, args.case), (load_world, args.world)):
        try:
            found.append(load(name, data))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return data, found[0], found[1]


@contextmanager
def _nothing_empty(folder: Path) -> Iterator[None]:
    """Remove the folders that were made for results if nothing came to lie in them."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        with suppress(
            OSError
        ):  # one that is not empty stays, and so do those around it
            for path in new:
                path.rmdir()
        raise


def _say(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(line + "\n")
