"""Numbers that remember what they hang on, so that one programme serves many cases.

A `Polynomial` number stands where a float stands while a programme is written. Sums and
products of traced numbers are polynomials in the *levers*, the numbers that differ
between cases; whatever is not (a comparison, a quotient, a floor) is refused with the
names of the levers, for it would make the shape of the programme hang on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from pyomo.common.numeric_types import RegisterNumericType

Vector = NDArray[np.float64]


Powers = tuple[int, ...]
"""Levers of a product, rising, each as often as its power."""


class NotPolynomial(TypeError):
    """A number enters the programme in a way that is neither a sum nor a product."""

    def __init__(self, how: str, levers: Iterable[str]) -> None:
        self.levers = tuple(sorted(levers))
        super().__init__(f"{', '.join(self.levers)}: {how}")


class Polynomial:
    """A polynomial in levers.

    Parameters
    ----------
    terms : dict
        Coefficient of each product of levers; the empty product is the constant.
    names : sequence of str
        Names of the levers, for messages.
    """

    __slots__ = ("names", "terms")
    __array_ufunc__ = None  # numpy's floats leave arithmetic to this class

    def __init__(self, terms: dict[Powers, float], names: Sequence[str]) -> None:
        self.terms = terms
        self.names = names

    def __repr__(self) -> str:
        return f"Traced({', '.join(sorted(self._levers())) or 'constant'})"

    def _levers(self) -> set[str]:
        return {self.names[i] for powers in self.terms for i in powers}

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Polynomial):
            terms = dict(self.terms)
            for powers, value in other.terms.items():
                terms[powers] = terms.get(powers, 0.0) + value
            return Polynomial(terms, self.names)
        if _plain(other):
            return Polynomial(
                {**self.terms, (): self.terms.get((), 0.0) + float(other)}, self.names
            )
        return NotImplemented

    __radd__ = __add__

    def __neg__(self) -> Polynomial:
        return Polynomial(
            {powers: -value for powers, value in self.terms.items()}, self.names
        )

    def __pos__(self) -> Polynomial:
        return self

    def __sub__(self, other: Any) -> Any:
        return (
            self + (-other)
            if isinstance(other, Polynomial) or _plain(other)
            else NotImplemented
        )

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Polynomial):
            terms: dict[Powers, float] = {}
            for left, a in self.terms.items():
                for right, b in other.terms.items():
                    powers = tuple(sorted(left + right))
                    terms[powers] = terms.get(powers, 0.0) + a * b
            return Polynomial(terms, self.names)
        if _plain(other):
            factor = float(other)
            return Polynomial(
                {powers: value * factor for powers, value in self.terms.items()},
                self.names,
            )
        return NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Polynomial):
            other._refuse("something is divided by it")
        return self * (1.0 / float(other)) if _plain(other) else NotImplemented

    def __rtruediv__(self, other: Any) -> NoReturn:
        self._refuse("something is divided by it")

    def __pow__(self, power: Any) -> Any:
        if isinstance(power, int) and power >= 0:
            result: Any = 1.0
            for _ in range(power):
                result = self * result
            return result
        self._refuse(f"it is raised to the power {power}")

    def __bool__(self) -> bool:
        """A traced number is there, whatever its value in one case."""
        return True

    def _refuse(self, how: str) -> NoReturn:
        raise NotPolynomial(how, self._levers())

    def _compared(self, other: Any) -> NoReturn:
        self._refuse("it is compared, rounded or capped")

    __lt__ = __le__ = __gt__ = __ge__ = _compared

    def __float__(self) -> float:
        self._refuse("it is rounded or passed to a function")

    __int__ = __index__ = __float__

    def __abs__(self) -> NoReturn:
        self._refuse("its size is taken")


RegisterNumericType(Polynomial)


def _plain(value: Any) -> bool:
    return isinstance(value, int | float | np.floating | np.integer)


def present(value: Any) -> bool:
    """Whether a number is above zero, or may be in some case."""
    return isinstance(value, Polynomial) or value > 0


@dataclass(frozen=True)
class PolynomialVector:
    """Many polynomials of the same levers, evaluated together.

    Attributes
    ----------
    slots : array of int
        Where in an array of numbers each polynomial stands.
    """

    slots: NDArray[np.int64]
    _which: NDArray[np.int64]
    _factor: Vector
    _levers: NDArray[np.int64]

    @classmethod
    def of(
        cls, found: Sequence[tuple[int, Polynomial]], count: int
    ) -> PolynomialVector:
        """Gather polynomials by slot; `count` is the number of levers."""
        terms = [
            (k, value, powers)
            for k, (_, number) in enumerate(found)
            for powers, value in number.terms.items()
        ]
        most = max((len(powers) for _, _, powers in terms), default=0)
        return cls(
            np.array([slot for slot, _ in found], dtype=np.int64),
            np.array([k for k, _, _ in terms], dtype=np.int64),
            np.array([value for _, value, _ in terms], dtype=float),
            np.array(
                [[*powers, *[count] * (most - len(powers))] for _, _, powers in terms],
                dtype=np.int64,
            ).reshape(len(terms), most),
        )

    def evaluate(self, levers: Vector) -> Vector:
        """Return their values, in the order of `slots`."""
        padded = np.append(levers, 1.0)
        value = self._factor * padded[self._levers].prod(axis=1)
        return np.bincount(
            self._which, weights=value, minlength=len(self.slots)
        ).astype(float)
