"""Commands about one case."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from chipmodel.analysis.run import run
from chipmodel.cases.case import baseline_of, load_case
from chipmodel.cases.check import check_case
from chipmodel.cases.diff import differences
from chipmodel.cli.shared import SHIPPED, Answer, _asked, _nothing_empty, _say, dataset
from chipmodel.common.errors import InputError, NoOptimum
from chipmodel.common.text import labelled
from chipmodel.model.parameters.build import build_parameters

if TYPE_CHECKING:
    from chipmodel.analysis.verify import Verification
    from chipmodel.results.solution import Solution


def show(args: argparse.Namespace) -> Answer:
    """Show a resolved case: each instrument, its law, its source, what its numbers amount to."""
    from chipmodel.cases.describe import case_lines, describe_case

    data, case, world = _asked(args)
    parameters = build_parameters(data, world)
    check_case(case, parameters)
    found = describe_case(case, parameters, baseline_of(args.case, data))
    return Answer(case_lines(found), found)


def why(args: argparse.Namespace) -> Answer:
    """Say why a case has no solution, or what binds in the one it has."""
    from chipmodel.analysis.why.explain import explain_infeasible

    data, case, world = _asked(args)
    _say(f"looking into {case.name} in {world.name} ...")
    found = explain_infeasible(data, case, world)
    return Answer(found.lines(), found.plain())


def diff(args: argparse.Namespace) -> Answer:
    """Tell what differs between two cases."""
    from chipmodel.cases.describe import names_of
    from chipmodel.cases.diff import changed_lines

    data = dataset(args)
    left, right = load_case(args.left, data), load_case(args.right, data)
    rows = differences(left, right, names_of(data))
    lines = labelled(
        [
            (case.name, f"{case.title or 'no title'} ({case.status})")
            for case in (left, right)
        ]
    )
    lines += ["", f"from {left.name} to {right.name}:", *changed_lines(rows)]
    if not rows:
        lines = [f"{left.name} and {right.name} hold the same instruments"]
    return Answer(lines, {"left": left.name, "right": right.name, "differences": rows})


def new(args: argparse.Namespace) -> Answer:
    """Write a commented case file."""
    from chipmodel.cases.new import new_case

    data = dataset(args)
    if "+" in args.parent:
        raise InputError.one(
            "command line", "--from", "a case has one parent", "name one case"
        )
    parent = load_case(args.parent, data)
    # An editable copy of the data takes the case in; the shipped package is left alone.
    inside = getattr(args, "data", None) not in (None, SHIPPED)
    folder = data.root / "cases" if inside else Path()
    path = new_case(args.case, parent, args.parent, folder)
    return Answer([f"written: {path}"], {"written": str(path)})


def run_case(args: argparse.Namespace) -> Answer:
    """Solve a case in a world, write its tables and manifest, and print a summary."""
    from chipmodel.common.folders import prepare
    from chipmodel.dataset.rows import SegmentRow
    from chipmodel.results.overview import overview, overview_lines
    from chipmodel.results.store import save

    data, case, world = _asked(args)
    with _nothing_empty(Path(args.out)):
        out = prepare(args.out)
        _say(f"solving {case.name} in {world.name} ...")
        start = time.perf_counter()
        with _pointing_to_why(args):
            solution = run(data, case, world)
        seconds = {"run": time.perf_counter() - start}
        checked = _verified(solution) if args.verify else None
        folder = save(solution, out, seconds, checked.plain() if checked else None)
    found = overview(solution)
    names = {row.segment: row.name for row in data.rows(SegmentRow)}
    lines = [
        *overview_lines(found, names),
        *(["", *checked.lines()] if checked else []),
        "",
        f"written: {folder}",
    ]
    return Answer(
        lines,
        {
            **found,
            **({"verified": checked.plain()} if checked else {}),
            "written": str(folder),
        },
    )


def _verified(solution: Solution) -> Verification:
    from chipmodel.analysis.verify import verify

    _say("solving again by other methods ...")
    return verify(solution)


@contextmanager
def _pointing_to_why(args: argparse.Namespace) -> Iterator[None]:
    """Let a case without a solution say which command explains it."""
    try:
        yield
    except NoOptimum as error:
        world = "" if args.world == "central" else f" --world {args.world}"
        place = f" --data {args.data}" if getattr(args, "data", None) else ""
        raise NoOptimum(
            error.status, f"{error}; run `chipmodel why {args.case}{world}{place}`"
        ) from None


def rerun(args: argparse.Namespace) -> Answer:
    """Rebuild a result from its manifest and say what differs."""
    from chipmodel.analysis.rerun import rerun as again

    found = again(args.manifest, dataset(args))
    lines = [f"differs: {difference}" for difference in found] or [
        "same: every table, to nine digits"
    ]
    return Answer(
        lines,
        {"same": not found, "differences": [vars(difference) for difference in found]},
    )


def export(args: argparse.Namespace) -> Answer:
    """Write the programme of a case for other solvers."""
    from chipmodel.analysis.run import program_of
    from chipmodel.common.folders import prepare
    from chipmodel.results.store import slug
    from chipmodel.solver.export import export as write_out

    data, case, world = _asked(args)
    path = Path(args.out or f"{slug(case.name)}--{world.name}.{args.format}")
    if path.is_dir():
        raise InputError.one(str(path), "--out", "is a folder", "name a file")
    with _nothing_empty(path.parent):
        prepare(path.parent)
        _say(f"writing {case.name} in {world.name} ...")
        program = program_of(data, case, world)
        write_out(program, path, args.format)
    rows, cols = program.matrix.shape
    return Answer(
        [f"written: {path} ({rows:,} rows, {cols:,} columns, to be minimised)"],
        {
            "written": str(path),
            "rows": int(rows),
            "columns": int(cols),
            "format": args.format,
        },
    )
