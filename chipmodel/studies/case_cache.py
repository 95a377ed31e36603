"""A desk where questions have their cases solved: each case once, programmes shared where shapes are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chipmodel.analysis.run import first_pass, run, solve_checked
from chipmodel.analysis.structure import StructureReader
from chipmodel.cases.case import Case, load_case
from chipmodel.cases.check import check_case
from chipmodel.common.errors import CertificateError, InputError, NoOptimum, Problem
from chipmodel.common.files import names_in
from chipmodel.common.progress import Clock, OnProgress
from chipmodel.common.workers import Here, Pool
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World, load_world
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Summary
from chipmodel.solver.highs import warm_start_from
from chipmodel.solver.warm_start import WarmStart
from chipmodel.studies.plan import Cell, load_study, plan
from chipmodel.studies.sweep import (
    SentData,
    Worlds,
    about_cell,
    dataset_of,
    in_passes,
    plain,
    prepare,
    summarise_chunk,
)

MOST = 25
"""Cases of one shape solved one after the other; more are cut."""


class CaseCache:
    """Solves cases and keeps their summaries.

    Parameters
    ----------
    data : Dataset
    pool : Pool, optional
        Where the work is done; this process by default.
    on_progress : callable, optional
        Called with a `Step` as cases are done.
    """

    def __init__(
        self,
        data: Dataset,
        pool: Pool | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.data = data
        self._pool = pool or Here()
        self._tell = on_progress
        self._found: dict[Key, Summary] = {}

    def solve(self, cells: Iterable[Cell]) -> None:
        """Solve cells that are not solved yet.

        Raises
        ------
        InputError
            With every problem of every case, before anything is solved.
        NoOptimum
            If a case has no optimal solution.
        """
        for batch, found in solved(self.data, self.plan(cells), self._pool, self._tell):
            self.take(batch, found)

    def plan(self, cells: Iterable[Cell]) -> list[Batch]:
        """Check cells and return the batches in which those not known yet are solved.

        Cells of one shape are solved in the order given: where several solutions are
        optimal the result hangs on it, and so does the time (from a loose rule to a
        tight one is the quick way).

        Raises
        ------
        InputError
            With every problem of every case.
        """
        wanted = {
            key_of(cell): cell for cell in cells if key_of(cell) not in self._found
        }
        self.check(wanted.values())
        worlds, reader = Worlds(self.data), StructureReader()
        shipped = {
            kind: names_in(self.data.root / kind) for kind in ("cases", "worlds")
        }
        families: dict[object, list[Cell]] = {}
        for cell in wanted.values():
            # Cases of the package are solved by themselves: many questions ask for
            # them.
            alone = in_passes(cell) or (
                cell.case.name in shipped["cases"]
                and cell.world.name in shipped["worlds"]
            )
            shape = (
                key_of(cell)
                if alone
                else reader.read(cell.case, worlds.parameters(cell)).shape
            )
            families.setdefault(shape, []).append(replace(cell, reference=""))
        return [
            Batch(tuple(family[k : k + MOST]), len(family) >= WORTH)
            for family in families.values()
            for k in range(0, len(family), MOST)
        ]

    def take(self, batch: Batch, found: Iterable[Summary]) -> None:
        """Keep the summaries of the cells of a batch."""
        self._found |= {
            key_of(cell): summary
            for cell, summary in zip(batch.cells, found, strict=True)
        }

    def summary(self, case: Case | str, world: World | str = "central") -> Summary:
        """Return the summary of a case in a world, solving it if it is not solved yet."""
        cell = self.cell(case, world)
        self.solve([cell])
        return replace(self._found[key_of(cell)], case=cell.case, world=cell.world)

    def cell(self, case: Case | str, world: World | str = "central") -> Cell:
        """Return a case in a world, each given or named."""
        return Cell(
            load_case(case, self.data) if isinstance(case, str) else case,
            load_world(world, self.data) if isinstance(world, str) else world,
        )

    def check(self, cells: Iterable[Cell]) -> None:
        """Refuse cells that do not fit the data, with every problem found.

        Raises
        ------
        InputError
        """
        problems: list[Problem] = []
        parameters: dict[str, Parameters] = {}
        for cell in cells:
            try:
                if cell.world.digest not in parameters:
                    parameters = {
                        cell.world.digest: build_parameters(self.data, cell.world)
                    }
                check_case(cell.case, parameters[cell.world.digest])
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(problems)


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
        Whether they are of one shape and share a programme, each a hot start of the one
        before. Otherwise each is solved by itself, and what they have in common is the
        first pass.
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


def solved(
    data: Dataset,
    batches: Iterable[Batch],
    pool: Pool,
    on_progress: OnProgress | None = None,
) -> Iterator[tuple[Batch, list[Summary]]]:
    """Solve batches, each once whoever asks for it, and return their least parts as they are done.

    Raises
    ------
    NoOptimum
        If a case has no optimal solution.
    """
    work = _together(batches)
    clock = Clock(sum(len(batch.cells) for batch in work), on_progress)
    if work:
        clock.begin()
    for k, found in pool.each(_summaries, plain(data), work):
        done = iter(found)
        clock.step(
            ", ".join(dict.fromkeys(cell.case.name for cell in work[k].cells)),
            len(found),
        )
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
        return [
            summary
            for chunk in sweep.chunks
            for summary in summarise_chunk(sweep.shared, chunk)
        ]
    found = []
    started = None
    for cell in batch.cells:
        try:
            started = started or _first(data, Cell(*first_pass(cell.case, cell.world)))
            found.append(
                Summary.of(
                    solve_checked(data, cell.case, cell.world, started), cell.point
                )
            )
        except (NoOptimum, CertificateError) as error:
            raise about_cell(error, cell, data) from None
    return found


def _first(data: Dataset, first: Cell) -> Solution:
    """Solve the first pass of cells, from where the reference stands."""
    known = _known(data)
    if known.solution is not None and key_of(first) == key_of(
        Cell(known.solution.case, known.solution.world)
    ):
        return known.solution
    return solve_checked(
        data,
        first.case,
        first.world,
        start=None if key_of(first) in known.cold else known.start,
    )


@dataclass(frozen=True)
class _Known:
    """What a process knows of a data package: the reference solved cold, where it stands, and what stays cold."""

    solution: Solution | None
    start: WarmStart | None
    cold: frozenset[Key]


_knowing: dict[str, _Known] = {}


def _known(data: Dataset) -> _Known:
    """Solve the reference, once in a process; nothing is known if there is none or it has no solution.

    The cells of the headline study are solved cold as the study solves them: where
    several solutions are optimal, both show the same.
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
            start = warm_start_from(solution.program, solution.optimum)
            _knowing[key] = _Known(
                solution, start, frozenset(map(key_of, _headline(data)))
            )
        except (InputError, NoOptimum, CertificateError):
            _knowing[key] = nothing
    return _knowing[key]


def _headline(data: Dataset) -> tuple[Cell, ...]:
    return (
        plan(load_study(HEADLINE, data), data).cells
        if HEADLINE in names_in(data.root / "studies")
        else ()
    )


def key_of(cell: Cell) -> Key:
    """Return what tells a cell from others: names and prose do not count."""
    return cell.case.digest, cell.world.digest
