"""Read numbers of a dataset as a world scales them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from chipmodel.common.errors import InputError, Problem
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.fields import Fact, Row
from chipmodel.dataset.rows import TABLES
from chipmodel.model.world import Scale, World

FactT = TypeVar("FactT", bound=Fact)


class Facts:
    """Facts of a dataset, multiplied by the factors of a world.

    Raises
    ------
    InputError
        If a factor applies to no row, or takes a value out of its bounds.
    """

    def __init__(self, data: Dataset, world: World) -> None:
        self.data = data
        self.world = world
        self._factor: dict[tuple[str, int], float] = {}
        problems: list[Problem] = []
        for number, scale in enumerate(world.scale, start=1):
            problems += self._apply(scale, f"scale {number}")
        if problems:
            raise InputError(problems)

    def _apply(self, scale: Scale, place: str) -> list[Problem]:
        """Multiply the rows that a factor applies to; return values out of bounds."""
        rows = self.data.tables[scale.table]
        scaled = [i for i, row in enumerate(rows) if _matches(row, scale.where)]
        if not scaled:
            raise InputError.one(
                self.world.name,
                place,
                "no row matches",
                f"check where against {scale.table}.csv",
            )
        problems = []
        for i in scaled:
            row = rows[i]
            assert isinstance(row, Fact)
            # Several factors on one row multiply; bounds are those of their product.
            factor = self._factor.get((scale.table, i), 1.0) * scale.factor
            self._factor[scale.table, i] = factor
            value = row.value * factor
            wrong = row.outside(value)
            if wrong:
                key = ", ".join(str(getattr(row, column)) for column in row.key)
                problems.append(
                    Problem(
                        self.world.name,
                        place,
                        f"{scale.table}.csv, {key}: {value:g} {wrong}",
                        "choose a factor nearer to 1",
                    )
                )
        return problems

    def each(self, model: type[FactT]) -> Iterator[tuple[FactT, float]]:
        """Walk over the rows of a table with their scaled values."""
        table = next(name for name, known in TABLES.items() if known is model)
        for i, row in enumerate(self.data.rows(model)):
            yield row, row.value * self._factor.get((table, i), 1.0)

    def table(self, model: type[FactT], *key: str) -> dict[tuple[object, ...], float]:
        """Return the values of a table by some of its columns."""
        values = {}
        for row, value in self.each(model):
            values[tuple(getattr(row, column) for column in key)] = value
        return values

    def column(self, model: type[FactT], key: str) -> dict[str, float]:
        """Return the values of a table by one of its columns."""
        return {str(getattr(row, key)): value for row, value in self.each(model)}


def _matches(row: Row, where: dict[str, str | int]) -> bool:
    # As text: a world may give a year as a number or in quotes.
    return all(str(getattr(row, column)) == str(v) for column, v in where.items())
