"""What each verb of the command line does: from its arguments to an answer in text and in plain data."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chipmodel.case import Case, baseline_of, differences, list_cases, load_case
from chipmodel.dataset import Dataset, load_dataset
from chipmodel.errors import InputError, Problem
from chipmodel.files import names_in, read_toml
from chipmodel.numbers import build_numbers
from chipmodel.solve import check_case, run
from chipmodel.text import labelled
from chipmodel.world import World, load_world

SHIPPED = "chipmodel-data"
"""Name of the data package that comes with chipmodel."""


GRADES = ("A read in the source, B quoted by another, C citation missing, D computed (formula in the note), "
          "E assumption")
"""What the grades of facts mean, in a line."""


@dataclass(frozen=True)
class Answer:
    """What a verb found: lines for people, plain data for programs."""

    lines: list[str]
    plain: dict[str, Any]


def dataset(args: argparse.Namespace) -> Dataset:
    """Load the data package that ``--data`` names; the shipped one without it."""
    return _load(getattr(args, "data", None))


def _load(where: str | None) -> Dataset:
    return load_dataset(None if where in (None, SHIPPED) else where)


def _place(args: argparse.Namespace, named: str | None = None) -> str:
    """Return where the data lies: the folder as given, or that it came with chipmodel."""
    where = named or getattr(args, "data", None)
    return "shipped with chipmodel" if where in (None, SHIPPED) else str(where)


def list_all(args: argparse.Namespace) -> Answer:
    """List data sets, worlds, cases and studies with a line each."""
    data = dataset(args)
    found: dict[str, list[dict[str, str]]] = {"datasets": _datasets(data, _place(args))}
    for heading in ("worlds", "cases", "studies"):
        folder = data.root / heading
        found[heading] = [{"name": name, "title": _title(folder / f"{name}.toml")} for name in names_in(folder)]
    lines: list[str] = []
    for heading, entries in found.items():
        lines += ["", heading, *(labelled([(e["name"], e["title"]) for e in entries], "  ") or ["  none"])]
    return Answer(lines[1:], dict(found))


def _datasets(data: Dataset, place: str) -> list[dict[str, str]]:
    facts = sum(1 for _ in data.facts())
    title = f"{len(data.tables)} tables, {facts:,} facts, digest {data.digest[:12]}, {place}"
    entries = [{"name": data.name, "title": title}]
    if data.name != SHIPPED:
        entries.append({"name": SHIPPED, "title": "the package that comes with chipmodel"})
    return entries


def _title(path: Path) -> str:
    try:
        return str(read_toml(path).get("title", "(no title)"))
    except InputError as error:
        return f"({error.problems[0].what})"


def check(args: argparse.Namespace) -> Answer:
    """Check a data package with its worlds, cases and studies, and tell every problem at once."""
    named = getattr(args, "data", None)
    if args.dataset and named and args.dataset != named:
        raise InputError.one("command line", "--data", "names another data set than DATASET", "name it once")
    data = _load(args.dataset or named)
    problems = _package_problems(data)
    if problems:
        raise InputError(problems)
    grades = {grade: 0 for grade in "ABCDE"}
    for _, fact in data.facts():
        grades[fact.grade] += 1
    count = sum(grades.values())
    told = ", ".join(f"{grade} {n}" for grade, n in grades.items())
    return Answer(
        [f"ok: {len(data.tables)} tables, {count:,} facts, grades {told}",
         f"data: {data.name}, {_place(args, args.dataset)}", f"grades: {GRADES}"],
        {"ok": True, "dataset": data.name, "place": _place(args, args.dataset), "digest": data.digest,
         "tables": len(data.tables), "facts": count, "grades": grades},
    )


def _package_problems(data: Dataset) -> list[Problem]:
    """Return what is wrong with the worlds, the cases and the studies beside sound tables."""
    problems: list[Problem] = []

    def attempt(call: Callable[..., Any], *given: Any) -> Any:
        try:
            return call(*given)
        except InputError as error:
            problems.extend(error.problems)
            return None

    numbers = None
    for name in names_in(data.root / "worlds"):
        world = attempt(load_world, name, data)
        built = attempt(build_numbers, data, world) if world is not None else None
        numbers = built if numbers is None or name == "central" else numbers
    for name in list_cases(data):
        case = attempt(load_case, name, data)
        if case is not None and numbers is not None:
            attempt(check_case, case, numbers)
    if not problems:
        from chipmodel.study import list_studies, load_study

        for name in list_studies(data):
            attempt(load_study, name, data)
    return problems


def show(args: argparse.Namespace) -> Answer:
    """Show a resolved case: each instrument, its law, its source, what its numbers amount to."""
    from chipmodel.show import case_lines, describe_case

    data, case, world = _asked(args)
    numbers = build_numbers(data, world)
    check_case(case, numbers)
    found = describe_case(case, numbers, baseline_of(args.case, data))
    return Answer(case_lines(found), found)


def diff(args: argparse.Namespace) -> Answer:
    """Tell what differs between two cases."""
    from chipmodel.show import changed_lines, names_of

    data = dataset(args)
    left, right = load_case(args.left, data), load_case(args.right, data)
    rows = differences(left, right, names_of(data))
    lines = labelled([(case.name, f"{case.title or 'no title'} ({case.status})") for case in (left, right)])
    lines += ["", f"from {left.name} to {right.name}:", *changed_lines(rows)]
    if not rows:
        lines = [f"{left.name} and {right.name} hold the same instruments"]
    return Answer(lines, {"left": left.name, "right": right.name, "differences": rows})


def new(args: argparse.Namespace) -> Answer:
    """Write a commented case file."""
    from chipmodel.newcase import new_case

    data = dataset(args)
    if "+" in args.parent:
        raise InputError.one("command line", "--from", "a case has one parent", "name one case")
    parent = load_case(args.parent, data)
    # An editable copy of the data takes the case in; the shipped package is left alone.
    inside = getattr(args, "data", None) not in (None, SHIPPED)
    folder = data.root / "cases" if inside else Path()
    path = new_case(args.case, parent, args.parent, folder)
    return Answer([f"written: {path}"], {"written": str(path)})


def copy_data(args: argparse.Namespace) -> Answer:
    """Copy a data package to be edited."""
    from chipmodel.newcase import copy_data as copy

    path = copy(dataset(args), args.folder)
    return Answer([f"written: {path}; use it with --data {path}"], {"written": str(path)})


def run_case(args: argparse.Namespace) -> Answer:
    """Solve a case in a world, write its tables and manifest, and print a summary."""
    from chipmodel.overview import overview, overview_lines
    from chipmodel.schema import SegmentRow
    from chipmodel.store import prepare, save

    data, case, world = _asked(args)
    with _nothing_empty(Path(args.out)):
        out = prepare(args.out)
        _say(f"solving {case.name} in {world.name} ...")
        start = time.perf_counter()
        solution = run(data, case, world)
        folder = save(solution, out, {"run": time.perf_counter() - start})
    found = overview(solution)
    names = {row.segment: row.name for row in data.rows(SegmentRow)}
    return Answer([*overview_lines(found, names), "", f"written: {folder}"], {**found, "written": str(folder)})


def rerun(args: argparse.Namespace) -> Answer:
    """Rebuild a result from its manifest and say what differs."""
    from chipmodel.rerun import rerun as again

    found = again(args.manifest, dataset(args))
    lines = [f"differs: {difference}" for difference in found] or ["same: every table, to nine digits"]
    return Answer(lines, {"same": not found, "differences": [vars(difference) for difference in found]})


def export(args: argparse.Namespace) -> Answer:
    """Write the programme of a case for other solvers."""
    from chipmodel.export import arrays_of
    from chipmodel.export import export as write_out
    from chipmodel.store import prepare, slug

    data, case, world = _asked(args)
    path = Path(args.out or f"{slug(case.name)}--{world.name}.{args.format}")
    if path.is_dir():
        raise InputError.one(str(path), "--out", "is a folder", "name a file")
    with _nothing_empty(path.parent):
        prepare(path.parent)
        _say(f"writing {case.name} in {world.name} ...")
        arrays = arrays_of(data, case, world)
        write_out(arrays, path, args.format)
    rows, cols = arrays.matrix.shape
    return Answer([f"written: {path} ({rows:,} rows, {cols:,} columns, to be minimised)"],
                  {"written": str(path), "rows": int(rows), "columns": int(cols), "format": args.format})


def study(args: argparse.Namespace) -> Answer:
    """Solve a study and print its comparison and finding."""
    from chipmodel.progress import Progress
    from chipmodel.study import load_study, run_study

    data = dataset(args)
    asked = load_study(args.study, data, args.yes)
    with _nothing_empty(Path(args.out) / asked.name), Progress(sys.stderr) as tell:
        result = run_study(asked, data, args.out, args.jobs, tell, args.yes)
    written = [str(path) for path in result.written]
    table = result.table.astype(object).where(result.table.notna(), None)
    plain = {"study": asked.name, "title": asked.title, "finding": list(result.finding), "notes": list(result.notes),
             "table": table.to_dict("records"), "written": written}
    return Answer([*result.text().splitlines(), "", *(f"written: {path}" for path in written)], plain)


def validate(args: argparse.Namespace) -> Answer:
    """Hold the model against published results."""
    from chipmodel.store import prepare
    from chipmodel.validation.validate import validate as hold
    from chipmodel.validation.validate import write

    data, out = dataset(args), Path(args.out) / "validation"
    with _nothing_empty(out):
        prepare(out)
        found = hold(data, not args.without_placebo, _say, args.jobs)
        written = [str(path) for path in write(found, out)]
    failed, of = found.placebo
    table = found.table.astype(object).where(found.table.notna(), None)
    plain = {"tests": len(found.tests), "share_met": found.share_met, "median_relative_error": found.median_error,
             "placebo_fails": failed, "placebo_of": of, "table": table.to_dict("records"), "written": written}
    return Answer([*found.lines(), "", *(f"written: {path}" for path in written)], plain)


def formulation(args: argparse.Namespace) -> Answer:
    """Print the linear programme from the docstrings of its parts."""
    from chipmodel.formulation import formulation as describe
    from chipmodel.formulation import formulation_text, sets_of

    found = {**describe(), "sets": sets_of(dataset(args))}
    return Answer(formulation_text(found).splitlines(), found)


def cite(args: argparse.Namespace) -> Answer:
    """Print how to cite chipmodel and its data."""
    from chipmodel.cite import cite as describe
    from chipmodel.cite import cite_lines

    found = describe(dataset(args))
    return Answer(cite_lines(found), found)


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
        with suppress(OSError):  # one that is not empty stays, and so do those around it
            for path in new:
                path.rmdir()
        raise


def _say(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(line + "\n")
