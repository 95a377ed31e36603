"""What the commands share: their options, their answers, and how they load input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chipmodel.cli.registry import COMMANDS
from chipmodel.common.errors import InputError, Problem

if TYPE_CHECKING:
    from chipmodel.cases.case import Case
    from chipmodel.dataset.dataset import Dataset
    from chipmodel.model.world import World

SHIPPED = "chipmodel-data"
"""Name of the data package that is shipped with chipmodel."""

OK = 0
"""Exit code of a command that has done what it was asked."""


@dataclass(frozen=True)
class Answer:
    """The result of a command: lines of text, the same as plain data, the exit code."""

    lines: list[str]
    plain: dict[str, Any]
    code: int = OK


@dataclass
class Settings:
    """The options that every command takes, before or after its name.

    Attributes
    ----------
    data : str, optional
        Folder of a data package, or the name of the shipped one.
    as_json : bool
        Whether to answer in JSON.
    """

    data: str | None = None
    as_json: bool = False

    @property
    def is_shipped(self) -> bool:
        """Whether the data package is the shipped one."""
        return self.data in (None, SHIPPED)

    def dataset(self) -> Dataset:
        """Load the data package."""
        return load(self.data)

    def place(self, named: str | None = None) -> str:
        """Return where the data is: the folder as given, or shipped with chipmodel."""
        folder = named or self.data
        if folder in (None, SHIPPED):
            return "shipped with chipmodel"
        return str(folder)

    def cell(self, case: str, world: str) -> tuple[Dataset, Case, World]:
        """Load data, case and world; problems of case and world are reported together.

        Raises
        ------
        InputError
            With every problem found.
        """
        # For start-up: they load Pyomo, so that --help and --version need not wait.
        from chipmodel.cases.case import load_case
        from chipmodel.model.world import load_world

        data = self.dataset()
        problems: list[Problem] = []
        with _collecting(problems):
            loaded_case = load_case(case, data)
        with _collecting(problems):
            loaded_world = load_world(world, data)
        if problems:
            raise InputError(problems)
        return data, loaded_case, loaded_world


def load(folder: str | None) -> Dataset:
    """Load a data package from a folder, or the shipped one."""
    # pandas and pydantic load here, so that --help and --version need not wait.
    from chipmodel.dataset.dataset import load_dataset

    return load_dataset(None if folder == SHIPPED else folder)


@contextmanager
def _collecting(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        problems += error.problems


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Return a callback that stores an option in the settings, unless it is absent."""

    def store(context: click.Context, _: click.Parameter, value: Any) -> None:
        # Given before the name of the command, it must not be reset after it.
        if value is not None:
            setattr(context.ensure_object(Settings), name, value)

    return store


def common_options(command: Any) -> Any:
    """Add ``--data`` and ``--json``, which every command takes."""
    command = click.option(
        "--json",
        is_flag=True,
        default=None,
        expose_value=False,
        callback=_set("as_json"),
        help="Answer in JSON.",
    )(command)
    return click.option(
        "--data",
        metavar="DIR|NAME",
        expose_value=False,
        callback=_set("data"),
        help=f"Data package: a folder, or {SHIPPED} for the shipped one (default).",
    )(command)


def command(name: str) -> Callable[[Callable[..., Answer]], click.Command]:
    """Declare a command of the registry: its options are keyword arguments."""

    def declare(function: Callable[..., Answer]) -> click.Command:
        with_settings = click.make_pass_decorator(Settings, ensure=True)(function)
        declared = click.command(name, help=COMMANDS[name].about)(
            common_options(with_settings)
        )
        assert isinstance(declared, click.Command)
        return declared

    return declare


def case_and_world(function: Any) -> Any:
    """Add the arguments of a command about one case in one world."""
    function = click.option(
        "--world",
        default="central",
        show_default=True,
        metavar="W",
        help="A name or a path.",
    )(function)
    return click.argument("case", metavar="CASE[+CASE...]")(function)


def out_option(default: str | None = "results") -> Callable[[Any], Any]:
    """Return the option of the folder for results."""
    return click.option(
        "--out",
        default=default,
        show_default=default is not None,
        metavar="DIR",
        help="Folder for results.",
    )


jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of processes.",
)


@contextmanager
def no_empty_folders(folder: Path) -> Iterator[None]:
    """Remove the folders made for results if the command fails and leaves none."""
    # From the inside out, the order in which they can be removed.
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        # A folder that is not empty stays, and so do those around it.
        with suppress(OSError):
            for path in new:
                path.rmdir()
        raise


def note(line: str) -> None:
    """Print a line about the progress of a command, on a terminal only."""
    with suppress(OSError):  # a terminal that is gone must not end the work
        if sys.stderr.isatty():
            sys.stderr.write(line + "\n")


def written_lines(paths: list[str]) -> list[str]:
    """Return the lines that name the files written."""
    return [f"written: {path}" for path in paths]
