"""What pydantic finds, as a field, what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any

from chipmodel.common.errors import Unfit
from chipmodel.common.ids import (
    DATE_PATTERN,
    ID_PATTERN,
    REGION_PATTERN,
    TARGET_PATTERN,
)

PATTERNS = {
    DATE_PATTERN: ("a date", "write year, month and day, such as 2026-06-30"),
    ID_PATTERN: (
        "an id",
        "use small letters, digits and _, a letter first, 41 at most",
    ),
    REGION_PATTERN: ("a region", "use three capital letters, such as USA"),
    TARGET_PATTERN: ("the id of a target", "write T and two digits, such as T01"),
}
"""What a text of a pattern is, and how to write one: nobody reads a pattern."""

LIMITS = {
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "a number below {lt}",
    "less_than_equal": "{le} or less",
}
"""What to give instead of a number beyond a limit."""

TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list, in brackets",
    "dict_type": "a table of keys and values",
    "string_type": "text in quotes",
    "string_too_short": "one character or more",
    "string_too_long": "{max_length} characters or less",
}
"""What to give instead of a value of another type."""


def explained(fault: Mapping[str, Any], regions: Iterable[str] = ()) -> tuple[str, str]:
    """Return what is wrong and the fix of one finding of pydantic.

    Parameters
    ----------
    fault : mapping
        An entry of ``ValidationError.errors()``.
    regions : iterable of str
        Regions to choose from, for the message about one that is not known.
    """
    kind = fault["type"]
    context = fault.get("ctx", {})
    given = fault.get("input")
    if kind == "extra_forbidden":
        return "unknown key", "remove it or check its spelling"
    if kind == "missing":
        return "is missing", "add it"
    if kind == "too_short":
        return "names none", "name one or more"
    if kind == "string_pattern_mismatch" and context.get("pattern") in PATTERNS:
        pattern = context["pattern"]
        noun, fix = PATTERNS[pattern]
        if pattern == REGION_PATTERN:
            fix = f"use one of {', '.join(regions)}" if regions else fix
        return f"'{given}' is not {noun}", fix
    error = context.get("error")
    if isinstance(error, Unfit):
        return _about(given, error.what), error.fix
    what = str(fault["msg"]).removeprefix("Value error, ")
    return _about(given, what), _fix(kind, context, given)


def _about(given: object, what: str) -> str:
    if isinstance(given, str):
        return f"'{given}': {what[:1].lower()}{what[1:]}"
    # A rule on several values may not repeat the one with a letter that looks like
    # another; its characters are named where it is shown.
    odd = [text for text in _codes(given) if not text.isascii() and text not in what]
    return f"{what} (given: {', '.join(odd[:MOST_SHOWN])})" if odd else what


PROSE = ("title", "summary", "note")
"""Keys of texts in which any letter may stand."""

MOST_SHOWN = 3
"""Texts that a message repeats."""


def _codes(given: object) -> Iterator[str]:
    """Yield the texts of nested values, without prose."""
    if isinstance(given, str):
        yield given
    elif isinstance(given, Mapping):
        for key, value in given.items():
            if key not in PROSE:
                yield from _codes(value)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from _codes(value)


def _fix(kind: str, context: Mapping[str, Any], given: object) -> str:
    """Return what to give instead of a value."""
    if kind == "string_type" and isinstance(given, int | float | date | time):
        return "put it in quotes"
    if kind in ("int_type", "float_type", "bool_type") and _in_quotes(kind, given):
        return "write it without quotes"
    if kind == "literal_error":
        return f"use {context['expected']}"
    form = LIMITS.get(kind) or TYPES.get(kind)
    return "correct the value" if form is None else f"give {form.format(**context)}"


def _in_quotes(kind: str, given: object) -> bool:
    """Whether a text would be a value of the right kind without its quotes."""
    if not isinstance(given, str):
        return False
    if kind == "bool_type":
        return given in ("true", "false")
    return given.strip("+-").replace(".", "", 1).isdecimal()
