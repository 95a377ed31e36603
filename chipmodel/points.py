"""The numbers a study varies and the points it takes: grids, lists, tables and space-filling designs.

A number is named by what it belongs to: ``s232.rate`` an instrument's, ``world.demand_shift`` a
world's, ``costs[item=capex]`` a factor on the facts of a table that match (``demand[]`` for all).
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chipmodel.case import Case, _changed
from chipmodel.errors import InputError, Problem
from chipmodel.files import problems_of, read_file, text_of
from chipmodel.policies.base import Number
from chipmodel.schema import plain_number
from chipmodel.world import Scale, World

Point = dict[str, float]
FACTS = re.compile(r"^([a-z_]+)\[(.*)\]$")
WORLD_NUMBERS = ("discount_rate", "choke", "demand_shift", "committed")


class Span(BaseModel):
    """Evenly spaced numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start: float = Field(alias="from", description="First number.")
    to: float = Field(description="Last number.")
    steps: Annotated[int, Field(ge=2, le=10_000)] = Field(description="How many numbers, both ends included.")

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers."""
        wide = self.to - self.start
        return tuple(self.start + wide * k / (self.steps - 1) for k in range(self.steps))


class Design(BaseModel):
    """A space-filling design: a Latin hypercube or a scrambled Sobol sequence."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["latin_hypercube", "sobol"] = Field(description="How points are spread.")
    size: Annotated[int, Field(ge=1, le=1_000_000)] = Field(description="How many points.")
    seed: Annotated[int, Field(ge=0)] = Field(description="Seed; the same seed gives the same points.")
    ranges: dict[str, tuple[float, float]] = Field(min_length=1, description="Lowest and highest value of each number.")

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
            # Drawn by the power of two that holds them: a Sobol sequence is balanced only there.
            unit = qmc.Sobol(count, rng=self.seed).random_base2(math.ceil(math.log2(self.size)))[: self.size]
        low, high = zip(*self.ranges.values(), strict=True)
        return [dict(zip(self.ranges, row, strict=True)) for row in qmc.scale(unit, low, high).tolist()]


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
        rows = list(csv.reader(io.StringIO(text_of(path.name, read_file(path)), newline=""), strict=True))
    except csv.Error as error:
        raise InputError.one(path.name, "file", f"cannot be read ({error})", "give a CSV file in UTF-8") from None
    if len(rows) < 2:
        raise InputError.one(path.name, "file", "has no rows", "give a header of numbers and a row for each point")
    names, points, problems = rows[0], [], []
    if len(set(names)) != len(names):
        raise InputError.one(path.name, "header", "a column appears twice", "remove the copy")
    for line, row in enumerate(rows[1:], start=2):
        if not any(row):
            continue
        if len(row) != len(names):
            problems.append(Problem(path.name, f"line {line}", f"has {len(row)} cells, not {len(names)}",
                                    "give every number a cell"))
            continue
        values = []
        for name, cell in zip(names, row, strict=True):
            try:
                values.append(float(plain_number(cell)))
            except ValueError:
                problems.append(Problem(path.name, f"line {line}, {name}", f"'{cell}' is no plain number",
                                        "write digits and a point, without thousands set apart"))
        points.append(dict(zip(names, values, strict=False)))
    if problems:
        raise InputError(problems)
    return points


def of_world(name: str) -> bool:
    """Whether a number belongs to the world rather than to an instrument."""
    return name.partition(".")[0] == "world" or "[" in name


def scale_of(name: str, factor: float) -> Scale:
    """Return the factor on facts that a number such as ``costs[item=capex]`` stands for."""
    match = FACTS.match(name)
    assert match is not None
    where = dict(part.split("=", 1) for part in match[2].split(",") if part)
    return Scale.model_validate({"table": match[1], "where": where, "factor": factor})


def world_at(world: World, point: Point, file: str) -> World:
    """Return a world with some numbers changed.

    Raises
    ------
    InputError
        If a value does not fit.
    """
    fields = {name.partition(".")[2]: value for name, value in point.items() if name.startswith("world.")}
    try:
        scales = [scale_of(name, value) for name, value in point.items() if "[" in name]
        changed = world.with_(**fields, scale=(*world.scale, *scales))
    except ValidationError as error:
        raise InputError(problems_of(error, file, f"point {point_name(point)}")) from None
    return changed.model_copy(update={"name": f"{world.name}[{point_name(point)}]"}) if point else world


def case_at(case: Case, point: Point, file: str) -> Case:
    """Return a case with some numbers of its instruments changed."""
    if not point:
        return case
    return _changed(case, dict(point), file).model_copy(update={"name": f"{case.name}[{point_name(point)}]"})


def point_name(point: Point) -> str:
    """Return a point in one word."""
    return ",".join(f"{name}={value:.9g}" for name, value in point.items())


def problems_of_numbers(names: Iterable[str], cases: Sequence[Case], file: str) -> list[Problem]:
    """Return the numbers that do not exist, with those that are near."""
    problems: list[Problem] = []
    for name in names:
        wrong = _world_problem(name) if of_world(name) else _policy_problem(name, cases)
        if wrong:
            problems.append(Problem(file, f"number {name}", *wrong))
    return problems


def _world_problem(name: str) -> tuple[str, str] | None:
    if "[" not in name:
        field = name.partition(".")[2]
        return None if field in WORLD_NUMBERS else (f"the world has no number '{field}'",
                                                     "numbers: " + ", ".join(WORLD_NUMBERS))
    try:
        scale_of(name, 1.0)
    except (AssertionError, ValueError) as error:
        first = error.errors()[0]["msg"].removeprefix("Value error, ") if isinstance(error, ValidationError) else (
            "is no factor on facts")
        return str(first), "write table[column=value,...], such as costs[item=capex]"
    return None


def _policy_problem(name: str, cases: Sequence[Case]) -> tuple[str, str] | None:
    policy_id, _, field = name.partition(".")
    holder = next((p for case in cases for p in case.policies if p.id == policy_id), None)
    if holder is None:
        known = sorted({p.id for case in cases for p in case.policies})
        near = get_close_matches(policy_id, known, n=3, cutoff=0.4) or known or ["none"]
        return f"no case has a policy '{policy_id}'", "ids: " + ", ".join(near)
    free = [f for f, info in type(holder).model_fields.items() if any(isinstance(x, Number) for x in info.metadata)]
    if field in free:
        return None
    return f"{holder.kind} has no number '{field}'", "numbers: " + (", ".join(free) or "none")
