"""Draw the figure of the README from the ranges that are shipped with the data.

``python docs/readme_figure.py`` writes it, ``--check`` fails if it would change.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parent.parent
FIGURE = ROOT / "docs" / "figures" / "us_leading_edge_share.svg"
RANGES = ROOT / "data" / "derived" / "intervals.csv"
METRIC = "share.capacity.USA.logic_lt10.2035"

LABELS = {
    "current_law": "Current law",
    "no_policy": "No subsidies, no added tariffs, anywhere",
    "chips_withdrawn_all": "US subsidies withdrawn",
    "section232_25_flat": "25% US duty on all foreign chips",
    "friendshore_80": "80% of chips in US use from allies",
}
BLUE, GREY, INK = "#0072b2", "#9a9a9a", "#222222"


class Share(NamedTuple):
    """A share with its range, %."""

    centre: float
    low: float
    high: float


def shares() -> dict[str, Share]:
    """Return the US share of leading-edge capacity by case."""
    by_case = {}
    with RANGES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            is_shown = row["metric"] == METRIC and row["case"] in LABELS
            # A case that was solved in several worlds is shown in the central one.
            if is_shown and row["world"] == "central" and row["low"]:
                percent = [100.0 * float(row[k]) for k in ("centre", "low", "high")]
                by_case[row["case"]] = Share(*percent)
    return by_case


def draw() -> bytes:
    """Return the figure as SVG, the same bytes each time."""
    # Without the salt ids are random; letters as paths need no font to be installed.
    style = {
        "font.family": "DejaVu Sans",
        "svg.hashsalt": "chipmodel",
        "svg.fonttype": "path",
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(8.2, 2.9), layout="constrained")
        axes = figure.subplots()
        by_case = shares()
        for place, case in enumerate(reversed(LABELS)):
            share = by_case[case]
            axes.plot([share.low, share.high], [place, place], color=GREY, linewidth=3)
            axes.plot(share.centre, place, "o", color=BLUE, markersize=9)
            axes.annotate(
                f"{share.centre:.0f}%",
                (share.centre, place),
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                color=INK,
            )
        axes.set_yticks(range(len(LABELS)), list(reversed(LABELS.values())))
        axes.set_ylim(-0.5, len(LABELS) - 0.3)
        axes.set_xlim(0, 36)
        axes.set_xlabel(
            "US share of world capacity for logic below 10 nm in 2035, %\n"
            "dot: the data as shipped; bar: range over draws of the uncertain inputs",
            color=INK,
        )
        axes.grid(axis="x", color="#e6e6e6")
        axes.set_axisbelow(True)
        axes.tick_params(length=0, labelcolor=INK)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        stream = io.BytesIO()
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    return stream.getvalue()


def main(arguments: list[str]) -> int:
    """Write the figure, or compare it."""
    drawn = draw()
    if "--check" in arguments:
        if FIGURE.is_file() and FIGURE.read_bytes() == drawn:
            return 0
        print(f"{FIGURE.name} is not current: run python docs/readme_figure.py")
        return 1
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_bytes(drawn)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
