"""Read numbers off a dataset as a world scales them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from chipmodel.common.errors import InputError, Problem
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.fields import Fact, Row
from chipmodel.dataset.rows import TABLES
from chipmodel.model.world import World

FactT = TypeVar("FactT", bound=Fact)


class Facts:
    """Facts of a dataset, multiplied as the world says."""

    def __init__(self, data: Dataset, world: World) -> None:
        self.data = data
        self.world = world
        self._factor: dict[tuple[str, int], float] = {}
        problems: list[Problem] = []
        for number, scale in enumerate(world.scale, start=1):
            rows = data.tables[scale.table]
            hit = [i for i, row in enumerate(rows) if _matches(row, scale.where)]
            if not hit:
                raise InputError.one(
                    world.name,
                    f"scale {number}",
                    "no row matches",
                    f"check where against {scale.table}.csv",
                )
            for i in hit:
                key = (scale.table, i)
                self._factor[key] = self._factor.get(key, 1.0) * scale.factor
                row = rows[i]
                assert isinstance(row, Fact)
                if wrong := row.outside(value := row.value * self._factor[key]):
                    where = (
                        f"{scale.table}.csv,"
                        f" {', '.join(str(getattr(row, k)) for k in row.key)}"
                    )
                    problems.append(
                        Problem(
                            world.name,
                            f"scale {number}",
                            f"{where}: {value:g} {wrong}",
                            "choose a factor nearer to 1",
                        )
                    )
        if problems:
            raise InputError(problems)

    def each(self, model: type[FactT]) -> Iterator[tuple[FactT, float]]:
        """Walk over the rows of a table with their values."""
        table = next(name for name, known in TABLES.items() if known is model)
        for i, row in enumerate(self.data.rows(model)):
            yield row, row.value * self._factor.get((table, i), 1.0)

    def table(self, model: type[FactT], *key: str) -> dict[tuple[object, ...], float]:
        """Return the values of a table by some of its columns."""
        return {
            tuple(getattr(row, k) for k in key): value
            for row, value in self.each(model)
        }


def _matches(row: Row, where: dict[str, str | int]) -> bool:
    return all(str(getattr(row, k)) == str(v) for k, v in where.items())
