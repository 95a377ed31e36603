"""Plain text: numbers to the digits worth reading, aligned columns, short phrases."""

from __future__ import annotations

import math
import shlex
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

WIDTH = 100
"""Characters of a line."""

FEW = 16
"""Known names are listed whole up to this many."""

NEGLIGIBLE = 0.05
"""Money below this, MUSD, is no change."""


def number(value: float, digits: int = 4) -> str:
    """Return a number with four significant digits, whole from a thousand on.

    >>> number(1234567.8), number(0.123456), number(2.5)
    ('1,234,568', '0.1235', '2.5')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value + 0.0:g}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    # Zeros of a whole number are not decimals.
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def columns(
    rows: Sequence[Sequence[str]], right: Sequence[int] = (), gap: int = 2
) -> list[str]:
    """Return rows of cells as aligned lines.

    Parameters
    ----------
    rows : sequence of sequences of str
        Rows may end early.
    right : sequence of int
        Columns that are aligned to the right.
    gap : int
        Spaces between columns.
    """
    if not rows:
        return []
    count = max(len(row) for row in rows)
    full = [[*row, *([""] * (count - len(row)))] for row in rows]
    lines = []
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    for row in full:
        cells = []
        for index, (cell, width) in enumerate(zip(row, widths, strict=True)):
            cells.append(cell.rjust(width) if index in right else cell.ljust(width))
        lines.append((" " * gap).join(cells).rstrip())
    return lines


def folded(text: str, indent: str = "", width: int = WIDTH) -> list[str]:
    """Return a paragraph folded to the width."""
    flat = " ".join(text.split())
    return textwrap.wrap(
        flat,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        # An address stays whole.
        break_on_hyphens=False,
        break_long_words=False,
    )


def offer(name: str, known: Iterable[str]) -> str:
    """Return a hint for a name that is not known.

    It holds the nearest names, and all of them if they are few.

    >>> offer("tarif", ["tariff", "grant"]), offer("x", ["tariff", "grant"])
    ('did you mean tariff? others: grant', 'known: tariff, grant')
    """
    names = list(known)
    if not names:
        return "there is none"
    near = get_close_matches(name, names, n=3)
    others = [other for other in names if other not in near]
    are_few = len(names) <= FEW
    if near:
        question = f"did you mean {', '.join(near)}?"
        if are_few and others:
            return f"{question} others: {', '.join(others)}"
        return question
    if are_few:
        return f"known: {', '.join(names)}"
    return f"there are {len(names)}: {', '.join(names[:FEW])}, ..."


def command(*words: str) -> str:
    """Return a command of chipmodel as a shell takes it, in backquotes.

    >>> command("why", "too soon", "--data", "my data")
    "`chipmodel why 'too soon' --data 'my data'`"
    """
    return f"`{shlex.join(['chipmodel', *words])}`"


def one_line(text: str) -> str:
    """Return a text on one line, of characters that can be printed."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    r"""Return text without control characters; ends of lines and tabs stay.

    A terminal would obey them, and XML forbids them.

    >>> printable("red \x1b[31m")
    'red  [31m'
    """
    characters = []
    for char in text:
        is_control = unicodedata.category(char) == "Cc" and char not in "\n\t"
        characters.append(" " if is_control else char)
    return "".join(characters)


def labelled(pairs: Sequence[tuple[str, str]], indent: str = "") -> list[str]:
    """Return label and text pairs, the texts folded and aligned."""
    label_width = max((len(label) for label, _ in pairs), default=0) + 2
    text_width = max(30, WIDTH - label_width - len(indent))
    lines = []
    for label, text in pairs:
        first, *others = folded(text, width=text_width) or [""]
        lines.append(f"{indent}{label.ljust(label_width)}{first}".rstrip())
        lines += [f"{indent}{' ' * label_width}{other}" for other in others]
    return lines


def listed(terms: Sequence[str]) -> str:
    """Return terms as an enumeration.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(terms) == 1:
        return terms[0]
    if any("," in term for term in terms):
        return "; ".join(terms[:-1]) + "; and " + terms[-1]
    return ", ".join(terms[:-1]) + " and " + terms[-1]


def lower(name: str) -> str:
    """Return a name inside a sentence.

    >>> lower("Logic chips"), lower("DRAM"), lower("ArF immersion scanners")
    ('logic chips', 'DRAM', 'ArF immersion scanners')
    """
    first_word = name.split(" ")[0]
    # Capitals after the first letter are those of an abbreviation or a formula.
    if first_word[1:] != first_word[1:].lower():
        return name
    return name[:1].lower() + name[1:]


def with_article(name: str) -> str:
    """Return a region's name inside a sentence.

    >>> with_article("United States"), with_article("Rest of the world")
    ('the United States', 'the rest of the world')
    """
    if name.startswith("Rest"):
        return f"the {name[0].lower()}{name[1:]}"
    if name.startswith("United"):
        return f"the {name}"
    return name


def exact_percent(share: float) -> str:
    """Return a share as a percentage as it was set, with four digits at most.

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
    """Return an amount that was set, in million USD, as text.

    >>> millions(39000.0), millions(150.0)
    ('USD 39 bn', 'USD 150 million')
    """
    if amount >= 1000.0:
        return f"USD {number(amount / 1000.0, 6)} bn"
    return f"USD {number(amount, 6)} million"


def percent(share: float) -> str:
    """Return a computed share as a percentage, with one decimal unless it is whole.

    >>> percent(0.125), percent(0.25)
    ('12.5%', '25%')
    """
    return f"{round(100.0 * share, 1) + 0.0:.1f}".removesuffix(".0") + "%"


def billion(musd: float) -> str:
    """Return a computed amount, in million USD, as text: USD bn, or million if small.

    >>> billion(2500.0), billion(12.0)
    ('USD 2.5 bn', 'USD 12.0 million')
    """
    if musd >= 100.0 or musd == 0:
        return f"USD {musd / 1000.0:,.1f} bn"
    return f"USD {musd:,.1f} million"


def span(years: tuple[int, ...]) -> str:
    """Return the years from the first to the last.

    >>> span((2026, 2027, 2028))
    '2026 to 2028'
    """
    return f"{years[0]} to {years[-1]}" if len(years) > 1 else str(years[0])


def change_phrase(
    change: float, size: Callable[[float], str], negligible: float = NEGLIGIBLE
) -> str:
    """Return the phrase for a change: that it falls or rises, and by how much.

    Parameters
    ----------
    change : float
    size : callable
        Writes the size of a change.
    negligible : float
        Size below which nothing changes.

    Examples
    --------
    >>> change_phrase(-0.2, percent, 0.0005)
    'falls by 20%'
    """
    if abs(change) < negligible:
        return "does not change"
    verb = "falls" if change < 0 else "rises"
    return f"{verb} by {size(abs(change))}"


def two_changes_phrase(
    first: tuple[float, str],
    second: tuple[float, str],
    size: Callable[[float], str],
    negligible: float = NEGLIGIBLE,
) -> str:
    """Return how two things change, with one verb if they change alike.

    Parameters
    ----------
    first, second : tuple of (float, str)
        Change, and where.
    size : callable
        Writes the size of a change.
    negligible : float
        Size below which nothing changes.

    Examples
    --------
    >>> two_changes_phrase((-0.2, "at home"), (-0.19, "in all"), percent, 0.0005)
    'falls by 20% at home and by 19% in all'
    >>> two_changes_phrase((-0.2, "at home"), (0.1, "in all"), percent, 0.0005)
    'falls by 20% at home but rises by 10% in all'
    """
    change, place = first
    other_change, other_place = second
    start = f"{change_phrase(change, size, negligible)} {place}"
    both_change = min(abs(change), abs(other_change)) >= negligible
    if both_change and (change < 0) == (other_change < 0):
        return f"{start} and by {size(abs(other_change))} {other_place}"
    if max(abs(change), abs(other_change)) < negligible:
        return f"does not change {place} or {other_place}"
    return f"{start} but {change_phrase(other_change, size, negligible)} {other_place}"
