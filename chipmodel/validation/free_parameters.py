"""The parameters that a calibration may fit, with their priors and bounds."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from chipmodel.common.errors import InputError, Problem
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.fields import Fact
from chipmodel.dataset.rows import TABLES


@dataclass(frozen=True)
class Free:
    """A parameter to fit.

    Attributes
    ----------
    number : str
        Name of the fact in a `Point`.
    prior, low, high : float
        Prior and bounds.
    now : float
        Value in the data.
    """

    quantity: str
    number: str
    prior: float
    low: float
    high: float
    now: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds of the logarithm over the prior."""
        return math.log(self.low / self.prior), math.log(self.high / self.prior)

    @property
    def spread(self) -> float:
        """Standard deviation of the prior, a quarter of the logarithm of the bounds."""
        return math.log(self.high / self.low) / 4.0

    def factor(self, x: float) -> float:
        """Return the factor on the value in the data.

        The value in the data may be a fitted one: `x` counts from the prior, so that a
        fit gives the same whether or not it was made before.
        """
        return self.prior * math.exp(x) / self.now


def read_free(path: Path, data: Dataset) -> tuple[Free, ...]:
    """Read the quantities to fit and check them.

    Raises
    ------
    InputError
        If there is none, bounds cross, a prior lies outside its bounds, or no fact
        answers.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise InputError.one(
            path.name, "file", "no quantity is free", "add a row for each number to fit"
        )
    problems: list[Problem] = []
    free = []
    for line, row in enumerate(rows, start=2):
        quantity = _free(row, data)
        if isinstance(quantity, Free):
            free.append(quantity)
        else:
            what, fix = quantity
            place = f"line {line}, {row['quantity']}"
            problems.append(Problem(path.name, place, what, fix))
    if problems:
        raise InputError(problems)
    return tuple(free)


def _free(row: dict[str, str], data: Dataset) -> Free | tuple[str, str]:
    """Return the quantity of a row, or what is wrong with it and how to fix it."""
    prior = float(row["prior"])
    low = float(row["low"])
    high = float(row["high"])
    if not low < high:
        return f"bounds cross: {low:g} is not below {high:g}", "swap them"
    if not 0 < low <= prior <= high:
        return (
            f"prior {prior:g} is outside {low:g} to {high:g}",
            "choose bounds around the prior, above zero",
        )
    number, now = _fact(row, data)
    if now is None:
        return f"no fact of {row['table']}.csv answers", "check column and row"
    return Free(row["quantity"], number, prior, low, high, now)


def _fact(row: dict[str, str], data: Dataset) -> tuple[str, float | None]:
    """Return the name in a point of the fact a quantity is, and its value."""
    # Tables that hold other items too, and the item meant.
    items = {"elasticities": "substitution"}
    where = {}
    if row["table"] in items:
        where["item"] = items[row["table"]]
    where[row["column"]] = row["row"]
    conditions = ",".join(f"{column}={value}" for column, value in where.items())
    values = []
    if row["table"] in TABLES:
        for fact in data.tables.get(row["table"], ()):
            if isinstance(fact, Fact) and _meets(fact, where):
                values.append(fact.value)
    now = values[0] if len(values) == 1 else None
    # Facts that were derived from the quantity scale with it, each from its own value.
    if len(values) > 1 and row["fitted"]:
        now = float(row["fitted"])
    return f"{row['table']}[{conditions}]", now


def _meets(fact: Fact, where: dict[str, str]) -> bool:
    # Compared as text, as in a file; a year is a number in the data.
    return all(
        str(getattr(fact, column, None)) == value for column, value in where.items()
    )
