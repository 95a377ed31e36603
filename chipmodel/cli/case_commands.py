"""Commands about one case."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from chipmodel.analysis.rerun import rerun as rebuild
from chipmodel.analysis.run import program_of, run
from chipmodel.analysis.verify import Verification, verify
from chipmodel.analysis.why.explain import explain_infeasible
from chipmodel.cases.case import baseline_of, load_case
from chipmodel.cases.check import check_case
from chipmodel.cases.describe import case_lines, describe_case, names_of
from chipmodel.cases.diff import changed_lines, differences
from chipmodel.cases.new import new_case
from chipmodel.cli.shared import (
    Answer,
    Settings,
    case_and_world,
    command,
    no_empty_folders,
    note,
    out_option,
)
from chipmodel.common.errors import InputError, NoOptimum
from chipmodel.common.folders import prepare
from chipmodel.common.text import command as explain
from chipmodel.common.text import labelled
from chipmodel.dataset.rows import SegmentRow
from chipmodel.model.parameters.build import build_parameters
from chipmodel.results.overview import overview, overview_lines
from chipmodel.results.solution import Solution
from chipmodel.results.store import refuse_unsaved, save, slug
from chipmodel.solver.export import export as write_program
from chipmodel.solver.export import refuse_to_replace


@command("show")
@case_and_world
def show(settings: Settings, case: str, world: str) -> Answer:
    """Show a resolved case: each instrument, its law, its source, its size."""
    data, loaded, loaded_world = settings.cell(case, world)
    parameters = build_parameters(data, loaded_world)
    check_case(loaded, parameters)
    described = describe_case(loaded, parameters, baseline_of(case, data))
    return Answer(case_lines(described), described)


@command("why")
@case_and_world
def why(settings: Settings, case: str, world: str) -> Answer:
    """Explain why a case has no solution, or what binds in the one it has."""
    data, loaded, loaded_world = settings.cell(case, world)
    note(f"looking into {loaded.name} in {loaded_world.name} ...")
    diagnosis = explain_infeasible(data, loaded, loaded_world)
    return Answer(diagnosis.lines(), diagnosis.plain())


@command("diff")
@click.argument("left", metavar="CASE")
@click.argument("right", metavar="CASE")
def diff(settings: Settings, left: str, right: str) -> Answer:
    """Show what differs between two cases."""
    data = settings.dataset()
    before = load_case(left, data)
    after = load_case(right, data)
    rows = differences(before, after, names_of(data))
    plain = {"left": before.name, "right": after.name, "differences": rows}
    if not rows:
        line = f"{before.name} and {after.name} have the same instruments"
        return Answer([line], plain)
    titles = []
    for case in (before, after):
        titles.append((case.name, f"{case.title or 'no title'} ({case.status})"))
    heading = f"from {before.name} to {after.name}:"
    return Answer([*labelled(titles), "", heading, *changed_lines(rows)], plain)


@command("new")
@click.argument("case", metavar="CASE")
@click.option(
    "--from",
    "parent",
    required=True,
    metavar="PARENT",
    help="The case it differs from.",
)
def new(settings: Settings, case: str, parent: str) -> Answer:
    """Write a commented case file."""
    data = settings.dataset()
    if "+" in parent:
        raise InputError.one(
            "command line", "--from", "a case has one parent", "name one case"
        )
    loaded = load_case(parent, data)
    # An editable copy of the data takes the case in; the shipped package is left alone.
    folder = Path() if settings.is_shipped else data.root / "cases"
    path = new_case(case, loaded, parent, folder)
    return Answer([f"written: {path}"], {"written": str(path)})


@command("run")
@case_and_world
@out_option()
@click.option("--verify", "verified", is_flag=True, help="Solve by other methods too.")
def run_case(
    settings: Settings, case: str, world: str, out: str, verified: bool
) -> Answer:
    """Solve a case in a world, write its tables and manifest, print a summary."""
    data, loaded, loaded_world = settings.cell(case, world)
    with no_empty_folders(Path(out)):
        # Before the solve: a folder that cannot be written must not cost its time.
        folder = prepare(out)
        refuse_unsaved(folder, data, loaded, loaded_world)
        note(f"solving {loaded.name} in {loaded_world.name} ...")
        start = time.perf_counter()
        with _pointing_to_why(settings, case, world):
            solution = run(data, loaded, loaded_world)
        seconds = {"run": time.perf_counter() - start}
        verification = _verify(solution) if verified else None
        checked = None if verification is None else verification.plain()
        written = save(solution, folder, seconds, checked)
    summary = overview(solution)
    names = {row.segment: row.name for row in data.rows(SegmentRow)}
    lines = overview_lines(summary, names)
    plain: dict[str, Any] = {**summary}
    if verification is not None:
        lines = [*lines, "", *verification.lines()]
        plain["verified"] = checked
    plain["written"] = str(written)
    return Answer([*lines, "", f"written: {written}"], plain)


def _verify(solution: Solution) -> Verification:
    note("solving again by other methods ...")
    return verify(solution)


@contextmanager
def _pointing_to_why(settings: Settings, case: str, world: str) -> Iterator[None]:
    """Name the command that explains a case without a solution."""
    try:
        yield
    except NoOptimum as error:
        words = ["why", case]
        if world != "central":
            words += ["--world", world]
        if settings.data:
            words += ["--data", settings.data]
        raise NoOptimum(error.status, f"{error}; run {explain(*words)}") from None


@command("rerun")
@click.argument("manifest", metavar="MANIFEST")
def rerun(settings: Settings, manifest: str) -> Answer:
    """Rebuild a result from its manifest and report what differs."""
    changes = rebuild(manifest, settings.dataset())
    lines = [f"differs: {difference}" for difference in changes]
    plain = [vars(difference) for difference in changes]
    return Answer(
        lines or ["same: every table, to nine digits"],
        {"same": not changes, "differences": plain},
    )


@command("export")
@case_and_world
@click.option("--format", "form", required=True, type=click.Choice(["mps", "lp"]))
@click.option(
    "--out", metavar="FILE", help="Default: CASE--WORLD.FORMAT in this folder."
)
def export(
    settings: Settings, case: str, world: str, form: str, out: str | None
) -> Answer:
    """Write the linear program of a case for other solvers."""
    data, loaded, loaded_world = settings.cell(case, world)
    path = Path(out or f"{slug(loaded.name)}--{loaded_world.name}.{form}")
    refuse_to_replace(path)
    with no_empty_folders(path.parent):
        prepare(path.parent)
        note(f"writing {loaded.name} in {loaded_world.name} ...")
        program = program_of(data, loaded, loaded_world)
        write_program(program, path, form)
    rows, columns = program.matrix.shape
    line = f"written: {path} ({rows:,} rows, {columns:,} columns, to be minimised)"
    plain = {
        "written": str(path),
        "rows": int(rows),
        "columns": int(columns),
        "format": form,
    }
    return Answer([line], plain)
