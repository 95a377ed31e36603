"""The command line: commands in, answers and exit codes out.

Exit codes: 0 done, 1 the model has no optimal solution, 2 the input is wrong.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from chipmodel.cli.registry import COMMANDS
from chipmodel.cli.shared import OK, Answer, Settings, common_options
from chipmodel.common.errors import (
    ChipmodelError,
    InputError,
    OutOfMemory,
    Problem,
    Unsolved,
)
from chipmodel.common.garbage import collect_rarely
from chipmodel.common.interrupt import remember_interrupts
from chipmodel.common.text import one_line, printable
from chipmodel.common.version import __version__

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pydantic import ValidationError

NO_OPTIMUM, WRONG_INPUT, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
"""Exit codes; the last two are those of a shell for Ctrl-C and for a closed pipe."""


NEEDS_DOCSTRINGS = Problem(
    "python",
    "-OO",
    "Pyomo cannot be imported without docstrings",
    "leave it out, or unset PYTHONOPTIMIZE",
)


class LazyGroup(click.Group):
    """The commands of chipmodel, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = import_module(f"chipmodel.cli.{entry.module}")
        declared = getattr(module, entry.attribute)
        assert isinstance(declared, click.Command)
        return declared

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands in the help without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, entry.about) for name, entry in COMMANDS.items()]
            )


@common_options
@click.version_option(__version__, message="chipmodel %(version)s")
def _chipmodel() -> None:
    """Where semiconductor fabs are built, and who pays, under policy: a linear program.

    Exit codes: 0 done, 1 the model has no optimal solution, 2 the input is wrong.
    """


chipmodel = click.group(
    "chipmodel",
    cls=LazyGroup,
    no_args_is_help=False,
    context_settings={"max_content_width": 100},
)(_chipmodel)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit code.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    _open_standard_streams()
    collect_rarely()
    # Before NumPy loads: its threads are of no use here and take memory, and with too
    # little of it their start never ends.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A terminal of another encoding shows what it can instead of failing.
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with remember_interrupts() as interrupts:
        try:
            return _guarded(arguments)
        except BrokenPipeError:
            # Whatever remains to be flushed has no reader either.
            _redirect_to_nowhere(sys.stdout)
            return PIPE_CLOSED
        except BaseException as error:
            # A library may turn Ctrl-C into another error: what came is remembered.
            if interrupts or isinstance(error, KeyboardInterrupt | click.Abort):
                _print_to_stderr("interrupted")
                return INTERRUPTED
            if not _is_out_of_memory(error):
                raise
    # Outside of the block, in which the error holds what was computed.
    return _print_unsolved(OutOfMemory(), "--json" in arguments)


def _open_standard_streams() -> None:
    """Open what the caller has closed of standard input, output and error.

    The next file that is opened would take its place, and what a library prints would
    be written into that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free descriptor is the one that is missing.
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, nowhere)


def _redirect_to_nowhere(stream: TextIO) -> None:
    """Let a stream that cannot be written to any more take what remains in it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _print_to_stderr(line: str) -> None:
    """Print a line; a message that has no place to go changes no exit code."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        _redirect_to_nowhere(sys.stderr)


def _print_json_error(plain: list[dict[str, str]]) -> None:
    """Print an error as JSON; one that has no place to go changes no exit code."""
    text = json.dumps({"error": plain}, indent=2, ensure_ascii=False)
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        _redirect_to_nowhere(sys.stdout)


def script(name: str, arguments: Sequence[str] | None = None) -> int:
    """Answer a question as a script of its own: ``chipmodel study NAME``."""
    return main(["study", name, *(sys.argv[1:] if arguments is None else arguments)])


def _guarded(arguments: list[str]) -> int:
    """Run a command and report what is wrong with its input."""
    settings = Settings()
    if _least_limit() < LEAST_MEMORY:
        raise MemoryError
    if sys.flags.optimize > 1:
        return _print_problems([NEEDS_DOCSTRINGS], "--json" in arguments)
    # Read here too: arguments that click refuses are still answered in JSON.
    as_json = "--json" in arguments
    try:
        # Not `chipmodel.main`: it would turn Ctrl-C into an error of its own.
        with chipmodel.make_context("chipmodel", arguments, obj=settings) as context:
            answer: Answer = chipmodel.invoke(context)
        _print_answer(answer, as_json)
        return answer.code
    except click.exceptions.Exit:  # after --help and --version
        return OK
    except InputError as error:
        return _print_problems(list(error.problems), as_json)
    except click.UsageError as error:
        return _print_problems([_usage_problem(error)], as_json)
    except ChipmodelError as error:
        return _print_unsolved(error, as_json)
    except BrokenPipeError:
        raise
    except OSError as error:
        if _is_out_of_memory(error):
            raise
        return _print_problems([_system_problem(error)], as_json)
    except _validation_error() as error:
        # Like pydantic, which it imports, only once something has gone wrong.
        from chipmodel.common.toml import problems_of

        return _print_problems(problems_of(error, "input"), as_json)


def _validation_error() -> type[ValidationError]:
    """Return pydantic's error, imported only once something has gone wrong."""
    from pydantic import ValidationError

    return ValidationError


LEAST_MEMORY = 400_000_000
"""Bytes of address space without which the libraries cannot be loaded.

With less, SciPy's linear algebra waits for memory without end.
"""


def _least_limit() -> float:
    """Return the smaller of the limits on the memory of this process, in bytes."""
    if resource is None:
        return math.inf
    limits = [math.inf]
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(kind)
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    return min(limits)


NO_MEMORY = (
    "cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "resource temporarily unavailable",
    "error return without exception set",
)
"""Messages of a system or a library when memory or threads are used up."""


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one behind it, comes from too little memory."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        # A library that cannot be loaded, or a thread that cannot be started.
        if isinstance(error, ImportError | OSError | RuntimeError | SystemError):
            text = str(error).lower()
            if any(reason in text for reason in NO_MEMORY):
                return True
        error = error.__cause__ or error.__context__
    return False


def _usage_problem(error: click.UsageError) -> Problem:
    command = error.ctx.command_path if error.ctx is not None else "chipmodel"
    message = error.format_message().rstrip(".")
    return Problem("command line", command, message, f"see `{command} --help`")


def _system_problem(error: OSError) -> Problem:
    what = f"cannot be used ({error.strerror or error})"
    place = str(error.filename or "system")
    return Problem(place, "file", what, "check the path and who may use it")


def _print_answer(answer: Answer, as_json: bool) -> None:
    if as_json:
        text = json.dumps(_jsonable(answer.plain), indent=2, ensure_ascii=False)
    else:
        text = "\n".join(answer.lines)
    try:
        # Flushed here, where an error is handled, and not at the end of the process.
        print(printable(text), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _redirect_to_nowhere(sys.stdout)
        raise InputError.one(
            "standard output",
            "answer",
            f"cannot be written ({error.strerror or error})",
            "what is in the folder of results is complete; redirect it elsewhere",
        ) from None


def _print_problems(problems: list[Problem], as_json: bool) -> int:
    """Print what is wrong with the input, a line each."""
    if as_json:
        plain = []
        for problem in problems:
            texts = vars(problem).items()
            plain.append({name: one_line(text) for name, text in texts})
        _print_json_error(plain)
    for problem in problems:
        _print_to_stderr(f"error: {one_line(str(problem))}")
    return WRONG_INPUT


def _print_unsolved(error: ChipmodelError, as_json: bool) -> int:
    message = one_line(str(error))
    if as_json:
        status = "lost a worker"
        if isinstance(error, Unsolved | OutOfMemory):
            status = error.status
        plain = {"status": status, "what": message}
        _print_json_error([plain])
    _print_to_stderr(f"error: {message}")
    return NO_OPTIMUM


def _jsonable(value: Any) -> Any:
    """Return data that JSON can hold: what is not a number becomes null."""
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
