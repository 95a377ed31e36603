"""Kinds of figures that questions share: curves, bars, matrices and dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from chipmodel.display import style
from chipmodel.display.canvas import (
    CurveEnd,
    Drawn,
    add_caption,
    annotate_beside,
    label_margin,
    longest_line,
    name_ends,
    name_rows,
    signed_number,
    stack_diverging,
    subplots,
    widen_for_numbers,
)

LINES = (style.INK, *style.OTHERS)
"""Colours of curves that are no regions."""


MARKS = ("o", "s", "D", "^", "v", "P")
LOSS, GAIN = "#B2182B", "#2166AC"

TICKS = 8
"""Shares up to which each has its own mark on the axis."""


CURVE_NAME, BAR_NAME, MATRIX_NAME, GROUP_NAME = 16, 26, 30, 20
"""Letters at which names of curves, bars, rows of a matrix and groups are folded."""


def curves(
    table: pd.DataFrame,
    *,
    x: str,
    by: str,
    panels: Mapping[str, str],
    title: str,
    note: str,
    xlabel: str,
    ylabel: str,
    paint: Mapping[str, str] | None = None,
    percent: bool = False,
) -> Drawn:
    """Draw curves with their names at their ends, in one panel for each column.

    Parameters
    ----------
    table : DataFrame
    x, by : str
        Columns of the horizontal axis and of the name of the curve.
    panels : mapping
        Title of the panel by column.
    title, note, xlabel, ylabel : str
    paint : mapping, optional
        Colour by name of the curve.
    percent : bool
        Whether the horizontal axis is a share, shown in percent.
    """
    names = list(dict.fromkeys(table[by]))
    colours = dict(paint or zip(names, LINES * len(names), strict=False))
    width = max(6.4, 1.7 + 3.9 * len(panels))
    fig, axes = subplots(1, len(panels), (width, 4.5))
    scale = 1.0
    if percent:
        scale = 100.0
    ticks = sorted({scale * float(value) for value in table[x]})
    for ax, (column, heading) in zip(axes, panels.items(), strict=True):
        ends = []
        for place, name in enumerate(names):
            rows = (table[by] == name) & table[column].notna()
            curve = table[rows].sort_values(x)
            # A panel may lack a curve, which keeps its colour in the others.
            if curve.empty:
                continue
            ax.plot(
                scale * curve[x],
                curve[column],
                color=colours[name],
                marker=MARKS[place % len(MARKS)],
                markersize=3.5,
                clip_on=False,
                zorder=3,
            )
            # The name is written at the last point that has a value.
            last = curve.iloc[-1]
            ends.append(CurveEnd(float(last[column]), scale * float(last[x]), name))
        ax.axhline(0, color=style.FAINT, linewidth=0.8)
        ax.set_title(style.plain(heading))
        ax.set_xlabel(style.plain(xlabel))
        ax.grid(axis="y")
        if percent and len(ticks) <= TICKS:
            ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        name_ends(ax, ends, colours, CURVE_NAME)
    axes[0].set_ylabel(style.plain(ylabel))
    add_caption(fig, style.plain(title), style.plain(note))
    left = 0.75
    right = 0.072 * longest_line(names, CURVE_NAME) + 0.12
    panel = (width - left - right) / len(panels)
    fig.subplots_adjust(
        left=left / width,
        right=1.0 - right / width,
        top=0.79,
        bottom=0.13,
        wspace=(right + 0.65) / (panel - 0.5),
    )
    return fig, axes


def _groups(table: pd.DataFrame, panel: str | None) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each panel with its heading."""
    if panel is None:
        return [("", table)]
    return [(str(name), group) for name, group in table.groupby(panel, sort=False)]


def _legend(fig: Any, colours: Mapping[str, str], columns: int, **options: Any) -> None:
    """Write the legend of bars below the caption."""
    from matplotlib.patches import Patch  # an optional extra

    handles = []
    for column, colour in colours.items():
        handles.append(Patch(color=colour, label=style.plain(column)))
    fig.legend(
        handles=handles,
        loc="upper left",
        ncols=columns,
        fontsize=8.5,
        handlelength=1.2,
        bbox_to_anchor=(0.004, 1.0 - 0.6 / fig.get_figheight()),
        borderaxespad=0.2,
        **options,
    )


def stacked_support(
    table: pd.DataFrame,
    *,
    label: str,
    parts: Mapping[str, str],
    title: str,
    note: str,
    panel: str | None = None,
    total: bool = True,
) -> Drawn:
    """Draw a bar for each row, with gains stacked right of zero and losses left of it.

    Parameters
    ----------
    table : DataFrame
    label : str
        Column with the name of the bar.
    parts : mapping
        Colour by column. The legend shows its name; the title states the unit.
    title, note : str
    panel : str, optional
        Column with the name of the panel a row belongs to.
    total : bool
        Whether the sum is marked and written.
    """
    groups = _groups(table, panel)
    count = max(len(group) for _, group in groups)
    # Where bars carry the names of their parts, a legend would repeat them.
    is_named = set(parts) == set(table[label])
    legend_lines = 0
    if not is_named:
        legend_lines = -(-len(parts) // 4)
    wide, tall = 8.8, 1.55 + 0.24 * legend_lines + 0.46 * count
    fig, axes = subplots(1, len(groups), (wide, tall), sharey=True)
    for ax, (heading, group) in zip(axes, groups, strict=True):
        for position, (_, row) in enumerate(group.iterrows()):
            values = {column: float(row[column]) for column in parts}
            stack_diverging(ax, position, values, parts, total)
        ax.axvline(0, color=style.INK, linewidth=0.9)
        name_rows(ax, group[label], BAR_NAME)
        ax.set_ylim(count - 0.45, -0.6)
        widen_for_numbers(ax, 0.16)
        ax.grid(axis="x")
        ax.set_title(style.plain(heading))
    if legend_lines:
        _legend(fig, parts, min(4, len(parts)), columnspacing=1.4)
    add_caption(fig, style.plain(title), style.plain(note))
    # Margins are fixed in inches, so that letters of all figures have one size.
    above = 0.85 + 0.24 * legend_lines
    if panel:
        above += 0.2
    fig.subplots_adjust(
        left=label_margin(map(str, table[label]), BAR_NAME) / wide,
        right=0.98,
        bottom=0.36 / tall,
        top=1.0 - above / tall,
        wspace=0.1,
    )
    return fig, axes


def matrix(
    table: pd.DataFrame, *, label: str, columns: Sequence[str], title: str, note: str
) -> Drawn:
    """Draw gains (blue) and losses (red) as numbers on shades, one scale for all.

    Parameters
    ----------
    table : DataFrame
    label : str
        Column with the name of the row.
    columns : sequence of str
        Columns with the numbers.
    title, note : str
    """
    from matplotlib.colors import LinearSegmentedColormap  # an optional extra

    wide, tall = 8.6, 1.35 + 0.42 * len(table)
    fig, (ax,) = subplots(1, 1, (wide, tall))
    values = table[list(columns)].to_numpy(dtype=float)
    # A table of zeros must not be divided by zero.
    largest = max(abs(values).max(), 1e-9)
    shades = LinearSegmentedColormap.from_list("gains", [LOSS, "white", GAIN])
    # Square roots, because on a linear scale all small numbers would look white.
    signs = (values > 0) * 2 - 1
    strength = (abs(values) / largest) ** 0.5 * signs
    ax.imshow(0.8 * strength, cmap=shades, vmin=-1, vmax=1, aspect="auto")
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            ink = style.INK
            # Dark letters cannot be read on the darkest shades.
            if abs(strength[row, column]) > 0.75:
                ink = "white"
            ax.text(
                column,
                row,
                signed_number(value),
                ha="center",
                va="center",
                color=ink,
            )
    headings = [style.short(column, 10) for column in columns]
    ax.set_xticks(range(len(columns)), headings)
    ax.xaxis.tick_top()
    name_rows(ax, table[label], MATRIX_NAME)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    add_caption(fig, style.plain(title), style.plain(note))
    fig.subplots_adjust(
        left=label_margin(map(str, table[label]), MATRIX_NAME) / wide,
        right=0.985,
        top=1.0 - 1.08 / tall,
        bottom=0.12 / tall,
    )
    return fig, ax


def side_by_side(
    table: pd.DataFrame,
    *,
    label: str,
    panel: str,
    columns: Mapping[str, str],
    title: str,
    note: str,
    none: str = "",
) -> Drawn:
    """Draw a group of bars for each row, in panels with scales of their own.

    Parameters
    ----------
    table : DataFrame
    label, panel : str
        Columns with the name of the group and of its panel.
    columns : mapping
        Colour by column; each column is a bar of the group.
    title, note : str
    none : str
        What is written in place of a number that is missing.
    """
    groups = _groups(table, panel)
    count = max(len(group) for _, group in groups)
    wide, tall = 9.2, 1.7 + count * (0.14 * len(columns) + 0.16)
    fig, axes = subplots(1, len(groups), (wide, tall), sharey=True)
    height = 0.8 / len(columns)
    middle = (len(columns) - 1) / 2.0
    for ax, (heading, group) in zip(axes, groups, strict=True):
        for position, (_, row) in enumerate(group.iterrows()):
            for place, (column, colour) in enumerate(columns.items()):
                y = position + (place - middle) * height
                if pd.isna(row[column]):
                    text = f" {none}"
                    ax.text(0, y, text, va="center", color=style.FAINT, fontsize=8)
                    continue
                value = float(row[column])
                ax.barh(y, value, height=0.9 * height, color=colour)
                # Without plus signs: these are levels as well as changes.
                annotate_beside(ax, value, y, signed_number(value).lstrip("+"))
        ax.axvline(0, color=style.INK, linewidth=0.9)
        name_rows(ax, group[label], GROUP_NAME)
        ax.set_ylim(count - 0.5, -0.5)
        widen_for_numbers(ax, 0.12)
        ax.grid(axis="x")
        ax.set_title(style.plain(heading))
    _legend(fig, columns, len(columns))
    add_caption(fig, style.plain(title), style.plain(note))
    fig.subplots_adjust(
        left=label_margin(map(str, table[label]), GROUP_NAME) / wide,
        right=0.985,
        top=1.0 - 1.2 / tall,
        bottom=0.35 / tall,
        wspace=0.08,
    )
    return fig, axes


def dots(
    table: pd.DataFrame, *, label: str, panel: str, title: str, note: str
) -> Drawn:
    """Draw values as dots on lines from low to high, in two columns of panels.

    Parameters
    ----------
    table : DataFrame
        With columns ``value``, ``low`` and ``high``.
    label, panel : str
        Columns with the name of the line and of the panel.
    title, note : str
    """
    groups = _groups(table, panel)
    names = [str(name) for name in dict.fromkeys(table[label])]
    rows_of_panels = -(-len(groups) // 2)
    wide, tall = 8.8, 0.85 + rows_of_panels * (0.72 + 0.3 * len(names))
    fig, axes = subplots(rows_of_panels, 2, (wide, tall), sharey=True)
    for ax in axes[len(groups) :]:
        ax.set_visible(False)
    colour = style.REGION_COLOURS["USA"]
    for ax, (heading, group) in zip(axes, groups, strict=False):
        for row in group.to_dict("records"):
            y = names.index(str(row[label]))
            ax.plot(
                [row["low"], row["high"]],
                [y, y],
                color=colour,
                linewidth=3,
                alpha=0.35,
                solid_capstyle="butt",
            )
            ax.plot(row["value"], y, "o", color=colour, markersize=6)
        # Zero is marked only where a panel contains it: it would widen the others.
        if float(group["low"].min()) < 0 < float(group["high"].max()):
            ax.axvline(0, color=style.INK, linewidth=0.9)
        name_rows(ax, names, BAR_NAME)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.grid(axis="x")
        ax.set_title(style.plain(heading))
    add_caption(fig, style.plain(title), style.plain(note))
    fig.subplots_adjust(
        left=label_margin(names, BAR_NAME) / wide,
        right=0.98,
        bottom=0.35 / tall,
        top=1.0 - 1.05 / tall,
        wspace=0.08,
        hspace=0.62 / (0.3 * len(names)),
    )
    return fig, axes
