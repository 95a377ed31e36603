"""Row groups of the linear program: each is declared once, beside its equation.

A part of the program declares its groups with `limit` and `balance`. The declaration
is the only place that names a group: the program, the formulation, the diagnosis of a
case and the tests read it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, wraps
from types import ModuleType
from typing import Any, TypeVar

from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.rows import Group, Index

Keys = Callable[[ModelBuilder], Iterable[Index]]
"""Indices of the rows of a group, in the order in which they are written."""

Rule = Callable[..., Any]
"""``rule(builder, *index)``, the left-hand side of a row; none leaves the row out."""

Table = TypeVar("Table")


@dataclass(frozen=True)
class Owner:
    """Who owns the rent of a limit.

    Attributes
    ----------
    text : str
        The owner as text, for the formulation.
    label : callable
        ``label(builder, *index)``, the label of the party for one row.
    """

    text: str
    label: Callable[..., str]

    def of(self, builder: ModelBuilder) -> Callable[..., str]:
        """Return the label of the party as a function of the index alone."""
        return partial(self.label, builder)


@dataclass(frozen=True)
class RowGroup:
    """A declared group of rows.

    Attributes
    ----------
    name : str
        Name of the rows in the program.
    title : str
        What they limit or balance, as text.
    index : tuple of str
        What each part of their index is: ``site``, ``region``, ``year`` ...
    over : callable
        ``over(builder)``, their indices in the order of the rows.
    unit : str
        Unit of what is limited or balanced.
    dual : str
        Meaning of the dual.
    rule : callable
        ``rule(builder, *index)``, the left-hand side; its docstring holds the equation.
    owner : Owner or None
        Who owns the rent of a limit; none for a balance.
    equal : bool
        Whether the rows are equations; otherwise the left-hand side is at least zero.
    asks : callable or None
        ``asks(builder, *index)``, the number a row asks for, where constants beside it
        make the right-hand side another.
    """

    name: str
    title: str
    index: tuple[str, ...]
    over: Keys
    unit: str
    dual: str
    rule: Rule
    owner: Owner | None
    equal: bool
    asks: Rule | None = None

    @property
    def kind(self) -> str:
        """``limit`` or ``balance``."""
        return "balance" if self.owner is None else "limit"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Letters of the index in the equation."""
        # Without the builder, the first parameter of every rule.
        _, *letters = inspect.signature(self.rule).parameters
        return tuple(letters)

    @property
    def docstring(self) -> str:
        """What the rows hold and their equation."""
        return inspect.getdoc(self.rule) or ""

    def write(self, builder: ModelBuilder) -> None:
        """Write the rows."""
        # Callers of the written group know the index alone, not the builder.
        owner = asks = None
        if self.owner is not None:
            owner = self.owner.of(builder)
        if self.asks is not None:
            asks = partial(self.asks, builder)
        group = Group(
            name=self.name,
            policy="",
            unit=self.unit,
            meaning=self.dual,
            owner=owner,
            asks=asks,
        )
        builder.add_rows(
            group, self.over(builder), partial(self.rule, builder), self.equal
        )


def limit(
    *,
    name: str,
    title: str,
    index: tuple[str, ...],
    over: Keys,
    unit: str,
    owner: Owner,
    dual: str,
    equal: bool = False,
    asks: Rule | None = None,
) -> Callable[[Rule], RowGroup]:
    """Declare limits: what is left of the limit, the value of the rule, is at least 0.

    The rent, dual times right-hand side, belongs to the `owner`. The parameters are
    the attributes of `RowGroup`.
    """

    def declare(rule: Rule) -> RowGroup:
        return RowGroup(name, title, index, over, unit, dual, rule, owner, equal, asks)

    return declare


def balance(
    *,
    name: str,
    title: str,
    index: tuple[str, ...],
    over: Keys,
    unit: str,
    dual: str,
    equal: bool = True,
) -> Callable[[Rule], RowGroup]:
    """Declare balances: rows with a zero right-hand side, whose dual is a price.

    The parameters are the attributes of `RowGroup`.
    """

    def declare(rule: Rule) -> RowGroup:
        return RowGroup(name, title, index, over, unit, dual, rule, None, equal)

    return declare


def groups_of(part: ModuleType) -> tuple[RowGroup, ...]:
    """Return the groups that a part declares, in order of definition."""
    groups = [value for value in vars(part).values() if isinstance(value, RowGroup)]
    # A group imported from another part belongs to that part.
    return tuple(group for group in groups if group.rule.__module__ == part.__name__)


def lookup(
    compute: Callable[[ModelBuilder], Table],
) -> Callable[[ModelBuilder], Table]:
    """Make a table that the rules of a part share: computed once per program.

    It is computed when a rule first asks for it, so it may read the variables of all
    parts, and in `finance` the support of all instruments.
    """

    @wraps(compute)
    def table(builder: ModelBuilder) -> Table:
        if compute not in builder.lookups:
            builder.lookups[compute] = compute(builder)
        computed: Table = builder.lookups[compute]
        return computed

    return table
