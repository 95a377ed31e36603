"""Figures of published results against ours, and of the fabs that support adds."""

from __future__ import annotations

from typing import Any

import pandas as pd

from chipmodel.display import style
from chipmodel.display.canvas import Drawn, add_caption, subplots

MARKS = {"hit": "o", "miss": "X", "beside": "D"}
"""Mark by verdict."""


INKS = {
    "test": "#0072B2",
    "input": "#8A8A8A",
    "derived": "#CC79A7",
    "context": "#E69F00",
}
"""Colour by role of the target."""


FAR = 3.0
"""Widths of the published band beyond which a dot is drawn at the edge."""


def against_published(table: pd.DataFrame) -> Drawn:
    """Draw each target as a dot in its published band, from 0 (low) to 1 (high)."""
    has_band = table["low"].notna() & (table["high"] > table["low"])
    # The first target is drawn at the top, which is the last position of the axis.
    drawn = table[table["ours"].notna() & has_band].iloc[::-1]
    fig, axes = subplots(1, 1, (9.2, 1.3 + 0.235 * len(drawn)))
    ax = axes[0]
    ax.axvspan(0, 1, color=style.GROUND, zorder=0)
    rows: list[Any] = list(drawn.itertuples(index=False))
    for position, row in enumerate(rows):
        _draw_target(ax, position, row)
    names = [style.plain(f"{row.id}  {row.result}") for row in rows]
    ax.set_yticks(range(len(rows)), names, fontsize=7.5)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlim(-FAR - 0.6, FAR + 0.6)
    ax.grid(axis="x")
    _add_legend(ax)
    add_caption(
        fig,
        "Published results against ours",
        "place in the published band (grey; 0 low end, 1 high end); line: as published;"
        " dot: met, cross: missed",
    )
    tall = fig.get_figheight()
    fig.subplots_adjust(
        left=0.56, right=0.98, top=1.0 - 0.95 / tall, bottom=0.45 / tall
    )
    return fig, axes


def _draw_target(ax: Any, position: int, row: Any) -> None:
    """Draw the published number as a line and ours as a mark."""
    width = row.high - row.low
    published = (row.theirs - row.low) / width
    place = (row.ours - row.low) / width
    shown = min(max(place, -FAR), FAR)
    ax.plot(
        [published, published],
        [position - 0.32, position + 0.32],
        color=style.INK,
        linewidth=1.1,
    )
    mark, colour = MARKS[str(row.verdict)], INKS[str(row.role)]
    ax.plot(shown, position, mark, color=colour, markersize=5.5)
    if shown != place:
        offset, alignment = -6, "right"
        if place > 0:
            offset, alignment = 6, "left"
        ax.annotate(
            "further",
            (shown, position),
            xytext=(offset, 0),
            textcoords="offset points",
            ha=alignment,
            va="center",
            fontsize=7,
        )


def _add_legend(ax: Any) -> None:
    from matplotlib.lines import Line2D  # an optional extra

    handles = []
    for role, ink in INKS.items():
        handle = Line2D(
            [],
            [],
            marker="o",
            color="none",
            markerfacecolor=ink,
            markeredgecolor=ink,
            label=role,
        )
        handles.append(handle)
    ax.legend(
        handles=handles,
        loc="lower right",
        ncols=4,
        fontsize=7.5,
        bbox_to_anchor=(1.0, 1.0),
    )


def support_ladder(table: pd.DataFrame) -> Drawn:
    """Draw fabs by the sum of support: those built anyway, and those it adds.

    The left panel is an open grant, which pays for both; the right one a marginal
    grant, which pays only for what it adds.
    """
    fig, axes = subplots(1, 2, (9.2, 4.2), sharey=True)
    for ax, form in zip(axes, ("open", "marginal"), strict=True):
        steps = table[table["form"] == form].reset_index(drop=True)
        positions = range(len(steps))
        ax.bar(
            positions,
            steps["anyway"],
            color=style.FAINT,
            label="built anyway",
        )
        ax.bar(
            positions,
            steps["additional"],
            bottom=steps["anyway"],
            color="#0072B2",
            label="added",
        )
        published = steps["published"].dropna()
        ax.plot(
            list(published.index),
            published,
            "D",
            color="white",
            markeredgecolor=style.INK,
            label="published",
        )
        ax.set_xticks(positions, [f"{budget:g}" for budget in steps["budget"]])
        ax.set_xlabel("support over ten years, USD bn of 2020")
        ax.set_title(f"{form} grant")
    axes[0].set_ylabel("US fabs of the usual size")
    axes[0].legend(fontsize=8, loc="upper left")
    add_caption(
        fig,
        "What support brings",
        "grey: also built without the grant; an open grant pays for these fabs too"
        " (windfall), a marginal one does not",
    )
    fig.subplots_adjust(left=0.08, right=0.98, top=0.8, bottom=0.13)
    return fig, axes
