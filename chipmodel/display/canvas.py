"""Drawing areas: when figures can be drawn, how they are saved, and axes shared by all figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.common.files import write_whole
from chipmodel.display import style

Drawn = tuple[Any, Any]
"""Figure and its axes."""


KINDS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Kinds of files of a figure, and what is left out of each so that its bytes do not change."""


NEEDS = "the figures need matplotlib: pip install chipmodel[plot]"


def drawable() -> bool:
    """Whether matplotlib is there."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def save(
    draw: Callable[[pd.DataFrame], Drawn], table: pd.DataFrame, stem: Path
) -> list[Path]:
    """Draw a table and write it as ``stem.png``, ``stem.svg`` and ``stem.pdf``, the same bytes on every run."""
    written = []
    for kind, raw in rendered(draw, table).items():
        path = stem.with_name(f"{stem.name}.{kind}")
        write_whole(path, raw)
        written.append(path)
    return written


def rendered(
    draw: Callable[[pd.DataFrame], Drawn], table: pd.DataFrame
) -> dict[str, bytes]:
    """Draw a table and return the figure by kind of file, the same bytes on every run."""
    import matplotlib as mpl

    found = {}
    with mpl.rc_context(
        {**mpl.rcParamsDefault, **style.RC, "backend": mpl.rcParams["backend"]}
    ):
        fig, _ = draw(table)
        for kind, metadata in KINDS.items():
            stream = io.BytesIO()
            fig.savefig(stream, format=kind, dpi=200, metadata=metadata)
            found[kind] = stream.getvalue()
    return found


def _subplots(
    rows: int, columns: int, size: tuple[float, float], **given: Any
) -> Drawn:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ratios = given.pop("height_ratios", None)
    grid = {"height_ratios": ratios} if ratios else None
    fig = Figure(figsize=size)
    FigureCanvasAgg(fig)
    axes = fig.subplots(rows, columns, squeeze=False, gridspec_kw=grid, **given)
    return fig, axes.ravel()


def _caption(fig: Any, title: str, note: str) -> None:
    tall, wide = fig.get_figheight(), fig.get_figwidth()
    fig.text(
        0.12 / wide,
        1.0 - 0.27 / tall,
        title,
        fontsize=12,
        fontweight="bold",
        va="center",
    )
    fig.text(0.12 / wide, 1.0 - 0.52 / tall, note, color="#555555", va="center")


def _whole_years() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=True)


def _thousands() -> Any:
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: f"{value:,.0f}")


def _spread(heights: list[float], least: float) -> list[float]:
    """Move rising heights apart so that neighbours are at least `least` apart, as little as it takes."""
    placed = list(heights)
    for _ in range(200):
        moved = False
        for i in range(len(placed) - 1):
            close = least - (placed[i + 1] - placed[i])
            if close > 1e-9 * max(1.0, abs(least)):
                placed[i] -= close / 2.0
                placed[i + 1] += close / 2.0
                moved = True
        if not moved:
            break
    return placed


def _diverging(
    ax: Any, at: int, values: pd.Series[float], paint: dict[str, str]
) -> None:
    """Stack gains to the right of zero and losses to the left, with the sum as a diamond and a number."""
    right = left = 0.0
    for region, value in values.items():
        start = right if value >= 0 else left
        ax.barh(
            at,
            value,
            left=start,
            height=0.62,
            color=paint[str(region)],
            edgecolor="white",
            linewidth=0.5,
        )
        right, left = (right + value, left) if value >= 0 else (right, left + value)
    total = float(values.sum())
    ax.plot(
        total,
        at,
        "D",
        color="white",
        markeredgecolor=style.INK,
        markersize=4.5,
        zorder=4,
    )
    _beside(ax, right if total >= 0 else left, at, _signed(total), total >= 0)


def _signed(value: float) -> str:
    """Return a number with its sign, finer if it is small, and 0 without one."""
    fine = 1 if abs(value) >= 0.1 else 2
    return f"{value:+,.{fine}f}" if abs(value) >= 0.005 else "0"


def _beside(ax: Any, x: float, y: float, text: str, right: bool | None = None) -> None:
    outward = (x >= 0) if right is None else right
    ax.annotate(
        text,
        (x, y),
        xytext=(7 if outward else -7, 0),
        textcoords="offset points",
        va="center",
        ha="left" if outward else "right",
        fontsize=8,
    )


def _widen(ax: Any, share: float) -> None:
    """Leave room on both sides for numbers."""
    low, high = ax.get_xlim()
    low, high = min(low, 0.0), max(high, 0.0)
    ax.set_xlim(low - share * (high - low), high + share * (high - low))
