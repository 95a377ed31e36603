"""Rows of the linear program as text: what a limit is called and what it requires."""

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
from chipmodel.model.lp.program import row_groups
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.linear_program import LinearProgram, RowGroup

AT_LEAST = "at least"
AT_MOST = "at most"
EXACTLY = "exactly"
SHARE = "in proportion"

FEW = 4
"""Places named in a line before the rest is counted."""

UNNAMED = ("input", "step", "origin class")
"""Parts of an index that do not name a place; an input is in the title of its limit."""

NO_RHS = 1e-9
"""Right-hand sides up to this are zero."""

Key = tuple[str, str]
"""A limit as it is reported: a group of rows, and the input it is about."""


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
    """Describes the rows of a linear program as text.

    Parameters
    ----------
    program : LinearProgram
    parameters : Parameters
        What it was written from: the names of regions, firms, sites ...
    """

    def __init__(self, program: LinearProgram, parameters: Parameters) -> None:
        self.program = program
        self.parameters = parameters
        self.declared = row_groups()
        self.names = _names_by_kind(parameters)

    @cached_property
    def by_row(self) -> Any:
        """The matrix by rows; it is stored by columns."""
        return self.program.matrix.tocsr()

    def group(self, row: int) -> RowGroup:
        """Return the group of a row."""
        return self.program.labels.groups[self.program.row_labels[row][0]]

    def key(self, row: int) -> Key:
        """Return which limit a row belongs to."""
        name, index = self.program.row_labels[row]
        declared = self.declared.get(name)
        about_input = (
            declared is not None
            and declared.kind == "limit"
            and declared.index[0] == "input"
        )
        # Limits on materials are reported for each material, since each has its own
        # suppliers; any other group of rows is one limit.
        of_input = str(index[0]) if about_input else ""
        return name, of_input

    def policy(self, key: Key) -> str:
        """Return the id of the policy of a rule; empty for a physical limit."""
        return self.program.labels.groups[key[0]].policy

    def title(self, key: Key) -> str:
        """Return the name of a limit: a policy and its rule, or a physical limit."""
        name, of_input = key
        policy = self.policy(key)
        if policy:
            _, rule = name.split("__", 1)
            return f"{policy}: {rule.replace('_', ' ')}"
        title = self.declared[name].title
        if of_input:
            title += f": {self.names['input'][of_input]}"
        return title

    def place(self, row: int) -> tuple[str, int | None]:
        """Return where and when a row applies."""
        name, index = self.program.row_labels[row]
        declared = self.declared.get(name)
        kinds = self._kinds_in_rule(index)
        if declared is not None:
            kinds = declared.index
        year = None
        places = []
        for kind, part in zip(kinds, index, strict=True):
            if kind == "year":
                year = part
            elif kind not in UNNAMED:
                places.append(self._name(kind, part))
        return ", ".join(place for place in places if place), year

    def _kinds_in_rule(self, index: tuple[Any, ...]) -> tuple[str, ...]:
        """Return the kinds of an index of a policy's rule, which declares none."""
        kinds = ["" for _ in index]
        if index and index[-1] in self.parameters.discount:
            kinds[-1] = "year"
        return tuple(kinds)

    def _name(self, kind: str, part: Any) -> str:
        if kind == "site":
            site = self.parameters.sites.sites[part]
            if site.kind == "project":
                return site.name
            # The name of a fleet or of new fabs does not include the segment.
            return f"{site.name}, {self.names['segment'][site.segment]}"
        # The rule of a policy does not declare what its index holds: whatever is called
        # by the id is named.
        known = list(self.names.values())
        if kind in self.names:
            known = [self.names[kind]]
        for names in known:
            if part in names:
                return names[part]
        return str(part)

    def row(self, row: int) -> Row:
        """Return a row as text."""
        group = self.group(row)
        rhs = float(self.program.rhs[row])
        where, year = self.place(row)
        # Constants on the left-hand side may make the right-hand side another number
        # than the one the row asks for.
        amount = self.program.stated_amounts.get(row, abs(rhs))
        unit = "index units" if group.unit == "index" else group.unit
        return Row(where, year, amount, unit, self._sense(row, rhs))

    def _sense(self, row: int, rhs: float) -> str:
        if self.program.is_equation[row]:
            return EXACTLY
        # Every row is "at least"; "at most" is written with both sides negative.
        if rhs > 0:
            return AT_LEAST
        if rhs < 0:
            return AT_MOST
        # With zero on the right-hand side, the signs of the coefficients decide; flows
        # on both sides are a proportion.
        signs = np.sign(self.by_row[row].data)
        if (signs < 0).all():
            return AT_MOST
        if (signs > 0).all():
            return AT_LEAST
        return SHARE

    def statements(self, rows: Iterable[int]) -> list[str]:
        """Return what some rows of a limit require, a line for each place."""
        alike: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for row in map(self.row, rows):
            alike[row.where, row.unit, row.sense].append(row)
        lines = [_statement(*key, members) for key, members in alike.items()]
        more = len(lines) - FEW
        if more > 0:
            return [*lines[:FEW], f"and {more} more"]
        return lines


def _names_by_kind(parameters: Parameters) -> dict[str, dict[str, str]]:
    """Return what the ids in an index are called, by kind."""
    data = parameters.data
    regions = {row.region: row.name for row in data.rows(RegionRow)}
    firms = {row.firm: row.name for row in data.rows(FirmRow)}
    sites = parameters.sites.sites
    plants = parameters.packaging.plants
    # Firms without a budget of their own invest from the pool of their home region.
    holders = dict(firms)
    for region, name in regions.items():
        holders[regional_pool(region)] = f"other firms of {name}"
    return {
        "region": regions,
        "segment": {row.segment: row.name for row in data.rows(SegmentRow)},
        "input": {row.input: row.name for row in data.rows(InputRow)},
        "firm": firms,
        "site": {i: site.name for i, site in sites.items()},
        "plant": {i: plant.name for i, plant in plants.items()},
        "holder": holders,
    }


def _statement(where: str, unit: str, sense: str, rows: list[Row]) -> str:
    text = "holds flows in proportion"
    if sense != SHARE:
        text = f"{sense} {span(row.amount for row in rows)} {unit}"
    text += when(row.year for row in rows)
    if where:
        text = f"{where}: {text}"
    return text


def span(amounts: Iterable[float]) -> str:
    """Return amounts as text: one, or the smallest and the largest."""
    # Amounts that read the same are one amount.
    texts = list(dict.fromkeys(map(number, sorted(amounts))))
    if len(texts) == 1:
        return texts[0]
    return f"{texts[0]} to {texts[-1]}"


def when(years: Iterable[int | None]) -> str:
    """Return years as text: ``in 2028``, ``in 2028 to 2030``, or nothing."""
    known = sorted({year for year in years if year is not None})
    if not known:
        return ""
    runs: list[list[int]] = []
    for year in known:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    spans = []
    for run in runs:
        if len(run) == 1:
            spans.append(str(run[0]))
        else:
            spans.append(f"{run[0]} to {run[-1]}")
    return " in " + ", ".join(spans)


def row_name(program: LinearProgram, row: int) -> str:
    """Return the name of a row with its index."""
    return _named(*program.row_labels[row])


def column_name(program: LinearProgram, column: int) -> str:
    """Return the name of a column with its index."""
    return _named(*program.column_labels[column])


def _named(name: str, index: Iterable[Any]) -> str:
    return f"{name}[{', '.join(map(str, index))}]"
