"""Shares that decide whether a term is written.

A case of a sweep is written once, with `Polynomial` numbers in place of those that
differ between cases. A comparison such as ``if share > 0`` refuses such a number, and
the sweep then solves every case separately, which is slow. The parts of the program
therefore compare no number themselves: they ask `present` or walk `nonzero`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from chipmodel.solver.polynomials import present

__all__ = ["nonzero", "present"]

Key = TypeVar("Key")


def nonzero(shares: Iterable[tuple[Key, Any]]) -> Iterator[tuple[Key, Any]]:
    """Walk over the shares that are above zero, or may be in some case of a sweep."""
    for key, share in shares:
        if present(share):
            yield key, share
