"""The report: every question answered, and one page of them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from chipmodel.dataset import Dataset
from chipmodel.desk import Key
from chipmodel.files import names_in, write_whole
from chipmodel.pool import Pool
from chipmodel.progress import Step, Tell
from chipmodel.questions import Question, names, question
from chipmodel.questions.run import Part, check_part, name_of, run_part
from chipmodel.report import held, opening, what_if
from chipmodel.report.page import page
from chipmodel.store import prepare
from chipmodel.summary import Summary

PAGE = "report.html"


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


def build_report(data: Dataset, out: str | Path, short: bool = False, pool: Pool | None = None,
                 tell: Tell | None = None) -> Report:
    """Answer every question into a folder of its own and write ``out/report.html``.

    Every case is checked before the first is solved. A question of which nothing has changed is not
    solved again. Each is written as soon as it is answered, so that a report that was stopped goes on
    where it stood.

    Parameters
    ----------
    data : Dataset
        It must have a study ``headline``; the sliders need a study ``what_if``.
    out : str or Path
    short : bool
        The fewest cases that still answer.
    pool : Pool, optional
    tell : callable, optional

    Raises
    ------
    InputError
        If something in a question is wrong, or the folder cannot be written.
    NoOptimum
        If a case has no optimal solution.
    """
    folder = prepare(out)
    asked = list(modules(data, short))
    for module in asked:
        check_part(module, data, folder, short)
    cold: dict[Key, Summary] = {}
    parts = [
        run_part(module, data, folder, short, pool, _named(name_of(module), tell), cold)
        for module in asked
    ]
    path = folder / PAGE
    text = page(parts, data, short).encode()
    if not path.is_file() or path.read_bytes() != text:
        write_whole(path, text)
    return Report(path, parts)


def modules(data: Dataset, short: bool) -> Iterator[Question]:
    """Return the parts of a report in order; validation takes minutes and is left out of the short form."""
    parts: dict[str, Question] = {"opening": opening, "what_if": what_if, "held": held}
    yield parts["opening"]
    yield from (question(name) for name in names())
    if what_if.STUDY in names_in(data.root / "studies"):
        yield parts["what_if"]
    if held.there() and not short:
        yield parts["held"]


def _named(name: str, tell: Tell | None) -> Tell | None:
    if tell is None:
        return None
    return lambda step: tell(replace(step, what=f"{name}: {step.what}") if step.what else Step(**vars(step)))
