"""Commands about data, cases and documentation."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chipmodel.cases.case import list_cases, load_case
from chipmodel.cases.check import check_case
from chipmodel.cli.shared import SHIPPED, Answer, _load, _place, dataset
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import names_in, read_toml
from chipmodel.common.text import labelled
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.descriptor import FILE, edited
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.world import load_world

GRADES = (
    "A read in the source, B quoted by another, C citation missing, D computed (formula"
    " in the note), E assumption"
)
"""What the grades of facts mean, in a line."""


def list_all(args: argparse.Namespace) -> Answer:
    """List data sets, worlds, cases, studies and questions with a line each."""
    from chipmodel import questions

    data = dataset(args)
    found: dict[str, list[dict[str, str]]] = {"datasets": _datasets(data, _place(args))}
    for heading in ("worlds", "cases", "studies"):
        folder = data.root / heading
        found[heading] = [
            {"name": name, "title": _title(folder / f"{name}.toml")}
            for name in names_in(folder)
        ]
    found["questions"] = [
        {"name": name, "title": title} for name, title in questions.titles().items()
    ]
    lines: list[str] = []
    for heading, entries in found.items():
        lines += [
            "",
            heading,
            *(labelled([(e["name"], e["title"]) for e in entries], "  ") or ["  none"]),
        ]
    return Answer(lines[1:], dict(found))


def _datasets(data: Dataset, place: str) -> list[dict[str, str]]:
    facts = sum(1 for _ in data.facts())
    title = (
        f"{len(data.tables)} tables, {facts:,} facts, digest {data.digest[:12]},"
        f" {place}"
    )
    entries = [{"name": data.name, "title": title}]
    if data.name != SHIPPED:
        entries.append(
            {"name": SHIPPED, "title": "the package that comes with chipmodel"}
        )
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
        raise InputError.one(
            "command line",
            "--data",
            "names another data set than DATASET",
            "name it once",
        )
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
        [
            f"ok: {len(data.tables)} tables, {count:,} facts, grades {told}",
            f"data: {data.name}, {_place(args, args.dataset)}",
            f"grades: {GRADES}",
            *([f"not as {FILE} records: {', '.join(changed)}"] if changed else []),
        ],
        {
            "ok": True,
            "dataset": data.name,
            "place": _place(args, args.dataset),
            "digest": data.digest,
            "tables": len(data.tables),
            "facts": count,
            "grades": grades,
            "edited": changed,
        },
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

    parameters = None
    for name in names_in(data.root / "worlds"):
        world = attempt(load_world, name, data)
        built = attempt(build_parameters, data, world) if world is not None else None
        parameters = built if parameters is None or name == "central" else parameters
    for name in list_cases(data):
        case = attempt(load_case, name, data)
        if case is not None and parameters is not None:
            attempt(check_case, case, parameters)
    if not problems:
        from chipmodel.studies.plan import list_studies, load_study

        for name in list_studies(data):
            attempt(load_study, name, data)
    return problems


def copy_data(args: argparse.Namespace) -> Answer:
    """Copy a data package to be edited."""
    from chipmodel.cases.new import copy_data as copy

    path = copy(dataset(args), args.folder)
    return Answer(
        [f"written: {path}; use it with --data {path}"], {"written": str(path)}
    )


def formulation(args: argparse.Namespace) -> Answer:
    """Print the linear programme from the docstrings of its parts."""
    from chipmodel.display.formulation import formulation as describe
    from chipmodel.display.formulation import formulation_text, sets_of

    found = {**describe(), "sets": sets_of(dataset(args))}
    return Answer(formulation_text(found).splitlines(), found)


def cite(args: argparse.Namespace) -> Answer:
    """Print how to cite chipmodel and its data."""
    from chipmodel.dataset.cite import cite as describe
    from chipmodel.dataset.cite import cite_lines

    found = describe(dataset(args))
    return Answer(cite_lines(found), found)
