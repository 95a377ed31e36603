"""Figures of what was published against ours, and of what support brings."""

from __future__ import annotations

from typing import Any

import pandas as pd

from chipmodel.display import style
from chipmodel.display.canvas import Drawn, _caption, _subplots

MARK = {"hit": "o", "miss": "X", "beside": "D"}


INKS = {
    "test": "#0072B2",
    "input": "#8A8A8A",
    "derived": "#CC79A7",
    "context": "#E69F00",
}


def against_published(table: pd.DataFrame) -> Drawn:
    """Draw every target as a dot on its own band: 0 is the low end, 1 the high end."""
    kept = table[
        table["ours"].notna() & table["low"].notna() & (table["high"] > table["low"])
    ].iloc[::-1]
    fig, axes = _subplots(1, 1, (9.2, 1.3 + 0.235 * len(kept)))
    ax = axes[0]
    ax.axvspan(0, 1, color=style.GROUND, zorder=0)
    far = 3.0
    rows: list[Any] = list(kept.itertuples(index=False))
    for at, row in enumerate(rows):
        place = (row.ours - row.low) / (row.high - row.low)
        shown = min(max(place, -far), far)
        theirs = (row.theirs - row.low) / (row.high - row.low)
        ax.plot(
            [theirs, theirs], [at - 0.32, at + 0.32], color=style.INK, linewidth=1.1
        )
        ax.plot(
            shown, at, MARK[str(row.verdict)], color=INKS[str(row.role)], markersize=5.5
        )
        if shown != place:
            ax.annotate(
                "further",
                (shown, at),
                xytext=(6 if place > 0 else -6, 0),
                textcoords="offset points",
                ha="left" if place > 0 else "right",
                va="center",
                fontsize=7,
            )
    ax.set_yticks(
        range(len(kept)),
        [style.plain(f"{r.id}  {r.result}") for r in rows],
        fontsize=7.5,
    )
    ax.set_ylim(-0.7, len(kept) - 0.3)
    ax.set_xlim(-far - 0.6, far + 0.6)
    ax.grid(axis="x")
    _legend(ax)
    _caption(
        fig,
        "Published results against ours",
        "place in the published band (grey; 0 low end, 1 high end); line: as published;"
        " dot: met, cross: missed",
    )
    high = fig.get_figheight()
    fig.subplots_adjust(
        left=0.56, right=0.98, top=1.0 - 0.95 / high, bottom=0.45 / high
    )
    return fig, axes


def _legend(ax: Any) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [],
            [],
            marker="o",
            color="none",
            markerfacecolor=ink,
            markeredgecolor=ink,
            label=role,
        )
        for role, ink in INKS.items()
    ]
    ax.legend(
        handles=handles,
        loc="lower right",
        ncols=4,
        fontsize=7.5,
        bbox_to_anchor=(1.0, 1.0),
    )


def support_ladder(table: pd.DataFrame) -> Drawn:
    """Draw fabs by what is paid: those that would stand anyway (windfall) and those added, open and marginal."""
    fig, axes = _subplots(1, 2, (9.2, 4.2), sharey=True)
    for ax, form in zip(axes, ("open", "marginal"), strict=True):
        part = table[table["form"] == form]
        ax.bar(
            range(len(part)),
            part["anyway"],
            color=style.FAINT,
            label="would stand anyway",
        )
        ax.bar(
            range(len(part)),
            part["additional"],
            bottom=part["anyway"],
            color="#0072B2",
            label="added",
        )
        published = part.dropna(subset=["published"])
        ax.plot(
            [list(part["budget"]).index(b) for b in published["budget"]],
            published["published"],
            "D",
            color="white",
            markeredgecolor=style.INK,
            label="published",
        )
        ax.set_xticks(range(len(part)), [f"{b:g}" for b in part["budget"]])
        ax.set_xlabel("support over ten years, USD bn of 2020")
        ax.set_title(f"{form} grant")
    axes[0].set_ylabel("American fabs of the usual size")
    axes[0].legend(fontsize=8, loc="upper left")
    _caption(
        fig,
        "What support brings",
        "grey: what the case without the grant builds too; an open grant pays for it"
        " (windfall), a marginal not",
    )
    fig.subplots_adjust(left=0.08, right=0.98, top=0.8, bottom=0.13)
    return fig, axes
