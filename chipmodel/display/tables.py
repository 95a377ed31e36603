"""Comparison tables: as text for a terminal, and as wide tables for a file."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pandas as pd

from chipmodel.common.units import SHOWN
from chipmodel.results.metrics import Metric, describe, parse
from chipmodel.results.summary import Summary

LABEL = 24
"""Letters of the label of a row."""


POINT_CELL = 11
"""Letters of a column of a sweep."""


LINES = 30
"""Points of a sweep shown."""


MINIMUM_CELL, MAXIMUM_CELL = 14, 20
"""Letters of the narrowest and the widest column of a case."""


@dataclass(frozen=True)
class _Row:
    """A metric as text: a label, a cell for each case, and a cell below each."""

    label: str
    cells: list[str]
    below: list[str]
    is_zero: bool


def comparison_text(
    table: pd.DataFrame,
    summaries: dict[str, Summary],
    reference: str | None,
    width: int = 110,
) -> str:
    """Return a comparison as text: cases as columns, metrics as rows under headings.

    Each world is a block of its own, and so are cases that do not fit on the line.

    Parameters
    ----------
    table : DataFrame
        Long, as `StudyResult.table`.
    summaries : dict
        By ``case--world``, for names.
    reference : str, optional
        Case every other is compared with; each block shows it first.
    width : int
        Letters of a line.
    """
    names = next(iter(summaries.values()))
    fitting = max(1, (width - LABEL) // MINIMUM_CELL)
    blocks = []
    for world in dict.fromkeys(table["world"]):
        rows = table[table["world"] == world]
        others = list(dict.fromkeys(rows["case"]))
        start = []
        # The reference is repeated in each block, so that changes can be checked.
        if reference is not None and reference in others:
            others.remove(reference)
            start.append(reference)
        step = max(1, fitting - len(start))
        for first in range(0, max(1, len(others)), step):
            block = _Block(
                rows, start + others[first : first + step], names, reference, width
            )
            blocks.append(block.text(world))
    return "\n\n".join(blocks)


def points_text(table: pd.DataFrame, numbers: list[str], width: int = 110) -> str:
    """Return a sweep as text: a line a point, its numbers first.

    As many metrics follow as the line holds; a key below names all of them.

    Parameters
    ----------
    table : DataFrame
        One row a point, as `StudyResult.wide` of a study that varies numbers.
    numbers : list of str
        Columns of the numbers varied.
    width : int
        Letters of a line.
    """
    metrics = list(table.columns.drop(["case", "world", *numbers]))
    # The name of a point holds its numbers in brackets, which have columns here.
    cases = table["case"].astype(str).str.partition("[")[0]
    label = max(map(len, cases), default=0)
    columns = [*numbers, *metrics]
    marks = [f"({place})" for place in range(1, len(columns) + 1)]
    fitting = max(1, (width - label) // POINT_CELL)
    shown_columns = columns[:fitting]
    lines = [" " * label + _right_aligned(marks[:fitting], POINT_CELL)]
    points = evenly_spaced(len(table), LINES)
    for point in points:
        values = table[shown_columns].iloc[point]
        # A metric that a point lacks has an empty cell.
        cells = ["" if pd.isna(value) else f"{value:.5g}" for value in values]
        name = cases.iloc[point].ljust(label)
        lines.append(name + _right_aligned(cells, POINT_CELL))
    if len(points) < len(table):
        lines.append(
            f"{len(points)} of {len(table)} points shown; comparison_wide.csv has all"
        )
    lines.append("")
    for mark, name in zip(marks, columns, strict=True):
        line = f"{mark} {name}"
        # A number that is varied has no metric to read a unit from.
        if name in metrics:
            line += f", {parse(name).unit}"
        lines.append(line)
    return "\n".join(line.rstrip() for line in lines)


def _right_aligned(texts: Sequence[str], width: int) -> str:
    """Return texts in columns of one width, aligned to the right."""
    return "".join(text.rjust(width) for text in texts)


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return at most `most` places of a list, spread evenly, with both its ends."""
    if count <= most:
        return list(range(count))
    places = {round(step * (count - 1) / (most - 1)) for step in range(most)}
    return sorted(places)


def wide(table: pd.DataFrame, differences: bool) -> pd.DataFrame:
    """Return the table of a study with a row a metric and a column a case and world.

    Parameters
    ----------
    table : DataFrame
        Long, as `StudyResult.table`; with columns ``low`` and ``high`` if intervals are
        known.
    differences : bool
        Whether differences to the reference follow.
    """
    names = list(dict.fromkeys(table["metric"]))
    rows_of_names = []
    for name in names:
        unit, meaning = describe(name)
        rows_of_names.append((name, meaning, unit))
    wide_table = pd.DataFrame(rows_of_names, columns=["metric", "meaning", "unit"])
    shown = ["value"]
    if differences:
        shown.append("difference")
    if "low" in table:
        shown += ["low", "high"]
    cells = list(dict.fromkeys(zip(table["case"], table["world"], strict=True)))
    for column in shown:
        prefix = "" if column == "value" else f"{column} "
        for case, world in cells:
            rows = table[(table["case"] == case) & (table["world"] == world)]
            values = rows.set_index("metric")[column].reindex(names)
            wide_table[f"{prefix}{case}--{world}"] = values.to_numpy()
    return wide_table


def wide_points(table: pd.DataFrame, numbers: list[str]) -> pd.DataFrame:
    """Return the table of a study that varies numbers, with a row a point.

    Columns are the case, the world, the numbers varied, and a column a metric.
    """
    names = list(dict.fromkeys(table["metric"]))
    first = table[table["metric"] == names[0]].reset_index(drop=True)
    columns = {name: first[name] for name in ("case", "world", *numbers)}
    for name in names:
        columns[name] = table.loc[table["metric"] == name, "value"].to_numpy()
    return pd.DataFrame(columns)


def wrapped(text: str, width: int = 110) -> str:
    """Return a paragraph in lines of at most `width` letters."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def shown(value: float, unit: str, signed: bool = False) -> str:
    """Return a number in the unit it is shown in; a missing one is empty."""
    _, factor, decimals = SHOWN.get(unit, (unit, 1.0, 3))
    if math.isnan(value):
        return ""
    # Adding zero turns minus zero into zero.
    number = round(value * factor, decimals) + 0.0
    sign = "+" if signed and number else ""
    return f"{number:{sign},.{decimals}f}"


class _Block:
    """The cases of a world that fit beside each other."""

    def __init__(
        self,
        rows: pd.DataFrame,
        cases: Sequence[str],
        names: Summary,
        reference: str | None,
        width: int,
    ) -> None:
        self.cases = cases
        self.names = names
        self.reference = reference
        self.width = width
        self.column = min(MAXIMUM_CELL, (width - LABEL) // max(1, len(cases)))
        self.metrics = list(dict.fromkeys(rows["metric"]))
        self.cells = rows.set_index(["metric", "case"])

    def text(self, world: str) -> str:
        """Return the block as text."""
        lines = [*textwrap.wrap(self._about(world), self.width), ""]
        lines += self._head()
        for heading, rows in self._groups().items():
            lines += ["", heading]
            for row in rows:
                if row.is_zero:
                    continue
                label = f"  {row.label[: LABEL - 2]}"
                lines.append(label.ljust(LABEL) + "".join(row.cells))
                below = "".join(row.below)
                if below.strip():
                    lines.append(" " * LABEL + below)
            if all(row.is_zero for row in rows):
                lines.append("  none")
        return "\n".join(line.rstrip() for line in lines)

    def _about(self, world: str) -> str:
        about = f"World {world}"
        if self.reference in self.cases and len(self.cases) > 1:
            about += f"; changes are against {self.reference}"
        if "low" in self.cells:
            about += "; below a number: its interval over the ranges of the data"
        return about

    def _head(self) -> list[str]:
        """Return the names of the cases, over as many lines as the longest needs."""
        names = [_folded_name(case, self.column - 2) for case in self.cases]
        lines = []
        for parts in zip_longest(*names, fillvalue=""):
            lines.append(" " * LABEL + _right_aligned(parts, self.column))
        return lines

    def _groups(self) -> dict[str, list[_Row]]:
        """Return the rows by heading."""
        groups: dict[str, list[_Row]] = {}
        for name in self.metrics:
            metric = parse(name)
            heading = metric.text(metric.family.heading, self.names.labels)
            unit = SHOWN.get(metric.unit, (metric.unit,))[0]
            if unit:
                heading += f", {unit}"
            groups.setdefault(heading, []).append(self._row(metric))
        return groups

    def _row(self, metric: Metric) -> _Row:
        cells, below, values = [], [], []
        for case in self.cases:
            value = self._number(metric, case, "value")
            values.append(value)
            below.append(self._interval(metric, case).rjust(self.column))
            if metric.family.against:
                # It is a difference by itself, and the reference has none.
                text = ""
                if case != self.reference:
                    text = shown(value, metric.unit, signed=True)
                cells.append(text.rjust(self.column))
            else:
                half = self.column // 2
                text = shown(value, metric.unit).rjust(self.column - half)
                cells.append(text + self._change(metric, case).rjust(half))
        label = metric.text(metric.family.row, self.names.labels)
        is_zero = all(value == 0 or math.isnan(value) for value in values)
        return _Row(label, cells, below, is_zero)

    def _change(self, metric: Metric, case: str) -> str:
        """Return the change against the reference; empty if there is none."""
        if case == self.reference:
            return ""
        change = self._number(metric, case, "difference")
        return shown(change, metric.unit, signed=True)

    def _interval(self, metric: Metric, case: str) -> str:
        """Return the interval of a number; empty if it is not known or has no width."""
        if "low" not in self.cells:
            return ""
        low = self._number(metric, case, "low")
        high = self._number(metric, case, "high")
        if math.isnan(low) or low == high:
            return ""
        return f"{shown(low, metric.unit)} to {shown(high, metric.unit)}"

    def _number(self, metric: Metric, case: str, column: str) -> float:
        return float(self.cells.loc[(metric.name, case), column])  # type: ignore[arg-type]


def _folded_name(case: str, width: int) -> list[str]:
    """Break the name of a case at underscores."""
    lines = [""]
    for part in case.replace("_", "_ ").split(" "):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return [line[:width] for line in lines]
