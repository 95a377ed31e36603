"""Two dials of policy on a grid solved beforehand: the numbers behind the sliders.

The grid is a table with a row for each point: the two dials first, in percent, then the
numbers of the study, each under a header that holds its unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import pandas as pd

from chipmodel.common.text import listed, lower, number, percent
from chipmodel.common.units import SHOWN
from chipmodel.display import style
from chipmodel.display.canvas import Drawn, add_caption, subplots
from chipmodel.display.intervals import phrase
from chipmodel.policies.base import Policy
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.results.metrics import Metric, evaluate, parse
from chipmodel.results.summary import Labels, Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.definition import Span, Study, read_study
from chipmodel.studies.plan import Cell, plan
from chipmodel.studies.stored_tables import stored_tables

STUDY = "what_if"


TITLE = "What if: two dials"


ASKS = "What would a higher duty do that a higher credit would not, and at whose cost?"


METHOD = (
    "The study `what_if`: every combination of the two rates on a grid is solved;"
    " between the points of the grid the page interpolates, which is an approximation."
    " The short form shows the grid shipped with the data."
)


STORED = ("what_if_grid", "what_if_reference")
"""Tables of the full form that are shipped with the data."""


GRID, REFERENCE = "grid", "reference"
"""Names of the tables: of the points, and of the case they are compared with."""


DIALS = 2
"""Columns of the grid that hold the dials."""


MAPS = 4
"""Numbers of the grid that are drawn."""


@dataclass(frozen=True)
class GridNumber:
    """A number of the grid.

    Attributes
    ----------
    phrase : str
        What it is called inside a sentence.
    unit : str
        The unit it is shown in.
    """

    phrase: str
    unit: str


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """Return the reference and every point of the grid.

    The short form needs none if the data are shipped with the full grid.
    """
    if short and stored_tables(cache.data, *STORED):
        return []
    reference, points = _reference_and_points(_study(cache, short), cache)
    return [reference, *points]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the grid, its figure, and the numbers at its corners as text."""
    stored = None
    if short:
        stored = stored_tables(cache.data, *STORED)
    frame, reference = stored or solved(cache, short)
    study = read_study(STUDY, cache.data)
    dials = " and ".join(dials_of(frame))
    title = f"{dials}, against {study.reference}"
    drawn = ", ".join(numbers_of(frame)[:MAPS])
    figure = Figure(
        GRID,
        title,
        GRID,
        f"Heat maps of {drawn} over the two rates. {_corner_text(frame)}",
        draw,
    )
    labels = Labels.of(cache.data, cache.world(study.worlds[0]))
    numbers = []
    for metric in _metrics(study, cache):
        unit, _, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        numbers.append(GridNumber(phrase(metric, labels), unit))
    same = f"The same numbers in {study.reference}"
    tables = (Table(GRID, title, frame), Table(REFERENCE, same, reference))
    return Answer(_finding(frame, numbers), tables, (figure,))


def solved(cache: CaseCache, short: bool) -> list[pd.DataFrame]:
    """Return the grid and the reference as solved by the cache."""
    study = _study(cache, short)
    start, points = _reference_and_points(study, cache)
    metrics = _metrics(study, cache)
    base = cache.summary(start.case, start.world)
    headers = {name: _dial_header(points[0], name, base) for name in points[0].point}
    rows = []
    for cell in points:
        row = {}
        for name, value in cell.point.items():
            row[headers[name]] = 100.0 * value
        summary = cache.summary(cell.case, cell.world)
        rows.append(row | _numbers(metrics, summary, base))
    grid = pd.DataFrame(rows).sort_values(list(headers.values()), ignore_index=True)
    return [grid, pd.DataFrame([_numbers(metrics, base, base)])]


def solved_reference(cache: CaseCache) -> pd.DataFrame:
    """Return the numbers of the study's reference as solved by the cache: one row."""
    study = _study(cache, False)
    start, _ = _reference_and_points(study, cache)
    base = cache.summary(start.case, start.world)
    metrics = _metrics(study, cache)
    return pd.DataFrame([_numbers(metrics, base, base)])


def dials_of(frame: pd.DataFrame) -> list[str]:
    """Return the headers of the two dials of a grid."""
    return list(frame.columns[:DIALS])


def numbers_of(frame: pd.DataFrame) -> list[str]:
    """Return the headers of the numbers of a grid."""
    return list(frame.columns[DIALS:])


def dial_label(header: str) -> str:
    """Return the name of a dial without its unit, which is always percent."""
    return header.removesuffix(", %")


def _reference_and_points(study: Study, cache: CaseCache) -> tuple[Cell, list[Cell]]:
    """Return the reference as its file has it, and the cells with both dials set."""
    planned = plan(study, cache.data).cells
    reference = next(
        cell for cell in planned if not cell.point and cell.case.name == study.reference
    )
    return reference, [cell for cell in planned if set(cell.point) == set(study.grid)]


def _study(cache: CaseCache, short: bool) -> Study:
    """Return the study; in the short form, its dials have three and two steps."""
    study = read_study(STUDY, cache.data)
    if not short:
        return study
    grid = {}
    for place, (name, axis) in enumerate(study.grid.items()):
        values = list(axis.numbers if isinstance(axis, Span) else axis)
        chosen = [values[0], values[-1]]
        if place == 0:
            chosen.insert(1, values[len(values) // 2])
        grid[name] = tuple(dict.fromkeys(chosen))
    return study.model_copy(update={"grid": grid})


def _dial_header(cell: Cell, name: str, summary: Summary) -> str:
    """Return the header of a dial: the parameter, its instrument and the region."""
    instrument, _, parameter = name.partition(".")
    policy: Policy = cell.case.policy(instrument)
    # A duty belongs to its importer, support to its region; other instruments to none.
    place = getattr(policy, "importer", None) or getattr(policy, "region", None)
    kind = policy.kind.replace("_", " ")
    return f"{parameter} of the {kind} in {summary.region(str(place or policy.id))}, %"


def _metrics(study: Study, cache: CaseCache) -> list[Metric]:
    return [parse(name) for name in plan(study, cache.data).metrics]


def _numbers(
    metrics: Sequence[Metric], summary: Summary, base: Summary
) -> dict[str, float]:
    """Return metrics by header, in the units they are shown in."""
    values = {}
    for metric in metrics:
        unit, factor, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        row = metric.text(metric.family.row, summary.labels)
        heading = metric.text(metric.family.heading, summary.labels)
        header = f"{row}: {lower(heading)}, {unit}"
        values[header] = factor * evaluate(metric.name, summary, base)
    return values


def _corner(
    frame: pd.DataFrame, first_high: bool = False, second_high: bool = False
) -> pd.Series[Any]:
    """Return the point with each dial at its lowest or, where asked, its highest."""
    first, second = (frame[dial] for dial in dials_of(frame))
    first_end = first.max() if first_high else first.min()
    second_end = second.max() if second_high else second.min()
    at_first, at_second = first == first_end, second == second_end
    corner: pd.Series[Any] = frame[at_first & at_second].iloc[0]
    return corner


def _corner_text(frame: pd.DataFrame) -> str:
    name = numbers_of(frame)[0]

    def value(first_high: bool, second_high: bool) -> str:
        return number(float(_corner(frame, first_high, second_high)[name]), 3)

    return (
        f"{name}: {value(False, False)} with both at their lowest,"
        f" {value(True, False)} with the first at its highest,"
        f" {value(False, True)} with the second at its highest,"
        f" {value(True, True)} with both."
    )


def _change_text(shown: GridNumber, low: float, high: float) -> str:
    """Return by how much a number changes between two points, with its unit."""
    digits = 1 if shown.unit in ("%", "USD bn") else 3
    # Adding zero turns the minus zero of a small negative number into zero.
    start = f"{round(low, digits) + 0.0:,.{digits}f}"
    end = f"{round(high, digits) + 0.0:,.{digits}f}"
    unit = shown.unit
    # A percent sign follows its number without a space.
    if unit not in ("%", ""):
        unit = f" {unit}"
    if start == end:
        return f"{shown.phrase} stays at {start}{unit}"
    verb = "rises" if high > low else "falls"
    return f"{shown.phrase} {verb} from {start} to {end}{unit}"


def _finding(frame: pd.DataFrame, numbers: Sequence[GridNumber]) -> tuple[str, ...]:
    first, second = dials_of(frame)
    headers = numbers_of(frame)
    low = _corner(frame)
    # One dial at a time: the other one stays at its lowest.
    ends = {
        first: _corner(frame, first_high=True),
        second: _corner(frame, second_high=True),
    }
    sentences = []
    for dial, high in ends.items():
        changes = []
        for shown, header in zip(numbers, headers, strict=True):
            changes.append(_change_text(shown, low[header], high[header]))
        sentences.append(
            f"With the {dial_label(dial)} at {percent(high[dial] / 100.0)}"
            f" instead of {percent(low[dial] / 100.0)} and the other dial at its"
            f" lowest, {listed(changes)}."
        )
    along_first = frame[frame[second] == low[second]].sort_values(first)
    along_second = frame[frame[first] == low[first]].sort_values(second)
    header = headers[0]
    if not (_is_monotonic(along_first[header]) and _is_monotonic(along_second[header])):
        sentences.append(
            f"Between the ends, {numbers[0].phrase} does not change in one direction"
            " throughout: read the whole grid, not its ends alone."
        )
    return tuple(sentences)


def _is_monotonic(values: pd.Series[float]) -> bool:
    return values.is_monotonic_increasing or values.is_monotonic_decreasing


def draw(frame: pd.DataFrame) -> Drawn:
    """Draw up to four numbers of the grid as heat maps with their values."""
    across, up = dials_of(frame)
    names = numbers_of(frame)[:MAPS]
    rows = -(-len(names) // 2)
    tall = 0.9 + 2.6 * rows
    fig, axes = subplots(rows, 2, (9.2, tall))
    for ax, name in zip(axes, names, strict=False):
        table = frame.pivot_table(index=up, columns=across, values=name)
        _heat_map(ax, table, name)
    for ax in axes[len(names) :]:
        ax.axis("off")
    add_caption(fig, "Two dials", "every cell is a solve of its own")
    fig.subplots_adjust(
        left=0.09,
        right=0.985,
        top=1.0 - 1.1 / tall,
        bottom=0.5 / tall,
        wspace=0.28,
        hspace=0.66,
    )
    return fig, axes


def _heat_map(ax: Any, table: pd.DataFrame, title: str) -> None:
    """Draw a table with the first dial across and the second one up."""
    values = table.to_numpy(dtype=float)
    low, high = values.min(), values.max()
    # The scale ends well above the largest value, so that ink is read on every cell.
    top = high + 1.2 * (high - low)
    ax.imshow(values, cmap="Blues", aspect="auto", origin="lower", vmin=low, vmax=top)
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            text = number(float(value), 3)
            ax.text(column, row, text, ha="center", va="center", fontsize=8.5)
    ax.set_xticks(range(len(table.columns)), [f"{x:g}" for x in table.columns])
    ax.set_yticks(range(len(table.index)), [f"{x:g}" for x in table.index])
    ax.set_title(style.plain(fill(title, 46)), fontsize=9)
    ax.set_xlabel(style.plain(str(table.columns.name)), fontsize=8)
    ax.set_ylabel(style.plain(fill(str(table.index.name), 24)), fontsize=8)
