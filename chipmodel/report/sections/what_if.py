"""Two dials of policy on a grid solved beforehand: what the reader's sliders read from."""

from __future__ import annotations

from itertools import pairwise
from textwrap import fill
from typing import Any

import pandas as pd

from chipmodel.common.text import listed, lower, number, percent
from chipmodel.common.units import SHOWN
from chipmodel.display import style
from chipmodel.display.intervals import phrase
from chipmodel.model.world import load_world
from chipmodel.policies.base import Policy
from chipmodel.questions.answer import Answer, Figure, Table
from chipmodel.results.metrics import evaluate, parse
from chipmodel.results.summary import Labels, Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.definition import Span, Study
from chipmodel.studies.plan import Cell, load_study, plan
from chipmodel.studies.stored_tables import stored_tables

STUDY = "what_if"


TITLE = "What if: two dials"


ASKS = "What would a higher duty do that a higher credit would not, and at whose cost?"


METHOD = (
    "The study `what_if`: every combination of the two rates on a grid is solved;"
    " between the points of the grid the page interpolates, which is an approximation."
    " The short form shows the grid kept with the data."
)


KEPT = ("what_if_grid", "what_if_reference")
"""Tables of the full form kept with the data."""


GRID, REFERENCE = "grid", "reference"
"""Names of the tables: of the points, and of the case they are compared with."""


def cells(cache: CaseCache, short: bool) -> list[Cell]:
    """The reference and every point of the grid; none if it is to be short and the full grid is kept."""
    if short and stored_tables(cache.data, *KEPT):
        return []
    base, points = _cells(_study(cache, short), cache)
    return [base, *points]


def answer(cache: CaseCache, short: bool) -> Answer:
    """Return the grid, its figure and what its corners say."""
    frame, reference = (stored_tables(cache.data, *KEPT) if short else None) or solved(
        cache, short
    )
    study = load_study(STUDY, cache.data)
    against = study.reference
    title = f"{' and '.join(frame.columns[:2])}, against {against}"
    picture = Figure(
        GRID,
        title,
        GRID,
        f"Heat maps of {', '.join(frame.columns[2:6])} over the two rates. "
        + _corners(frame),
        draw,
    )
    labels = Labels.of(cache.data, load_world(study.worlds[0], cache.data))
    names = [phrase(parse(name), labels) for name in plan(study, cache.data).metrics]
    return Answer(
        _finding(frame, names),
        (
            Table(GRID, title, frame),
            Table(REFERENCE, f"The same numbers in {against}", reference),
        ),
        (picture,),
    )


def solved(cache: CaseCache, short: bool) -> list[pd.DataFrame]:
    """Return the grid and the reference, solved."""
    study = _study(cache, short)
    start, points = _cells(study, cache)
    names = plan(study, cache.data).metrics
    base = cache.summary(start.case, start.world)
    dials = {name: _words(points[0], name, base) for name in points[0].point}
    frame = pd.DataFrame(
        [
            {
                **{dials[name]: 100.0 * value for name, value in cell.point.items()},
                **_values(names, cache.summary(cell.case, cell.world), base),
            }
            for cell in points
        ]
    ).sort_values(list(dials.values()), ignore_index=True)
    return [frame, pd.DataFrame([_values(names, base, base)])]


def reference(cache: CaseCache) -> pd.DataFrame:
    """Return the numbers of the study's reference, solved: one row."""
    study = _study(cache, False)
    start, _ = _cells(study, cache)
    base = cache.summary(start.case, start.world)
    names = plan(study, cache.data).metrics
    return pd.DataFrame([_values(names, base, base)])


def _cells(study: Study, cache: CaseCache) -> tuple[Cell, list[Cell]]:
    """Return the reference as its file has it, and the cells in which every dial is turned."""
    found = plan(study, cache.data).cells
    return (
        next(
            cell
            for cell in found
            if not cell.point and cell.case.name == study.reference
        ),
        [cell for cell in found if set(cell.point) == set(study.grid)],
    )


def _study(cache: CaseCache, short: bool) -> Study:
    study = load_study(STUDY, cache.data)
    if not short:
        return study
    values = {
        name: list(v.numbers if isinstance(v, Span) else v)
        for name, v in study.grid.items()
    }
    fewer = {
        name: tuple(
            dict.fromkeys((v[0], v[len(v) // 2], v[-1]) if k == 0 else (v[0], v[-1]))
        )
        for k, (name, v) in enumerate(values.items())
    }
    return study.model_copy(update={"grid": fewer})


def _words(cell: Cell, name: str, own: Summary) -> str:
    """Return a dial in words: whose it is and what of it varies."""
    policy: Policy = cell.case.policy(name.partition(".")[0])
    place = (
        getattr(policy, "importer", None)
        or getattr(policy, "region", None)
        or policy.id
    )
    what = policy.kind.replace("_", " ")
    return f"{name.partition('.')[2]} of the {what} in {own.region(str(place))}, %"


def _values(names: tuple[str, ...], own: Summary, base: Summary) -> dict[str, float]:
    found = {}
    for name in names:
        metric = parse(name)
        unit, factor, _ = SHOWN.get(metric.unit, (metric.unit, 1.0, 3))
        row, heading = (
            metric.text(text, own.labels)
            for text in (metric.family.row, metric.family.heading)
        )
        found[f"{row}: {lower(heading)}, {unit}"] = factor * evaluate(name, own, base)
    return found


def _corner(frame: pd.DataFrame, ends: tuple[int, int]) -> pd.Series[Any]:
    dials = list(frame.columns[:2])
    low, high = (
        frame[dials[k]].min() if end < 0 else frame[dials[k]].max()
        for k, end in enumerate(ends)
    )
    found: pd.Series[Any] = frame[
        (frame[dials[0]] == low) & (frame[dials[1]] == high)
    ].iloc[0]
    return found


def _corners(frame: pd.DataFrame) -> str:
    first = frame.columns[2]
    ends = [(-1, -1), (1, -1), (-1, 1), (1, 1)]
    said = [f"{number(float(_corner(frame, end)[first]), 3)}" for end in ends]
    return (
        f"{first}: {said[0]} with both at their lowest, {said[1]} with the first at its"
        f" highest, {said[2]} with the second at its highest, {said[3]} with both."
    )


def _move(what: str, unit: str, low: float, high: float) -> str:
    """Return how a number moves, with its unit."""
    digits = 3 if unit not in ("%", "USD bn") else 1
    ends = [f"{round(x, digits) + 0.0:,.{digits}f}" for x in (low, high)]
    after = unit if unit == "%" else f" {unit}" if unit else ""
    if ends[0] == ends[1]:
        return f"{what} stays at {ends[0]}{after}"
    return (
        f"{what} {'rises' if high > low else 'falls'} from {ends[0]} to"
        f" {ends[1]}{after}"
    )


def _finding(frame: pd.DataFrame, names: list[str]) -> tuple[str, ...]:
    dials = list(frame.columns[:2])
    low = _corner(frame, (-1, -1))
    said = []
    for k, dial in enumerate(dials):
        ends = (1, -1) if k == 0 else (-1, 1)
        high = _corner(frame, ends)
        moves = listed(
            [
                _move(
                    name,
                    column.rpartition(", ")[2],
                    float(low[column]),
                    float(high[column]),
                )
                for name, column in zip(names, frame.columns[2:], strict=True)
            ]
        )
        said.append(
            f"With the {dial.removesuffix(', %')} at {percent(high[dial] / 100.0)}"
            f" instead of {percent(low[dial] / 100.0)} and the other dial at its"
            f" lowest, {moves}."
        )
    first = frame.columns[2]
    steps = [
        frame[frame[dials[1]] == low[dials[1]]].sort_values(dials[0])[first].tolist(),
        frame[frame[dials[0]] == low[dials[0]]].sort_values(dials[1])[first].tolist(),
    ]
    bent = [
        not (
            all(b >= a for a, b in pairwise(one))
            or all(b <= a for a, b in pairwise(one))
        )
        for one in steps
    ]
    if any(bent):
        said.append(
            f"Between the ends {names[0]} does not move one way all along: read the"
            " grid, not its ends alone."
        )
    return tuple(said)


def draw(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Draw up to four numbers of the grid as heat maps with their values."""
    from chipmodel.display.canvas import _caption, _subplots

    across, up = frame.columns[:2]
    shown = list(frame.columns[2:6])
    rows = -(-len(shown) // 2)
    tall = 0.9 + 2.6 * rows
    fig, axes = _subplots(rows, 2, (9.2, tall))
    for ax, name in zip(axes, shown, strict=False):
        wide = frame.pivot_table(index=up, columns=across, values=name)
        shown_at = wide.to_numpy(dtype=float)
        low, high = shown_at.min(), shown_at.max()
        # The scale ends well above the largest value, so that ink is read on every
        # cell.
        ax.imshow(
            shown_at,
            cmap="Blues",
            aspect="auto",
            origin="lower",
            vmin=low,
            vmax=high + 1.2 * (high - low),
        )
        for i in range(wide.shape[0]):
            for j in range(wide.shape[1]):
                ax.text(
                    j,
                    i,
                    number(float(shown_at[i, j]), 3),
                    ha="center",
                    va="center",
                    fontsize=8.5,
                )
        ax.set_xticks(range(wide.shape[1]), [f"{x:g}" for x in wide.columns])
        ax.set_yticks(range(wide.shape[0]), [f"{x:g}" for x in wide.index])
        ax.set_title(style.plain(fill(name, 46)), fontsize=9)
        ax.set_xlabel(style.plain(across), fontsize=8)
        ax.set_ylabel(style.plain(fill(up, 24)), fontsize=8)
    for ax in axes[len(shown) :]:
        ax.axis("off")
    _caption(fig, "Two dials", "every cell is a solve of its own")
    fig.subplots_adjust(
        left=0.09,
        right=0.985,
        top=1.0 - 1.1 / tall,
        bottom=0.5 / tall,
        wspace=0.28,
        hspace=0.66,
    )
    return fig, axes
