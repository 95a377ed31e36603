"""The report: every question answered, and one page of them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chipmodel.dataset import Dataset
from chipmodel.desk import Key
from chipmodel.files import names_in, write_whole
from chipmodel.pool import Here, Pool
from chipmodel.progress import Clock, Step, Tell
from chipmodel.questions import Question, names, question
from chipmodel.questions.run import Part, check_part, name_of, run_part
from chipmodel.report import held, opening, what_if
from chipmodel.report.page import page
from chipmodel.store import prepare
from chipmodel.summary import Summary
from chipmodel.sweep import dataset_of, plain

PAGE = "report.html"
OWN: dict[str, Question] = {"opening": opening, "what_if": what_if, "held": held}
"""Parts of a report that are no questions by themselves."""
TOGETHER = (
    ["q03_japan_domestic_first", "q04_subsidy_ledger", "q05_tsmc_japan", "q06_korean_awards"],
    ["q12_friendshoring"],
    ["q07_china"],
    ["q09_cards"],
    ["q11_taiwan"],
    ["q01_tariffs", "q02_exposure", "q08_alliance_ledger"],
)
"""Questions that share cases, the longest work first."""


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
    first = run_part(asked[0], data, folder, short, pool, _named(name_of(asked[0]), tell), cold)
    parts = [first, *_rest(asked[1:], data, folder, short, pool or Here(), tell, cold)]
    path = folder / PAGE
    text = page(parts, data, short).encode()
    if not path.is_file() or path.read_bytes() != text:
        write_whole(path, text)
    return Report(path, parts)


def _rest(asked: list[Question], data: Dataset, folder: Path, short: bool, pool: Pool, tell: Tell | None,
          cold: dict[Key, Summary]) -> list[Part]:
    """Answer the other questions, those that share cases one after the other and the groups beside each other."""
    if not pool.writes_here:
        return [run_part(module, data, folder, short, pool, _named(name_of(module), tell), cold) for module in asked]
    wanted = [name_of(module) for module in asked]
    groups = [[name for name in group if name in wanted] for group in TOGETHER]
    groups += [[name] for name in wanted if all(name not in group for group in TOGETHER)]
    clock = Clock(len(wanted), tell)
    clock.begin()
    done: dict[str, Part] = {}
    shared = (data if isinstance(pool, Here) else plain(data), folder, short, cold)
    for k, parts in pool.each(_answered, shared, [group for group in groups if group]):
        done |= {part.name: part for part in parts}
        clock.step(", ".join(groups[k]), len(parts))
    return [done[name] for name in wanted]


def _answered(shared: tuple[Any, Path, bool, dict[Key, Summary]], group: list[str]) -> list[Part]:
    sent, folder, short, cold = shared
    data = sent if isinstance(sent, Dataset) else dataset_of(sent)
    mine = dict(cold)
    return [run_part(_module(name), data, folder, short, None, None, mine) for name in group]


def _module(name: str) -> Question:
    return OWN[name] if name in OWN else question(name)


def modules(data: Dataset, short: bool) -> Iterator[Question]:
    """Return the parts of a report in order; the short form shows validation as kept with the data, or not."""
    yield OWN["opening"]
    yield from (question(name) for name in names())
    if what_if.STUDY in names_in(data.root / "studies"):
        yield OWN["what_if"]
    if not short or held.there(data):
        yield OWN["held"]


def _named(name: str, tell: Tell | None) -> Tell | None:
    if tell is None:
        return None
    return lambda step: tell(replace(step, what=f"{name}: {step.what}") if step.what else Step(**vars(step)))
