"""Rows of the linear program as they are written: groups, and rows that cannot hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Index = tuple[Any, ...]

Terms = dict[Any, list[Any]]
"""Terms of sums, by an index or by year."""

Rule = Callable[..., Any]
"""``rule(*index)``, the left-hand side of a row; none leaves the row out."""

Who = str | Callable[..., str]
"""The label of a party, or a function of the index that returns it."""

TOLERANCE = 1e-9
"""By how much a row without variables may miss its right-hand side."""


@dataclass(frozen=True)
class Group:
    """A group of rows as it is written into a program.

    Attributes
    ----------
    name : str
        Name of the rows; the groups of an instrument start with its id.
    policy : str
        Id of the instrument; empty for a group of the model itself.
    unit : str
        Unit of what is limited or balanced.
    meaning : str
        Meaning of the dual.
    owner : str, callable or None
        Who owns the rent of a limit; none for a balance.
    asks : callable or None
        The number a row asks for, by index, where it is not all of the right-hand side.
    """

    name: str
    policy: str
    unit: str
    meaning: str
    owner: Who | None
    asks: Rule | None = None

    def owner_of(self, index: Index) -> str:
        """Return the owner of one row of a limit."""
        assert self.owner is not None
        return self.owner if isinstance(self.owner, str) else self.owner(*index)


@dataclass(frozen=True)
class Broken:
    """A row without variables that does not hold: ``0 >= rhs`` or ``0 = rhs``."""

    group: str
    index: Index
    rhs: float
    equal: bool


def terms_by(key: Callable[..., Any], variables: Any) -> Terms:
    """Collect the variables of one name by a key computed from their index.

    Parameters
    ----------
    key : callable
        ``key(*index)``.
    variables : pyomo.environ.Var
    """
    terms: Terms = defaultdict(list)
    for index, variable in variables.items():
        terms[key(*index)].append(variable)
    return terms
