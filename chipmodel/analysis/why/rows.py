"""Rows of the programme in words: what each limit is called and what a row of it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chipmodel.common.text import number
from chipmodel.dataset.rows import (
    FirmRow,
    InputRow,
    RegionRow,
    SegmentRow,
    regional_pool,
)
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.linear_program import LinearProgram, RowGroup

AT_LEAST, AT_MOST, EXACTLY, SHARE = "at least", "at most", "exactly", "in proportion"


FEW = 4
"""Places named in a line before the rest is counted."""


@dataclass(frozen=True)
class Limit:
    """What a group of physical limits is called, and what the parts of its index are."""

    title: str
    parts: tuple[str, ...]


LIMITS = {
    "history": Limit("fabs begun already", ("site", "year")),
    "commitment": Limit("commitments under way", ("site", "year")),
    "size": Limit("sizes of announced sites", ("site",)),
    "step_width": Limit(
        "room to build at a step of cost", ("firm", "region", "segment", "step", "year")
    ),
    "capacity": Limit("capacity of fabs", ("site", "step", "year")),
    "assembly_capacity": Limit("capacity of packaging", ("package", "region", "year")),
    "assembly_size": Limit("sizes of announced packaging plants", ("plant",)),
    "assembly_history": Limit("packaging plants begun already", ("plant", "year")),
    "input_supply": Limit("supply", ("input", "region", "year")),
    "input_replacement": Limit(
        "pace of replacing withheld input", ("input", "region", "year")
    ),
    "replacement_history": Limit("input replaced already", ("input", "region", "year")),
    "demand_step": Limit("demand", ("region", "segment", "step", "year")),
    "firm_budget": Limit("investment budgets", ("holder", "year")),
    "outside_capital": Limit("capital from outside", ("holder", "step", "year")),
}
"""The physical limits of the programme; a test holds the list to the formulation."""


Key = tuple[str, str]
"""A limit as people think of it: a group of rows, and the input it is about."""


@dataclass(frozen=True)
class Row:
    """A row as a line of text: where, when, how much of what.

    Attributes
    ----------
    amount : float
        The number asked or allowed; zero where the row holds flows in proportion.
    sense : str
        Whether the row asks for at least the amount, allows at most that, or sets it.
    """

    where: str
    year: int | None
    amount: float
    unit: str
    sense: str


class RowText:
    """Speaks of the rows of a programme."""

    def __init__(self, program: LinearProgram, parameters: Parameters) -> None:
        self.program = program
        n = self.n = parameters
        names = {row.region: row.name for row in n.data.rows(RegionRow)}
        self.names: dict[str, dict[str, str]] = {
            "region": names,
            "segment": {row.segment: row.name for row in n.data.rows(SegmentRow)},
            "input": {row.input: row.name for row in n.data.rows(InputRow)},
            "firm": {row.firm: row.name for row in n.data.rows(FirmRow)},
            "site": {i: site.name for i, site in n.sites.sites.items()},
            "plant": {i: plant.name for i, plant in n.packaging.plants.items()},
        }
        pools = {
            regional_pool(r): f"other firms of {name}" for r, name in names.items()
        }
        self.names["holder"] = {**self.names["firm"], **pools}

    @cached_property
    def by_row(self) -> Any:
        """The matrix by rows."""
        return self.program.matrix.tocsr()

    def group(self, row: int) -> RowGroup:
        """Return the group of a row."""
        return self.program.labels.groups[self.program.row_labels[row][0]]

    def key(self, row: int) -> Key:
        """Return which limit a row belongs to."""
        name, index = self.program.row_labels[row]
        limit = LIMITS.get(name)
        return name, str(index[0]) if limit and limit.parts[0] == "input" else ""

    def policy(self, key: Key) -> str:
        """Return the id of the policy whose rule a limit is; empty for a physical one."""
        return self.program.labels.groups[key[0]].policy

    def title(self, key: Key) -> str:
        """Return the name of a limit: a policy and its rule, or a physical limit."""
        group = self.program.labels.groups[key[0]]
        if group.policy:
            return f"{group.policy}: {key[0].split('__', 1)[1].replace('_', ' ')}"
        title = LIMITS[key[0]].title if key[0] in LIMITS else key[0].replace("_", " ")
        return f"{title}: {self.names['input'][key[1]]}" if key[1] else title

    def place(self, row: int) -> tuple[str, int | None]:
        """Return where and when a row is."""
        name, index = self.program.row_labels[row]
        parts = list(index)
        kinds = LIMITS[name].parts if name in LIMITS else ()
        dated = (
            kinds[-1] == "year"
            if kinds
            else bool(parts) and parts[-1] in self.n.discount
        )
        year = parts.pop() if dated else None
        words = [
            self._word(part, kinds[i] if i < len(kinds) else "")
            for i, part in enumerate(parts)
            if not (kinds and kinds[i] in ("input", "step"))
        ]
        return ", ".join(word for word in words if word), year

    def _word(self, part: Any, kind: str) -> str:
        if kind == "site":
            # The name of a fleet or of new fabs says what it is, not of what.
            site = self.n.sites.sites[part]
            return (
                site.name
                if site.kind == "project"
                else f"{site.name}, {self.names['segment'][site.segment]}"
            )
        for names in [self.names[kind]] if kind in self.names else self.names.values():
            if part in names:
                return names[part]
        return str(part)

    def row(self, row: int) -> Row:
        """Return a row in words."""
        group, rhs = self.group(row), float(self.program.rhs[row])
        where, year = self.place(row)
        amount = self.program.labels.stated_amounts.get(row, abs(rhs))
        unit = "index units" if group.unit == "index" else group.unit
        return Row(where, year, amount, unit, self._sense(row, rhs))

    def _sense(self, row: int, rhs: float) -> str:
        if self.program.is_equation[row]:
            return EXACTLY
        if rhs:
            return AT_LEAST if rhs > 0 else AT_MOST
        signs = np.sign(self.by_row[row].data)
        return (
            AT_MOST if (signs < 0).all() else AT_LEAST if (signs > 0).all() else SHARE
        )

    def says(self, rows: Iterable[int]) -> list[str]:
        """Return what some rows of a limit say, a line for each place."""
        by: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in map(self.row, rows):
            by[row.where, row.unit, row.sense].append(row)
        lines = [_said(*key, found) for key, found in by.items()]
        more = len(lines) - FEW
        return lines if more <= 0 else [*lines[:FEW], f"and {more} more"]


def _said(where: str, unit: str, sense: str, rows: list[Row]) -> str:
    text = (
        "holds flows in proportion"
        if sense == SHARE
        else f"{sense} {span(row.amount for row in rows)} {unit}"
    )
    return ("" if not where else f"{where}: ") + text + when(row.year for row in rows)


def span(amounts: Iterable[float]) -> str:
    """Return amounts as text: one, or the least and the largest."""
    ends = list(dict.fromkeys(map(number, sorted(amounts))))
    return ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"


def when(years: Iterable[int | None]) -> str:
    """Return years as text: ``in 2028``, ``in 2028 to 2030``, or nothing."""
    known = sorted({year for year in years if year is not None})
    if not known:
        return ""
    runs = [[known[0], known[0]]]
    for year in known[1:]:
        if year == runs[-1][1] + 1:
            runs[-1][1] = year
        else:
            runs.append([year, year])
    return " in " + ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in runs)


def row_name(program: LinearProgram, row: int) -> str:
    """Return the name of a row in the programme."""
    return _named(*program.row_labels[row])


def column_name(program: LinearProgram, column: int) -> str:
    """Return the name of a column in the programme."""
    return _named(*program.column_labels[column])


def _named(name: str, index: Iterable[Any]) -> str:
    return f"{name}[{', '.join(map(str, index))}]"
