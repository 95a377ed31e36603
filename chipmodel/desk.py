"""A desk where questions have their cases solved: each case once, programmes shared where shapes are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chipmodel.batch import WORTH, Batch, Key, key_of, solved
from chipmodel.case import Case, load_case
from chipmodel.dataset import Dataset
from chipmodel.errors import InputError, Problem
from chipmodel.files import names_in
from chipmodel.numbers import Numbers, build_numbers
from chipmodel.plan import Cell
from chipmodel.pool import Here, Pool
from chipmodel.progress import Tell
from chipmodel.shape import Reader
from chipmodel.solve import check_case
from chipmodel.summary import Summary
from chipmodel.sweep import Worlds, in_passes
from chipmodel.world import World, load_world

MOST = 25
"""Cases of one shape solved one after the other; more are cut."""


class Desk:
    """Solves cases and keeps their summaries.

    Parameters
    ----------
    data : Dataset
    pool : Pool, optional
        Where the work is done; this process by default.
    tell : callable, optional
        Called with a `Step` as cases are done.
    """

    def __init__(self, data: Dataset, pool: Pool | None = None, tell: Tell | None = None) -> None:
        self.data = data
        self._pool = pool or Here()
        self._tell = tell
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

        Cells of one shape are solved in the order given: where several solutions are optimal the result
        hangs on it, and so does the time (from a loose rule to a tight one is the quick way).

        Raises
        ------
        InputError
            With every problem of every case.
        """
        wanted = {key_of(cell): cell for cell in cells if key_of(cell) not in self._found}
        self.check(wanted.values())
        worlds, reader = Worlds(self.data), Reader()
        shipped = {kind: names_in(self.data.root / kind) for kind in ("cases", "worlds")}
        families: dict[object, list[Cell]] = {}
        for cell in wanted.values():
            # Cases of the package are solved by themselves: many questions ask for them.
            alone = in_passes(cell) or (cell.case.name in shipped["cases"] and cell.world.name in shipped["worlds"])
            shape = key_of(cell) if alone else reader.read(cell.case, worlds.numbers(cell)).shape
            families.setdefault(shape, []).append(replace(cell, reference=""))
        return [
            Batch(tuple(family[k:k + MOST]), len(family) >= WORTH)
            for family in families.values() for k in range(0, len(family), MOST)
        ]

    def take(self, batch: Batch, found: Iterable[Summary]) -> None:
        """Keep the summaries of the cells of a batch."""
        self._found |= {key_of(cell): summary for cell, summary in zip(batch.cells, found, strict=True)}

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
