"""The report: every question answered, and one page that shows all answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chipmodel.common.errors import InputError
from chipmodel.common.files import file_behind, names_in, read_file, write_whole
from chipmodel.common.folders import prepare
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

MARK = b'<p class="stamp">chipmodel '
"""Part of every page, by which an earlier one is recognised."""


OWN: dict[str, Question] = {
    "opening": opening,
    "what_if": what_if,
    "published": published,
}
"""Parts of a report that are not questions."""


@dataclass(frozen=True)
class Report:
    """A report on disk.

    Attributes
    ----------
    page : Path
        The page to open.
    parts : list of Part
        The opening, the questions in order, and the parts that follow them.
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

    Every case is checked before the first is solved, and a case that several questions
    share is solved once. A question is not solved again if nothing it depends on has
    changed. Each is written as soon as it is answered, so that a report that was
    stopped continues from the answers it has.

    Parameters
    ----------
    data : Dataset
        It must have a study ``headline``; the sliders need a study ``what_if``.
    out : str or Path
    short : bool
        Whether each question solves the minimum set of cases.
    pool : Pool, optional
        Where cases are solved; this process by default.
    on_progress : callable, optional
        Called with a `Step` as cases are done.

    Raises
    ------
    InputError
        If something in a question is wrong, or the folder cannot be written.
    NoOptimum
        If a case has no optimal solution.
    """
    folder = prepare(out)
    _refuse_other_page(folder / PAGE)
    questions = {name_of(module): module for module in modules(data, short)}
    digests = {}
    # An answer that is still current is reused; the others need a cache.
    parts: dict[str, Part] = {}
    caches: dict[str, CaseCache] = {}
    for name in questions:
        digests[name] = digest_of(name, data, short)
        part = fresh_part(folder / name, digests[name])
        if part is None:
            caches[name] = CaseCache(data)
        else:
            parts[name] = part
    batches = []
    missing = {}
    for name, cache in caches.items():
        planned = cache.plan(questions[name].cells(cache, short))
        batches += planned
        missing[name] = set[Hashable]()
        for batch in planned:
            missing[name].update(part.key for part in batch.parts)

    def write_complete() -> None:
        complete = [name for name, keys in missing.items() if not keys]
        for name in complete:
            del missing[name]
            # The cache of an answered question is dropped: solutions are large.
            cache = caches.pop(name)
            module = questions[name]
            parts[name] = write_part(module, cache, folder, short, digests[name])

    solver = BatchSolver(Inputs(data))
    for batch, summaries in solver.solve(batches, pool or Here(), on_progress):
        for name, keys in missing.items():
            if batch.key in keys:
                keys.remove(batch.key)
                caches[name].take(batch, summaries)
        write_complete()
    # Questions that need no case are complete from the start.
    write_complete()
    in_order = [parts[name] for name in questions]
    path = folder / PAGE
    text = page(in_order, data, short).encode()
    # A report in which nothing changed also leaves the date of its page as it is.
    if not path.is_file() or path.read_bytes() != text:
        write_whole(path, text)
    return Report(path, in_order)


def _refuse_other_page(path: Path) -> None:
    """Refuse to replace a file that is no page of a report.

    Raises
    ------
    InputError
        Before anything is solved.
    """
    if file_behind(path).exists() and MARK not in read_file(path):
        raise InputError.one(
            str(path),
            "output",
            "was not written by chipmodel and would be lost",
            "move it away, or choose another folder with --out",
        )


def modules(data: Dataset, short: bool) -> Iterator[Question]:
    """Return the parts of a report in order.

    The sliders need the study ``what_if``. The short form compares the model with
    published results only if the data are shipped with the evaluation.
    """
    yield OWN["opening"]
    for name in names():
        yield question(name)
    if what_if.STUDY in names_in(data.root / "studies"):
        yield OWN["what_if"]
    if not short or published.is_stored(data):
        yield OWN["published"]
