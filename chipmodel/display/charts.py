"""Kinds of figures the questions share: curves, stacked bars and a matrix of gains and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from chipmodel.display import style
from chipmodel.display.canvas import (
    Drawn,
    _beside,
    _caption,
    _signed,
    _spread,
    _subplots,
    _widen,
)

LINES = (style.INK, *style.OTHERS)
"""Colours of curves that are no regions."""


MARKS = ("o", "s", "D", "^", "v", "P")


LOSS, GAIN = "#B2182B", "#2166AC"


TICKS = 8
"""Shares up to which each has its own mark on the axis."""


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
    """Draw curves with their names at their ends, one panel for each column in `panels` (title by column).

    Parameters
    ----------
    x, by : str
        Columns of the horizontal axis and of the name of the curve.
    percent : bool
        Whether the horizontal axis is a share.
    """
    names = list(dict.fromkeys(table[by]))
    colour = dict(paint or dict(zip(names, LINES * len(names), strict=False)))
    wide = 1.7 + 3.9 * len(panels)
    fig, axes = _subplots(1, len(panels), (max(6.4, wide), 4.5))
    scale = 100.0 if percent else 1.0
    for ax, (column, heading) in zip(axes, panels.items(), strict=True):
        ends: list[tuple[float, float, str]] = []
        for k, name in enumerate(names):
            part = table[(table[by] == name) & table[column].notna()].sort_values(x)
            if part.empty:
                continue
            ax.plot(
                scale * part[x],
                part[column],
                color=colour[name],
                marker=MARKS[k % len(MARKS)],
                markersize=3.5,
                clip_on=False,
                zorder=3,
            )
            ends.append(
                (float(part[column].iloc[-1]), scale * float(part[x].iloc[-1]), name)
            )
        ax.axhline(0, color=style.FAINT, linewidth=0.8)
        ax.set_title(style.plain(heading))
        ax.set_xlabel(style.plain(xlabel))
        ax.grid(axis="y")
        taken = sorted({scale * float(value) for value in table[x]})
        if percent and len(taken) <= TICKS:
            ax.set_xticks(taken, [f"{value:g}" for value in taken])
        _name_ends(ax, ends, colour)
    axes[0].set_ylabel(style.plain(ylabel))
    _caption(fig, style.plain(title), style.plain(note))
    wide = fig.get_figwidth()
    longest = max(
        len(line) for name in names for line in style.short(name, 16).split("\n")
    )
    room = 0.072 * longest + 0.12
    fig.subplots_adjust(
        left=0.75 / wide,
        right=1.0 - room / wide,
        top=0.79,
        bottom=0.13,
        wspace=(room + 0.65) / ((wide - 0.75 - room) / len(panels) - 0.5),
    )
    return fig, axes


def _name(column: str) -> str:
    """Return the name of a column without its unit, which the title has."""
    return style.plain(column.removesuffix(", USD bn"))


def _name_ends(
    ax: Any, ends: list[tuple[float, float, str]], colour: Mapping[str, str]
) -> None:
    ends = sorted(ends)
    low, high = ax.get_ylim()
    lines = max(
        (style.short(name, 16).count("\n") + 1 for _, _, name in ends), default=1
    )
    apart, floor = (
        0.05 * lines * (high - low),
        low,
    )  # no name may stand among the numbers of the axis
    heights = []
    for height in _spread([y for y, _, _ in ends], apart):
        heights.append(max(height, floor))
        floor = heights[-1] + apart
    right = max((x for _, x, _ in ends), default=0.0)
    left = ax.get_xlim()[0]
    for y, (_, _, name) in zip(heights, ends, strict=True):
        ax.text(
            right + 0.025 * (right - left),
            y,
            style.short(name, 16),
            color=colour[name],
            va="center",
            fontsize=8.5,
            fontweight="bold",
            clip_on=False,
            linespacing=0.95,
        )
    ax.set_xlim(right=right)


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
    """Draw a bar for each row, its parts stacked right of zero if positive and left if negative.

    Parameters
    ----------
    label : str
        Column with the name of the bar.
    parts : mapping
        Colour by column; its name stands in the legend without its unit.
    panel : str, optional
        Column that tells panels apart.
    total : bool
        Whether the sum is marked and written.
    """
    from matplotlib.patches import Patch

    groups = (
        [("", table)]
        if panel is None
        else [(str(k), g) for k, g in table.groupby(panel, sort=False)]
    )
    count = max(len(g) for _, g in groups)
    # Where bars carry the names of their parts, a legend would say it twice.
    legend = 0 if set(parts) == set(table[label]) else -(-len(parts) // 4)
    fig, axes = _subplots(
        1, len(groups), (8.8, 1.55 + 0.24 * legend + 0.46 * count), sharey=True
    )
    for ax, (heading, group) in zip(axes, groups, strict=True):
        for i, (_, row) in enumerate(group.iterrows()):
            right = left = 0.0
            for column, colour in parts.items():
                value = float(row[column])
                start = right if value >= 0 else left
                ax.barh(
                    i,
                    value,
                    left=start,
                    height=0.62,
                    color=colour,
                    edgecolor="white",
                    linewidth=0.5,
                )
                right, left = (
                    (right + value, left) if value >= 0 else (right, left + value)
                )
            if total:
                sum_ = right + left
                ax.plot(
                    sum_,
                    i,
                    "D",
                    color="white",
                    markeredgecolor=style.INK,
                    markersize=4.5,
                    zorder=4,
                )
                _beside(ax, right if sum_ >= 0 else left, i, _signed(sum_), sum_ >= 0)
        ax.axvline(0, color=style.INK, linewidth=0.9)
        ax.set_yticks(
            range(len(group)), [style.short(str(name), 26) for name in group[label]]
        )
        ax.set_ylim(count - 0.45, -0.6)
        _widen(ax, 0.16)
        ax.grid(axis="x")
        ax.set_title(style.plain(heading))
    handles = [
        Patch(color=colour, label=_name(column)) for column, colour in parts.items()
    ]
    tall = fig.get_figheight()
    if legend:
        fig.legend(
            handles=handles,
            loc="upper left",
            ncols=min(4, len(parts)),
            fontsize=8.5,
            columnspacing=1.4,
            handlelength=1.2,
            bbox_to_anchor=(0.004, 1.0 - 0.6 / tall),
            borderaxespad=0.2,
        )
    _caption(fig, style.plain(title), style.plain(note))
    longest = max(
        len(line)
        for name in table[label]
        for line in style.short(str(name), 26).split("\n")
    )
    fig.subplots_adjust(
        left=(0.25 + 0.068 * longest) / 8.8,
        right=0.98,
        bottom=0.36 / tall,
        top=1.0 - (0.85 + 0.24 * legend + (0.2 if panel else 0.0)) / tall,
        wspace=0.1,
    )
    return fig, axes


def matrix(
    table: pd.DataFrame, *, label: str, columns: Sequence[str], title: str, note: str
) -> Drawn:
    """Draw gains (blue) and losses (red) as a table of numbers on shades, one scale for all."""
    from matplotlib.colors import LinearSegmentedColormap

    fig, (ax,) = _subplots(1, 1, (8.6, 1.35 + 0.42 * len(table)))
    values = table[list(columns)].to_numpy(dtype=float)
    most = max(abs(values).max(), 1e-9)
    shades = LinearSegmentedColormap.from_list("gains", [LOSS, "white", GAIN])
    # A square root of the share of the largest keeps small numbers from all looking
    # white.
    strength = (abs(values) / most) ** 0.5 * ((values > 0) * 2 - 1)
    ax.imshow(0.8 * strength, cmap=shades, vmin=-1, vmax=1, aspect="auto")
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            dark = abs(strength[i, j]) > 0.75
            ax.text(
                j,
                i,
                _signed(values[i, j]),
                ha="center",
                va="center",
                color="white" if dark else style.INK,
            )
    ax.set_xticks(range(len(columns)), [style.short(_name(c), 10) for c in columns])
    ax.xaxis.tick_top()
    ax.set_yticks(
        range(len(table)), [style.short(str(name), 30) for name in table[label]]
    )
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    _caption(fig, style.plain(title), style.plain(note))
    longest = max(
        len(line)
        for name in table[label]
        for line in style.short(str(name), 30).split("\n")
    )
    tall = fig.get_figheight()
    fig.subplots_adjust(
        left=(0.25 + 0.068 * longest) / 8.6,
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
    """Draw a group of bars for each row, one for each column (colour by column), panels with scales of their own.

    Parameters
    ----------
    none : str
        What is written in place of a number that is missing.
    """
    from matplotlib.patches import Patch

    groups = [(str(k), g) for k, g in table.groupby(panel, sort=False)]
    count = max(len(g) for _, g in groups)
    tall = 1.7 + count * (0.14 * len(columns) + 0.16)
    fig, axes = _subplots(1, len(groups), (9.2, tall), sharey=True)
    high = 0.8 / len(columns)
    for ax, (heading, group) in zip(axes, groups, strict=True):
        for i, (_, row) in enumerate(group.iterrows()):
            for k, (column, colour) in enumerate(columns.items()):
                y = i + (k - (len(columns) - 1) / 2.0) * high
                if pd.isna(row[column]):
                    ax.text(
                        0, y, f" {none}", va="center", color=style.FAINT, fontsize=8
                    )
                    continue
                ax.barh(y, row[column], height=0.9 * high, color=colour)
                _beside(
                    ax, float(row[column]), y, _signed(float(row[column])).lstrip("+")
                )
        ax.axvline(0, color=style.INK, linewidth=0.9)
        ax.set_yticks(
            range(len(group)), [style.short(str(name), 20) for name in group[label]]
        )
        ax.set_ylim(count - 0.5, -0.5)
        _widen(ax, 0.12)
        ax.grid(axis="x")
        ax.set_title(style.plain(heading))
    fig.legend(
        handles=[
            Patch(color=colour, label=_name(column))
            for column, colour in columns.items()
        ],
        loc="upper left",
        ncols=len(columns),
        fontsize=8.5,
        bbox_to_anchor=(0.004, 1.0 - 0.6 / tall),
        borderaxespad=0.2,
        handlelength=1.2,
    )
    _caption(fig, style.plain(title), style.plain(note))
    longest = max(
        len(line)
        for name in table[label]
        for line in style.short(str(name), 20).split("\n")
    )
    fig.subplots_adjust(
        left=(0.25 + 0.068 * longest) / 9.2,
        right=0.985,
        top=1.0 - 1.2 / tall,
        bottom=0.35 / tall,
        wspace=0.08,
    )
    return fig, axes


def dots(
    table: pd.DataFrame, *, label: str, panel: str, title: str, note: str
) -> Drawn:
    """Draw values as dots on lines from low to high (columns ``value, low, high``), panels of two a line.

    Parameters
    ----------
    label, panel : str
        Columns with the name of the line and of the panel.
    """
    groups = [(str(k), g) for k, g in table.groupby(panel, sort=False)]
    names = list(dict.fromkeys(table[label]))
    lines = -(-len(groups) // 2)
    tall = 0.85 + lines * (0.72 + 0.3 * len(names))
    fig, axes = _subplots(lines, 2, (8.8, tall), sharey=True)
    for ax in axes[len(groups) :]:
        ax.set_visible(False)
    for ax, (heading, group) in zip(axes, groups, strict=False):
        for row in group.to_dict("records"):
            y = names.index(row[label])
            ax.plot(
                [row["low"], row["high"]],
                [y, y],
                color=style.REGION_COLOURS["USA"],
                linewidth=3,
                alpha=0.35,
                solid_capstyle="butt",
            )
            ax.plot(
                row["value"], y, "o", color=style.REGION_COLOURS["USA"], markersize=6
            )
        if float(group["low"].min()) < 0 < float(group["high"].max()):
            ax.axvline(0, color=style.INK, linewidth=0.9)
        ax.set_yticks(range(len(names)), [style.short(str(name), 26) for name in names])
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.grid(axis="x")
        ax.set_title(style.plain(heading))
    _caption(fig, style.plain(title), style.plain(note))
    longest = max(
        len(line) for name in names for line in style.short(str(name), 26).split("\n")
    )
    fig.subplots_adjust(
        left=(0.25 + 0.068 * longest) / 8.8,
        right=0.98,
        bottom=0.35 / tall,
        top=1.0 - 1.05 / tall,
        wspace=0.08,
        hspace=0.62 / (0.3 * len(names)),
    )
    return fig, axes
