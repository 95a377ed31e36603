"""What each verb of the command line does: from its arguments to an answer in text and in plain data."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipmodel.case import Case, baseline_of, differences, list_cases, load_case
from chipmodel.dataset import Dataset, load_dataset
from chipmodel.errors import InputError, NoOptimum, Problem
from chipmodel.files import names_in, read_toml
from chipmodel.numbers import build_numbers
from chipmodel.package import FILE, edited
from chipmodel.pool import Pool
from chipmodel.solve import check_case, run
from chipmodel.text import labelled
from chipmodel.world import World, load_world

if TYPE_CHECKING:
    from chipmodel.solution import Solution
    from chipmodel.verification import Verification

SHIPPED = "chipmodel-data"
"""Name of the data package that comes with chipmodel."""


GRADES = ("A read in the source, B quoted by another, C citation missing, D computed (formula in the note), "
          "E assumption")
"""What the grades of facts mean, in a line."""


DRIFT = 1
"""Exit code of a report whose tables are not the golden ones."""


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


def list_all(args: argparse.Namespace) -> Answer:
    """List data sets, worlds, cases, studies and questions with a line each."""
    from chipmodel import questions

    data = dataset(args)
    found: dict[str, list[dict[str, str]]] = {"datasets": _datasets(data, _place(args))}
    for heading in ("worlds", "cases", "studies"):
        folder = data.root / heading
        found[heading] = [{"name": name, "title": _title(folder / f"{name}.toml")} for name in names_in(folder)]
    found["questions"] = [{"name": name, "title": questions.question(name).TITLE} for name in questions.names()]
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
    changed = edited(data)
    grades = {grade: 0 for grade in "ABCDE"}
    for _, fact in data.facts():
        grades[fact.grade] += 1
    count = sum(grades.values())
    told = ", ".join(f"{grade} {n}" for grade, n in grades.items())
    return Answer(
        [f"ok: {len(data.tables)} tables, {count:,} facts, grades {told}",
         f"data: {data.name}, {_place(args, args.dataset)}", f"grades: {GRADES}",
         *([f"not as {FILE} records: {', '.join(changed)}"] if changed else [])],
        {"ok": True, "dataset": data.name, "place": _place(args, args.dataset), "digest": data.digest,
         "tables": len(data.tables), "facts": count, "grades": grades, "edited": changed},
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


def why(args: argparse.Namespace) -> Answer:
    """Say why a case has no solution, or what binds in the one it has."""
    from chipmodel.diagnose import explain_infeasible

    data, case, world = _asked(args)
    _say(f"looking into {case.name} in {world.name} ...")
    found = explain_infeasible(data, case, world)
    return Answer(found.lines(), found.plain())


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
        with _pointing_to_why(args):
            solution = run(data, case, world)
        seconds = {"run": time.perf_counter() - start}
        checked = _verified(solution) if args.verify else None
        folder = save(solution, out, seconds, checked)
    found = overview(solution)
    names = {row.segment: row.name for row in data.rows(SegmentRow)}
    lines = [*overview_lines(found, names), *(["", *checked.lines()] if checked else []), "", f"written: {folder}"]
    return Answer(lines, {**found, **({"verified": checked.plain()} if checked else {}), "written": str(folder)})


def _verified(solution: Solution) -> Verification:
    from chipmodel.verification import verify

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
        raise NoOptimum(error.status, f"{error}; run `chipmodel why {args.case}{world}{place}`") from None


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
    """Solve a study or answer a question, and print what it found."""
    from chipmodel.progress import Progress
    from chipmodel.questions.run import full_name
    from chipmodel.study import load_study, run_study

    data = dataset(args)
    question = full_name(args.study)
    if question is not None:
        if args.verify:
            raise InputError.one("command line", "--verify", f"'{question}' is a question", "verify its cases by "
                                 "themselves with `chipmodel run CASE --verify`, or a study")
        return _question(question, data, args)
    asked = load_study(args.study, data, args.yes)
    if args.short:
        raise InputError.one("command line", "--short", f"'{asked.name}' is a study of fixed cases",
                             "only questions (q01, ...) and the report have a short form")
    with (_pool(args) as pool, _nothing_empty(Path(args.out) / asked.name), Progress(sys.stderr) as tell):
        result = run_study(asked, data, args.out, args.jobs, tell, args.yes, pool, args.verify)
    written = [str(path) for path in result.written]
    table = result.table.astype(object).where(result.table.notna(), None)
    plain: dict[str, Any] = {"study": asked.name, "title": asked.title, "finding": list(result.finding),
                             "notes": list(result.notes), "table": table.to_dict("records"), "written": written}
    if args.verify:
        plain["verified"] = {name: found.plain() for name, found in result.verified.items()}
    return Answer([*result.text().splitlines(), "", *(f"written: {path}" for path in written)], plain)


@contextmanager
def _pool(args: argparse.Namespace) -> Iterator[Pool | None]:
    """Connect to the scheduler that was asked for, if one was."""
    files = {"ca": args.tls_ca, "cert": args.tls_cert, "key": args.tls_key}
    if args.scheduler is None:
        if args.insecure or any(files.values()):
            raise InputError.one("command line", "--insecure and --tls-*", "belong to a scheduler",
                                 "name it with --scheduler, or leave them out")
        yield None
        return
    if args.jobs > 1:
        raise InputError.one("command line", "--jobs", "is for processes of this machine", "leave it out: the workers "
                             "of --scheduler are all used")
    from chipmodel.cluster import Cluster, connect

    with connect(args.scheduler, insecure=args.insecure, **files) as client:
        yield Cluster(client)


def _question(name: str, data: Dataset, args: argparse.Namespace) -> Answer:
    from chipmodel.pool import pool_of
    from chipmodel.progress import Progress
    from chipmodel.questions.run import run_question

    with _nothing_empty(Path(args.out)), Progress(sys.stderr) as tell:
        part = run_question(name, data, args.out, args.short, pool_of(args.jobs), tell)
    written = [str(path) for path in part.files]
    kept = ["nothing has changed since it was written"] if part.fresh else []
    plain = {"question": name, "title": part.about["title"], "finding": part.about["finding"], "fresh": part.fresh,
             "written": written}
    return Answer([*part.text().splitlines(), "", *kept, *(f"written: {path}" for path in written)], plain)


def report(args: argparse.Namespace) -> Answer:
    """Answer every question and write the page, or hold the tables against the golden ones."""
    from chipmodel.pool import pool_of
    from chipmodel.progress import Progress
    from chipmodel.report.build import build_report
    from chipmodel.report.golden import compare, folder_of, update

    checking = args.check or args.update
    data, out = dataset(args), args.out or ("results/check" if checking else "results")
    golden = folder_of(args.golden) if checking else None
    start = time.perf_counter()
    with _nothing_empty(Path(out)), Progress(sys.stderr) as tell:
        built = build_report(data, out, args.short or checking, pool_of(args.jobs), tell)
    lines = [f"{part.name}: {'nothing has changed' if part.fresh else 'solved'}" for part in built.parts]
    plain = {"page": str(built.page), "short": args.short or checking,
             "parts": [{"name": part.name, "fresh": part.fresh, "folder": str(part.folder)} for part in built.parts]}
    if args.update and golden is not None:
        files = update(built.parts, golden)
        return Answer([*lines, *(f"written: {path}" for path in files)], {**plain, "golden": [str(f) for f in files]})
    if golden is not None:
        drift = compare(built.parts, golden)
        told = [f"differs: {one}" for one in drift] or ["same: every table is the golden one"]
        return Answer([*lines, *told], {**plain, "same": not drift, "drift": drift}, DRIFT if drift else 0)
    lines.append(f"done in {time.perf_counter() - start:.0f} s; open the page: {built.page}")
    return Answer(lines, plain)


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
