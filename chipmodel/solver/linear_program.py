"""A linear program as arrays: a matrix, right-hand sides, account lines and their labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipmodel.solver.ledger import COLUMN, Line

Vector = NDArray[np.float64]


Index = tuple[Any, ...]


Label = tuple[str, Index]


@dataclass(frozen=True)
class RowGroup:
    """A family of rows as results name it; a limit has a rent, a balance a price."""

    name: str
    policy: str
    unit: str
    meaning: str
    is_limit: bool


@dataclass(frozen=True)
class ProgramLabels:
    """What programmes of one shape share: labels, agents and owners, in plain data that can be sent to a process.

    Attributes
    ----------
    row_labels, column_labels : list of (str, tuple)
        Group and index of each row; variable and index of each column.
    is_equation : array of bool
        Rows that are equations.
    owners : list of str
        Owner of the rent of each row; empty for a balance.
    agents : list of str
        Agent of each column.
    """

    row_labels: list[Label]
    column_labels: list[Label]
    is_equation: NDArray[np.bool_]
    owners: list[str]
    agents: list[str]
    lines: list[Line]
    groups: dict[str, RowGroup]
    stated_amounts: dict[int, float] = field(default_factory=dict)
    """The number a row stands for, where it is not all of its right-hand side."""

    @cached_property
    def is_limit(self) -> NDArray[np.bool_]:
        """Rows that are limits."""
        return np.array([bool(owner) for owner in self.owners], dtype=bool)

    @cached_property
    def agent_codes(self) -> tuple[list[str], NDArray[np.int64]]:
        """The agents, and the place of each column's agent among them."""
        return coded(self.agents)

    @cached_property
    def owner_codes(self) -> tuple[list[str], NDArray[np.int64]]:
        """The owners, and the place of each row's owner among them."""
        return coded(self.owners)

    def columns(self, name: str) -> tuple[list[Index], NDArray[np.int64]]:
        """Return the indices of a variable and the places of its columns."""
        return self._columns.get(name, NOTHING)

    def rows(self, name: str) -> tuple[list[Index], NDArray[np.int64]]:
        """Return the indices of a group and the places of its rows."""
        return self._rows.get(name, NOTHING)

    @cached_property
    def _columns(self) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
        return _by_name(self.column_labels)

    @cached_property
    def _rows(self) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
        return _by_name(self.row_labels)


NOTHING: tuple[list[Index], NDArray[np.int64]] = ([], np.zeros(0, dtype=np.int64))


def coded(names: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct names, sorted, and the place of each name among them."""
    found, code = np.unique(np.array(names, dtype=str), return_inverse=True)
    return found.tolist(), code


def _by_name(labels: list[Label]) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
    found: dict[str, tuple[list[Index], list[int]]] = {}
    for place, (name, index) in enumerate(labels):
        keys, places = found.setdefault(name, ([], []))
        keys.append(index)
        places.append(place)
    return {name: (keys, np.array(places)) for name, (keys, places) in found.items()}


@dataclass(frozen=True)
class LinearProgram:
    """A linear programme as arrays.

    Attributes
    ----------
    labels : ProgramLabels
        Labels of rows and columns.
    matrix : sparse matrix
        By columns.
    lines : sparse matrix
        Account lines by columns, undiscounted.
    weights : array
        Discounted weight of each line in the objective.
    """

    labels: ProgramLabels
    matrix: Any
    rhs: Vector
    lines: Any
    weights: Vector

    @property
    def row_labels(self) -> list[Label]:
        """Group and index of each row."""
        return self.labels.row_labels

    @property
    def column_labels(self) -> list[Label]:
        """Variable and index of each column."""
        return self.labels.column_labels

    @property
    def is_equation(self) -> NDArray[np.bool_]:
        """Rows that are equations."""
        return self.labels.is_equation

    @cached_property
    def cost(self) -> Vector:
        """Cost of each column, discounted."""
        return np.asarray(self.weights @ self.lines).ravel()

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and largest size of coefficients, costs and right-hand sides that are not zero."""
        found = {}
        for name, values in (
            ("matrix", self.matrix.data),
            ("cost", self.cost),
            ("rhs", self.rhs),
        ):
            size = np.abs(values[values != 0])
            found[name] = (
                (float(size.min()), float(size.max())) if len(size) else (0.0, 0.0)
            )
        return found


def agent_of(column: str, agent: str) -> str:
    """Return who pays or receives on a line: a named party, or the agent of the column."""
    return agent if column == COLUMN else column
