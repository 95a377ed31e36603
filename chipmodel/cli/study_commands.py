"""Commands about many cases: studies, report and validation."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chipmodel import questions
from chipmodel.cli.shared import Answer, _nothing_empty, _say, dataset
from chipmodel.common.errors import InputError
from chipmodel.common.workers import Pool
from chipmodel.dataset.dataset import Dataset

DRIFT = 1
"""Exit code of a report whose tables are not the golden ones."""


def study(args: argparse.Namespace) -> Answer:
    """Solve a study or answer a question, and print what it found."""
    from chipmodel.common.progress import Progress
    from chipmodel.questions.folder import full_name
    from chipmodel.studies.plan import load_study
    from chipmodel.studies.run import run_study

    data = dataset(args)
    question = full_name(args.study)
    if question is not None:
        if args.verify:
            raise InputError.one(
                "command line",
                "--verify",
                f"'{question}' is a question",
                "verify its cases by "
                "themselves with `chipmodel run CASE --verify`, or a study",
            )
        return _question(question, data, args)
    asked = load_study(args.study, data, args.yes, questions.names())
    if args.short:
        raise InputError.one(
            "command line",
            "--short",
            f"'{asked.name}' is a study of fixed cases",
            "only questions (q01, ...) and the report have a short form",
        )
    with (
        _pool(args) as pool,
        _nothing_empty(Path(args.out) / asked.name),
        Progress(sys.stderr) as on_progress,
    ):
        result = run_study(
            asked, data, args.out, args.jobs, on_progress, args.yes, pool, args.verify
        )
    written = [str(path) for path in result.written]
    table = result.table.astype(object).where(result.table.notna(), None)
    plain: dict[str, Any] = {
        "study": asked.name,
        "title": asked.title,
        "finding": list(result.finding),
        "notes": list(result.notes),
        "table": table.to_dict("records"),
        "written": written,
    }
    if args.verify:
        plain["verified"] = {
            name: found.plain() for name, found in result.verified.items()
        }
    return Answer(
        [*result.text().splitlines(), "", *(f"written: {path}" for path in written)],
        plain,
    )


@contextmanager
def _pool(args: argparse.Namespace) -> Iterator[Pool | None]:
    """Connect to the scheduler that was asked for, if one was."""
    files = {"ca": args.tls_ca, "cert": args.tls_cert, "key": args.tls_key}
    if args.scheduler is None:
        if args.insecure or any(files.values()):
            raise InputError.one(
                "command line",
                "--insecure and --tls-*",
                "belong to a scheduler",
                "name it with --scheduler, or leave them out",
            )
        yield None
        return
    if args.jobs > 1:
        raise InputError.one(
            "command line",
            "--jobs",
            "is for processes of this machine",
            "leave it out: the workers of --scheduler are all used",
        )
    from chipmodel.common.cluster import Cluster, connect

    with connect(args.scheduler, insecure=args.insecure, **files) as client:
        yield Cluster(client)


def _question(name: str, data: Dataset, args: argparse.Namespace) -> Answer:
    from chipmodel.common.progress import Progress
    from chipmodel.common.workers import pool_of
    from chipmodel.questions.folder import run_question

    with _nothing_empty(Path(args.out)), Progress(sys.stderr) as on_progress:
        part = run_question(
            name, data, args.out, args.short, pool_of(args.jobs), on_progress
        )
    written = [str(path) for path in part.files]
    kept = ["nothing has changed since it was written"] if part.fresh else []
    plain = {
        "question": name,
        "title": part.about["title"],
        "finding": part.about["finding"],
        "fresh": part.fresh,
        "written": written,
    }
    return Answer(
        [
            *part.text().splitlines(),
            "",
            *kept,
            *(f"written: {path}" for path in written),
        ],
        plain,
    )


def report(args: argparse.Namespace) -> Answer:
    """Answer every question and write the page, or hold the tables against the golden ones."""
    from chipmodel.common.progress import Progress
    from chipmodel.common.workers import pool_of
    from chipmodel.report.build import build_report
    from chipmodel.report.golden import compare, folder_of, update

    checking = args.check or args.update
    data, out = dataset(args), args.out or ("results/check" if checking else "results")
    golden = folder_of(args.golden) if checking else None
    start = time.perf_counter()
    with _nothing_empty(Path(out)), Progress(sys.stderr) as on_progress:
        built = build_report(
            data, out, args.short or checking, pool_of(args.jobs), on_progress
        )
    lines = [
        f"{part.name}: {'nothing has changed' if part.fresh else 'solved'}"
        for part in built.parts
    ]
    plain = {
        "page": str(built.page),
        "short": args.short or checking,
        "parts": [
            {"name": part.name, "fresh": part.fresh, "folder": str(part.folder)}
            for part in built.parts
        ],
    }
    if args.update and golden is not None:
        files = update(built.parts, golden)
        return Answer(
            [*lines, *(f"written: {path}" for path in files)],
            {**plain, "golden": [str(f) for f in files]},
        )
    if golden is not None:
        drift = compare(built.parts, golden)
        told = [f"differs: {one}" for one in drift] or [
            "same: every table is the golden one"
        ]
        return Answer(
            [*lines, *told],
            {**plain, "same": not drift, "drift": drift},
            DRIFT if drift else 0,
        )
    lines.append(
        f"done in {time.perf_counter() - start:.0f} s; open the page: {built.page}"
    )
    return Answer(lines, plain)


def validate(args: argparse.Namespace) -> Answer:
    """Hold the model against published results."""
    from chipmodel.common.folders import prepare
    from chipmodel.validation.validate import validate as hold
    from chipmodel.validation.validate import write

    data, out = dataset(args), Path(args.out) / "validation"
    with _nothing_empty(out):
        prepare(out)
        found = hold(data, not args.without_placebo, _say, args.jobs)
        written = [str(path) for path in write(found, out)]
    failed, of = found.placebo
    table = found.table.astype(object).where(found.table.notna(), None)
    plain = {
        "tests": len(found.tests),
        "share_met": found.share_met,
        "median_relative_error": found.median_error,
        "placebo_fails": failed,
        "placebo_of": of,
        "table": table.to_dict("records"),
        "written": written,
    }
    return Answer(
        [*found.lines(), "", *(f"written: {path}" for path in written)], plain
    )
