"""Commands about data, cases and documentation."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from chipmodel import questions
from chipmodel.cli.shared import SHIPPED, Answer, Settings, command, load
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import is_file, names_in
from chipmodel.common.text import labelled
from chipmodel.common.toml import read_toml
from chipmodel.dataset import cite as citations
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.descriptor import FILE, edited
from chipmodel.dataset.rows import UNREAD, ProjectRow, SourceRow

GRADES = (
    "A read in the source, B quoted by another, C citation missing, "
    "D computed (formula in the note), E assumption"
)
"""The grades of facts, in a line."""


@command("list")
def list_all(settings: Settings) -> Answer:
    """List data packages, worlds, cases, studies and questions, a line each."""
    data = settings.dataset()
    listing = {"datasets": _datasets(data, settings.place())}
    for heading in ("worlds", "cases", "studies"):
        folder = data.root / heading
        listing[heading] = [
            {"name": name, "title": _title(folder / f"{name}.toml")}
            for name in names_in(folder)
        ]
    listing["questions"] = [
        {"name": name, "title": title} for name, title in questions.titles().items()
    ]
    lines: list[str] = []
    for heading, entries in listing.items():
        titles = [(entry["name"], entry["title"]) for entry in entries]
        lines += ["", heading, *(labelled(titles, "  ") or ["  none"])]
    return Answer(lines[1:], dict(listing))


def _datasets(data: Dataset, place: str) -> list[dict[str, str]]:
    facts = sum(1 for _ in data.facts())
    size = f"{len(data.tables)} tables, {facts:,} facts"
    title = f"{size}, digest {data.digest[:12]}, {place}"
    entries = [{"name": data.name, "title": title}]
    if data.name != SHIPPED:
        entries.append({"name": SHIPPED, "title": "the package shipped with chipmodel"})
    return entries


def _title(path: Path) -> str:
    try:
        return str(read_toml(path).get("title", "(no title)"))
    except InputError as error:
        return f"({error.problems[0].what})"


@command("check")
@click.argument("dataset", required=False, metavar="DATASET")
def check(settings: Settings, dataset: str | None) -> Answer:
    """Check a data package with its worlds, cases and studies."""
    if dataset and settings.data and dataset != settings.data:
        raise InputError.one(
            "command line",
            "--data",
            "names another data set than DATASET",
            "name it once",
        )
    data = load(dataset or settings.data)
    problems = _package_problems(data)
    if problems:
        raise InputError(problems)
    changed = edited(data)
    grades = dict.fromkeys("ABCDE", 0)
    for _, fact in data.facts():
        grades[fact.grade] += 1
    facts = sum(grades.values())
    counts = ", ".join(f"{grade} {count}" for grade, count in grades.items())
    lines = [
        f"ok: {len(data.tables)} tables, {facts:,} facts, grades {counts}",
        f"data: {data.name}, {settings.place(dataset)}",
        f"grades: {GRADES}",
    ]
    if changed:
        lines.append(f"not as {FILE} records: {', '.join(changed)}")
    notes = [*_unread_tables(changed), *_unread_projects(data)]
    lines += [f"note: {note}" for note in notes]
    plain = {
        "ok": True,
        "dataset": data.name,
        "place": settings.place(dataset),
        "digest": data.digest,
        "tables": len(data.tables),
        "facts": facts,
        "grades": grades,
        "edited": changed,
        "notes": notes,
    }
    return Answer(lines, plain)


def _unread_tables(changed: list[str]) -> list[str]:
    """Return notes on edited tables that change no result of a case."""
    notes = []
    for table, readers in UNREAD.items():
        if f"{table}.csv" in changed:
            notes.append(f"{table}.csv is not read when a case is solved: {readers}")
    return notes


def _unread_projects(data: Dataset) -> list[str]:
    """Return notes on rows of projects that are newer than what every world knows."""
    from chipmodel.model.world import load_world

    worlds = [load_world(name, data) for name in names_in(data.root / "worlds")]
    latest = max(world.information_date for world in worlds)
    notes = []
    for row in data.rows(ProjectRow):
        if row.as_of > latest:
            notes.append(
                f"projects.csv, {row.site}, {row.as_of}: no world reads this row; the"
                f" latest information_date is {latest}"
            )
    return notes


def _no_files(data: Dataset) -> list[Problem]:
    """Return the problems of names of files that lead to none.

    Hidden ones and folders are those of other programs, and are passed over.
    """
    problems = []
    for folder in ("worlds", "cases", "studies"):
        for path in sorted((data.root / folder).glob("*.toml")):
            if path.name.startswith(".") or path.is_dir() or is_file(path):
                continue
            what = "is no file: a link that leads nowhere, or a device"
            fix = "put the file in its place, or remove it"
            problems.append(Problem(path.name, folder, what, fix))
    return problems


def _package_problems(data: Dataset) -> list[Problem]:
    """Return what is wrong with the worlds, cases and studies of sound tables."""
    # Here and below, for start-up: these load Pyomo, without which `list` and `cite`
    # start at once.
    from chipmodel.cases.case import list_cases, load_case
    from chipmodel.cases.check import check_case
    from chipmodel.model.parameters.build import build_parameters
    from chipmodel.model.world import load_world
    from chipmodel.studies.plan import list_studies, load_study

    problems: list[Problem] = []

    @contextmanager
    def collecting() -> Iterator[None]:
        try:
            yield
        except InputError as error:
            problems.extend(error.problems)

    for folder, what in (("worlds", "world"), ("cases", "case")):
        if not names_in(data.root / folder):
            fix = f"add a file {folder}/NAME.toml, or copy one of the shipped package"
            problems.append(Problem(folder, "folder", f"holds no {what}", fix))
    problems += _no_files(data)
    parameters = None
    for name in names_in(data.root / "worlds"):
        with collecting():
            built = build_parameters(data, load_world(name, data))
            # Cases are checked in the central world, or in the first sound one.
            if parameters is None or name == "central":
                parameters = built
    for name in list_cases(data):
        with collecting():
            case = load_case(name, data)
            if parameters is not None:
                check_case(case, parameters)
    # A study loads its cases and would repeat their problems.
    if not problems:
        for name in list_studies(data):
            with collecting():
                load_study(name, data)
    return problems


@command("source")
@click.argument("item", metavar="ITEM")
@click.argument("keys", nargs=-1, metavar="[KEY=VALUE]...")
def source(settings: Settings, item: str, keys: tuple[str, ...]) -> Answer:
    """Show the facts of an item, parameter or table, or the source of an id."""
    data = settings.dataset()
    for row in data.rows(SourceRow):
        if row.source == item and not keys:
            shown = [(field, str(value)) for field, value in row if value != ""]
            return Answer(labelled(shown), row.model_dump())
    frame = data.source_of(item, **_conditions(keys))
    lines: list[str] = []
    facts = []
    for _, row_of_fact in frame.iterrows():
        fact = _without_blanks(row_of_fact.to_dict())
        facts.append(fact)
        lines += ["", *_fact_lines(fact)]
    return Answer(lines[1:], {"facts": facts})


def _conditions(keys: tuple[str, ...]) -> dict[str, str]:
    """Return key columns and their values."""
    conditions = {}
    for key in keys:
        column, equals, value = key.partition("=")
        if not (column and equals and value):
            what = f"'{key}' is not a key and its value"
            fix = "write KEY=VALUE, such as segment=dram"
            raise InputError.one("command line", "KEY=VALUE", what, fix)
        conditions[column] = value
    return conditions


def _without_blanks(fact: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a fact without the cells that its row leaves empty, which pandas fills."""
    return {
        str(column): value
        for column, value in fact.items()
        if value is not None and value != "" and value == value
    }


def _fact_lines(fact: dict[str, Any]) -> list[str]:
    """Return a fact as text: what it is, then where it comes from."""
    year = fact.get("year_of_money")
    money = f", money of {year:.0f}" if year else ""
    between = f" ({fact['low']:g} to {fact['high']:g})" if "low" in fact else ""
    party = ", interested party" if fact["interested"] else ""
    pairs = [
        ("value", f"{fact['value']:g} {fact['unit']}{money}{between}"),
        ("grade", str(fact["grade"])),
        ("source", f"{fact['source']}{party}: {fact['citation']}"),
    ]
    if "url" not in fact:
        pairs.append(("address", "none; the grade allows for it"))
    if "note" in fact:
        pairs.append(("note", fact["note"]))
    return [f"{fact['table']}: {fact['key']}", *labelled(pairs, "  ")]


@command("copy-data")
@click.argument("folder", metavar="DIR")
def copy_data(settings: Settings, folder: str) -> Answer:
    """Copy a data package, to edit it."""
    from chipmodel.cases import new

    path = new.copy_data(settings.dataset(), folder)
    line = f"written: {path}; use it with --data {shlex.quote(str(path))}"
    return Answer([line], {"written": str(path)})


@command("formulation")
def formulation(settings: Settings) -> Answer:
    """Print the linear program from the declarations of its parts."""
    from chipmodel.display import formulation as pages

    described = {**pages.formulation(), "sets": pages.sets_of(settings.dataset())}
    return Answer(pages.formulation_text(described).splitlines(), described)


@command("cite")
def cite(settings: Settings) -> Answer:
    """Print how to cite chipmodel and its data."""
    cited = citations.cite(settings.dataset())
    return Answer(citations.cite_lines(cited), cited)
