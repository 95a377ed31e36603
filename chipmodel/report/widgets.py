"""What the reader of the page can set: a case and a year, and two dials of policy.

Each widget consists of what the HTML shows, a dataclass, and of the numbers the script
of the page reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from chipmodel.common.text import number
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import RegionRow, SegmentRow
from chipmodel.display import style
from chipmodel.questions.folder import Part
from chipmodel.report.sections import opening, what_if
from chipmodel.results.metrics import ALL
from chipmodel.studies.case_cache import HEADLINE
from chipmodel.studies.definition import read_study

ALL_SEGMENTS = -1
"""Place of the sum of all segments among the segments."""


WHOLE_STEPS = 20.0
"""Length of a dial, in percentage points, from which its steps are whole percents."""


Options = Sequence[tuple[int, str]]
"""Choices of a list: value and text."""


@dataclass(frozen=True)
class CapacityChooser:
    """Lists from which a reader chooses a case, a segment and a year."""

    cases: Options
    segments: Options
    years: Options
    chosen_case: int
    chosen_segment: int
    chosen_year: int
    files: list[str]

    @classmethod
    def of(cls, part: Part, data: Dataset) -> CapacityChooser:
        """Return the lists for the table of capacity of the opening."""
        frame = part.table(opening.CAPACITY)
        cells = _cells_of(frame)
        segments = {row.segment: row.name for row in data.rows(SegmentRow)}
        years = _years_of(frame)
        return cls(
            cases=list(enumerate(_names_of(cells))),
            segments=[
                (ALL_SEGMENTS, f"{ALL} segments"),
                *enumerate(segments.values()),
            ],
            years=list(enumerate(map(str, years))),
            chosen_case=_reference_of(cells, data)[0],
            chosen_segment=list(segments).index(data.leading_segment),
            chosen_year=len(years) - 1,
            files=[f"{opening.CAPACITY}.csv"],
        )


def capacity_numbers(part: Part, data: Dataset) -> dict[str, object]:
    """Return capacity in kwpm as nested lists: cell, region, segment, year."""
    frame = part.table(opening.CAPACITY)
    rows = sorted(data.rows(RegionRow), key=lambda row: row.rank)
    regions = {row.region: row.name for row in rows}
    segments = {row.segment: row.name for row in data.rows(SegmentRow)}
    cells = _cells_of(frame)
    years = _years_of(frame)
    keys = ["case", "world", "region", "segment", "year"]
    capacity = frame.set_index(keys)["value"].to_dict()

    def series(cell: tuple[str, str], region: str, segment: str) -> list[float]:
        """Return capacity by year, with as many digits as the page can show."""
        values = [capacity[(*cell, region, segment, year)] for year in years]
        return [float(f"{value:.6g}") for value in values]

    values: list[list[list[list[float]]]] = []
    for cell in cells:
        by_region = []
        for region in regions:
            by_region.append([series(cell, region, segment) for segment in segments])
        values.append(by_region)
    return {
        "cells": _names_of(cells),
        "reference": _reference_of(cells, data),
        "regions": list(regions.values()),
        "colours": list(style.colours(regions).values()),
        "segments": list(segments.values()),
        "years": years,
        "values": values,
    }


def _cells_of(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the cases and worlds of a table, in their order."""
    return list(dict.fromkeys(zip(frame["case"], frame["world"], strict=True)))


def _years_of(frame: pd.DataFrame) -> list[int]:
    return sorted(int(year) for year in frame["year"].unique())


def _names_of(cells: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names of cells; the world is named where it is not the first one."""
    names = []
    first_world = cells[0][1]
    for case, world in cells:
        name = case.replace("_", " ")
        if world != first_world:
            name += f" ({world.replace('_', ' ')})"
        names.append(name)
    return names


def _reference_of(cells: Sequence[tuple[str, str]], data: Dataset) -> list[int]:
    """Return for each cell the place of the reference case in the same world."""
    # The study was checked when the opening was planned.
    reference = read_study(HEADLINE, data).reference or cells[0][0]
    return [cells.index((reference, world)) for _, world in cells]


@dataclass(frozen=True)
class Dial:
    """A slider: its label, its ends and its step."""

    label: str
    low: str
    high: str
    step: str


@dataclass(frozen=True)
class DialNumber:
    """A number that depends on the dials, and its value in the reference case."""

    label: str
    reference: str


@dataclass(frozen=True)
class DialPanel:
    """The two dials, and the numbers that depend on them."""

    dials: list[Dial]
    numbers: list[DialNumber]

    @classmethod
    def of(cls, part: Part) -> DialPanel:
        """Return the panel for the grid of the part."""
        frame = part.table(what_if.GRID)
        reference = part.table(what_if.REFERENCE).iloc[0]
        dials = []
        for name in what_if.dials_of(frame):
            low, high = frame[name].min(), frame[name].max()
            # A short slider needs half percents to have enough steps.
            step = 0.5
            if high - low >= WHOLE_STEPS:
                step = 1.0
            label = what_if.dial_label(name)
            dials.append(Dial(label, f"{low:g}", f"{high:g}", f"{step:g}"))
        numbers = []
        for name in what_if.numbers_of(frame):
            value = number(float(reference[name]), 3)
            numbers.append(DialNumber(name, value))
        return cls(dials, numbers)


def dial_numbers(part: Part) -> dict[str, object]:
    """Return the grid of the two dials: axes, and each number by both dials."""
    frame = part.table(what_if.GRID)
    first, second = what_if.dials_of(frame)
    names = what_if.numbers_of(frame)
    values = []
    for name in names:
        grid = frame.pivot_table(index=first, columns=second, values=name)
        values.append(grid.to_numpy(dtype=float).tolist())
    axes = [sorted(frame[dial].astype(float).unique()) for dial in (first, second)]
    return {"axes": axes, "names": names, "values": values}
