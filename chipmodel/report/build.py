"""The report: every question answered, and one page of them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from chipmodel.common.files import names_in, prepare, write_whole
from chipmodel.common.progress import OnProgress
from chipmodel.common.workers import Here, Pool
from chipmodel.dataset.dataset import Dataset
from chipmodel.questions import names, question
from chipmodel.questions.answer import Question
from chipmodel.questions.folder import Part, digest_of, fresh_part, name_of, write_part
from chipmodel.report.page import page
from chipmodel.report.sections import opening, published, what_if
from chipmodel.studies.case_cache import BatchSolver, CaseCache
from chipmodel.studies.inputs import Inputs

PAGE = "report.html"


OWN: dict[str, Question] = {
    "opening": opening,
    "what_if": what_if,
    "published": published,
}
"""Parts of a report that are no questions by themselves."""


@dataclass(frozen=True)
class Report:
    """A report as it lies on disk.

    Attributes
    ----------
    page : Path
        The page to open.
    parts : list of Part
        The opening, the questions in order, and what stands after them.
    """

    page: Path
    parts: list[Part]


def build_report(
    data: Dataset,
    out: str | Path,
    short: bool = False,
    pool: Pool | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """Answer every question into a folder of its own and write ``out/report.html``.

    Every case is checked before the first is solved. A question of which nothing has
    changed is not solved again. Each is written as soon as it is answered, so that a
    report that was stopped goes on where it stood.

    Parameters
    ----------
    data : Dataset
        It must have a study ``headline``; the sliders need a study ``what_if``.
    out : str or Path
    short : bool
        The fewest cases that still answer.
    pool : Pool, optional
    on_progress : callable, optional

    Raises
    ------
    InputError
        If something in a question is wrong, or the folder cannot be written.
    NoOptimum
        If a case has no optimal solution.
    """
    folder = prepare(out)
    asked = {name_of(module): module for module in modules(data, short)}
    digests = {name: digest_of(name, data, short) for name in asked}
    there = {name: fresh_part(folder / name, digests[name]) for name in asked}
    parts = {name: part for name, part in there.items() if part is not None}
    desks = {name: CaseCache(data) for name in asked if name not in parts}
    batches = {
        name: cache.plan(asked[name].cells(cache, short))
        for name, cache in desks.items()
    }
    waiting = {
        name: {part.key for batch in mine for part in batch.parts}
        for name, mine in batches.items()
    }

    def write_complete() -> None:
        for name in [name for name, missing in waiting.items() if not missing]:
            del waiting[name]
            parts[name] = write_part(
                asked[name], desks.pop(name), folder, short, digests[name]
            )

    solver = BatchSolver(Inputs(data))
    every_batch = chain.from_iterable(batches.values())
    for part, found in solver.solve(every_batch, pool or Here(), on_progress):
        for name, missing in waiting.items():
            if part.key in missing:
                missing.remove(part.key)
                desks[name].take(part, found)
        write_complete()
    write_complete()
    path = folder / PAGE
    text = page([parts[name] for name in asked], data, short).encode()
    if not path.is_file() or path.read_bytes() != text:
        write_whole(path, text)
    return Report(path, [parts[name] for name in asked])


def modules(data: Dataset, short: bool) -> Iterator[Question]:
    """Return the parts of a report in order; the short form shows validation as kept with the data, or not."""
    yield OWN["opening"]
    yield from (question(name) for name in names())
    if what_if.STUDY in names_in(data.root / "studies"):
        yield OWN["what_if"]
    if not short or published.there(data):
        yield OWN["published"]
