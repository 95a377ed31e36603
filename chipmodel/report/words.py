"""Words and numbers as they stand inside a sentence."""

from __future__ import annotations

from collections.abc import Callable

LEAST = 0.05
"""Money below this, MUSD, is no change."""


def percent(share: float) -> str:
    """Return a share as a percentage, with one decimal unless it is whole.

    >>> percent(0.125), percent(0.25)
    ('12.5%', '25%')
    """
    return f"{round(100.0 * share, 1) + 0.0:.1f}".removesuffix(".0") + "%"


def billion(musd: float) -> str:
    """Return money as USD bn, or million if it is little.

    >>> billion(2500.0), billion(12.0)
    ('USD 2.5 bn', 'USD 12.0 million')
    """
    return f"USD {musd / 1000.0:,.1f} bn" if musd >= 100.0 or musd == 0 else f"USD {musd:,.1f} million"


def span(years: tuple[int, ...]) -> str:
    """Return the years from the first to the last.

    >>> span((2026, 2027, 2028))
    '2026 to 2028'
    """
    return f"{years[0]} to {years[-1]}" if len(years) > 1 else str(years[0])


def moves(change: float, size: Callable[[float], str], least: float = LEAST) -> str:
    """Return that something falls or rises, and by how much.

    >>> moves(-0.2, percent, 0.0005)
    'falls by 20%'
    """
    if abs(change) < least:
        return "does not change"
    return f"{'falls' if change < 0 else 'rises'} by {size(abs(change))}"


def both(first: tuple[float, str], second: tuple[float, str], size: Callable[[float], str],
         least: float = LEAST) -> str:
    """Return how two things move, each with where, and the verb once if they move alike.

    >>> both((-0.2, "at home"), (-0.19, "in all"), percent, 0.0005)
    'falls by 20% at home and by 19% in all'
    >>> both((-0.2, "at home"), (0.1, "in all"), percent, 0.0005)
    'falls by 20% at home but rises by 10% in all'
    """
    (a, here), (b, there) = first, second
    start = f"{moves(a, size, least)} {here}"
    if min(abs(a), abs(b)) >= least and (a < 0) == (b < 0):
        return f"{start} and by {size(abs(b))} {there}"
    if max(abs(a), abs(b)) < least:
        return f"does not change {here} or {there}"
    return f"{start} but {moves(b, size, least)} {there}"
