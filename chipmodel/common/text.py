"""Plain text for people: numbers worth reading and aligned columns."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

WIDTH = 100


FEW = 16
"""Known names are listed whole up to this many."""


def number(value: float, digits: int = 4) -> str:
    """Return a number with four significant digits, thousands apart, whole from a thousand on."""
    if value == 0 or not math.isfinite(value):
        return f"{value + 0.0:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def columns(
    rows: Sequence[Sequence[str]], right: Sequence[int] = (), gap: int = 2
) -> list[str]:
    """Return rows of cells as aligned lines; the columns in `right` are aligned to the right."""
    if not rows:
        return []
    count = max(len(row) for row in rows)
    full = [[*row, *([""] * (count - len(row)))] for row in rows]
    widths = [max(len(row[i]) for row in full) for i in range(count)]
    lines = (
        (" " * gap).join(
            cell.rjust(w) if i in right else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in full
    )
    return [line.rstrip() for line in lines]


def folded(text: str, indent: str = "", width: int = WIDTH) -> list[str]:
    """Return a paragraph folded to the width."""
    flat = " ".join(text.split())
    return textwrap.wrap(
        flat,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )  # an address stays whole


def offer(name: str, known: Iterable[str]) -> str:
    """Return what to say of a name that is not known: the nearest ones, and all of them if they are few."""
    names = list(known)
    near = get_close_matches(name, names, n=3)
    asked = "did you mean " + ", ".join(near) + "?" if near else ""
    rest = [x for x in names if x not in near]
    if len(names) <= FEW and rest:
        return (
            f"{asked} others: " + ", ".join(rest)
            if near
            else "known: " + ", ".join(names)
        )
    return asked or (
        f"there are {len(names)}: " + ", ".join(names[:FEW]) + ", ..."
        if names
        else "there is none"
    )


def one_line(text: str) -> str:
    """Return a text on one line, of characters that can be printed."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    r"""Return text without characters that a terminal obeys or that XML forbids; lines and tabs stay.

    >>> printable("red \x1b[31m")
    'red  [31m'
    """
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text
    )


def labelled(pairs: Sequence[tuple[str, str]], indent: str = "") -> list[str]:
    """Return label and text pairs, the texts folded and aligned."""
    wide = max((len(label) for label, _ in pairs), default=0) + 2
    lines = []
    for label, text in pairs:
        parts = folded(text, width=max(30, WIDTH - wide - len(indent))) or [""]
        lines.append(f"{indent}{label.ljust(wide)}{parts[0]}".rstrip())
        lines += [f"{indent}{' ' * wide}{part}" for part in parts[1:]]
    return lines


def listed(words: Sequence[str]) -> str:
    """Return a list in words.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    between, last = (
        ("; ", "; and ") if any("," in word for word in words) else (", ", " and ")
    )
    return words[0] if len(words) == 1 else between.join(words[:-1]) + last + words[-1]


def lower(name: str) -> str:
    """Return a segment's name inside a sentence: Logic becomes logic, DRAM stays."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def with_article(name: str) -> str:
    """Return a region's name as it stands inside a sentence."""
    return (
        f"the {name[0].lower()}{name[1:]}"
        if name.startswith("Rest")
        else (f"the {name}" if name.startswith("United") else name)
    )


def exact_percent(share: float) -> str:
    """Return a share as a percentage, with four digits at most.

    >>> exact_percent(0.25), exact_percent(0.0375)
    ('25%', '3.75%')
    """
    return f"{100.0 * share:.4g}%"


def dollars(amount: float) -> str:
    """Return an amount of money.

    >>> dollars(20000.0)
    'USD 20,000'
    """
    return f"USD {number(amount, 6)}"


def millions(amount: float) -> str:
    """Return money that is counted in millions.

    >>> millions(39000.0), millions(150.0)
    ('USD 39 bn', 'USD 150 million')
    """
    return (
        f"USD {number(amount / 1000.0, 6)} bn"
        if amount >= 1000.0
        else f"USD {number(amount, 6)} million"
    )


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
    return (
        f"USD {musd / 1000.0:,.1f} bn"
        if musd >= 100.0 or musd == 0
        else f"USD {musd:,.1f} million"
    )


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


def both(
    first: tuple[float, str],
    second: tuple[float, str],
    size: Callable[[float], str],
    least: float = LEAST,
) -> str:
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
