"""A linear program as arrays: matrix, right-hand sides, account lines and labels."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chipmodel.solver.ledger import COLUMN, Line

Vector = NDArray[np.float64]

Index = tuple[Any, ...]

Label = tuple[str, Index]
"""Name of a group of rows or of a variable, and an index."""


DIGEST_BITS = 30
"""Binary digits of each number that the digest of a linear program depends on."""


@dataclass(frozen=True)
class RowGroup:
    """A group of rows as results name it; a limit has a rent, a balance a price."""

    name: str
    policy: str
    unit: str
    meaning: str
    is_limit: bool


# Arrays have no one truth value: two are equal if they are one object.
@dataclass(frozen=True, eq=False)
class ProgramLabels:
    """Labels, agents and owners, which all linear programs of one shape share.

    Plain data: it can be sent to a process.

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
    lines : list of Line
        Account lines.
    groups : dict
        Groups of rows by name.
    """

    row_labels: list[Label]
    column_labels: list[Label]
    is_equation: NDArray[np.bool_]
    owners: list[str]
    agents: list[str]
    lines: list[Line]
    groups: dict[str, RowGroup]

    # Cached, because the programs of a sweep share one set of labels.
    @cached_property
    def is_limit(self) -> NDArray[np.bool_]:
        """Rows that are limits."""
        return np.array([bool(owner) for owner in self.owners], dtype=bool)

    @cached_property
    def agent_codes(self) -> tuple[list[str], NDArray[np.int64]]:
        """The agents, and the position of each column's agent among them."""
        return coded(self.agents)

    @cached_property
    def owner_codes(self) -> tuple[list[str], NDArray[np.int64]]:
        """The owners, and the position of each row's owner among them."""
        return coded(self.owners)

    @cached_property
    def column_keys(self) -> NDArray[np.uint64]:
        """The key of each column, by which it is known in other linear programs."""
        return _keys(self.column_labels)

    @cached_property
    def row_keys(self) -> NDArray[np.uint64]:
        """The key of each row."""
        return _keys(self.row_labels)

    def columns(self, name: str) -> tuple[list[Index], NDArray[np.int64]]:
        """Return the indices of a variable and the positions of its columns."""
        return self._columns.get(name, NOTHING)

    def rows(self, name: str) -> tuple[list[Index], NDArray[np.int64]]:
        """Return the indices of a group and the positions of its rows."""
        return self._rows.get(name, NOTHING)

    @cached_property
    def _columns(self) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
        return _by_name(self.column_labels)

    @cached_property
    def _rows(self) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
        return _by_name(self.row_labels)


NOTHING: tuple[list[Index], NDArray[np.int64]] = ([], np.zeros(0, dtype=np.int64))
"""No indices and no positions."""


def coded(names: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct names, sorted, and the position of each name among them."""
    distinct, codes = np.unique(np.array(names, dtype=str), return_inverse=True)
    return distinct.tolist(), codes


def _keys(labels: list[Label]) -> NDArray[np.uint64]:
    """Return a hash of each label: eight bytes where a label has forty.

    In four bytes some of a hundred thousand labels would share one.
    """
    hashes = [hashlib.blake2b(repr(k).encode(), digest_size=8) for k in labels]
    return np.frombuffer(
        b"".join(found.digest() for found in hashes), dtype="<u8"
    ).astype(np.uint64)


def _by_name(labels: list[Label]) -> dict[str, tuple[list[Index], NDArray[np.int64]]]:
    indices: dict[str, list[Index]] = defaultdict(list)
    positions: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
    start = 0
    # Labels of one name mostly follow one another.
    for name, run in groupby(name for name, _ in labels):
        end = start + sum(1 for _ in run)
        indices[name] += [index for _, index in labels[start:end]]
        positions[name].append(np.arange(start, end))
        start = end
    return {name: (indices[name], np.concatenate(positions[name])) for name in indices}


# Arrays have no one truth value: two are equal if they are one object.
@dataclass(frozen=True, eq=False)
class LinearProgram:
    r"""A linear program as arrays.

    .. math:: \min w^T L x, \quad A x \ge b, \quad x \ge 0

    with equations among the rows.

    Attributes
    ----------
    labels : ProgramLabels
        Labels of rows and columns.
    matrix : sparse matrix
        A, by columns.
    rhs : array
        Right-hand sides b.
    lines : sparse matrix
        L, undiscounted: a row for each account line, a column for each column of A.
    weights : array
        Discounted weight w of each line in the objective.
    stated_amounts : dict
        By row, the amount that its rule states, where the right-hand side is another.
    """

    labels: ProgramLabels
    matrix: Any
    rhs: Vector
    lines: Any
    weights: Vector
    stated_amounts: dict[int, float] = field(default_factory=dict)

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

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the arrays, their numbers to nine digits.

        Another version of NumPy may move the last digits. Labels do not count.
        """
        matrix = self.matrix.tocsc()
        digest = hashlib.sha256(self.is_equation.tobytes())
        for places in (matrix.indptr, matrix.indices):
            digest.update(places.astype("<i8").tobytes())
        for values in (matrix.data, self.rhs, self.cost):
            digest.update(_rounded(values))
        return digest.hexdigest()

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the smallest and largest size of numbers that are not zero.

        Of the coefficients (``matrix``), the costs (``cost``) and the right-hand sides
        (``rhs``).
        """
        numbers = {"matrix": self.matrix.data, "cost": self.cost, "rhs": self.rhs}
        return {name: _range(values) for name, values in numbers.items()}


def _rounded(values: Vector) -> bytes:
    """Return numbers as bytes, to nine digits."""
    fractions, exponents = np.frexp(np.asarray(values, dtype=np.float64))
    whole = np.rint(fractions * 2.0**DIGEST_BITS).astype("<i8")
    return whole.tobytes() + exponents.astype("<i4").tobytes()


def _range(values: Vector) -> tuple[float, float]:
    sizes = np.abs(values[values != 0])
    if not len(sizes):
        return 0.0, 0.0
    return float(sizes.min()), float(sizes.max())


def agent_of(column: str, agent: str) -> str:
    """Return who pays or receives on a line.

    Parameters
    ----------
    column : str
        Payer or receiver of the line: a party, or `COLUMN`.
    agent : str
        Agent of the column, which replaces `COLUMN`.
    """
    return agent if column == COLUMN else column
