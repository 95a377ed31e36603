"""The definition of a study: cases, worlds, variants, metrics and points."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from chipmodel.cases.levers import Point
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.files import file_beside, find_named, is_file, read_file, text_of
from chipmodel.common.ids import ID_PATTERN
from chipmodel.common.toml import from_file, problems_of, read_toml
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.fields import plain_number

FigureName = Literal[
    "capacity_by_region", "leading_edge_share", "who_pays", "named_projects"
]
"""The figures a study can draw; `chipmodel.display.figures` draws these."""

FIGURE_NAMES: tuple[str, ...] = get_args(FigureName)

WAYS = ("grid", "point", "table", "design")
"""Fields that give the points of a study; it has one of them at most."""


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
        width = self.to - self.start
        intervals = self.steps - 1
        return tuple(self.start + width * k / intervals for k in range(self.steps))


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

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    def points(self) -> list[Point]:
        """Return the points."""
        # SciPy takes longer to import than most studies to check.
        from scipy.stats import qmc

        count = len(self.ranges)
        if self.kind == "latin_hypercube":
            unit = qmc.LatinHypercube(count, rng=self.seed).random(self.size)
        else:
            # A Sobol sequence is balanced only in powers of two: the next one is drawn
            # and cut.
            power = math.ceil(math.log2(self.size))
            unit = qmc.Sobol(count, rng=self.seed).random_base2(power)[: self.size]
        low, high = zip(*self.ranges.values(), strict=True)
        values = qmc.scale(unit, low, high).tolist()
        return [dict(zip(self.ranges, row, strict=True)) for row in values]


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
    file = path.name
    names, rows = _header_and_rows(path)
    points: list[Point] = []
    problems: list[Problem] = []
    # Line 1 is the header; empty lines are no points.
    for line, row in enumerate(rows, start=2):
        if not any(row):
            continue
        if len(row) != len(names):
            problems.append(
                Problem(
                    file,
                    f"line {line}",
                    f"has {len(row)} cells, not {len(names)}",
                    "give every number a cell",
                )
            )
            continue
        point: Point = {}
        for name, cell in zip(names, row, strict=True):
            try:
                point[name] = float(plain_number(cell))
            except ValueError:
                problems.append(
                    Problem(
                        file,
                        f"line {line}, {name}",
                        f"'{cell}' is no plain number",
                        "write digits and a point, without thousands set apart",
                    )
                )
        points.append(point)
    if problems:
        raise InputError(problems)
    return points


def _header_and_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    text = text_of(path.name, read_file(path))
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise InputError.one(
            path.name, "file", f"cannot be read ({error})", "give a CSV file in UTF-8"
        ) from None
    if len(lines) < 2:
        raise InputError.one(
            path.name,
            "file",
            "has no rows",
            "give a header of numbers and a row for each point",
        )
    header = lines[0]
    if len(set(header)) != len(header):
        raise InputError.one(
            path.name, "header", "a column appears twice", "remove the copy"
        )
    return header, lines[1:]


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

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


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
            "Names of metrics; * means every region or segment, LAST the last year."
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
    # A name that is not known is reported with the other problems of a study, so it is
    # no error of its type.
    figures: tuple[
        Annotated[str, WithJsonSchema({"enum": list(FIGURE_NAMES), "type": "string"})],
        ...,
    ] = Field(default=(), description="Figures to draw.")

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        cases = ", ".join(self.cases)
        if self.reference is not None and self.reference not in self.cases:
            raise ValueError(
                f"reference '{self.reference}' is not one of the cases, {cases}"
            )
        variants = [variant.name for variant in self.variant]
        _refuse_repeated("case", self.cases)
        _refuse_repeated("world", self.worlds)
        _refuse_repeated("variant", variants)
        given = [way for way in WAYS if getattr(self, way)]
        if len(given) > 1:
            raise ValueError(f"points are given by {' and '.join(given)}: keep one")
        # The numbers are columns of one table, and their order is that of its columns.
        for point in self.point:
            if list(point) != list(self.point[0]):
                raise ValueError(
                    "every point must give the same numbers, in the same order"
                )
        for variant in self.variant:
            self._check_cases_of(variant)
        return self

    def _check_cases_of(self, variant: Variant) -> None:
        for case in variant.cases:
            if case not in self.cases:
                raise ValueError(
                    f"variant '{variant.name}' names case '{case}', which is not"
                    f" one of the cases ({', '.join(self.cases)})"
                )
        if self.reference and variant.cases and self.reference not in variant.cases:
            raise ValueError(
                f"variant '{variant.name}' must hold the reference '{self.reference}'"
            )

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    @property
    def varies(self) -> bool:
        """Whether it has points."""
        return any(getattr(self, way) for way in WAYS)

    def points(self) -> list[Point]:
        """Return its points, in order."""
        if self.design is not None:
            return self.design.points()
        if self.table is not None:
            return table_points(Path(self.table))
        if self.point:
            return [dict(point) for point in self.point]
        if not self.grid:
            return []
        grid = {}
        for name, values in self.grid.items():
            grid[name] = values.numbers if isinstance(values, Span) else values
        return grid_points(grid)


def _refuse_repeated(what: str, names: Sequence[str]) -> None:
    for name, count in sorted(Counter(names).items()):
        if count > 1:
            raise ValueError(f"{what} '{name}' appears twice")


def table_columns(study: Study) -> list[str]:
    """Return the columns of a study's table."""
    numbers: dict[str, None] = {}
    for point in study.points():
        numbers.update(dict.fromkeys(point))
    return ["metric", "unit", "case", "world", *numbers, "value", "difference"]


def read_study(name: str, data: Dataset, others: Sequence[str] = ()) -> Study:
    """Read a study file; names of cases and metrics in it are not checked.

    Raises
    ------
    InputError
        If there is no such file or a key is wrong.
    """
    path = find_named(name, data.root / "studies", "study", list(others))
    content = read_toml(path)
    try:
        study = from_file(Study, {"name": path.stem, **content})
    except ValidationError as error:
        raise InputError(problems_of(error, path.name)) from None
    if study.table is None:
        return study
    points = file_beside(path, study.table)
    if not is_file(points):
        raise InputError.one(
            path.name,
            "table",
            f"no such file '{study.table}'",
            "name a CSV file beside the study",
        )
    # By its full path, because a study in memory no longer knows its folder.
    return study.model_copy(update={"table": str(points)})
