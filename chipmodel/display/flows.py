"""A picture of trade: chips flow from fabs to device making and on to users."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from chipmodel.common.text import number
from chipmodel.common.units import per_kwpm_year
from chipmodel.display import style
from chipmodel.display.canvas import Drawn, add_caption, subplots
from chipmodel.results.summary import Summary

STAGES = ("fab", "device making", "use")


COLUMNS = (
    "case",
    "year",
    "from stage",
    "to stage",
    "from",
    "from name",
    "to",
    "to name",
    "value",
    "unit",
)


GAP = 0.02
"""Space between two bars of a stage, as a part of the height of all its bars."""


THIN = 0.002
"""Flows below this share of the whole are not drawn."""


UNNAMED = 0.008
"""Bars below this share of the whole have no name beside them."""


HALF_BAR = 0.025
"""Half the width of a bar, in distances between two stages."""


def table(summary: Summary, year: int | None = None) -> pd.DataFrame:
    """Return what flows between regions in a year, in USD bn at reference value.

    Parameters
    ----------
    summary : Summary
    year : int, optional
        The last year reported by default.
    """
    if year is None:
        year = summary.labels.years[-1]
    regions = summary.labels.regions
    value: dict[tuple[int, str, str], float] = defaultdict(float)
    for stage, flows in enumerate((summary.bought, summary.devices)):
        for (segment, origin, place, t), kwpm in flows.items():
            if t == year:
                # The price at the border is fixed, so that flows of two cases compare.
                million = per_kwpm_year(kwpm * summary.dutiable[segment])
                value[stage, origin, place] += million / 1000.0
    order = list(regions)

    def position(flow: tuple[int, str, str]) -> tuple[int, int, int]:
        stage, origin, place = flow
        return stage, order.index(origin), order.index(place)

    rows = []
    for stage, origin, place in sorted(value, key=position):
        rows.append(
            (
                summary.case.name,
                year,
                STAGES[stage],
                STAGES[stage + 1],
                origin,
                regions[origin],
                place,
                regions[place],
                value[stage, origin, place],
                "USD bn",
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def alt(frame: pd.DataFrame) -> str:
    """Return the picture as text: the largest flows across a border."""
    crossing = frame[frame["from"] != frame["to"]].nlargest(4, "value")
    flows = []
    for row in crossing.to_dict("records"):
        places = f"{row['from name']} to {row['to name']}"
        stages = f"{row['from stage']} to {row['to stage']}"
        flows.append(f"{places} ({stages}), USD {number(row['value'], 3)} bn")
    return (
        "Bands between places of fabs, of device making and of use. The widest across"
        f" a border: {'; '.join(flows) or 'none'}."
    )


@dataclass(frozen=True)
class _Bar:
    """The bar of a region in a stage: top and height, as shares of the whole."""

    top: float
    height: float

    @property
    def middle(self) -> float:
        """Height of its middle."""
        return self.top - self.height / 2.0


def draw(frame: pd.DataFrame) -> Drawn:
    """Draw three columns of regions with bands between them, coloured by origin."""
    fig, axes = subplots(1, 1, (9.2, 5.6))
    ax = axes[0]
    regions = list(dict.fromkeys([*frame["from"], *frame["to"]]))
    names = dict(zip(frame["from"], frame["from name"], strict=True))
    names |= dict(zip(frame["to"], frame["to name"], strict=True))
    colours = style.colours(regions)
    # Where nothing is made, the divisor is one and every bar has no height.
    whole = float(frame.loc[frame["from stage"] == STAGES[0], "value"].sum()) or 1.0
    columns = [_bars(frame, stage, regions, whole) for stage in range(len(STAGES))]
    for stage, (left, right) in enumerate(pairwise(columns)):
        flows = frame[frame["from stage"] == STAGES[stage]]
        _draw_bands(ax, flows, stage, (left, right), colours, whole)
    for stage, bars in enumerate(columns):
        for region, bar in bars.items():
            ax.barh(
                bar.middle,
                2 * HALF_BAR,
                left=stage - HALF_BAR,
                height=bar.height,
                color=colours[region],
            )
            if bar.height > UNNAMED:
                amount = number(bar.height * whole, 3)
                _name_bar(ax, stage, bar, f"{style.plain(names[region])} {amount}")
        ax.text(
            stage,
            1.02 + GAP * len(regions),
            STAGES[stage].capitalize(),
            ha="center",
            va="bottom",
            fontweight="bold",
        )
    ax.set_xlim(-0.5, len(STAGES) - 1 + 0.5)
    ax.set_ylim(-0.02, 1.06 + GAP * len(regions))
    ax.axis("off")
    add_caption(
        fig,
        f"From fab to user, {frame['year'].iloc[0]}, USD bn",
        f"case {style.as_text(str(frame['case'].iloc[0]))}; wafers at the dutiable"
        " value of their chips in the base year; bands take the colour of where they"
        " come from",
    )
    fig.subplots_adjust(left=0.01, right=0.99, top=0.88, bottom=0.01)
    return fig, axes


def _name_bar(ax: Any, stage: int, bar: _Bar, text: str) -> None:
    """Write a name beside a bar of the outer stages, and over one of the middle."""
    alignment, offset, box = "center", 0.0, None
    if stage == 0:
        alignment, offset = "right", -0.035
    elif stage == len(STAGES) - 1:
        alignment, offset = "left", 0.035
    else:
        # Bands pass behind the name.
        box = dict(boxstyle="round,pad=0.12", fc="white", ec="none", alpha=0.75)
    ax.text(
        stage + offset,
        bar.middle,
        text,
        ha=alignment,
        va="center",
        fontsize=8.5,
        zorder=5,
        bbox=box,
    )


def _bars(
    frame: pd.DataFrame, stage: int, regions: list[str], whole: float
) -> dict[str, _Bar]:
    """Return the bars of a stage from the top down."""
    # The last stage has no flows from it: its bars are what reaches it.
    is_last = stage == len(STAGES) - 1
    side = "to" if is_last else "from"
    flows = frame[frame[f"{side} stage"] == STAGES[stage]]
    bars = {}
    top = 1.0 + GAP * (len(regions) - 1)
    for region in regions:
        height = float(flows.loc[flows[side] == region, "value"].sum()) / whole
        bars[region] = _Bar(top, height)
        top -= height + GAP
    return bars


def _draw_bands(
    ax: Any,
    flows: pd.DataFrame,
    stage: int,
    bars: tuple[Mapping[str, _Bar], Mapping[str, _Bar]],
    colours: Mapping[str, str],
    whole: float,
) -> None:
    """Draw the bands between the bars of a stage and those of the next one."""
    from matplotlib.patches import PathPatch  # an optional extra
    from matplotlib.path import Path

    # Next free height of each bar, on either side.
    leave = {region: bar.top for region, bar in bars[0].items()}
    reach = {region: bar.top for region, bar in bars[1].items()}
    x0, x1, mid = stage + HALF_BAR, stage + 1 - HALF_BAR, stage + 0.5
    codes = [
        Path.MOVETO,
        Path.CURVE4,
        Path.CURVE4,
        Path.CURVE4,
        Path.LINETO,
        Path.CURVE4,
        Path.CURVE4,
        Path.CURVE4,
        Path.CLOSEPOLY,
    ]
    for origin, place, value in zip(
        flows["from"], flows["to"], flows["value"], strict=True
    ):
        width = value / whole
        left, right = leave[origin], reach[place]
        leave[origin] = left - width
        reach[place] = right - width
        if width < THIN:
            continue
        corners = [
            (x0, left),
            (mid, left),
            (mid, right),
            (x1, right),
            (x1, right - width),
            (mid, right - width),
            (mid, left - width),
            (x0, left - width),
            (x0, left),
        ]
        band = PathPatch(
            Path(corners, codes),
            facecolor=colours[origin],
            edgecolor="none",
            alpha=0.4,
        )
        ax.add_patch(band)
