"""Nested numbers: walk over the leaves of dataclasses, models, dicts and sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pydantic import BaseModel

Path = tuple[Any, ...]
"""Keys, indices and field names that lead to a leaf."""

NOT_IN_PROGRAM = (
    "data",
    "discount",
    "name",
    "title",
    "summary",
    "scale",
    "note",
    "source",
    "as_of",
)
"""Fields that do not enter the linear program.

Prose, what the numbers were computed from, and the weights of years, which are not
coefficients.
"""


def leaves(nest: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves of a nest of dataclasses, models, dicts and sequences.

    Yields
    ------
    tuple of (Path, value)
        In the order of the nest.
    """
    parts = _parts(nest)
    if parts is None:
        yield path, nest
        return
    for key, value in parts:
        # Most leaves are numbers: this saves a call for each.
        if isinstance(value, float):
            yield (*path, key), value
        else:
            yield from leaves(value, (*path, key))


def _parts(nest: Any) -> Iterator[tuple[Any, Any]] | None:
    """Return the parts of a nest by key; None for a leaf."""
    if isinstance(nest, dict):
        return iter(nest.items())
    if isinstance(nest, tuple | list):
        return enumerate(nest)
    if is_dataclass(nest) and not isinstance(nest, type):
        names = [field.name for field in fields(nest)]
    elif isinstance(nest, BaseModel):
        names = list(type(nest).model_fields)
    else:
        return None
    return ((name, getattr(nest, name)) for name in names if name not in NOT_IN_PROGRAM)


def with_leaves(nest: Any, values: dict[Path, Any]) -> Any:
    """Return a copy of a nest with some leaves replaced.

    Parameters
    ----------
    nest
        Dataclasses, models, dicts and sequences.
    values : dict of Path to value
        The new leaves.
    """
    if () in values:
        return values[()]
    below: dict[Any, dict[Path, Any]] = {}
    for path, value in values.items():
        below.setdefault(path[0], {})[path[1:]] = value
    if isinstance(nest, tuple | list):
        parts = list(nest)
        for index, inner in below.items():
            parts[index] = with_leaves(parts[index], inner)
        return type(nest)(parts)
    if isinstance(nest, dict):
        changed = {key: with_leaves(nest[key], inner) for key, inner in below.items()}
        return {**nest, **changed}
    changed = {
        name: with_leaves(getattr(nest, name), inner) for name, inner in below.items()
    }
    if isinstance(nest, BaseModel):
        return nest.model_copy(update=changed)
    return replace(nest, **changed)
