"""The ledger of a linear program: parties, accounts and the lines they meet on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal


@dataclass(frozen=True)
class Party:
    """Someone who pays, receives or owns a rent.

    Arrays and tables hold its `label`; `Party.of` turns a label back into a party.

    Attributes
    ----------
    kind : str
        ``treasury``, ``users``, ``fab``, ``holder``, ``supplier``, ``licence``,
        ``builders``, or a group without a name such as ``traders`` or ``makers``.
    name : str
        Region of a treasury, users or builders, firm of a fab, holder of a budget.
    place : str
        Region of a fab.
    """

    kind: str
    name: str = ""
    place: str = ""

    @classmethod
    def of(cls, label: str) -> Party:
        """Return the party that a label names.

        >>> Party.of("fab:tsmc@USA")
        Party(kind='fab', name='tsmc', place='USA')
        """
        return _party(label)

    @property
    def label(self) -> str:
        """The party as arrays and tables hold it.

        >>> Party("treasury", "USA").label, Party("traders").label
        ('treasury:USA', 'traders')
        """
        named = f"{self.kind}:{self.name}" if self.name else self.kind
        return f"{named}@{self.place}" if self.place else named

    @property
    def is_treasury(self) -> bool:
        """Whether it is the treasury of a region."""
        return self.kind == "treasury"

    @property
    def is_users(self) -> bool:
        """Whether it is the users of chips in a region."""
        return self.kind == "users"

    @property
    def is_fab(self) -> bool:
        """Whether it is the fabs of a firm in a region."""
        return self.kind == "fab"


@cache
def _party(label: str) -> Party:
    kind, _, rest = label.partition(":")
    name, _, place = rest.partition("@")
    return Party(kind, name, place)


@dataclass(frozen=True)
class Account:
    """What a line of the ledger is for.

    Capital support enters the objective as an annuity; the payments themselves are memo
    lines on a cash account of the same name. Lines and tables hold the `label`.

    Attributes
    ----------
    name : str
        What is paid, such as ``grant``.
    cash : bool
        Whether it holds payments in the year they are made, beside the annuities.
    """

    name: str
    cash: bool = False

    @classmethod
    def of(cls, label: str) -> Account:
        """Return the account that a label names.

        >>> Account.of("grant_cash")
        Account(name='grant', cash=True)
        """
        return _account(label)

    @property
    def label(self) -> str:
        """The account as lines and tables hold it.

        >>> Account("grant", cash=True).label, Account("tariff").label
        ('grant_cash', 'tariff')
        """
        return self.name + CASH if self.cash else self.name


CASH = "_cash"


@cache
def _account(label: str) -> Account:
    return Account(label.removesuffix(CASH), label.endswith(CASH))


COLUMN = "agent"
"""Placeholder for the agent of each column, as payer, receiver or owner."""


@dataclass(frozen=True)
class Line:
    """A line of the accounts.

    Attributes
    ----------
    kind : str
        ``cost`` (resources used), ``transfer`` (from payer to receiver), ``benefit``
        (value of what is served) or ``memo`` (outside the objective).
    weight : int
        How it enters the objective: costs +1, benefits -1, a transfer +1 to a treasury,
        -1 from one.
    """

    kind: Literal["cost", "transfer", "benefit", "memo"]
    account: str
    policy: str
    payer: str
    receiver: str
    year: int
    unit: str = "MUSD"

    @property
    def is_cash(self) -> bool:
        """Whether it is a memo of payments in the year they are made."""
        return Account.of(self.account).cash

    @property
    def weight(self) -> int:
        """Sign in the objective."""
        if self.kind == "transfer":
            return int(not Party.of(self.payer).is_treasury) - int(
                not Party.of(self.receiver).is_treasury
            )
        return {"cost": 1, "benefit": -1, "memo": 0}[self.kind]
