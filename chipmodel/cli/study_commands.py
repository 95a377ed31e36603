"""Commands about many cases: studies, questions, the report and validation."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import pandas as pd

from chipmodel import questions
from chipmodel.cli.shared import (
    Answer,
    Settings,
    command,
    jobs_option,
    no_empty_folders,
    note,
    out_option,
    written_lines,
)
from chipmodel.common.errors import InputError
from chipmodel.common.folders import prepare
from chipmodel.common.progress import Progress
from chipmodel.common.workers import Pool, pool_of
from chipmodel.questions.folder import full_name, run_question
from chipmodel.report import golden
from chipmodel.report.build import Report, build_report
from chipmodel.results.folder import refuse_to_lose
from chipmodel.studies.plan import load_study
from chipmodel.studies.run import run_study
from chipmodel.validation import validate as validation

DRIFT = 1
"""Exit code of a report whose tables differ from the golden ones."""


class Scheduler(NamedTuple):
    """The Dask scheduler to solve on, and how to reach it."""

    address: str | None
    insecure: bool
    ca: str | None
    cert: str | None
    key: str | None


@command("study")
@click.argument("study", metavar="NAME|FILE")
@out_option()
@jobs_option
@click.option("--short", is_flag=True, help="Solve the minimum set of cases.")
@click.option("--verify", is_flag=True, help="Solve by other methods too.")
@click.option("--yes", is_flag=True, help="Solve a study of more than 10,000 cells.")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help=(
        "Solve on the workers of a Dask scheduler, tls://HOST:PORT "
        "(needs chipmodel[cluster])."
    ),
)
@click.option("--insecure", is_flag=True, help="Accept a scheduler on plain tcp://.")
@click.option("--tls-ca", metavar="FILE", help="Certificate authority.")
@click.option("--tls-cert", metavar="FILE", help="Certificate.")
@click.option("--tls-key", metavar="FILE", help="Key of the certificate.")
def study(
    settings: Settings,
    study: str,
    out: str,
    jobs: int,
    short: bool,
    verify: bool,
    yes: bool,
    scheduler: str | None,
    insecure: bool,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
) -> Answer:
    """Solve a study or answer a question (q04), and print the result."""
    question = full_name(study)
    if question is not None:
        if verify:
            raise InputError.one(
                "command line",
                "--verify",
                f"'{question}' is a question",
                "verify its cases one by one with `chipmodel run CASE --verify`, "
                "or a study",
            )
        return _question(settings, question, out, jobs, short)
    data = settings.dataset()
    # Names of questions are given, because studies know no questions.
    loaded = load_study(study, data, yes, questions.names())
    if short:
        raise InputError.one(
            "command line",
            "--short",
            f"'{loaded.name}' is a study of fixed cases",
            "only questions (q01, ...) and the report have a short form",
        )
    remote = Scheduler(scheduler, insecure, tls_ca, tls_cert, tls_key)
    with (
        _pool(remote, jobs) as pool,
        no_empty_folders(Path(out) / loaded.name),
        Progress(sys.stderr) as on_progress,
    ):
        result = run_study(loaded, data, out, jobs, on_progress, yes, pool, verify)
    written = [str(path) for path in result.written]
    plain: dict[str, Any] = {
        "study": loaded.name,
        "title": loaded.title,
        "finding": list(result.finding),
        "notes": list(result.notes),
        "table": _records(result.table),
        "written": written,
    }
    if verify:
        plain["verified"] = {
            name: verification.plain() for name, verification in result.verified.items()
        }
    return Answer([*result.text().splitlines(), "", *written_lines(written)], plain)


@contextmanager
def _pool(scheduler: Scheduler, jobs: int) -> Iterator[Pool | None]:
    """Connect to the scheduler, if one is named."""
    files = {"ca": scheduler.ca, "cert": scheduler.cert, "key": scheduler.key}
    if scheduler.address is None:
        if scheduler.insecure or any(files.values()):
            raise InputError.one(
                "command line",
                "--insecure and --tls-*",
                "belong to a scheduler",
                "name it with --scheduler, or leave them out",
            )
        yield None
        return
    if jobs > 1:
        raise InputError.one(
            "command line",
            "--jobs",
            "is for processes of this machine",
            "leave it out: all workers of --scheduler are used",
        )
    # Dask is an optional extra.
    from chipmodel.common.cluster import Cluster, connect

    with connect(scheduler.address, insecure=scheduler.insecure, **files) as client:
        yield Cluster(client)


def _question(
    settings: Settings, name: str, out: str, jobs: int, short: bool
) -> Answer:
    data = settings.dataset()
    with no_empty_folders(Path(out)), Progress(sys.stderr) as on_progress:
        part = run_question(name, data, out, short, pool_of(jobs), on_progress)
    written = [str(path) for path in part.files]
    fresh = ["nothing has changed since it was written"] if part.fresh else []
    plain = {
        "question": name,
        "title": part.about["title"],
        "finding": part.about["finding"],
        "fresh": part.fresh,
        "written": written,
    }
    lines = [*part.text().splitlines(), "", *fresh, *written_lines(written)]
    return Answer(lines, plain)


@command("report")
@click.option(
    "--out",
    metavar="DIR",
    help="Folder for results (default: results; results/check with --check).",
)
@click.option("--short", is_flag=True, help="Solve the minimum set of cases.")
@jobs_option
@click.option(
    "--check",
    is_flag=True,
    help="Compare the tables of the short form with the golden ones; "
    "exit code 1 if they differ.",
)
@click.option(
    "--update", is_flag=True, help="Rewrite the golden tables from the short form."
)
@click.option(
    "--golden",
    "golden_folder",
    metavar="DIR",
    help="The golden tables (default: tests/golden of the checkout).",
)
def report(
    settings: Settings,
    out: str | None,
    short: bool,
    jobs: int,
    check: bool,
    update: bool,
    golden_folder: str | None,
) -> Answer:
    """Answer every question and write the page, or check the golden tables."""
    data = settings.dataset()
    # Golden tables are those of the short form.
    checking = check or update
    folder = out or ("results/check" if checking else "results")
    tables = golden.folder_of(golden_folder) if checking else None
    # Before the solves: their time must not be lost.
    if update and tables is not None:
        prepare(tables)
    elif tables is not None:
        golden.refuse_without(tables)
    start = time.perf_counter()
    with no_empty_folders(Path(folder)), Progress(sys.stderr) as on_progress:
        short = short or checking
        built = build_report(data, folder, short, pool_of(jobs), on_progress)
    seconds = time.perf_counter() - start
    lines = []
    for part in built.parts:
        state = "nothing has changed" if part.fresh else "solved"
        lines.append(f"{part.name}: {state}")
    plain = _report_plain(built, short)
    if tables is None:
        done = f"done in {seconds:.0f} s; open the page: {built.page}"
        return Answer([*lines, done], plain)
    if update:
        files = [str(path) for path in golden.update(built.parts, tables)]
        return Answer([*lines, *written_lines(files)], {**plain, "golden": files})
    drift = golden.compare(built.parts, tables)
    if not drift:
        lines.append("same: every table equals the golden one")
    lines += [f"differs: {difference}" for difference in drift]
    plain |= {"same": not drift, "drift": drift}
    return Answer(lines, plain, DRIFT if drift else 0)


def _report_plain(built: Report, short: bool) -> dict[str, Any]:
    parts = [
        {"name": part.name, "fresh": part.fresh, "folder": str(part.folder)}
        for part in built.parts
    ]
    return {"page": str(built.page), "short": short, "parts": parts}


@command("validate")
@out_option()
@jobs_option
@click.option(
    "--without-placebo",
    is_flag=True,
    help="Leave out the placebo, which takes half the time.",
)
def validate(settings: Settings, out: str, jobs: int, without_placebo: bool) -> Answer:
    """Compare the model with published results."""
    data = settings.dataset()
    validation.check_targets(data)
    folder = Path(out) / "validation"
    with no_empty_folders(folder):
        # Before the solves: a folder that cannot be written must not cost their time.
        prepare(Path(out))
        refuse_to_lose(folder, validation.FILES)
        result = validation.validate(data, not without_placebo, note, jobs)
        written = [str(path) for path in validation.write(result, data, folder)]
    placebo_fails, placebo_of = result.placebo
    plain = {
        "tests": len(result.tests),
        "share_met": result.share_met,
        "median_relative_error": result.median_error,
        "placebo_fails": placebo_fails,
        "placebo_of": placebo_of,
        "table": _records(result.table),
        "written": written,
    }
    return Answer([*result.lines(), "", *written_lines(written)], plain)


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return a table as plain data, with null where a value is not known."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
