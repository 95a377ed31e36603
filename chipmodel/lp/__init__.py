"""The linear programme, part by part, in reading order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyomo.common.gc_manager import PauseGC

from chipmodel.lp import assembly, demand, devices, finance, inputs, production, sites, trade
from chipmodel.lp.book import Book, Broken, Group, Line, Who
from chipmodel.numbers import Numbers
from chipmodel.policies.base import Policy
from chipmodel.shape import Path

PARTS = (sites, production, trade, assembly, inputs, devices, demand)
"""Parts written before the policies; `finance` comes after them, when every support is known."""


@dataclass(frozen=True)
class Programme:
    """A Pyomo model with the ledger that explains it."""

    model: Any
    lines: list[Line]
    groups: dict[str, Group]
    agents: dict[str, Who]
    numbers: Numbers
    policies: tuple[Policy, ...]
    broken: tuple[Broken, ...] = ()
    """Rows that cannot hold whatever is built or bought; `chipmodel.arrays.compile_arrays` refuses them."""


def write(numbers: Numbers, policies: Iterable[Policy] = (), without: Iterable[str] = (),
          ties: bool = True, lifts: dict[Path, Any] | None = None) -> Programme:
    """Write the programme.

    Parameters
    ----------
    numbers : Numbers
    policies : iterable of Policy
        Instruments in force; idle ones are left out.
    without : iterable of str
        Groups of rows left out, for tests of what each does.
    ties : bool
        Whether to break ties between equal routes by a small published cost.
    lifts : dict, optional
        What stands for the numbers that vary in a sweep, by path.
    """
    with PauseGC():
        book = Book(numbers, [p for p in policies if not p.idle], without, ties, lifts)
        lines = _written(book)
        return Programme(book.model, lines, book.groups, book.agents, numbers, book.policies, tuple(book.broken))


def _written(book: Book) -> list[Line]:
    for part in PARTS:
        part.variables(book)
    for part in PARTS:
        part.constraints(book)
    for policy in book.policies:
        policy.add(book)
    finance.variables(book)
    finance.constraints(book)
    for part in (*PARTS, finance):
        part.costs(book)
    return book.close()
