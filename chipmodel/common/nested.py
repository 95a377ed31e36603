"""Nested numbers: walk over the leaves of dataclasses, models, dicts and sequences, and replace some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pydantic import BaseModel

Path = tuple[Any, ...]


PROSE = (
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
"""Fields that are no part of a programme: prose, what the numbers were computed from, and the weights of years,
which are no coefficients."""


def leaves(thing: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Walk over the leaves of a nest of dataclasses, models, dicts and sequences as (path, value)."""
    if isinstance(thing, dict):
        parts: Iterator[tuple[Any, Any]] = iter(thing.items())
    elif isinstance(thing, tuple | list):
        parts = enumerate(thing)
    elif is_dataclass(thing) and not isinstance(thing, type):
        parts = (
            (f.name, getattr(thing, f.name))
            for f in fields(thing)
            if f.name not in PROSE
        )
    elif isinstance(thing, BaseModel):
        parts = (
            (name, getattr(thing, name))
            for name in type(thing).model_fields
            if name not in PROSE
        )
    else:
        yield path, thing
        return
    for key, value in parts:
        if isinstance(value, float):
            yield (*path, key), value
        else:
            yield from leaves(value, (*path, key))


def with_leaves(thing: Any, values: dict[Path, Any]) -> Any:
    """Return a copy of a nest with some leaves replaced."""
    if () in values:
        return values[()]
    below: dict[Any, dict[Path, Any]] = {}
    for path, value in values.items():
        below.setdefault(path[0], {})[path[1:]] = value
    if isinstance(thing, dict):
        return {
            **thing,
            **{key: with_leaves(thing[key], inner) for key, inner in below.items()},
        }
    if isinstance(thing, tuple | list):
        return type(thing)(
            with_leaves(value, below[k]) if k in below else value
            for k, value in enumerate(thing)
        )
    changed = {
        name: with_leaves(getattr(thing, name), inner) for name, inner in below.items()
    }
    if isinstance(thing, BaseModel):
        return thing.model_copy(update=changed)
    return replace(thing, **changed)
