"""A picture of trade: chips flow from the place of the fab to the place of device making and on to users."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pandas as pd

from chipmodel.common.text import number
from chipmodel.common.units import per_kwpm_year
from chipmodel.display import style
from chipmodel.results.summary import Summary

STAGES = ("fab", "device making", "use")


GAP = 0.02
"""Room between two bars of a column, of the height of the picture."""


THIN = 0.002
"""Flows below this share of the whole are not drawn."""


def table(own: Summary, year: int | None = None) -> pd.DataFrame:
    """Return what flows between places in a year, the last one reported by default, at reference value."""
    year = own.labels.years[-1] if year is None else year
    value: dict[tuple[str, str, str], float] = defaultdict(float)
    for stage, flow in zip(STAGES, (own.bought, own.devices), strict=False):
        for (segment, origin, place, t), kwpm in flow.items():
            if t == year:
                value[stage, origin, place] += (
                    per_kwpm_year(kwpm * own.dutiable[segment]) / 1000.0
                )
    order = list(own.labels.regions)
    keys = sorted(
        value,
        key=lambda key: (
            STAGES.index(key[0]),
            order.index(key[1]),
            order.index(key[2]),
        ),
    )
    return pd.DataFrame(
        [
            (
                own.case.name,
                year,
                stage,
                STAGES[STAGES.index(stage) + 1],
                a,
                own.labels.regions[a],
                b,
                own.labels.regions[b],
                value[stage, a, b],
                "USD bn",
            )
            for stage, a, b in keys
        ],
        columns=[
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
        ],
    )


def alt(frame: pd.DataFrame) -> str:
    """Return what the picture shows: the largest flows across a border."""
    crossing = frame[frame["from"] != frame["to"]].nlargest(4, "value")
    said = "; ".join(
        f"{row['from name']} to {row['to name']} ({row['from stage']} to"
        f" {row['to stage']}), USD {number(row['value'], 3)} bn"
        for _, row in crossing.iterrows()
    )
    return (
        "Bands between places of fabs, of device making and of use. The widest across"
        f" a border: {said or 'none'}."
    )


def draw(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Draw three columns of places with bands between them, coloured by where they come from."""
    from chipmodel.display.canvas import _caption, _subplots

    fig, axes = _subplots(1, 1, (9.2, 5.6))
    ax = axes[0]
    regions = list(dict.fromkeys([*frame["from"], *frame["to"]]))
    names = {
        **dict(zip(frame["from"], frame["from name"], strict=True)),
        **dict(zip(frame["to"], frame["to name"], strict=True)),
    }
    paint = style.colours(regions)
    whole = float(frame.loc[frame["from stage"] == STAGES[0], "value"].sum()) or 1.0
    places = {
        stage: _column(frame, k, regions, whole) for k, stage in enumerate(STAGES)
    }
    for k, stage in enumerate(STAGES[:-1]):
        _bands(
            ax,
            frame[frame["from stage"] == stage],
            k,
            places[stage],
            places[STAGES[k + 1]],
            paint,
            whole,
        )
    for k, stage in enumerate(STAGES):
        for region, (top, tall) in places[stage].items():
            ax.barh(
                top - tall / 2.0, 0.05, left=k - 0.025, height=tall, color=paint[region]
            )
            side = {0: ("right", -0.035), len(STAGES) - 1: ("left", 0.035)}.get(
                k, ("center", 0.0)
            )
            if tall > 0.008:
                ax.text(
                    k + side[1],
                    top - tall / 2.0,
                    f"{style.plain(names[region])} {number(tall * whole, 3)}",
                    ha=side[0],
                    va="center",
                    fontsize=8.5,
                    zorder=5,
                    bbox=(
                        dict(
                            boxstyle="round,pad=0.12", fc="white", ec="none", alpha=0.75
                        )
                        if k == 1
                        else None
                    ),
                )
        ax.text(
            k,
            1.02 + GAP * len(regions),
            stage.capitalize(),
            ha="center",
            va="bottom",
            fontweight="bold",
        )
    ax.set_xlim(-0.5, len(STAGES) - 1 + 0.5)
    ax.set_ylim(-0.02, 1.06 + GAP * len(regions))
    ax.axis("off")
    _caption(
        fig,
        f"From fab to user, {frame['year'].iloc[0]}, USD bn",
        f"case {str(frame['case'].iloc[0]).replace('_', ' ')}; wafers at the dutiable"
        " value of their chips in the base year; bands take the colour of where they"
        " come from",
    )
    fig.subplots_adjust(left=0.01, right=0.99, top=0.88, bottom=0.01)
    return fig, axes


def _column(
    frame: pd.DataFrame, k: int, regions: list[str], whole: float
) -> dict[str, tuple[float, float]]:
    """Return (top, height) of every bar of a column, from the top down, as shares of the whole."""
    found, top = {}, 1.0 + GAP * (len(regions) - 1)
    for region in regions:
        column, side = (
            ("from stage", "from") if k < len(STAGES) - 1 else ("to stage", "to")
        )
        tall = (
            float(
                frame.loc[
                    (frame[column] == STAGES[k]) & (frame[side] == region), "value"
                ].sum()
            )
            / whole
        )
        found[region] = (top, tall)
        top -= tall + GAP
    return found


def _bands(
    ax: Any,
    frame: pd.DataFrame,
    k: int,
    left: dict[str, tuple[float, float]],
    right: dict[str, tuple[float, float]],
    paint: dict[str, str],
    whole: float,
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    leave = {region: top for region, (top, _) in left.items()}
    reach = {region: top for region, (top, _) in right.items()}
    for a, b, value in zip(frame["from"], frame["to"], frame["value"], strict=True):
        wide = value / whole
        y, z = leave[a], reach[b]
        leave[a], reach[b] = y - wide, z - wide
        if wide < THIN:
            continue
        x0, x1, mid = k + 0.025, k + 0.975, k + 0.5
        corners = [
            (x0, y),
            (mid, y),
            (mid, z),
            (x1, z),
            (x1, z - wide),
            (mid, z - wide),
            (mid, y - wide),
            (x0, y - wide),
            (x0, y),
        ]
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
        ax.add_patch(
            PathPatch(
                Path(corners, codes), facecolor=paint[a], edgecolor="none", alpha=0.4
            )
        )
