"""Numbers that record what they depend on: one linear program serves many cases.

A `Polynomial` takes the place of a float while a linear program is written. Sums and
products of polynomials are polynomials in the *levers*, the numbers that differ between
cases. Any other operation (a comparison, a quotient, a floor) is refused with the names
of the levers, because the shape of the linear program would depend on them.
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
    """A number enters the linear program neither as a sum nor as a product.

    Parameters
    ----------
    how : str
        How it enters.
    levers : iterable of str
        Names of the levers in it.
    """

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
        return f"Polynomial({', '.join(sorted(self._levers())) or 'constant'})"

    def _levers(self) -> set[str]:
        levers: set[int] = set()
        for powers in self.terms:
            levers.update(powers)
        return {self.names[lever] for lever in levers}

    def __add__(self, other: Any) -> Any:
        terms = dict(self.terms)
        if isinstance(other, Polynomial):
            for powers, value in other.terms.items():
                terms[powers] = terms.get(powers, 0.0) + value
            return Polynomial(terms, self.names)
        if _is_number(other):
            terms[()] = terms.get((), 0.0) + float(other)
            return Polynomial(terms, self.names)
        return NotImplemented

    __radd__ = __add__

    def __neg__(self) -> Polynomial:
        terms = {powers: -value for powers, value in self.terms.items()}
        return Polynomial(terms, self.names)

    def __pos__(self) -> Polynomial:
        return self

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Polynomial) or _is_number(other):
            return self + (-other)
        return NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        terms: dict[Powers, float] = {}
        if isinstance(other, Polynomial):
            for left_powers, left in self.terms.items():
                for right_powers, right in other.terms.items():
                    powers = tuple(sorted(left_powers + right_powers))
                    terms[powers] = terms.get(powers, 0.0) + left * right
            return Polynomial(terms, self.names)
        if _is_number(other):
            factor = float(other)
            for powers, value in self.terms.items():
                terms[powers] = value * factor
            return Polynomial(terms, self.names)
        return NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Polynomial):
            other._refuse("something is divided by it")
        if _is_number(other):
            return self * (1.0 / float(other))
        return NotImplemented

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
        """A polynomial counts as not zero, whatever its value in one case."""
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


# Pyomo would otherwise not accept it as a coefficient.
RegisterNumericType(Polynomial)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.floating | np.integer)


def present(value: Any) -> bool:
    """Return whether a number is above zero, or may be in some case."""
    return isinstance(value, Polynomial) or value > 0


@dataclass(frozen=True)
class PolynomialVector:
    """Many polynomials of the same levers, evaluated together.

    Every term of every polynomial is a row of `_factors` (its coefficient), `_levers`
    (the levers it multiplies) and `_owners` (the polynomial it belongs to).

    Attributes
    ----------
    slots : array of int
        Position of each polynomial in the array of numbers it fills.
    """

    slots: NDArray[np.int64]
    _owners: NDArray[np.int64]
    _factors: Vector
    _levers: NDArray[np.int64]

    @classmethod
    def of(
        cls, polynomials: Sequence[tuple[int, Polynomial]], count: int
    ) -> PolynomialVector:
        """Gather polynomials by slot.

        Parameters
        ----------
        polynomials : sequence of (int, Polynomial)
            Slot and polynomial.
        count : int
            Number of levers.
        """
        owners: list[int] = []
        factors: list[float] = []
        products: list[Powers] = []
        for owner, (_, polynomial) in enumerate(polynomials):
            for powers, factor in polynomial.terms.items():
                owners.append(owner)
                factors.append(factor)
                products.append(powers)
        degree = max((len(powers) for powers in products), default=0)
        # Shorter products are filled up with one more lever, which is always one.
        levers = np.full((len(products), degree), count, dtype=np.int64)
        for row, powers in enumerate(products):
            levers[row, : len(powers)] = powers
        return cls(
            np.array([slot for slot, _ in polynomials], dtype=np.int64),
            np.array(owners, dtype=np.int64),
            np.array(factors, dtype=float),
            levers,
        )

    def evaluate(self, levers: Vector) -> Vector:
        """Return the values of the polynomials, in the order of `slots`.

        Parameters
        ----------
        levers : array
            Value of each lever.
        """
        padded = np.append(levers, 1.0)
        terms = self._factors * padded[self._levers].prod(axis=1)
        sums = np.bincount(self._owners, weights=terms, minlength=len(self.slots))
        return sums.astype(float)
