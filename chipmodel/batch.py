"""Batches: which cells are solved together, in which order, and from where a solve starts.

What a cell gives hangs on its batch alone, which is fixed, and never on who else asks for it, on the
processes that share the work, or on the order in which they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chipmodel.basis import Start
from chipmodel.case import load_case
from chipmodel.dataset import Dataset
from chipmodel.engine import start_from
from chipmodel.errors import CertificateError, InputError, NoOptimum
from chipmodel.files import names_in
from chipmodel.plan import Cell, plan
from chipmodel.pool import Pool
from chipmodel.progress import Clock, Tell
from chipmodel.solution import Solution
from chipmodel.solve import first_pass, run
from chipmodel.study import load_study
from chipmodel.summary import Summary
from chipmodel.sweep import SentData, about_cell, dataset_of, plain, prepare, summarise_chunk
from chipmodel.world import load_world

Key = tuple[str, str]
"""Digests of a case and of a world."""
WORTH = 2
"""Cases of one shape for which its programme is compiled once."""
HEADLINE = "headline"
REFERENCE, WORLD = "current_law", "central"
"""From whose basis cells solved by themselves start, if theirs is a programme much like it."""


@dataclass(frozen=True)
class Batch:
    """Cells solved together, in one process; fixed, so that results do not hang on how the work is shared.

    Attributes
    ----------
    cells : tuple of Cell
    shared : bool
        Whether they are of one shape and share a programme, each a hot start of the one before. Otherwise each is
        solved by itself, and what they have in common is the first pass.
    """

    cells: tuple[Cell, ...]
    shared: bool

    @property
    def key(self) -> tuple[bool, tuple[Key, ...]]:
        """What tells it from others: names and prose do not count."""
        return self.shared, tuple(key_of(cell) for cell in self.cells)

    @property
    def parts(self) -> list[Batch]:
        """The least batches with the same results: itself, or each cell where they share no programme."""
        return [self] if self.shared else [Batch((cell,), False) for cell in self.cells]


def solved(data: Dataset, batches: Iterable[Batch], pool: Pool,
           tell: Tell | None = None) -> Iterator[tuple[Batch, list[Summary]]]:
    """Solve batches, each once whoever asks for it, and return their least parts as they are done.

    Raises
    ------
    NoOptimum
        If a case has no optimal solution.
    """
    work = _together(batches)
    clock = Clock(sum(len(batch.cells) for batch in work), tell)
    if work:
        clock.begin()
    for k, found in pool.each(_summaries, plain(data), work):
        done = iter(found)
        clock.step(", ".join(dict.fromkeys(cell.case.name for cell in work[k].cells)), len(found))
        for part in work[k].parts:
            yield part, [next(done) for _ in part.cells]


def _together(batches: Iterable[Batch]) -> list[Batch]:
    """Return what is to be solved, the longest first; cells with a first pass in common are put together."""
    firsts: dict[Key, dict[Key, Cell]] = {}
    shared: dict[object, Batch] = {}
    for batch in batches:
        if batch.shared:
            shared[batch.key] = batch
            continue
        for cell in batch.cells:
            first = key_of(Cell(*first_pass(cell.case, cell.world)))
            firsts.setdefault(first, {})[key_of(cell)] = cell
    alone = [Batch(tuple(cells.values()), False) for cells in firsts.values()]
    return sorted([*shared.values(), *alone], key=lambda batch: -len(batch.cells))


def _summaries(sent: SentData, batch: Batch) -> list[Summary]:
    """Solve the cells of a batch."""
    data = dataset_of(sent)
    if batch.shared:
        sweep = prepare(batch.cells, data, (), {}, len(batch.cells), WORTH)
        return [summary for chunk in sweep.chunks for summary in summarise_chunk(sweep.shared, chunk)]
    found = []
    begun = None
    for cell in batch.cells:
        try:
            begun = begun or _first(data, Cell(*first_pass(cell.case, cell.world)))
            found.append(Summary.of(run(data, cell.case, cell.world, begun=begun), cell.point))
        except (NoOptimum, CertificateError) as error:
            raise about_cell(error, cell, data) from None
    return found


def _first(data: Dataset, first: Cell) -> Solution:
    """Solve the first pass of cells, from where the reference stands."""
    known = _known(data)
    if known.solution is not None and key_of(first) == key_of(Cell(known.solution.case, known.solution.world)):
        return known.solution
    return run(data, first.case, first.world, start=None if key_of(first) in known.cold else known.start)


@dataclass(frozen=True)
class _Known:
    """What a process knows of a data package: the reference solved cold, where it stands, and what stays cold."""

    solution: Solution | None
    start: Start | None
    cold: frozenset[Key]


_knowing: dict[str, _Known] = {}


def _known(data: Dataset) -> _Known:
    """Solve the reference, once in a process; nothing is known if there is none or it has no solution.

    The cells of the headline study are solved cold as the study solves them: where several solutions are
    optimal, both show the same.
    """
    nothing = _Known(None, None, frozenset())
    try:
        reference = Cell(load_case(REFERENCE, data), load_world(WORLD, data))
    except InputError:
        return nothing
    key = "".join((data.digest, *key_of(reference)))
    if key not in _knowing:
        _knowing.clear()
        try:
            solution = run(data, reference.case, reference.world)
            start = start_from(solution.arrays, solution.optimum)
            _knowing[key] = _Known(solution, start, frozenset(map(key_of, _headline(data))))
        except (InputError, NoOptimum, CertificateError):
            _knowing[key] = nothing
    return _knowing[key]


def _headline(data: Dataset) -> tuple[Cell, ...]:
    return plan(load_study(HEADLINE, data), data).cells if HEADLINE in names_in(data.root / "studies") else ()


def key_of(cell: Cell) -> Key:
    """Return what tells a cell from others: names and prose do not count."""
    return cell.case.digest, cell.world.digest
