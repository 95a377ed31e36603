"""Figures of a study that a reader can use in a report, each a function of its table.

Functions import matplotlib when they are called: it is an optional extra.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.common.files import write_whole
from chipmodel.common.tables import table_csv
from chipmodel.common.text import lower, with_article
from chipmodel.display import figure_tables, style
from chipmodel.display.canvas import (
    NEEDS,
    Drawn,
    add_caption,
    annotate_beside,
    drawable,
    save,
    signed_number,
    spread_apart,
    stack_diverging,
    subplots,
    thousands_formatter,
    whole_year_locator,
    widen_for_numbers,
)
from chipmodel.results.summary import Summary

CASES = 4
"""Cases shown in the figure of projects: it has a mark for each."""


CASE_MARKS = ("o", "D", "s", "^")


BARS = {"users": "Users", "firms": "Firms, by home", "treasuries": "Treasuries"}
"""Who gains or loses, and the label of the bar."""


MAKERS = len(BARS)
"""Position of the bar of the makers of devices, below the others."""


@dataclass(frozen=True)
class _Band:
    """The band of a region in the last year: its middle, and its share of the world."""

    region: str
    middle: float
    share: float


def capacity_by_region(table: pd.DataFrame) -> Drawn:
    """Draw capacity over time as stacked areas: all segments, and the leading edge."""
    segments = list(dict.fromkeys(table["segment"]))
    fig, axes = subplots(1, len(segments), (9.4, 4.8))
    for ax, segment in zip(axes, segments, strict=True):
        _stacked_areas(ax, table[table["segment"] == segment])
    axes[0].set_ylabel("Capacity in service, thousand 300 mm wafers a month")
    case, world = (_as_text(table[key].iloc[0]) for key in ("case", "world"))
    add_caption(
        fig,
        "Capacity in service by region",
        f"case {case}, world {world}; labels: share of the world in "
        f"{table['year'].max()}",
    )
    fig.subplots_adjust(left=0.085, right=0.84, top=0.8, bottom=0.08, wspace=0.8)
    return fig, axes


def _stacked_areas(ax: Any, table: pd.DataFrame) -> None:
    """Draw the capacity of one segment, with the regions named at the right."""
    capacity = table.pivot_table(
        index="year", columns="region", values="value", sort=False
    )
    colours = style.colours(capacity.columns)
    # The first region is on top of the stack, as it is on top of the tables.
    regions = list(capacity.columns)[::-1]
    ax.stackplot(
        capacity.index,
        *(capacity[region] for region in regions),
        colors=[colours[region] for region in regions],
        linewidth=0.6,
        edgecolor="white",
    )
    names = dict(zip(table["region"], table["name"], strict=False))
    world = capacity.iloc[-1].sum()
    floor = 0.0
    bands = []
    for region in regions:
        value = capacity[region].iloc[-1]
        share = value / world if world else 0.0
        bands.append(_Band(region, floor + value / 2.0, share))
        floor += value
    top = 1.04 * capacity.sum(axis=1).max()
    heights = spread_apart([band.middle for band in bands], 0.052 * top)
    for height, band in zip(heights, bands, strict=True):
        if band.share > 0.0005:
            ax.text(
                capacity.index[-1] + 0.2,
                height,
                f"{style.plain(names[band.region])} {100 * band.share:.0f}%",
                color=colours[band.region],
                va="center",
                fontweight="bold",
                clip_on=False,
            )
    ax.set_xlim(capacity.index[0], capacity.index[-1])
    ax.set_ylim(0, top)
    ax.set_title(style.plain(table["segment_name"].iloc[0]))
    ax.yaxis.set_major_formatter(thousands_formatter())
    ax.xaxis.set_major_locator(whole_year_locator())


def leading_edge_share(table: pd.DataFrame) -> Drawn:
    """Draw shares of leading-edge capacity as dots, a panel for each region."""
    regions = []
    widest = 0.0
    for region, rows in table.groupby("region", sort=False):
        low, high = rows["value"].min(), rows["value"].max()
        widest = max(widest, high - low)
        if high > 0.001:
            regions.append(str(region))
    cells = _cells_of(table)
    size = (max(6.8, 1.9 + 1.55 * len(regions)), 1.5 + 0.45 * len(cells))
    fig, axes = subplots(1, len(regions), size, sharey=True)
    colours = style.colours(dict.fromkeys(table["region"]))
    # Half of what a panel spans, in percentage points: the same in all of them.
    half = 100 * max(0.55 * widest, 0.01)
    indexed = table.set_index(["case", "world", "region"])
    for ax, region in zip(axes, regions, strict=True):
        rows = indexed.loc[[(*cell, region) for cell in cells]]
        _share_panel(ax, rows, colours[region], half)
    names = [_cell_name(table, cell) for cell in cells]
    axes[0].set_yticks(range(len(cells)), names)
    axes[0].set_ylim(len(cells) - 0.45, -0.75)
    segment, year = lower(table["segment_name"].iloc[0]), table["year"].iloc[0]
    reference = _as_text(table["reference"].iloc[0])
    add_caption(
        fig,
        f"Share of the world's capacity in {style.plain(segment)}, {year}, %",
        f"dot: the case; bar: {reference} in the same world; the panels have one"
        " scale, shifted",
    )
    wide, tall = size
    fig.subplots_adjust(
        left=1.75 / wide,
        right=0.985,
        top=1.0 - 1.05 / tall,
        bottom=0.35 / tall,
        wspace=0.14,
    )
    return fig, axes


def _share_panel(ax: Any, rows: pd.DataFrame, colour: str, half: float) -> None:
    """Draw the share of a region in each case, and the way from the reference to it."""
    shares = [100 * share for share in rows["value"]]
    changes = [100 * change for change in rows["difference"]]
    for i, (share, change) in enumerate(zip(shares, changes, strict=True)):
        base = share - change
        ax.plot(
            [base, share],
            [i, i],
            color=colour,
            linewidth=2.2,
            alpha=0.45,
            solid_capstyle="butt",
        )
        ax.plot([base, base], [i - 0.2, i + 0.24], color=style.FAINT, linewidth=1.1)
        ax.plot(share, i, "o", color=colour, markersize=6.5)
        ax.text(share, i - 0.27, f"{share:.1f}", ha="center", va="bottom", fontsize=8)
    # A region with hardly any capacity keeps zero near the left end of its panel.
    middle = max((max(shares) + min(shares)) / 2.0, half * 0.9)
    ax.set_xlim(middle - 1.25 * half, middle + 1.25 * half)
    ax.set_title(style.plain(rows["name"].iloc[0]), color=colour, loc="center")
    ax.grid(axis="x")
    ax.tick_params(axis="x", labelsize=8)


def who_pays(table: pd.DataFrame) -> Drawn:
    """Draw gains of users, firms by home and treasuries against the reference."""
    cells = _cells_of(table)
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
        ax.set_title(_cell_name(table, cell).replace("\n", " "))
    for ax in axes[len(cells) :]:
        ax.axis("off")
    _legend_of_gains(axes[len(cells)], regions, colours, names)
    reference = _as_text(table["reference"].iloc[0])
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
    """Draw the gains of one case in USD bn, and what makers of devices pay as a memo."""
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
    counts = [table.loc[table["region"] == r, "site"].nunique() for r in regions]
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
    places = [with_article(str(name)) for name in table["region_name"].unique()]
    note = (
        f"projects in {' and '.join(style.plain(place) for place in places)};"
        f" world {_as_text(table['world'].iloc[0])}"
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
    for i, site in enumerate(sites):
        size = indexed.loc[(site, cases[0]), "size"]
        ax.barh(i, size, height=0.62, color=style.GROUND)
        values = [indexed.loc[(site, case), "value"] for case in cases]
        apart = 0.0 if max(values) - min(values) > near else 0.3
        heights = [i + apart * (place - middle) for place in range(len(cases))]
        ax.plot(values, heights, color=colour, linewidth=1.4, alpha=0.6)
        for place, (value, height) in enumerate(zip(values, heights, strict=True)):
            ax.plot(
                value,
                height,
                CASE_MARKS[place],
                color=colour,
                markersize=5.5,
                clip_on=False,
                markerfacecolor=colour if place == 0 else "white",
            )
    names = [style.plain(indexed.loc[(site, cases[0]), "name"]) for site in sites]
    ax.set_yticks(range(len(sites)), names)
    ax.set_ylim(len(sites) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.grid(axis="x")
    ax.set_title(style.plain(rows["region_name"].iloc[0]), color=colour)
    ax.tick_params(axis="y", labelsize=8, pad=8)


@dataclass(frozen=True)
class StudyFigure:
    """A figure of a study: how its table is made from solutions, and how it is drawn."""

    tabulate: Callable[[Sequence[Summary], str | None], pd.DataFrame]
    draw: Callable[[pd.DataFrame], Drawn]


FIGURES: dict[str, StudyFigure] = {
    "capacity_by_region": StudyFigure(
        figure_tables.capacity_by_region, capacity_by_region
    ),
    "leading_edge_share": StudyFigure(
        figure_tables.leading_edge_share, leading_edge_share
    ),
    "who_pays": StudyFigure(figure_tables.who_pays, who_pays),
    "named_projects": StudyFigure(figure_tables.named_projects, named_projects),
}
"""Every figure by name."""


def draw_all(
    names: Sequence[str],
    summaries: Sequence[Summary],
    reference: str | None,
    folder: Path,
) -> tuple[list[Path], tuple[str, ...]]:
    """Draw figures as PNG, SVG and PDF, each with its table as CSV.

    Without matplotlib the tables are written all the same, and a note names what is
    missing.

    Parameters
    ----------
    names : sequence of str
        Names of `FIGURES`.
    summaries : sequence of Summary
    reference : str, optional
        Case the others are compared with.
    folder : Path

    Returns
    -------
    tuple
        The files, and notes for the user.
    """
    written = []
    notes = []
    can_draw = drawable()
    for name in names:
        figure = FIGURES[name]
        table = figure.tabulate(summaries, reference)
        path = folder / f"{name}.csv"
        write_whole(path, table_csv(table))
        written.append(path)
        if table.empty:
            notes.append(f"nothing to draw in {name}")
        elif can_draw:
            written += save(figure.draw, table, folder / name)
    if not can_draw:
        notes.append(NEEDS)
    return written, tuple(notes)


def _legend_of_gains(
    ax: Any,
    regions: Sequence[str],
    colours: Mapping[str, str],
    names: Mapping[str, str],
) -> None:
    from matplotlib.lines import Line2D
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
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=style.GROUND, label="announced size")]
    for place, case in enumerate(cases):
        handle = Line2D(
            [],
            [],
            marker=CASE_MARKS[place],
            color="none",
            markeredgecolor=style.INK,
            label=_as_text(case),
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


def _cells_of(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the cases and worlds of a table, in their order."""
    return list(dict.fromkeys(zip(table["case"], table["world"], strict=True)))


def _cell_name(table: pd.DataFrame, cell: tuple[str, str]) -> str:
    """Return the name of a case, with its world if that is not the first one."""
    case, world = cell
    committed = dict(zip(table["world"], table["committed"], strict=False))
    if world == next(iter(committed)):
        return style.short(case)
    kind = "uncommitted projects" if committed[world] == 0 else world
    return style.short(f"{case} ({kind})", 24)


def _as_text(name: str) -> str:
    return style.plain(name.replace("_", " "))
