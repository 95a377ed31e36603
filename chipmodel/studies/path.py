"""The order in which the points of a sweep are solved: each near the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chipmodel.studies.plan import Cell


def near_neighbours(cells: Sequence[Cell]) -> list[int]:
    """Return the places of cells along a path of near neighbours.

    The fewer pivots lie between a solve and the one before, the faster it is. A cell
    that others are compared with comes before them, and they stay together.
    """
    names = {cell.name for cell in cells}
    blocks: dict[str, list[int]] = {}
    for k, cell in enumerate(cells):
        name = cell.reference if cell.reference in names else cell.name
        blocks.setdefault(name, []).append(k)
    members = list(blocks.values())
    path = []
    for block in _path([cells[places[0]].point for places in members]):
        places = members[block]
        path += [places[k] for k in _path([cells[k].point for k in places])]
    return path


def _path(points: Sequence[dict[str, float]]) -> list[int]:
    """Return the places of points along a path from the first.

    It goes on to the nearest that is left, where each number counts by its range; among
    equals to the first.
    """
    names = sorted({name for point in points for name in point})
    values = np.array([[point.get(name, 0.0) for name in names] for point in points])
    span = np.ptp(values, axis=0)
    # Rounded, so that equal steps of a grid are equal.
    positions = np.round(values / np.where(span > 0, span, 1.0), 9)
    left = np.ones(len(points), dtype=bool)
    path: list[int] = []
    place = 0
    for _ in points:
        path.append(place)
        left[place] = False
        distances: NDArray[np.float64]
        distances = ((positions - positions[place]) ** 2).sum(axis=1)
        place = int(np.argmin(np.where(left, distances, np.inf)))
    return path
