"""Figures a reader can use in a report, each a function of its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.common.files import write_whole
from chipmodel.common.text import with_article
from chipmodel.display import figure_tables, style
from chipmodel.display.canvas import (
    NEEDS,
    Drawn,
    _beside,
    _caption,
    _diverging,
    _signed,
    _spread,
    _subplots,
    _thousands,
    _whole_years,
    _widen,
    drawable,
    save,
)
from chipmodel.results.summary import Summary


def capacity_by_region(table: pd.DataFrame) -> Drawn:
    """Draw capacity over time as stacked areas: all segments, and the leading edge."""
    segments = list(dict.fromkeys(table["segment"]))
    fig, axes = _subplots(1, len(segments), (9.4, 4.8))
    case, world = table["case"].iloc[0], table["world"].iloc[0]
    for ax, segment in zip(axes, segments, strict=True):
        part = table[table["segment"] == segment]
        wide = part.pivot_table(
            index="year", columns="region", values="value", sort=False
        )
        paint = style.colours(wide.columns)
        order = list(wide.columns)[::-1]
        ax.stackplot(
            wide.index,
            *(wide[r] for r in order),
            colors=[paint[r] for r in order],
            linewidth=0.6,
            edgecolor="white",
        )
        names = dict(zip(part["region"], part["name"], strict=False))
        total, floor, ends = wide.iloc[-1].sum(), 0.0, []
        for region in order:
            value = wide[region].iloc[-1]
            ends.append((floor + value / 2.0, region, value / total if total else 0.0))
            floor += value
        top = 1.04 * wide.sum(axis=1).max()
        heights = _spread([y for y, _, _ in ends], 0.052 * top)
        for y, (_, region, share) in zip(heights, ends, strict=True):
            if share > 0.0005:
                label = f"{style.plain(names[region])} {100 * share:.0f}%"
                ax.text(
                    wide.index[-1] + 0.2,
                    y,
                    label,
                    color=paint[region],
                    va="center",
                    fontweight="bold",
                    clip_on=False,
                )
        ax.set_xlim(wide.index[0], wide.index[-1])
        ax.set_ylim(0, top)
        ax.set_title(style.plain(part["segment_name"].iloc[0]))
        ax.yaxis.set_major_formatter(_thousands())
        ax.xaxis.set_major_locator(_whole_years())
    axes[0].set_ylabel("Capacity in service, thousand 300 mm wafers a month")
    _caption(
        fig,
        "Where capacity stands",
        f"case {_words(case)}, world {_words(world)}; labels: share of the world in "
        f"{table['year'].max()}",
    )
    fig.subplots_adjust(left=0.085, right=0.84, top=0.8, bottom=0.08, wspace=0.8)
    return fig, axes


def leading_edge_share(table: pd.DataFrame) -> Drawn:
    """Draw the share of leading-edge capacity by case as dots, one panel a region on a scale of one span."""
    held = [
        str(r)
        for r, part in table.groupby("region", sort=False)
        if part["value"].max() > 0.001
    ]
    cells = list(dict.fromkeys(zip(table["case"], table["world"], strict=True)))
    fig, axes = _subplots(
        1,
        len(held),
        (max(6.8, 1.9 + 1.55 * len(held)), 1.5 + 0.45 * len(cells)),
        sharey=True,
    )
    paint = style.colours(dict.fromkeys(table["region"]))
    span = max(
        (part["value"].max() - part["value"].min())
        for _, part in table.groupby("region")
    )
    half = 100 * max(0.55 * span, 0.01)
    known = table.set_index(["case", "world", "region"])
    for ax, region in zip(axes, held, strict=True):
        values = [100 * known.loc[(*cell, region), "value"] for cell in cells]
        bases = [
            v - 100 * known.loc[(*cell, region), "difference"]
            for v, cell in zip(values, cells, strict=True)
        ]
        middle = max((max(values) + min(values)) / 2.0, half * 0.9)
        for i, (value, base) in enumerate(zip(values, bases, strict=True)):
            ax.plot(
                [base, value],
                [i, i],
                color=paint[region],
                linewidth=2.2,
                alpha=0.45,
                solid_capstyle="butt",
            )
            ax.plot([base, base], [i - 0.2, i + 0.24], color=style.FAINT, linewidth=1.1)
            ax.plot(value, i, "o", color=paint[region], markersize=6.5)
            ax.text(
                value, i - 0.27, f"{value:.1f}", ha="center", va="bottom", fontsize=8
            )
        ax.set_xlim(middle - 1.25 * half, middle + 1.25 * half)
        ax.set_title(
            style.plain(known.loc[(*cells[0], region), "name"]),
            color=paint[region],
            loc="center",
        )
        ax.grid(axis="x")
        ax.tick_params(axis="x", labelsize=8)
    axes[0].set_yticks(range(len(cells)), [_cell_name(table, cell) for cell in cells])
    axes[0].set_ylim(len(cells) - 0.45, -0.75)
    segment, year = table["segment_name"].iloc[0], table["year"].iloc[0]
    _caption(
        fig,
        f"Share of the world's capacity in {style.plain(_inside(segment))}, {year}, %",
        f"dot: the case; bar: {_words(table['reference'].iloc[0])} in the same world; "
        "the panels have one scale, shifted",
    )
    fig.subplots_adjust(
        left=1.75 / fig.get_figwidth(),
        right=0.985,
        top=1.0 - 1.05 / fig.get_figheight(),
        bottom=0.35 / fig.get_figheight(),
        wspace=0.14,
    )
    return fig, axes


def who_pays(table: pd.DataFrame) -> Drawn:
    """Draw who gains and who loses against the reference: users, firms by home, treasuries, stacked by region."""
    cells = list(dict.fromkeys(zip(table["case"], table["world"], strict=True)))
    columns = 2 if len(cells) > 1 else 1
    lines = -(-(len(cells) + 1) // columns)
    fig, grid = _subplots(lines, columns, (9.2, 0.9 + 1.95 * lines))
    axes = list(grid)
    regions = list(dict.fromkeys(table["region"]))
    paint = style.colours(regions)
    names = dict(zip(table["region"], table["name"], strict=False))
    bars = {"users": "Users", "firms": "Firms, by home", "treasuries": "Treasuries"}
    memo = table.loc[table["who"] == "makers_memo", "name"].iloc[0]
    for ax, cell in zip(axes, cells, strict=False):
        part = table[(table["case"] == cell[0]) & (table["world"] == cell[1])]
        for i, who in enumerate(bars):
            values = part[part["who"] == who].set_index("region")["value"] / 1000.0
            _diverging(ax, i, values, paint)
        dearer = float(part.loc[part["who"] == "makers_memo", "value"].sum()) / 1000.0
        ax.barh(
            3,
            dearer,
            height=0.45,
            facecolor="none",
            edgecolor=style.INK,
            hatch="////",
            linewidth=0.8,
        )
        _beside(ax, dearer, 3, _signed(dearer))
        ax.axvline(0, color=style.INK, linewidth=0.9)
        ax.set_yticks(range(4), [*bars.values(), f"Memo: makers,\n{style.plain(memo)}"])
        ax.set_ylim(3.5, -0.6)
        _widen(ax, 0.2)
        ax.grid(axis="x")
        ax.set_title(_cell_name(table, cell).replace("\n", " "))
    for ax in axes[len(cells) :]:
        ax.axis("off")
    _who_legend(axes[len(cells)], regions, paint, names)
    _caption(
        fig,
        f"Who gains and who pays against {_words(table['reference'].iloc[0])}, USD bn",
        f"present value {table['years'].iloc[0]}; right of zero: gain; left: loss;"
        " diamond and number: the sum; scales differ between panels",
    )
    fig.subplots_adjust(
        left=0.125,
        right=0.985,
        top=1.0 - 0.95 / fig.get_figheight(),
        bottom=0.05,
        wspace=0.36,
        hspace=0.42,
    )
    return fig, axes


def named_projects(table: pd.DataFrame) -> Drawn:
    """Draw announced projects as dots on a bar of their size, one dot a case."""
    places = list(dict.fromkeys(table["region"]))
    cases = list(dict.fromkeys(table["case"]))[:4]
    counts = [table.loc[table["region"] == r, "site"].nunique() for r in places]
    fig, axes = _subplots(
        len(places),
        1,
        (8.6, 1.6 + 0.235 * sum(counts) + 0.45 * len(places)),
        height_ratios=counts,
        sharex=True,
    )
    paint = style.colours(places)
    marks = ("o", "D", "s", "^")
    for ax, region in zip(axes, places, strict=True):
        part = table[table["region"] == region]
        sites = list(dict.fromkeys(part["site"]))
        known = part.set_index(["site", "case"])
        for i, site in enumerate(sites):
            size = known.loc[(site, cases[0]), "size"]
            ax.barh(i, size, height=0.62, color=style.GROUND)
            values = [known.loc[(site, case), "value"] for case in cases]
            apart = (
                0.0 if max(values) - min(values) > 0.03 * table["size"].max() else 0.3
            )
            heights = [
                i + apart * (k - (len(cases) - 1) / 2.0) for k in range(len(cases))
            ]
            ax.plot(values, heights, color=paint[region], linewidth=1.4, alpha=0.6)
            for k, (value, y) in enumerate(zip(values, heights, strict=True)):
                ax.plot(
                    value,
                    y,
                    marks[k],
                    color=paint[region],
                    markersize=5.5,
                    clip_on=False,
                    markerfacecolor=paint[region] if k == 0 else "white",
                )
        ax.set_yticks(
            range(len(sites)),
            [style.plain(known.loc[(s, cases[0]), "name"]) for s in sites],
        )
        ax.set_ylim(len(sites) - 0.4, -0.6)
        ax.set_xlim(left=0)
        ax.grid(axis="x")
        ax.set_title(style.plain(part["region_name"].iloc[0]), color=paint[region])
        ax.tick_params(axis="y", labelsize=8, pad=8)
    axes[-1].set_xlabel("thousand 300 mm wafers a month")
    _project_legend(fig, cases, marks)
    freed = (
        ", every project freed of its commitments"
        if float(table["committed"].iloc[0]) == 0
        else ""
    )
    _caption(
        fig,
        f"Announced projects in service in {table['year'].iloc[0]}",
        "projects in"
        f" {' and '.join(style.plain(with_article(str(r))) for r in table['region_name'].unique())};"
        f" world {_words(table['world'].iloc[0])}{freed}",
    )
    tall = fig.get_figheight()
    fig.subplots_adjust(
        left=0.33,
        right=0.97,
        top=1.0 - 1.15 / tall,
        bottom=0.5 / tall,
        hspace=0.9 / max(counts) * 2,
    )
    return fig, axes


FIGURES: dict[
    str,
    tuple[
        Callable[[Sequence[Summary], str | None], pd.DataFrame],
        Callable[[pd.DataFrame], Drawn],
    ],
] = {
    "capacity_by_region": (figure_tables.capacity_by_region, capacity_by_region),
    "leading_edge_share": (figure_tables.leading_edge_share, leading_edge_share),
    "who_pays": (figure_tables.who_pays, who_pays),
    "named_projects": (figure_tables.named_projects, named_projects),
}
"""Every figure: the table it needs, and how it is drawn."""


def draw_all(
    names: Sequence[str],
    summaries: Sequence[Summary],
    reference: str | None,
    folder: Path,
) -> tuple[list[Path], tuple[str, ...]]:
    """Draw figures into a folder as PNG, SVG and PDF, each with its table; return the files and notes for the user.

    Without matplotlib the tables are written all the same and the note says what is
    missing.
    """
    from chipmodel.common.tables import table_csv

    written, notes = [], []
    able = drawable()
    for name in names:
        tabulate, draw = FIGURES[name]
        table = tabulate(summaries, reference)
        write_whole(folder / f"{name}.csv", table_csv(table))
        written.append(folder / f"{name}.csv")
        if table.empty:
            notes.append(f"nothing to draw in {name}")
        elif able:
            written += save(draw, table, folder / name)
    return written, (*notes, *(() if able else (NEEDS,)))


def _who_legend(
    ax: Any, regions: list[str], paint: dict[str, str], names: dict[str, str]
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(color=paint[r], label=style.plain(names[r])) for r in regions
    ]
    handles += [
        Line2D(
            [],
            [],
            marker="D",
            color="none",
            markerfacecolor="white",
            markeredgecolor=style.INK,
            markersize=4.5,
            label="sum",
        ),
        Patch(
            facecolor="none",
            edgecolor=style.INK,
            hatch="////",
            label=(
                "change in what makers of devices pay\nfor chips; reaches users, not to"
                " be added"
            ),
        ),
    ]
    ax.legend(handles=handles, loc="center left", ncols=1, fontsize=8.5)


def _project_legend(fig: Any, cases: list[str], marks: tuple[str, ...]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=style.GROUND, label="announced size")]
    handles += [
        Line2D(
            [],
            [],
            marker=marks[k],
            color="none",
            markeredgecolor=style.INK,
            label=_words(case),
            markerfacecolor=style.INK if k == 0 else "white",
        )
        for k, case in enumerate(cases)
    ]
    fig.legend(
        handles=handles,
        loc="upper right",
        ncols=len(handles),
        fontsize=8.5,
        columnspacing=1.2,
        handletextpad=0.4,
        bbox_to_anchor=(0.985, 1.0 - 0.62 / fig.get_figheight()),
    )


def _cell_name(table: pd.DataFrame, cell: tuple[str, str]) -> str:
    """Return a case in words, with its world where the table has several."""
    case, world = cell
    worlds = dict(zip(table["world"], table["committed"], strict=False))
    if len(worlds) == 1 or world == next(iter(worlds)):
        return style.short(case)
    kind = "projects freed" if worlds[world] == 0 else world
    return style.short(f"{case} ({kind})", 24)


def _words(name: str) -> str:
    return style.plain(name.replace("_", " "))


def _inside(name: str) -> str:
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
