"""Drawing areas: how a figure is made and saved, and the marks that all figures share.

matplotlib is an optional extra and slow to import, so that each function which needs it
imports it when it is called.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from chipmodel.display import style

Drawn = tuple[Any, Any]
"""Figure and its axes."""


KINDS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Kinds of files, and the metadata left out so that the bytes do not change."""


NEEDS = "the figures need matplotlib: pip install chipmodel[plot]"


PASSES = 200
"""Passes of `spread_apart`; a figure has a dozen labels, which settle much earlier."""


@dataclass(frozen=True)
class CurveEnd:
    """The right end of a curve, where its name is written."""

    y: float
    x: float
    name: str


def drawable() -> bool:
    """Whether matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401 (the optional extra this asks for)
    except ImportError:
        return False
    return True


def rendered(
    draw: Callable[[pd.DataFrame], Drawn], table: pd.DataFrame
) -> dict[str, bytes]:
    """Draw a table and return the files by kind, the same bytes on every run."""
    import matplotlib as mpl  # an optional extra

    content = {}
    # A style file of the user must not change a figure; the backend stays theirs.
    settings = {**mpl.rcParamsDefault, **style.RC, "backend": mpl.rcParams["backend"]}
    with mpl.rc_context(settings):
        fig, _ = draw(table)
        for kind, metadata in KINDS.items():
            stream = io.BytesIO()
            fig.savefig(stream, format=kind, dpi=200, metadata=metadata)
            content[kind] = stream.getvalue()
    return content


def subplots(
    rows: int,
    columns: int,
    size: tuple[float, float],
    height_ratios: Sequence[float] | None = None,
    **options: Any,
) -> Drawn:
    """Return a new figure and its axes as a flat array.

    Parameters
    ----------
    rows, columns : int
    size : tuple of float
        Width and height in inches.
    height_ratios : sequence of float, optional
        Relative heights of the rows.
    **options
        Further options of ``Figure.subplots``.
    """
    # An optional extra. Without pyplot, which holds every figure in memory until it is
    # closed.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    grid = None
    if height_ratios:
        grid = {"height_ratios": height_ratios}
    fig = Figure(figsize=size)
    FigureCanvasAgg(fig)
    axes = fig.subplots(rows, columns, squeeze=False, gridspec_kw=grid, **options)
    return fig, axes.ravel()


def add_caption(fig: Any, title: str, note: str) -> None:
    """Write title and note at the upper left, at the same distance in every figure."""
    tall, wide = fig.get_figheight(), fig.get_figwidth()
    left = 0.12 / wide
    title_height, note_height = 1.0 - 0.27 / tall, 1.0 - 0.52 / tall
    fig.text(left, title_height, title, fontsize=12, fontweight="bold", va="center")
    fig.text(left, note_height, note, color="#555555", va="center")


def whole_year_locator() -> Any:
    """Return a locator that marks whole years only."""
    from matplotlib.ticker import MaxNLocator  # an optional extra

    return MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True)


def thousands_formatter() -> Any:
    """Return a formatter that groups thousands."""
    from matplotlib.ticker import FuncFormatter  # an optional extra

    return FuncFormatter(lambda value, _: f"{value:,.0f}")


def spread_apart(heights: Sequence[float], gap: float) -> list[float]:
    """Move rising heights apart, as little as needed.

    Parameters
    ----------
    heights : sequence of float
        In rising order.
    gap : float
        Minimum distance of neighbours.
    """
    placed = list(heights)
    for _ in range(PASSES):
        moved = False
        for lower in range(len(placed) - 1):
            missing = gap - (placed[lower + 1] - placed[lower])
            # Rounding of the floating point numbers is no overlap.
            if missing > 1e-9 * max(1.0, abs(gap)):
                placed[lower] -= missing / 2.0
                placed[lower + 1] += missing / 2.0
                moved = True
        if not moved:
            break
    return placed


def stack_diverging(
    ax: Any,
    position: int,
    values: Mapping[str, float],
    colours: Mapping[str, str],
    total: bool = True,
) -> None:
    """Draw a bar with gains stacked right of zero and losses left of it.

    Parameters
    ----------
    ax : Axes
    position : int
        Height of the bar on the axis.
    values, colours : mapping
        Value and colour of each part.
    total : bool
        Whether the sum is marked with a diamond and written beside the bar.
    """
    right = left = 0.0
    for part, value in values.items():
        is_gain = value >= 0
        ax.barh(
            position,
            value,
            left=right if is_gain else left,
            height=0.62,
            color=colours[part],
            edgecolor="white",
            linewidth=0.5,
        )
        if is_gain:
            right += value
        else:
            left += value
    if not total:
        return
    balance = right + left
    ax.plot(
        balance,
        position,
        "D",
        color="white",
        markeredgecolor=style.INK,
        markersize=4.5,
        zorder=4,
    )
    # Beyond the end of the bar, where no part hides the number.
    text = signed_number(balance)
    if balance >= 0:
        annotate_beside(ax, right, position, text, to_right=True)
    else:
        annotate_beside(ax, left, position, text, to_right=False)


def signed_number(value: float) -> str:
    """Return a number with its sign, with two decimals if it is small; 0 has no sign.

    >>> signed_number(1234.56), signed_number(-0.061), signed_number(0.001)
    ('+1,234.6', '-0.06', '0')
    """
    # Below this, two decimals would show a zero with a sign.
    if abs(value) < 0.005:
        return "0"
    decimals = 1 if abs(value) >= 0.1 else 2
    return f"{value:+,.{decimals}f}"


def annotate_beside(
    ax: Any, x: float, y: float, text: str, to_right: bool | None = None
) -> None:
    """Write a text beside a point, on the side away from zero unless one is given."""
    if to_right is None:
        to_right = x >= 0
    offset, alignment = -7, "right"
    if to_right:
        offset, alignment = 7, "left"
    ax.annotate(
        text,
        (x, y),
        xytext=(offset, 0),
        textcoords="offset points",
        va="center",
        ha=alignment,
        fontsize=8,
    )


def widen_for_numbers(ax: Any, share: float) -> None:
    """Leave space for numbers on both sides: a share of the range of the axis."""
    low, high = ax.get_xlim()
    low, high = min(low, 0.0), max(high, 0.0)
    margin = share * (high - low)
    ax.set_xlim(low - margin, high + margin)


def longest_line(names: Iterable[str], width: int) -> int:
    """Return the letters of the longest line of names that are folded at a width."""
    lengths = [0]
    for name in names:
        lines = style.short(name, width).split("\n")
        lengths += [len(line) for line in lines]
    return max(lengths)


def label_margin(names: Iterable[str], width: int) -> float:
    """Return the margin in inches that holds names folded at a width."""
    return 0.25 + 0.068 * longest_line(names, width)


def name_rows(ax: Any, names: Iterable[str], width: int) -> None:
    """Write names, folded at a width, beside the rows of an axis."""
    labels = [style.short(str(name), width) for name in names]
    ax.set_yticks(range(len(labels)), labels)


def name_ends(
    ax: Any, ends: Sequence[CurveEnd], colours: Mapping[str, str], width: int
) -> None:
    """Write the names of curves right of their ends, one above the other.

    Parameters
    ----------
    ax : Axes
    ends : sequence of CurveEnd
    colours : mapping
        Colour by name.
    width : int
        Letters at which a name is folded.
    """
    ends = sorted(ends, key=lambda end: (end.y, end.x, end.name))
    bottom, top = ax.get_ylim()
    lines = [style.short(end.name, width).count("\n") + 1 for end in ends]
    gap = 0.05 * max(lines, default=1) * (top - bottom)
    # No name may be lower than the axis, where the numbers of the axis are.
    lowest = bottom
    heights = []
    for height in spread_apart([end.y for end in ends], gap):
        heights.append(max(height, lowest))
        lowest = heights[-1] + gap
    right = max((end.x for end in ends), default=0.0)
    left = ax.get_xlim()[0]
    for height, end in zip(heights, ends, strict=True):
        ax.text(
            right + 0.025 * (right - left),
            height,
            style.short(end.name, width),
            color=colours[end.name],
            va="center",
            fontsize=8.5,
            fontweight="bold",
            clip_on=False,
            linespacing=0.95,
        )
    ax.set_xlim(right=right)
