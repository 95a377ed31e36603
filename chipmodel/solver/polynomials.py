"""Numbers that record what they depend on: one linear program serves many cases.

A `Polynomial` takes the place of a float while a linear program is written. Sums and
products of polynomials are polynomials in the *levers*, the numbers that may differ
between cases. Any other operation (a comparison, a quotient, a floor) is done with the
value in the case at hand, and its outcome is recorded as a condition: what was written
serves the cases in which all conditions hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

Powers = tuple[int, ...]
"""Levers of a product, rising, each as often as its power."""

NUMBERS = (float, int, np.floating, np.integer)
"""Types of numbers that a polynomial is added to or multiplied with."""

Terms = dict[Powers, float]
"""Coefficient of each product of levers; the empty product is the constant."""


@dataclass(frozen=True)
class Trace:
    """The values of levers in one case, and what was asked of polynomials in them.

    Attributes
    ----------
    values : array
        Value of each lever.
    signs, fixed : dict
        Polynomials whose sign was asked for, and whose value; by their terms, so that
        each is there once.
    """

    values: Vector
    signs: dict[frozenset[tuple[Powers, float]], Polynomial] = field(
        default_factory=dict
    )
    fixed: dict[frozenset[tuple[Powers, float]], Polynomial] = field(
        default_factory=dict
    )

    def levers(self) -> list[Polynomial]:
        """Return the levers as polynomials."""
        from pyomo.common.numeric_types import RegisterNumericType

        # Pyomo would otherwise not accept them as coefficients.
        RegisterNumericType(Polynomial)
        return [Polynomial({(k,): 1.0}, self) for k in range(len(self.values))]

    def conditions(self) -> Conditions:
        """Return the conditions under which every answer is the same."""
        count = len(self.values)
        signs = PolynomialVector.of(list(enumerate(self.signs.values())), count)
        fixed = PolynomialVector.of(list(enumerate(self.fixed.values())), count)
        sign_of_each = np.sign(signs.evaluate(self.values))
        return Conditions(signs, sign_of_each, fixed, fixed.evaluate(self.values))


class Polynomial:
    """A polynomial in levers.

    Parameters
    ----------
    terms : dict
    trace : Trace
        The levers, and where questions about it are recorded.
    """

    __slots__ = ("terms", "trace")
    __array_ufunc__ = None  # numpy's floats leave arithmetic to this class

    def __init__(self, terms: Terms, trace: Trace) -> None:
        self.terms = terms
        self.trace = trace

    def __repr__(self) -> str:
        return f"Polynomial({self.terms})"

    @property
    def _value(self) -> float:
        """The value in the case at hand; who uses it records a condition."""
        value = 0.0
        for powers, factor in self.terms.items():
            for lever in powers:
                factor *= float(self.trace.values[lever])
            value += factor
        return value

    def _compared_with(self, other: Any) -> float:
        """Return the difference to a number, whose sign becomes a condition."""
        difference = self - other
        self.trace.signs.setdefault(frozenset(difference.terms.items()), difference)
        return float(difference._value)

    def __format__(self, form: str) -> str:
        # Only messages are formatted, and they are about the case at hand.
        return format(self._value, form)

    def __float__(self) -> float:
        """Return the value, which becomes a condition."""
        self.trace.fixed.setdefault(frozenset(self.terms.items()), self)
        return self._value

    def __add__(self, other: Any) -> Any:
        terms = dict(self.terms)
        if type(other) is Polynomial:
            for powers, value in other.terms.items():
                terms[powers] = terms.get(powers, 0.0) + value
        elif isinstance(other, NUMBERS):
            terms[()] = terms.get((), 0.0) + float(other)
        else:
            return NotImplemented
        return Polynomial(terms, self.trace)

    __radd__ = __add__

    def __neg__(self) -> Polynomial:
        terms = {powers: -value for powers, value in self.terms.items()}
        return Polynomial(terms, self.trace)

    def __pos__(self) -> Polynomial:
        return self

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        terms: Terms = {}
        if type(other) is Polynomial:
            for left_powers, left in self.terms.items():
                for right_powers, right in other.terms.items():
                    powers = tuple(sorted(left_powers + right_powers))
                    terms[powers] = terms.get(powers, 0.0) + left * right
        elif isinstance(other, NUMBERS):
            factor = float(other)
            if factor == 0.0:
                return 0.0
            terms = {powers: value * factor for powers, value in self.terms.items()}
        else:
            return NotImplemented
        return Polynomial(terms, self.trace)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self * (1.0 / float(other))

    def __rtruediv__(self, other: Any) -> Any:
        return other / float(self)

    def __pow__(self, power: Any) -> Any:
        if not isinstance(power, int) or power < 0:
            return float(self) ** float(power)
        result: Any = 1.0
        for _ in range(power):
            result = self * result
        return result

    def __rpow__(self, base: Any) -> Any:
        return base ** float(self)

    def __bool__(self) -> bool:
        """A polynomial counts as not zero, whatever its value in one case."""
        return True

    def __lt__(self, other: Any) -> bool:
        return self._compared_with(other) < 0

    def __le__(self, other: Any) -> bool:
        return self._compared_with(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self._compared_with(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self._compared_with(other) >= 0

    def __abs__(self) -> Polynomial:
        return -self if self < 0 else self

    def __int__(self) -> int:
        return int(float(self))

    def __round__(self, digits: int | None = None) -> Any:
        return round(float(self), digits)


def present(value: Any) -> bool:
    """Return whether a number is above zero, or may be in some case."""
    return isinstance(value, Polynomial) or value > 0


@dataclass(frozen=True)
class PolynomialVector:
    """Many polynomials of the same levers, evaluated together.

    Every term of every polynomial is a row of `factors` (its coefficient), `levers`
    (the levers it multiplies) and `owners` (the polynomial it belongs to).

    Attributes
    ----------
    slots : array of int
        Position of each polynomial in the array of numbers it fills.
    """

    slots: NDArray[np.int64]
    owners: NDArray[np.int64]
    factors: Vector
    levers: NDArray[np.int64]

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
        ones = (count,) * degree
        full = [powers + ones[len(powers) :] for powers in products]
        return cls(
            np.array([slot for slot, _ in polynomials], dtype=np.int64),
            np.array(owners, dtype=np.int64),
            np.array(factors, dtype=float),
            np.array(full, dtype=np.int64).reshape(len(full), degree),
        )

    def evaluate(self, levers: Vector) -> Vector:
        """Return the values of the polynomials, in the order of `slots`.

        Parameters
        ----------
        levers : array
            Value of each lever.
        """
        padded = np.append(levers, 1.0)
        terms = self.factors * padded[self.levers].prod(axis=1)
        sums = np.bincount(self.owners, weights=terms, minlength=len(self.slots))
        return sums.astype(float)


@dataclass(frozen=True)
class Conditions:
    """What must hold in a case for a linear program that was written in another.

    Attributes
    ----------
    signs : PolynomialVector
    sign_of_each : array
        The sign that each must have: -1, 0 or 1.
    fixed : PolynomialVector
    value_of_each : array
        The value that each must have.
    """

    signs: PolynomialVector
    sign_of_each: Vector
    fixed: PolynomialVector
    value_of_each: Vector

    def hold(self, levers: Vector) -> bool:
        """Whether they hold where the levers have these values."""
        signs = np.sign(self.signs.evaluate(levers))
        fixed = self.fixed.evaluate(levers)
        return np.array_equal(signs, self.sign_of_each) and np.array_equal(
            fixed, self.value_of_each
        )
