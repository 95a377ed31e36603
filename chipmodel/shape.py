"""What two cases share and where they differ: the shape of a programme and its levers.

Every number of a case (those of the data and the world in `Numbers`, those of its instruments, its
resolved duties) is a *leaf*, a float with a path. Cases whose leaves differ in value only have the
same shape; the leaves that differ are the levers, and nobody declares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from chipmodel.case import Case
from chipmodel.dataset import Dataset
from chipmodel.numbers import Numbers
from chipmodel.policies.base import Number, Policy
from chipmodel.policies.duties import Duties, DutyKey

Path = tuple[Any, ...]
PROSE = ("data", "discount", "name", "title", "summary", "scale", "note", "source", "as_of")
"""Fields that are no part of a programme: prose, what the numbers were computed from, and the weights of years,
which are no coefficients."""


def leaves(thing: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Walk over the leaves of a nest of dataclasses, models, dicts and sequences as (path, value)."""
    if isinstance(thing, Dataset):
        return
    if isinstance(thing, dict):
        parts: Iterator[tuple[Any, Any]] = iter(thing.items())
    elif isinstance(thing, tuple | list):
        parts = enumerate(thing)
    elif is_dataclass(thing) and not isinstance(thing, type):
        parts = ((f.name, getattr(thing, f.name)) for f in fields(thing) if f.name not in PROSE)
    elif isinstance(thing, BaseModel):
        parts = ((name, getattr(thing, name)) for name in type(thing).model_fields if name not in PROSE)
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
        return {**thing, **{key: with_leaves(thing[key], inner) for key, inner in below.items()}}
    if isinstance(thing, tuple | list):
        return type(thing)(
            with_leaves(value, below[k]) if k in below else value for k, value in enumerate(thing)
        )
    changed = {name: with_leaves(getattr(thing, name), inner) for name, inner in below.items()}
    if isinstance(thing, BaseModel):
        return thing.model_copy(update=changed)
    return replace(thing, **changed)


def free_fields(policy: Policy) -> list[str]:
    """Return the fields of an instrument that are numbers: they may vary without changing a programme's shape."""
    return [
        name for name, info in type(policy).model_fields.items()
        if any(isinstance(x, Number) for x in info.metadata) and isinstance(getattr(policy, name), float)
    ]


@dataclass(frozen=True)
class Leaves:
    """The leaves of a case.

    Attributes
    ----------
    shape : tuple
        What makes the shape of its programme, hashable.
    paths, numbers : tuple of Path, array
        The leaves of its `Numbers`, shared by the cases of one world.
    own : dict
        The leaves of its instruments and duties; a duty that is not there is zero.
    """

    shape: tuple[Any, ...]
    paths: tuple[Path, ...]
    numbers: NDArray[np.float64]
    own: dict[Path, float]


class Reader:
    """Reads the leaves of cases; numbers of one world are walked once."""

    def __init__(self) -> None:
        self._numbers: tuple[Numbers, tuple[Any, ...], tuple[Path, ...], NDArray[np.float64]] | None = None

    def read(self, case: Case, numbers: Numbers) -> Leaves:
        """Return the leaves of a case with the numbers of its world."""
        if self._numbers is None or self._numbers[0] is not numbers:
            every = list(leaves(numbers))
            fixed = tuple((path, value) for path, value in every if not isinstance(value, float))
            free = [(("numbers", *path), value) for path, value in every if isinstance(value, float)]
            paths = tuple(path for path, _ in free)
            self._numbers = (numbers, (fixed, paths), paths, np.array([value for _, value in free]))
        _, shape, paths, values = self._numbers
        own: dict[Path, float] = {}
        kinds = []
        for k, policy in enumerate(p for p in case.policies if not p.idle):
            free_ones = free_fields(policy)
            rest = policy.model_dump(exclude={*free_ones, "note", "source"})
            kinds.append((policy.kind, repr(rest), tuple(free_ones)))
            own.update({("policies", k, name): getattr(policy, name) for name in free_ones})
        duties = Duties(numbers, case.policies)
        own.update({("duties", *key): rate for key, rate in duties.table().items()})
        return Leaves((shape, tuple(kinds), tuple(duties.tells_apart())), paths, values, own)


def split(values: dict[Path, Any]) -> tuple[dict[Path, Any], dict[Path, Any], dict[DutyKey, Any]]:
    """Split leaves by what they belong to: numbers, policies, duties."""
    parts: dict[str, dict[Any, Any]] = {"numbers": {}, "policies": {}, "duties": {}}
    for path, value in values.items():
        parts[path[0]][path[1:]] = value
    return parts["numbers"], parts["policies"], parts["duties"]
