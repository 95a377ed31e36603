"""Comparison tables as text for a terminal."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

import pandas as pd

from chipmodel.common.units import SHOWN
from chipmodel.results.metrics import Metric, describe, parse
from chipmodel.results.summary import Summary

LABEL = 24


CELL = 11
"""Width of a column of a sweep."""


LINES = 30
"""Points of a sweep shown."""


LEAST = 14
"""Narrowest column of a case."""


@dataclass(frozen=True)
class _Row:
    label: str
    cells: list[str]
    below: list[str]
    empty: bool


def comparison_text(
    table: pd.DataFrame,
    summaries: dict[str, Summary],
    reference: str | None,
    width: int = 110,
) -> str:
    """Return a comparison as text: cases as columns, metrics as rows under headings, one part a world.

    Parameters
    ----------
    table : DataFrame
        Long, as `StudyResult.table`.
    summaries : dict
        By ``case--world``, for names.
    reference : str, optional
        Case every other is compared with.
    width : int
        Characters a line.
    """
    parts = []
    room = max(1, (width - LABEL) // LEAST)
    for world in dict.fromkeys(table["world"]):
        here = table[table["world"] == world]
        cases = list(dict.fromkeys(here["case"]))
        start = [c for c in cases if c == reference]
        others = [c for c in cases if c != reference]
        step = max(1, room - len(start))
        for first in range(0, max(1, len(others)), step):
            shown = start + others[first : first + step]
            labels = next(iter(summaries.values()))
            parts.append(_block(here, shown, world, labels, reference, width))
    return "\n\n".join(parts)


def points_text(table: pd.DataFrame, numbers: list[str], width: int = 110) -> str:
    """Return a sweep as text: a line a point, the numbers first, then as many metrics as the width holds.

    Parameters
    ----------
    table : DataFrame
        One row a point, as `StudyResult.wide` of a study that varies numbers.
    numbers : list of str
        Columns of the numbers varied.
    width : int
        Characters a line.
    """
    metrics = [
        name for name in table.columns if name not in ("case", "world", *numbers)
    ]
    cases = [str(case).partition("[")[0] for case in table["case"]]
    first = max(map(len, cases), default=0)
    marks = [f"({k})" for k in range(1, len(numbers) + len(metrics) + 1)]
    room = max(1, (width - first) // CELL)
    columns = [*numbers, *metrics][:room]
    kept = _spread(len(table), LINES)
    lines = [" " * first + "".join(mark.rjust(CELL) for mark in marks[: len(columns)])]
    for k in kept:
        cells = [table[name].iloc[k] for name in columns]
        lines.append(
            cases[k].ljust(first)
            + "".join(("" if c != c else f"{c:.5g}").rjust(CELL) for c in cells)
        )
    if len(kept) < len(table):
        lines.append(
            f"{len(kept)} of {len(table)} points shown; comparison_wide.csv has all"
        )
    lines.append("")
    for mark, name in zip(marks, [*numbers, *metrics], strict=True):
        lines.append(
            f"{mark} {name}" + (f", {parse(name).unit}" if name in metrics else "")
        )
    return "\n".join(line.rstrip() for line in lines)


def _spread(count: int, most: int) -> list[int]:
    """Return at most `most` places spread evenly, both ends included."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})


def wide(table: pd.DataFrame, differences: bool) -> pd.DataFrame:
    """Return the table of a study with a row a metric, with differences to the reference and intervals if asked."""
    names = list(dict.fromkeys(table["metric"]))
    wide = pd.DataFrame(
        {
            "metric": names,
            "meaning": [describe(n)[1] for n in names],
            "unit": [describe(n)[0] for n in names],
        }
    )
    cells = list(dict.fromkeys(zip(table["case"], table["world"], strict=True)))
    columns = [
        "value",
        *(["difference"] if differences else []),
        *(["low", "high"] if "low" in table else []),
    ]
    for column in columns:
        for case, world in cells:
            part = table[(table["case"] == case) & (table["world"] == world)].set_index(
                "metric"
            )[column]
            prefix = "" if column == "value" else f"{column} "
            wide[f"{prefix}{case}--{world}"] = part.reindex(names).to_numpy()
    return wide


def wide_points(table: pd.DataFrame, numbers: list[str]) -> pd.DataFrame:
    """Return the table of a study that varies numbers with a row a point and a column a metric."""
    names = list(dict.fromkeys(table["metric"]))
    keys = ["case", "world", *numbers]
    first = table[table["metric"] == names[0]].reset_index(drop=True)
    values = {
        name: table.loc[table["metric"] == name, "value"].to_numpy() for name in names
    }
    return pd.DataFrame({**{name: first[name] for name in keys}, **values})


def wrapped(text: str, width: int = 110) -> str:
    """Return a paragraph in lines of at most `width` characters."""
    return "\n".join(
        textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    )


def shown(value: float, unit: str, signed: bool = False) -> str:
    """Return a number as a table shows it."""
    _, factor, decimals = SHOWN.get(unit, (unit, 1.0, 3))
    if math.isnan(value):
        return ""
    number = round(value * factor, decimals) + 0.0
    return f"{number:{'+' if signed and number else ''},.{decimals}f}"


def _block(
    here: pd.DataFrame,
    cases: list[str],
    world: str,
    names: Summary,
    reference: str | None,
    width: int,
) -> str:
    column = min(20, (width - LABEL) // max(1, len(cases)))
    compared = reference in cases and len(cases) > 1
    about = f"World {world}" + (
        f"; changes are against {reference}" if compared else ""
    )
    heads = [_head(case, column - 2) for case in cases]
    drawn = "low" in here
    if drawn:
        about += "; below a number: its interval over the ranges of the data"
    lines = [*textwrap.wrap(about, width), ""]
    for i in range(max(map(len, heads))):
        lines.append(
            "".ljust(LABEL)
            + "".join((h[i] if i < len(h) else "").rjust(column) for h in heads)
        )
    cells = here.set_index(["metric", "case"])
    groups: dict[str, list[_Row]] = {}
    for name in dict.fromkeys(here["metric"]):
        metric = parse(name)
        unit = SHOWN.get(metric.unit, (metric.unit,))[0]
        heading = metric.text(metric.family.heading, names.labels) + (
            f", {unit}" if unit else ""
        )
        groups.setdefault(heading, []).append(
            _row(metric, cells, cases, names, column, reference)
        )
    for heading, rows in groups.items():
        lines += ["", heading]
        full = [row for row in rows if not row.empty]
        for row in full:
            lines.append(
                f"  {row.label[: LABEL - 2]}".ljust(LABEL) + "".join(row.cells)
            )
            if any(cell.strip() for cell in row.below):
                lines.append("".ljust(LABEL) + "".join(row.below))
        if not full:
            lines.append("  none")
    return "\n".join(line.rstrip() for line in lines)


def _row(
    metric: Metric,
    cells: pd.DataFrame,
    cases: list[str],
    names: Summary,
    column: int,
    reference: str | None,
) -> _Row:
    found, values, below = [], [], []
    half = column // 2
    for case in cases:
        below.append(_interval(cells, metric, case).rjust(column))
        value = float(cells.loc[(metric.name, case), "value"])  # type: ignore[arg-type]
        change = float(cells.loc[(metric.name, case), "difference"])  # type: ignore[arg-type]
        values.append(value)
        if metric.family.against:
            text = "" if case == reference else shown(value, metric.unit, signed=True)
            found.append(text.rjust(column))
            continue
        aside = (
            ""
            if case == reference or math.isnan(change)
            else shown(change, metric.unit, signed=True)
        )
        found.append(shown(value, metric.unit).rjust(column - half) + aside.rjust(half))
    label = metric.text(metric.family.row, names.labels)
    return _Row(label, found, below, all(v == 0 or math.isnan(v) for v in values))


def _interval(cells: pd.DataFrame, metric: Metric, case: str) -> str:
    if "low" not in cells:
        return ""
    low, high = (float(cells.loc[(metric.name, case), end]) for end in ("low", "high"))  # type: ignore[arg-type]
    return (
        ""
        if math.isnan(low) or low == high
        else f"{shown(low, metric.unit)} to {shown(high, metric.unit)}"
    )


def _head(case: str, width: int) -> list[str]:
    """Break the name of a case at underscores."""
    lines = [""]
    for part in case.replace("_", "_ ").split(" "):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return [line[:width] for line in lines]
