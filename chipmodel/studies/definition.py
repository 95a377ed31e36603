"""The definition of a study: variants, grids, designs, and where each may be solved."""

from __future__ import annotations

import csv
import io
import math
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chipmodel.cases.levers import Point
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import read_file, text_of
from chipmodel.common.ids import ID_PATTERN
from chipmodel.dataset.fields import plain_number


class Span(BaseModel):
    """Evenly spaced numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start: float = Field(alias="from", description="First number.")
    to: float = Field(description="Last number.")
    steps: Annotated[int, Field(ge=2, le=10_000)] = Field(
        description="How many numbers, both ends included."
    )

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers."""
        wide = self.to - self.start
        return tuple(
            self.start + wide * k / (self.steps - 1) for k in range(self.steps)
        )


class Design(BaseModel):
    """A space-filling design: a Latin hypercube or a scrambled Sobol sequence."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["latin_hypercube", "sobol"] = Field(
        description="How points are spread."
    )
    size: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="How many points."
    )
    seed: Annotated[int, Field(ge=0)] = Field(
        description="Seed; the same seed gives the same points."
    )
    ranges: dict[str, tuple[float, float]] = Field(
        min_length=1, description="Lowest and highest value of each number."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Design:
        for name, (low, high) in self.ranges.items():
            if not low < high:
                raise ValueError(f"ranges of '{name}': {low:g} is not below {high:g}")
        return self

    def points(self) -> list[Point]:
        """Return the points."""
        from scipy.stats import qmc

        count = len(self.ranges)
        if self.kind == "latin_hypercube":
            unit = qmc.LatinHypercube(count, rng=self.seed).random(self.size)
        else:
            # Drawn by the power of two that holds them: a Sobol sequence is balanced
            # only there.
            unit = qmc.Sobol(count, rng=self.seed).random_base2(
                math.ceil(math.log2(self.size))
            )[: self.size]
        low, high = zip(*self.ranges.values(), strict=True)
        return [
            dict(zip(self.ranges, row, strict=True))
            for row in qmc.scale(unit, low, high).tolist()
        ]


def grid_points(grid: dict[str, tuple[float, ...]]) -> list[Point]:
    """Return every combination of the numbers of a grid, the last varying fastest."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def table_points(path: Path) -> list[Point]:
    """Read points from a CSV file: a column a number, a row a point.

    Raises
    ------
    InputError
        If it cannot be read or a cell is no number.
    """
    try:
        rows = list(
            csv.reader(
                io.StringIO(text_of(path.name, read_file(path)), newline=""),
                strict=True,
            )
        )
    except csv.Error as error:
        raise InputError.one(
            path.name, "file", f"cannot be read ({error})", "give a CSV file in UTF-8"
        ) from None
    if len(rows) < 2:
        raise InputError.one(
            path.name,
            "file",
            "has no rows",
            "give a header of numbers and a row for each point",
        )
    names, points, problems = rows[0], [], []
    if len(set(names)) != len(names):
        raise InputError.one(
            path.name, "header", "a column appears twice", "remove the copy"
        )
    for line, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        if len(row) != len(names):
            problems.append(
                Problem(
                    path.name,
                    f"line {line}",
                    f"has {len(row)} cells, not {len(names)}",
                    "give every number a cell",
                )
            )
            continue
        values = []
        for name, cell in zip(names, row, strict=True):
            try:
                values.append(float(plain_number(cell)))
            except ValueError:
                problems.append(
                    Problem(
                        path.name,
                        f"line {line}, {name}",
                        f"'{cell}' is no plain number",
                        "write digits and a point, without thousands set apart",
                    )
                )
        points.append(dict(zip(names, values, strict=False)))
    if problems:
        raise InputError(problems)
    return points


WAYS = ("grid", "point", "table", "design")
"""Ways to say which points a study takes."""


class Variant(BaseModel):
    """Every world of the study again, with some fields changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern=ID_PATTERN,
        description="Joined to the name of the world by an underscore.",
    )
    world: dict[str, Any] = Field(
        min_length=1,
        description="Fields of the world to change, such as committed = 0.0.",
    )
    cases: tuple[str, ...] = Field(
        default=(), description="Cases solved in it; all by default."
    )


class Study(BaseModel):
    """A study: cases in worlds, a reference, and the metrics compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern=ID_PATTERN, description="Name of the study; the file's name."
    )
    title: str = Field(description="One line.")
    summary: str = Field(default="", description="A paragraph of context.")
    cases: tuple[str, ...] = Field(
        min_length=1, description="Names of cases; a+b adds two."
    )
    worlds: tuple[str, ...] = Field(
        default=("central",), min_length=1, description="Names of worlds."
    )
    reference: str | None = Field(
        default=None,
        description="Case every other is compared with, in the same world.",
    )
    metrics: tuple[str, ...] = Field(
        min_length=1,
        description=(
            "Names of metrics; * stands for every region or segment, LAST for the last"
            " year."
        ),
    )
    keep: Literal["metrics", "tables"] = Field(
        default="metrics",
        description="Keep the metrics only, or the full tables of every solution too.",
    )
    grid: dict[str, tuple[float, ...] | Span] = Field(
        default_factory=dict,
        description="Numbers to vary, such as s232.rate; every combination is solved.",
    )
    point: tuple[dict[str, float], ...] = Field(
        default=(), description="Points, each a number's value by name."
    )
    table: str | None = Field(
        default=None,
        description="CSV file of points beside the study: a column a number.",
    )
    design: Design | None = Field(
        default=None, description="Points spread over ranges."
    )
    chunk: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=25,
        description=(
            "Cells solved one after the other from a fresh start; part of the result."
        ),
    )
    variant: tuple[Variant, ...] = Field(
        default=(), description="Worlds with some fields changed."
    )
    figures: tuple[str, ...] = Field(default=(), description="Figures to draw.")

    @model_validator(mode="after")
    def _whole(self) -> Study:
        if self.reference is not None and self.reference not in self.cases:
            raise ValueError(
                f"reference '{self.reference}' is not one of the cases,"
                f" {', '.join(self.cases)}"
            )
        for what, names in (
            ("case", self.cases),
            ("world", self.worlds),
            ("variant", [v.name for v in self.variant]),
        ):
            twice = sorted({n for n in names if list(names).count(n) > 1})
            if twice:
                raise ValueError(f"{what} '{twice[0]}' appears twice")
        given = [way for way in WAYS if getattr(self, way)]
        if len(given) > 1:
            raise ValueError(f"points are given by {' and '.join(given)}: keep one")
        if any(list(point) != list(self.point[0]) for point in self.point):
            raise ValueError(
                "every point must give the same numbers, in the same order"
            )
        for variant in self.variant:
            for case in variant.cases:
                if case not in self.cases:
                    raise ValueError(
                        f"variant '{variant.name}' names case '{case}', which is not"
                        " one of the cases"
                    )
            if self.reference and variant.cases and self.reference not in variant.cases:
                raise ValueError(
                    f"variant '{variant.name}' must hold the reference"
                    f" '{self.reference}'"
                )
        return self

    @property
    def varies(self) -> bool:
        """Whether it takes points at all."""
        return any(getattr(self, way) for way in WAYS)

    def points(self) -> list[Point]:
        """Return the points it takes, in order."""
        if self.design is not None:
            return self.design.points()
        if self.table is not None:
            return table_points(Path(self.table))
        if self.point:
            return [dict(point) for point in self.point]
        if not self.grid:
            return []
        return grid_points(
            {k: v.numbers if isinstance(v, Span) else v for k, v in self.grid.items()}
        )


def table_columns(study: Study) -> list[str]:
    """Return the columns of a study's table."""
    numbers = dict.fromkeys(name for point in study.points() for name in point)
    return ["metric", "unit", "case", "world", *numbers, "value", "difference"]
