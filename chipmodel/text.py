"""Plain text for people: numbers worth reading and aligned columns."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
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


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = (), gap: int = 2) -> list[str]:
    """Return rows of cells as aligned lines; the columns in `right` are aligned to the right."""
    if not rows:
        return []
    count = max(len(row) for row in rows)
    full = [[*row, *([""] * (count - len(row)))] for row in rows]
    widths = [max(len(row[i]) for row in full) for i in range(count)]
    lines = (
        (" " * gap).join(cell.rjust(w) if i in right else cell.ljust(w)
                         for i, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in full
    )
    return [line.rstrip() for line in lines]


def folded(text: str, indent: str = "", width: int = WIDTH) -> list[str]:
    """Return a paragraph folded to the width."""
    flat = " ".join(text.split())
    return textwrap.wrap(flat, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False,
                         break_long_words=False)  # an address stays whole


def offer(name: str, known: Iterable[str]) -> str:
    """Return what to say of a name that is not known: the nearest ones, and all of them if they are few."""
    names = list(known)
    near = get_close_matches(name, names, n=3)
    asked = "did you mean " + ", ".join(near) + "?" if near else ""
    rest = [x for x in names if x not in near]
    if len(names) <= FEW and rest:
        return f"{asked} others: " + ", ".join(rest) if near else "known: " + ", ".join(names)
    return asked or (f"there are {len(names)}: " + ", ".join(names[:FEW]) + ", ..." if names else "there is none")


def one_line(text: str) -> str:
    """Return a text on one line, of characters that can be printed."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    r"""Return text without characters that a terminal obeys or that XML forbids; lines and tabs stay.

    >>> printable("red \x1b[31m")
    'red  [31m'
    """
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text)


def inert(value: object) -> object:
    """Return a cell for CSV: text that a spreadsheet would take for a formula gets an apostrophe before it.

    >>> inert("=1+1"), inert(-1.5)
    ("'=1+1", -1.5)
    """
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return f"'{value}" if formula else value


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
    between, last = ("; ", "; and ") if any("," in word for word in words) else (", ", " and ")
    return words[0] if len(words) == 1 else between.join(words[:-1]) + last + words[-1]


def lower(name: str) -> str:
    """Return a segment's name inside a sentence: Logic becomes logic, DRAM stays."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def with_article(name: str) -> str:
    """Return a region's name as it stands inside a sentence."""
    return f"the {name[0].lower()}{name[1:]}" if name.startswith("Rest") else (
        f"the {name}" if name.startswith("United") else name
    )
