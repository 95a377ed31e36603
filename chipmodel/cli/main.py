"""The command line: verbs in, answers and exit codes out.

Exit codes: 0 done, 1 the model has no optimal solution, 2 the input is wrong.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from chipmodel.cli import case_commands, data_commands, shared, study_commands
from chipmodel.common.errors import ChipmodelError, InputError, Problem, Unsolved
from chipmodel.common.interrupt import remember_interrupts
from chipmodel.common.text import one_line, printable
from chipmodel.common.version import __version__

DONE, NO_OPTIMUM, WRONG_INPUT, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
"""Exit codes; the last two are those of a shell for Ctrl-C and for a reader that left."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are told like all others."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the command line."""
        raise InputError.one(
            "command line", self.prog, message, f"see `{self.prog} --help`"
        )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    common = _Parser(add_help=False, allow_abbrev=False)
    common.add_argument(
        "--data",
        metavar="DIR|NAME",
        default=argparse.SUPPRESS,
        help=(
            "data package: a folder, or chipmodel-data for the shipped one (the"
            " default)"
        ),
    )
    common.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON"
    )
    parser = _Parser(
        prog="chipmodel",
        parents=[common],
        allow_abbrev=False,
        description=(
            "Where chip factories go, and who pays, under policy: a linear programme."
        ),
        epilog=(
            "Exit codes: 0 done, 1 the model has no optimal solution, 2 the input is"
            " wrong."
        ),
    )
    parser.add_argument(
        "--version", action="version", version=f"chipmodel {__version__}"
    )
    known = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)

    def verb(
        name: str, call: Callable[[argparse.Namespace], shared.Answer], about: str
    ) -> argparse.ArgumentParser:
        made = known.add_parser(
            name, help=about, description=about, parents=[common], allow_abbrev=False
        )
        made.set_defaults(call=call)
        return made

    _reading_verbs(verb)
    _writing_verbs(verb)
    return parser


Verb = Callable[
    [str, Callable[[argparse.Namespace], shared.Answer], str], argparse.ArgumentParser
]


def _reading_verbs(verb: Verb) -> None:

    verb(
        "list",
        data_commands.list_all,
        "datasets, worlds, cases, studies and questions, with one line each",
    )
    check = verb(
        "check",
        data_commands.check,
        "every problem of a data package at once: file, place, what is wrong, the mend",
    )
    check.add_argument(
        "dataset",
        nargs="?",
        metavar="DATASET",
        help="a folder; the one of --data by default",
    )
    show = verb(
        "show",
        case_commands.show,
        "the resolved case: each instrument, its law, its source, what it amounts to",
    )
    _case_and_world(show)
    why = verb(
        "why",
        case_commands.why,
        "why a case has no solution, in the words of its policies; or what binds in it",
    )
    _case_and_world(why)
    diff = verb("diff", case_commands.diff, "what differs between two cases")
    diff.add_argument("left", metavar="CASE")
    diff.add_argument("right", metavar="CASE")
    verb(
        "formulation",
        data_commands.formulation,
        "the linear programme as it stands, generated from the code",
    )
    verb("cite", data_commands.cite, "how to cite chipmodel and its data")


def _writing_verbs(verb: Verb) -> None:

    new = verb(
        "new",
        case_commands.new,
        "write a commented case file, into the cases of --data or else into this"
        " folder",
    )
    new.add_argument(
        "case", metavar="CASE", help="a name, or a path that ends in .toml"
    )
    new.add_argument(
        "--from",
        dest="parent",
        required=True,
        metavar="PARENT",
        help="the case it differs from",
    )
    copy = verb(
        "copy-data",
        data_commands.copy_data,
        "copy the data package with its cases, worlds and studies, to edit it",
    )
    copy.add_argument(
        "folder", metavar="DIR", help="a folder that is empty or not there"
    )
    run = verb(
        "run",
        case_commands.run_case,
        "solve a case in a world; write tables and manifest",
    )
    _case_and_world(run)
    run.add_argument(
        "--out",
        default="results",
        metavar="DIR",
        help="folder for results (default: results)",
    )
    run.add_argument(
        "--verify", action="store_true", help="solve again by other methods and compare"
    )
    again = verb("rerun", case_commands.rerun, "rebuild a result and say what differs")
    again.add_argument(
        "manifest", metavar="MANIFEST", help="a manifest, or the folder of a result"
    )
    export = verb(
        "export",
        case_commands.export,
        "write the programme of a case for other solvers",
    )
    _case_and_world(export)
    export.add_argument("--format", required=True, choices=("mps", "lp"))
    export.add_argument(
        "--out", metavar="FILE", help="default: CASE--WORLD.FORMAT in this folder"
    )
    study = verb(
        "study",
        study_commands.study,
        "solve the cases of a study and compare them, or answer a question",
    )
    study.add_argument(
        "study",
        metavar="NAME|FILE",
        help="a study, or a question by name or number (q04)",
    )
    study.add_argument(
        "--out",
        default="results",
        metavar="DIR",
        help="folder for results (default: results)",
    )
    study.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="processes (default: 1)"
    )
    study.add_argument(
        "--short",
        action="store_true",
        help="the fewest cases that still answer a question",
    )
    study.add_argument(
        "--verify", action="store_true", help="solve again by other methods and compare"
    )
    study.add_argument(
        "--yes", action="store_true", help="solve a study of more than 10,000 cells"
    )
    study.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help=(
            "solve on the workers of a Dask scheduler, "
            "tls://HOST:PORT (needs chipmodel[cluster])"
        ),
    )
    study.add_argument(
        "--insecure",
        action="store_true",
        help="accept a scheduler without encryption, tcp://",
    )
    for part, about in (
        ("ca", "certificate authority"),
        ("cert", "certificate"),
        ("key", "key of the certificate"),
    ):
        study.add_argument(
            f"--tls-{part}",
            metavar="FILE",
            help=f"{about}; by default as Dask is configured",
        )
    report = verb(
        "report",
        study_commands.report,
        "answer every question and write one page; what is fresh is reused",
    )
    report.add_argument(
        "--out",
        metavar="DIR",
        help="folder for results (default: results; results/check to check)",
    )
    report.add_argument(
        "--short", action="store_true", help="the fewest cases that still answer"
    )
    report.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="processes (default: 1)"
    )
    report.add_argument(
        "--check",
        action="store_true",
        help=(
            "hold the tables of the short form against the golden ones; exit code 1 if"
            " they differ"
        ),
    )
    report.add_argument(
        "--update",
        action="store_true",
        help="write the golden tables anew, from the short form",
    )
    report.add_argument(
        "--golden",
        metavar="DIR",
        help="the golden tables (default: tests/golden of the checkout)",
    )
    held = verb(
        "validate",
        study_commands.validate,
        "hold the model against published results: hits, misses and why",
    )
    held.add_argument(
        "--out",
        default="results",
        metavar="DIR",
        help="folder for results (default: results)",
    )
    held.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="processes (default: 1)"
    )
    held.add_argument(
        "--without-placebo",
        action="store_true",
        help="leave out the placebo, which takes half the time",
    )


def _case_and_world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "case",
        metavar="CASE[+CASE...]",
        help="a name, a path, or several joined with +",
    )
    parser.add_argument(
        "--world",
        default="central",
        metavar="W",
        help="a name or a path (default: central)",
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a whole number of at least 1"
        )
    return int(text)


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
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with remember_interrupts() as interrupts:
        try:
            return _guarded(arguments, as_json)
        except BrokenPipeError:
            with suppress(
                OSError, ValueError
            ):  # what is still to be flushed has no reader either
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return PIPE_CLOSED
        except BaseException as error:
            if not interrupts and not isinstance(error, KeyboardInterrupt):
                raise
            sys.stderr.write("interrupted\n")
            return INTERRUPTED


def _guarded(arguments: list[str], as_json: bool) -> int:
    from pydantic import ValidationError

    from chipmodel.common.toml import problems_of

    try:
        args = build_parser().parse_args(arguments)
        answer = args.call(args)
        plain = (
            json.dumps(_plain(answer.plain), indent=2, ensure_ascii=False)
            if as_json
            else "\n".join(answer.lines)
        )
        print(printable(plain))
        sys.stdout.flush()
        return int(answer.code)
    except SystemExit as leaving:  # --help and --version
        return DONE if leaving.code in (None, 0) else WRONG_INPUT
    except InputError as error:
        return _tell(list(error.problems), as_json)
    except ValidationError as error:
        return _tell(problems_of(error, "input"), as_json)
    except ChipmodelError as error:
        return _tell_unsolved(error, as_json)
    except BrokenPipeError:
        raise
    except OSError as error:
        what, fix = (
            f"cannot be used ({error.strerror or error})",
            "check the path and who may use it",
        )
        return _tell(
            [Problem(str(error.filename or "system"), "file", what, fix)], as_json
        )


def _tell(problems: list[Problem], as_json: bool) -> int:
    """Tell what is wrong with the input, a line each."""
    if as_json:
        found = [
            {k: one_line(v) for k, v in vars(problem).items()} for problem in problems
        ]
        print(json.dumps({"error": found}, indent=2, ensure_ascii=False))
    for problem in problems:
        print(f"error: {one_line(str(problem))}", file=sys.stderr)
    return WRONG_INPUT


def _tell_unsolved(error: ChipmodelError, as_json: bool) -> int:
    status = error.status if isinstance(error, Unsolved) else "lost a worker"
    if as_json:
        found = {"status": status, "what": one_line(str(error))}
        print(json.dumps({"error": [found]}, indent=2, ensure_ascii=False))
    print(f"error: {one_line(str(error))}", file=sys.stderr)
    return NO_OPTIMUM


def _plain(value: Any) -> Any:
    """Return data that JSON can say: what is not a number becomes null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def script(name: str, arguments: Sequence[str] | None = None) -> int:
    """Do what an experiment script does: ``chipmodel study NAME`` with the options of the command line."""
    pass

    return main(["study", name, *(sys.argv[1:] if arguments is None else arguments)])
