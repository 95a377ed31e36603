"""The look of every figure: one colour a region, told apart by colour-blind readers too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chipmodel.common.text import printable

REGION_COLOURS = {
    "USA": "#0072B2",
    "JPN": "#D55E00",
    "KOR": "#009E73",
    "TWN": "#CC79A7",
    "CHN": "#E69F00",
    "EUR": "#56B4E9",
    "ROW": "#999999",
}
"""The palette of Okabe and Ito."""


OTHERS = ("#332288", "#117733", "#AA4499", "#882255", "#999933", "#44AA99", "#661100")
"""For regions the palette does not name."""


INK, FAINT, GROUND = "#222222", "#8A8A8A", "#E4E4E4"


RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "text.color": INK,
    "grid.color": GROUND,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,
    "svg.hashsalt": "chipmodel",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "path.simplify": False,
}
"""Settings of matplotlib; the salt and the fonts shipped with it make the same bytes on every run."""


def colours(regions: Iterable[str]) -> dict[str, str]:
    """Return the colour of each region; regions the palette does not name get the others in turn."""
    spare = iter(OTHERS * 10)
    return {r: REGION_COLOURS.get(r) or next(spare) for r in regions}


def plain(text: str) -> str:
    r"""Return text that matplotlib can draw and SVG can hold; `RC` sees to it that a dollar is no formula.

    >>> plain("US$ 5,\tnet")
    'US$ 5, net'
    """
    return printable(text).replace("\t", " ")


def short(case: str, width: int = 20) -> str:
    """Return the name of a case in words, over two lines if it is long."""
    words = case.replace("_", " ")
    if len(words) <= width or " " not in words:
        return plain(words)
    middle = min((abs(i - len(words) / 2), i) for i, c in enumerate(words) if c == " ")[
        1
    ]
    return plain(words[:middle] + "\n" + words[middle + 1 :])
