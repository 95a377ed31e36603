"""Figures of a study that a reader can use in a report, each a function of its table.

Functions import matplotlib when they are called: it is an optional extra.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from chipmodel.common.tables import table_csv
from chipmodel.common.text import lower
from chipmodel.display import figure_tables, style
from chipmodel.display.canvas import (
    KINDS,
    NEEDS,
    Drawn,
    add_caption,
    drawable,
    rendered,
    spread_apart,
    subplots,
    thousands_formatter,
    whole_year_locator,
)
from chipmodel.display.case_figures import named_projects, who_pays
from chipmodel.display.figure_tables import cell_name, cells_of
from chipmodel.results.summary import Summary


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
    case = style.as_text(table["case"].iloc[0])
    world = style.as_text(table["world"].iloc[0])
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
        # A share that would be written as 0% has no label.
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
        # A region without leading-edge capacity in any case has no panel.
        if high > 0.001:
            regions.append(str(region))
    cells = cells_of(table)
    size = (max(6.8, 1.9 + 1.55 * len(regions)), 1.5 + 0.45 * len(cells))
    fig, axes = subplots(1, len(regions), size, sharey=True)
    colours = style.colours(dict.fromkeys(table["region"]))
    # Half of what a panel spans, in percentage points: the same in all of them.
    half = 100 * max(0.55 * widest, 0.01)
    indexed = table.set_index(["case", "world", "region"])
    for ax, region in zip(axes, regions, strict=True):
        rows = indexed.loc[[(*cell, region) for cell in cells]]
        _share_panel(ax, rows, colours[region], half)
    names = [cell_name(table, cell) for cell in cells]
    axes[0].set_yticks(range(len(cells)), names)
    axes[0].set_ylim(len(cells) - 0.45, -0.75)
    segment, year = lower(table["segment_name"].iloc[0]), table["year"].iloc[0]
    reference = style.as_text(table["reference"].iloc[0])
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
    pairs = zip(shares, changes, strict=True)
    for position, (share, change) in enumerate(pairs):
        base = share - change
        ax.plot(
            [base, share],
            [position, position],
            color=colour,
            linewidth=2.2,
            alpha=0.45,
            solid_capstyle="butt",
        )
        bar = [position - 0.2, position + 0.24]
        ax.plot([base, base], bar, color=style.FAINT, linewidth=1.1)
        ax.plot(share, position, "o", color=colour, markersize=6.5)
        text = f"{share:.1f}"
        above = position - 0.27
        ax.text(share, above, text, ha="center", va="bottom", fontsize=8)
    # In the panel of a region with hardly any capacity, zero is near the left end.
    middle = max((max(shares) + min(shares)) / 2.0, half * 0.9)
    ax.set_xlim(middle - 1.25 * half, middle + 1.25 * half)
    ax.set_title(style.plain(rows["name"].iloc[0]), color=colour, loc="center")
    ax.grid(axis="x")
    ax.tick_params(axis="x", labelsize=8)


@dataclass(frozen=True)
class StudyFigure:
    """A figure of a study: how its table is made and how it is drawn."""

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


def files_of(names: Sequence[str]) -> list[str]:
    """Return the names of the files that figures are written to."""
    kinds = ("csv", *KINDS)
    return [f"{name}.{kind}" for name in names for kind in kinds]


def draw_all(
    names: Sequence[str], summaries: Sequence[Summary], reference: str | None
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Draw figures as PNG, SVG and PDF, each with its table as CSV.

    Without matplotlib there are the tables all the same, and a note names what is
    missing.

    Parameters
    ----------
    names : sequence of str
        Names of `FIGURES`.
    summaries : sequence of Summary
    reference : str, optional
        Case the others are compared with.

    Returns
    -------
    tuple
        The files by name, and notes for the user.
    """
    content = {}
    notes = []
    can_draw = drawable()
    for name in names:
        figure = FIGURES[name]
        table = figure.tabulate(summaries, reference)
        content[f"{name}.csv"] = table_csv(table).encode()
        if table.empty:
            notes.append(f"nothing to draw in {name}")
        elif can_draw:
            for kind, image in rendered(figure.draw, table).items():
                content[f"{name}.{kind}"] = image
    if not can_draw:
        notes.append(NEEDS)
    return content, tuple(notes)
