"""Cases solved once for whoever asks: a cache of summaries, and the batches it solves.

A question names the cells it needs. The cache checks them and plans batches; a
`BatchSolver` solves batches, also those of several questions together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chipmodel.analysis.run import first_pass, needs_passes, solve_in_passes
from chipmodel.analysis.structure import StructureReader
from chipmodel.cases.case import Case
from chipmodel.cases.check import check_case
from chipmodel.common.errors import CertificateError, InputError, NoOptimum, Problem
from chipmodel.common.files import names_in
from chipmodel.common.progress import Clock, OnProgress
from chipmodel.common.workers import Here, Pool
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.world import World
from chipmodel.results.summary import Summary
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell
from chipmodel.studies.sweep import about_cell, prepare, summarise_chunk

LARGEST_BATCH = 25
"""Cells of one shape in a batch; a longer list is cut."""

SMALLEST_SHARED = 2
"""Cells of one shape from which their linear program is compiled once for all."""

HEADLINE = "headline"
"""The study with which the report opens."""

WORLD = "central"
"""The world of cells for which none is named."""

Key = tuple[str, str]
"""Digests of a case and of a world."""


def key_of(cell: Cell) -> Key:
    """Return what identifies the solution of a cell; names and prose do not count."""
    return cell.case.digest, cell.world.digest


@dataclass(frozen=True)
class Batch:
    """Cells solved together, in one process.

    Batches are fixed before any is solved, so that results do not depend on how they
    are distributed over processes.

    Attributes
    ----------
    cells : tuple of Cell
    shared : bool
        Whether they are of one shape and share a linear program, each starting from the
        basis of the one before. Otherwise each is solved by itself, and all have the
        first pass in common.
    """

    cells: tuple[Cell, ...]
    shared: bool

    @property
    def key(self) -> tuple[bool, tuple[Key, ...]]:
        """What identifies its results; names and prose do not count."""
        return self.shared, tuple(key_of(cell) for cell in self.cells)

    @property
    def parts(self) -> list[Batch]:
        """The smallest batches with the same results.

        That is the batch itself, or each cell where they share no linear program.
        """
        if self.shared:
            return [self]
        return [Batch((cell,), False) for cell in self.cells]


class CaseCache:
    """Solves cases and stores their summaries.

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
        self._inputs = Inputs(data)
        self._solver = BatchSolver(self._inputs)
        self._pool = pool or Here()
        self._on_progress = on_progress
        self._summaries: dict[Key, Summary] = {}

    def case(self, name: str) -> Case:
        """Return a case by name; its file is read once."""
        return self._inputs.case(name)

    def world(self, name: str) -> World:
        """Return a world by name; its file is read once."""
        return self._inputs.world(name)

    def cell(self, case: Case | str, world: World | str = WORLD) -> Cell:
        """Return a case in a world, each given or named."""
        if isinstance(case, str):
            case = self.case(case)
        if isinstance(world, str):
            world = self.world(world)
        return Cell(case, world)

    def summary(self, case: Case | str, world: World | str = WORLD) -> Summary:
        """Return the summary of a case in a world; solve it if it is not solved yet."""
        cell = self.cell(case, world)
        self.solve([cell])
        # Two cases that differ in names and prose only have one solution; each is
        # returned under its own name.
        return replace(self._summaries[key_of(cell)], case=cell.case, world=cell.world)

    def solve(self, cells: Iterable[Cell]) -> None:
        """Solve cells that are not solved yet.

        Raises
        ------
        InputError
            With every problem of every case, before anything is solved.
        NoOptimum
            If a case has no optimal solution.
        """
        batches = self.plan(cells)
        for batch, summaries in self._solver.solve(
            batches, self._pool, self._on_progress
        ):
            self.take(batch, summaries)

    def plan(self, cells: Iterable[Cell]) -> list[Batch]:
        """Check cells and return the batches in which those not solved yet are solved.

        Cells of one shape are solved in the order given. Where several solutions are
        optimal the result depends on it, and so does the time: from a loose rule to a
        tight one is faster.

        Raises
        ------
        InputError
            With every problem of every case.
        """
        unsolved: dict[Key, Cell] = {}
        for cell in cells:
            if key_of(cell) not in self._summaries:
                unsolved[key_of(cell)] = cell
        self.check(unsolved.values())
        shipped_cases = set(names_in(self.data.root / "cases"))
        shipped_worlds = set(names_in(self.data.root / "worlds"))
        reader = StructureReader()
        groups: dict[object, list[Cell]] = {}
        for key, cell in unsolved.items():
            group: object = key
            # Cases of the data package are solved by themselves: many questions ask
            # for them, each among other cases.
            shipped = (
                cell.case.name in shipped_cases and cell.world.name in shipped_worlds
            )
            if not shipped and not needs_passes(cell.case, cell.world):
                parameters = self._inputs.parameters(cell.world)
                group = reader.read(cell.case, parameters).shape
            # A reference is for rows of metrics, which are not computed here.
            groups.setdefault(group, []).append(replace(cell, reference=""))
        batches = []
        for group_cells in groups.values():
            shared = len(group_cells) >= SMALLEST_SHARED
            for first in range(0, len(group_cells), LARGEST_BATCH):
                some = group_cells[first : first + LARGEST_BATCH]
                batches.append(Batch(tuple(some), shared))
        return batches

    def take(self, batch: Batch, summaries: Iterable[Summary]) -> None:
        """Store the summaries of the cells of a batch."""
        for cell, summary in zip(batch.cells, summaries, strict=True):
            self._summaries[key_of(cell)] = summary

    def check(self, cells: Iterable[Cell]) -> None:
        """Refuse cells that do not fit the data, with every problem of every case.

        Raises
        ------
        InputError
        """
        problems: list[Problem] = []
        for cell in cells:
            try:
                check_case(cell.case, self._inputs.parameters_before_events(cell.world))
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(problems)


class BatchSolver:
    """Solves batches of checked cells of a data package.

    It can be sent to other processes.

    Parameters
    ----------
    inputs : Inputs
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    def __reduce__(self) -> tuple[type[BatchSolver], tuple[Inputs]]:
        return BatchSolver, (self._inputs,)

    def solve(
        self,
        batches: Iterable[Batch],
        pool: Pool,
        on_progress: OnProgress | None = None,
    ) -> Iterator[tuple[Batch, list[Summary]]]:
        """Solve batches and yield their parts, with summaries, as they are done.

        A cell that several batches hold is solved once.

        Raises
        ------
        NoOptimum
            If a case has no optimal solution.
        """
        work = merged(batches)
        clock = Clock(sum(len(batch.cells) for batch in work), on_progress)
        if work:
            clock.begin()
        for k, summaries in pool.each(_summaries_of, self, work):
            names = dict.fromkeys(cell.case.name for cell in work[k].cells)
            clock.step(", ".join(names), len(summaries))
            first = 0
            for part in work[k].parts:
                last = first + len(part.cells)
                yield part, summaries[first:last]
                first = last

    def summaries(self, batch: Batch) -> list[Summary]:
        """Solve a batch and return the summaries of its cells.

        Raises
        ------
        NoOptimum
            If a case has no optimal solution.
        """
        if batch.shared:
            return self._of_one_shape(batch.cells)
        return self._of_one_first_pass(batch.cells)

    def _of_one_shape(self, cells: tuple[Cell, ...]) -> list[Summary]:
        sweep = prepare(
            cells,
            self._inputs.data,
            names=(),
            references={},
            size=len(cells),
            minimum=SMALLEST_SHARED,
            inputs=self._inputs,
        )
        summaries: dict[Key, Summary] = {}
        for chunk in sweep.chunks:
            keys = [key_of(task.cell) for task in chunk.tasks]
            solved = summarise_chunk(sweep.shared, chunk)
            summaries.update(zip(keys, solved, strict=True))
        return [summaries[key_of(cell)] for cell in cells]

    def _of_one_first_pass(self, cells: tuple[Cell, ...]) -> list[Summary]:
        summaries = []
        started = None
        for cell in cells:
            try:
                parameters = self._inputs.parameters_before_events(cell.world)
                if started is None:
                    first = Cell(*first_pass(cell.case, cell.world))
                    before = self._inputs.parameters_before_events(first.world)
                    started = solve_in_passes(first.case, before)
                solution = solve_in_passes(cell.case, parameters, started=started)
            except (NoOptimum, CertificateError) as error:
                raise about_cell(error, cell, self._inputs.data) from None
            summaries.append(Summary.of(solution, cell.point))
        return summaries


def _summaries_of(solver: BatchSolver, batch: Batch) -> list[Summary]:
    # Another process finds a function by its name, but not a method.
    return solver.summaries(batch)


def merged(batches: Iterable[Batch]) -> list[Batch]:
    """Return batches without repetitions, the longest first.

    Cells solved by themselves are put together where they have a first pass in common.
    """
    shared: dict[object, Batch] = {}
    by_first_pass: dict[Key, dict[Key, Cell]] = {}
    for batch in batches:
        if batch.shared:
            shared[batch.key] = batch
            continue
        for cell in batch.cells:
            first = key_of(Cell(*first_pass(cell.case, cell.world)))
            by_first_pass.setdefault(first, {})[key_of(cell)] = cell
    batches = list(shared.values())
    for cells in by_first_pass.values():
        batches.append(Batch(tuple(cells.values()), False))
    # The longest first: a long one that starts last would leave other processes idle.
    return sorted(batches, key=lambda batch: -len(batch.cells))
