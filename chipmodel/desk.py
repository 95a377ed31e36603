"""A desk where questions have their cases solved: each case once, programmes shared where shapes are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chipmodel.case import Case, load_case
from chipmodel.dataset import Dataset
from chipmodel.errors import InputError, Problem
from chipmodel.numbers import Numbers, build_numbers
from chipmodel.plan import Cell
from chipmodel.pool import Here, Pool
from chipmodel.progress import Clock, Tell
from chipmodel.solve import check_case
from chipmodel.summary import Summary
from chipmodel.sweep import ALONE, Chunk, Task, prepare, summarise_chunk
from chipmodel.world import World, load_world

Key = tuple[str, str]
"""Digests of a case and of a world."""
WORTH = 3
"""Cases of one shape for which its programme is compiled once."""
CHUNK = 8
"""Cases solved one after the other; fixed, so that results do not hang on how the work is shared."""


class Desk:
    """Solves cases and keeps their summaries.

    Parameters
    ----------
    data : Dataset
    pool : Pool, optional
        Where the work is done; this process by default.
    tell : callable, optional
        Called with a `Step` as cases are done.
    cold : dict, optional
        Summaries of cases solved by themselves, shared between desks. What a case gives is then the same
        whichever desk had it solved; cases that share a programme are never shared between desks.
    """

    def __init__(self, data: Dataset, pool: Pool | None = None, tell: Tell | None = None,
                 cold: dict[Key, Summary] | None = None) -> None:
        self.data = data
        self._pool = pool or Here()
        self._tell = tell
        self._cold: dict[Key, Summary] = {} if cold is None else cold
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
        wanted = {_key(cell): cell for cell in cells if _key(cell) not in self._found}
        self.check(wanted.values())
        # What hot starts give may hang on their order where prices are not unique: the order is fixed.
        ordered = [wanted[key] for key in sorted(wanted, key=lambda key: (wanted[key].name, key))]
        if not ordered:
            return
        sweep = prepare([replace(cell, reference="") for cell in ordered], self.data, (), {}, CHUNK, WORTH)
        alone, chunks = _apart(sweep.chunks)
        self._found |= {key: self._cold[key] for key in alone if key in self._cold}
        chunks += [Chunk(0, (task,)) for key, task in alone.items() if key not in self._cold]
        clock = Clock(sum(len(chunk.tasks) for chunk in chunks), self._tell)
        clock.begin()
        for k, found in self._pool.each(summarise_chunk, sweep.shared, chunks):
            for task, summary in zip(chunks[k].tasks, found, strict=True):
                self._found[_key(task.cell)] = summary
                if task.shape == ALONE:
                    self._cold[_key(task.cell)] = summary
            clock.step(", ".join(dict.fromkeys(task.cell.case.name for task in chunks[k].tasks)), len(found))

    def summary(self, case: Case | str, world: World | str = "central") -> Summary:
        """Return the summary of a case in a world, solving it if it is not solved yet."""
        cell = self.cell(case, world)
        self.solve([cell])
        return replace(self._found[_key(cell)], case=cell.case, world=cell.world)

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
        numbers: dict[str, Numbers] = {}
        for cell in cells:
            try:
                if cell.world.digest not in numbers:
                    numbers = {cell.world.digest: build_numbers(self.data, cell.world)}
                check_case(cell.case, numbers[cell.world.digest])
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(problems)


def _key(cell: Cell) -> Key:
    return cell.case.digest, cell.world.digest


def _apart(chunks: Iterable[Chunk]) -> tuple[dict[Key, Task], list[Chunk]]:
    """Return the tasks that share no programme, and the chunks of those that do."""
    alone = {_key(task.cell): task for chunk in chunks for task in chunk.tasks if task.shape == ALONE}
    shared = [Chunk(chunk.number, tuple(task for task in chunk.tasks if task.shape != ALONE)) for chunk in chunks]
    return alone, [chunk for chunk in shared if chunk.tasks]
