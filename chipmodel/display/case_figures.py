"""Figures of a study that compare cases: who gains and pays, and announced projects.

Functions import matplotlib when they are called: it is an optional extra.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from chipmodel.common.text import with_article
from chipmodel.display import style
from chipmodel.display.canvas import (
    Drawn,
    add_caption,
    annotate_beside,
    signed_number,
    stack_diverging,
    subplots,
    widen_for_numbers,
)
from chipmodel.display.figure_tables import cell_name, cells_of

CASES = 4
"""Cases shown in the figure of projects: it has a mark for each."""


CASE_MARKS = ("o", "D", "s", "^")


BARS = {"users": "Users", "firms": "Firms, by home", "treasuries": "Treasuries"}
"""Who gains or loses, and the label of the bar."""


MAKERS = len(BARS)
"""Position of the bar of the makers of devices, below the others."""


def who_pays(table: pd.DataFrame) -> Drawn:
    """Draw gains of users, firms by home and treasuries against the reference."""
    cells = cells_of(table)
    columns = 2 if len(cells) > 1 else 1
    # One panel more than cells: it holds the legend.
    lines = -(-(len(cells) + 1) // columns)
    tall = 0.9 + 1.95 * lines
    fig, axes = subplots(lines, columns, (9.2, tall))
    regions = list(dict.fromkeys(table["region"]))
    colours = style.colours(regions)
    names = dict(zip(table["region"], table["name"], strict=False))
    home = table.loc[table["who"] == "makers_memo", "name"].iloc[0]
    for ax, cell in zip(axes, cells, strict=False):
        case, world = cell
        rows = table[(table["case"] == case) & (table["world"] == world)]
        _gains_panel(ax, rows, colours)
        memo = f"Memo: makers,\n{style.plain(home)}"
        ax.set_yticks(range(MAKERS + 1), [*BARS.values(), memo])
        ax.set_ylim(MAKERS + 0.5, -0.6)
        widen_for_numbers(ax, 0.2)
        ax.grid(axis="x")
        ax.set_title(cell_name(table, cell).replace("\n", " "))
    for ax in axes[len(cells) :]:
        ax.axis("off")
    _legend_of_gains(axes[len(cells)], regions, colours, names)
    reference = style.as_text(table["reference"].iloc[0])
    add_caption(
        fig,
        f"Who gains and who pays against {reference}, USD bn",
        f"present value {table['years'].iloc[0]}; right of zero: gain; left: loss;"
        " diamond and number: the sum; scales differ between panels",
    )
    fig.subplots_adjust(
        left=0.125,
        right=0.985,
        top=1.0 - 0.95 / tall,
        bottom=0.05,
        wspace=0.36,
        hspace=0.42,
    )
    return fig, list(axes)


def _gains_panel(ax: Any, rows: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Draw the gains of one case in USD bn, and what makers of devices pay."""
    for position, who in enumerate(BARS):
        bar = rows[rows["who"] == who]
        gains = dict(zip(bar["region"], bar["value"] / 1000.0, strict=True))
        stack_diverging(ax, position, gains, colours)
    makers = float(rows.loc[rows["who"] == "makers_memo", "value"].sum()) / 1000.0
    # Hatched and not stacked: users bear it in the end, so that it is counted there.
    ax.barh(
        MAKERS,
        makers,
        height=0.45,
        facecolor="none",
        edgecolor=style.INK,
        hatch="////",
        linewidth=0.8,
    )
    annotate_beside(ax, makers, MAKERS, signed_number(makers))
    ax.axvline(0, color=style.INK, linewidth=0.9)


def named_projects(table: pd.DataFrame) -> Drawn:
    """Draw announced projects as dots on a bar of their size, one dot a case."""
    regions = list(dict.fromkeys(table["region"]))
    cases = list(dict.fromkeys(table["case"]))[:CASES]
    # The height of a panel is in proportion to its sites.
    sites = table.groupby("region")["site"].nunique()
    counts = [int(sites[region]) for region in regions]
    tall = 1.6 + 0.235 * sum(counts) + 0.45 * len(regions)
    fig, axes = subplots(
        len(regions), 1, (8.6, tall), height_ratios=counts, sharex=True
    )
    colours = style.colours(regions)
    # Dots that differ by less than this are drawn beside each other.
    near = 0.03 * table["size"].max()
    for ax, region in zip(axes, regions, strict=True):
        rows = table[table["region"] == region]
        _projects_panel(ax, rows, cases, colours[region], near)
    axes[-1].set_xlabel("thousand 300 mm wafers a month")
    _legend_of_cases(fig, cases)
    region_names = table["region_name"].unique()
    places = [style.plain(with_article(str(name))) for name in region_names]
    note = (
        f"projects in {' and '.join(places)};"
        f" world {style.as_text(table['world'].iloc[0])}"
    )
    if float(table["committed"].iloc[0]) == 0:
        note += ", no announced project committed"
    add_caption(fig, f"Announced projects in service in {table['year'].iloc[0]}", note)
    fig.subplots_adjust(
        left=0.33,
        right=0.97,
        top=1.0 - 1.15 / tall,
        bottom=0.5 / tall,
        hspace=0.9 / max(counts) * 2,
    )
    return fig, axes


def _projects_panel(
    ax: Any, rows: pd.DataFrame, cases: Sequence[str], colour: str, near: float
) -> None:
    """Draw the sites of a region, each with a dot for each case."""
    sites = list(dict.fromkeys(rows["site"]))
    indexed = rows.set_index(["site", "case"])
    middle = (len(cases) - 1) / 2.0
    for position, site in enumerate(sites):
        size = indexed.loc[(site, cases[0]), "size"]
        ax.barh(position, size, height=0.62, color=style.GROUND)
        values = [indexed.loc[(site, case), "value"] for case in cases]
        # Equal dots would hide each other.
        apart = 0.3
        if max(values) - min(values) > near:
            apart = 0.0
        heights = [position + apart * (k - middle) for k in range(len(cases))]
        ax.plot(values, heights, color=colour, linewidth=1.4, alpha=0.6)
        for place, (value, height) in enumerate(zip(values, heights, strict=True)):
            ax.plot(
                value,
                height,
                CASE_MARKS[place],
                color=colour,
                markersize=5.5,
                clip_on=False,
                # Only the reference, the first of the cases, is filled.
                markerfacecolor=colour if place == 0 else "white",
            )
    names = [style.plain(indexed.loc[(site, cases[0]), "name"]) for site in sites]
    ax.set_yticks(range(len(sites)), names)
    ax.set_ylim(len(sites) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.grid(axis="x")
    ax.set_title(style.plain(rows["region_name"].iloc[0]), color=colour)
    ax.tick_params(axis="y", labelsize=8, pad=8)


def _legend_of_gains(
    ax: Any,
    regions: Sequence[str],
    colours: Mapping[str, str],
    names: Mapping[str, str],
) -> None:
    from matplotlib.lines import Line2D  # an optional extra
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(color=colours[region], label=style.plain(names[region]))
        for region in regions
    ]
    total = Line2D(
        [],
        [],
        marker="D",
        color="none",
        markerfacecolor="white",
        markeredgecolor=style.INK,
        markersize=4.5,
        label="sum",
    )
    memo = Patch(
        facecolor="none",
        edgecolor=style.INK,
        hatch="////",
        label=(
            "change in what makers of devices pay\nfor chips; reaches users, not to"
            " be added"
        ),
    )
    handles += [total, memo]
    ax.legend(handles=handles, loc="center left", ncols=1, fontsize=8.5)


def _legend_of_cases(fig: Any, cases: Sequence[str]) -> None:
    from matplotlib.lines import Line2D  # an optional extra
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=style.GROUND, label="announced size")]
    for place, case in enumerate(cases):
        handle = Line2D(
            [],
            [],
            marker=CASE_MARKS[place],
            color="none",
            markeredgecolor=style.INK,
            label=style.as_text(case),
            markerfacecolor=style.INK if place == 0 else "white",
        )
        handles.append(handle)
    fig.legend(
        handles=handles,
        loc="upper right",
        ncols=len(handles),
        fontsize=8.5,
        columnspacing=1.2,
        handletextpad=0.4,
        bbox_to_anchor=(0.985, 1.0 - 0.62 / fig.get_figheight()),
    )
