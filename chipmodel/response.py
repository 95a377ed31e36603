"""One case in one world as a function of some numbers, compiled once and solved hot.

For searches that choose the next point by what they found at the last (a calibration, a rate that
spends a budget); a study of points known beforehand is a sweep.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chipmodel.accounts import compute
from chipmodel.case import Case
from chipmodel.dataset import Dataset
from chipmodel.errors import InputError
from chipmodel.numbers import Numbers, build_numbers
from chipmodel.points import Point, case_at, of_world, world_at
from chipmodel.shape import Leaves, Reader
from chipmodel.solution import Solution
from chipmodel.template import Chain, Levers, compile_template
from chipmodel.world import World


class Response:
    """The solution of a case at points.

    Parameters
    ----------
    data : Dataset
    case : Case
    world : World
    samples : sequence of Point
        Points that move every number which later points may move; the first one is solved cold.

    Raises
    ------
    InputError
        If the points change the shape of the programme.
    """

    def __init__(self, data: Dataset, case: Case, world: World, samples: Sequence[Point]) -> None:
        self._data, self._case, self._world = data, case, world
        self._reader = Reader()
        found = [self._read(point) for point in samples]
        read = [leaves for _, leaves, _ in found]
        if len({leaves.shape for leaves in read}) > 1:
            raise InputError.one(case.name, "points", "change the shape of the programme",
                                 "give numbers only, none of them zero in some points")
        self._first = read[0]
        levers = Levers.of(read, [p.id for p in case.policies if not p.idle])
        self._lever_paths = [paths[0] for paths in levers.paths]
        moved = {path for paths in levers.paths for path in paths}
        self._place = {path: k for k, path in enumerate(self._first.paths)}
        self._still = np.array([path not in moved for path in self._first.paths], dtype=bool)
        first, _, numbers = found[0]
        self._chain = Chain(compile_template(first, numbers, levers))

    def at(self, point: Point) -> Solution:
        """Solve at a point, from the basis of the one before.

        Raises
        ------
        InputError
            If the point moves a number that no sample moved.
        """
        case, leaves, numbers = self._read(point)
        still = self._still
        if leaves.shape != self._first.shape or not np.array_equal(leaves.numbers[still], self._first.numbers[still]):
            raise InputError.one(case.name, "point", "moves a number that no sample moved", "add it to the samples")
        levers = np.array([
            leaves.numbers[self._place[path]] if path in self._place else leaves.own.get(path, 0.0)
            for path in self._lever_paths
        ])
        arrays = self._chain.template.fill(levers, numbers)
        optimum = self._chain.solve(arrays)
        world = numbers.world
        return Solution(case, world, numbers, arrays, optimum, compute(arrays, optimum), "anticipated")

    def _read(self, point: Point) -> tuple[Case, Leaves, Numbers]:
        world = world_at(self._world, {k: v for k, v in point.items() if of_world(k)}, self._case.name)
        case = case_at(self._case, {k: v for k, v in point.items() if not of_world(k)}, self._case.name)
        numbers = build_numbers(self._data, world).with_events(world.event)
        return case, self._reader.read(case, numbers), numbers
