"""Numbers as they stand in the sentence of an instrument."""

from __future__ import annotations

from chipmodel.text import number


def percent(share: float) -> str:
    """Return a share as a percentage, with four digits at most.

    >>> percent(0.25), percent(0.0375)
    ('25%', '3.75%')
    """
    return f"{100.0 * share:.4g}%"


def dollars(amount: float) -> str:
    """Return an amount of money.

    >>> dollars(20000.0)
    'USD 20,000'
    """
    return f"USD {number(amount, 6)}"


def millions(amount: float) -> str:
    """Return money that is counted in millions.

    >>> millions(39000.0), millions(150.0)
    ('USD 39 bn', 'USD 150 million')
    """
    return f"USD {number(amount / 1000.0, 6)} bn" if amount >= 1000.0 else f"USD {number(amount, 6)} million"
