"""Patterns of ids, and lists of them."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from chipmodel.common.errors import Unfit

Names = TypeVar("Names")

# Narrow, because ids become names of files, and of rows in LP and MPS files.
ID_PATTERN = r"^[a-z][a-z0-9_]{0,40}$"
"""Id of an instrument, case, world, segment, firm or site."""

REGION_PATTERN = r"^[A-Z]{3}$"
"""Id of a region."""

DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
"""A day."""

TARGET_PATTERN = r"^T[0-9]{2}$"
"""Id of a published number."""

ALL = ("all",)
"""Value of a field of names that means every one of them."""


def sensible_names(names: Names, default: object) -> Names:
    """Return the names that a field lists, if a list means something.

    Parameters
    ----------
    names : tuple of str
        A value of any other type passes.
    default : object
        Default of the field: it shows whether "all" or an empty list is meant.

    Raises
    ------
    Unfit
        If the list is empty, holds a name twice, or "all" beside other names.
    """
    if not isinstance(names, tuple) or default == names:
        return names
    if not names:
        fix = "leave it out for all" if default == ALL else "name one or more"
        raise Unfit("names none", fix)
    if "all" in names and len(names) > 1 and default == ALL:
        raise Unfit("holds 'all' beside other names", "write either 'all' or the names")
    (name, count), *_ = Counter(names).most_common(1)
    if count > 1:
        raise Unfit(f"names '{name}' twice", "name it once")
    return names
