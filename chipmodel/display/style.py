"""The look of every figure: colours that colour-blind readers distinguish, fonts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
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
"""Colours of regions outside the palette."""


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
    # Names of cases and places may hold a dollar sign.
    "text.parse_math": False,
    # Without a salt the ids in an SVG are random.
    "svg.hashsalt": "chipmodel",
    # Letters as paths look the same on a machine without the font.
    "svg.fonttype": "path",
    # TrueType: journals refuse the default, Type 3.
    "pdf.fonttype": 42,
    "path.simplify": False,
}
"""Settings of matplotlib; fixed fonts and salt give the same bytes on every run."""


def colours(regions: Iterable[str]) -> dict[str, str]:
    """Return a colour for each region; those outside the palette get others in turn."""
    others = cycle(OTHERS)
    return {region: REGION_COLOURS.get(region) or next(others) for region in regions}


def plain(text: str) -> str:
    r"""Return text that matplotlib can draw and SVG can hold.

    A dollar sign stays one: `RC` turns formulas off.

    >>> plain("US$ 5,\tnet")
    'US$ 5, net'
    """
    return printable(text).replace("\t", " ")


def short(case: str, width: int = 20) -> str:
    r"""Return a name as text, over two lines if it is longer than a width.

    >>> short("section232_25_everywhere", 20)
    'section232 25\neverywhere'
    """
    name = case.replace("_", " ")
    if len(name) <= width or " " not in name:
        return plain(name)
    spaces = [place for place, letter in enumerate(name) if letter == " "]
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2))
    return plain(name[:middle] + "\n" + name[middle + 1 :])


def as_text(name: str) -> str:
    """Return an id with spaces in place of underscores, on one line."""
    return plain(name.replace("_", " "))
