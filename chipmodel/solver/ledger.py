"""The ledger of a linear program: parties and the lines on which they pay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal


@dataclass(frozen=True)
class Party:
    """Someone who pays, receives or owns a rent.

    Arrays and tables hold its `label`; `Party.of` reads a label.

    Attributes
    ----------
    kind : str
        ``treasury``, ``users``, ``fab``, ``holder``, ``supplier``, ``licence``, or a
        group without a name such as ``traders`` or ``makers``.
    name : str
        Region of a treasury or of users, firm of a fab, holder of a budget.
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
        label = self.kind
        if self.name:
            label += f":{self.name}"
        if self.place:
            label += f"@{self.place}"
        return label

    @property
    def is_treasury(self) -> bool:
        """Return whether it is the treasury of a region."""
        return self.kind == "treasury"

    @property
    def is_users(self) -> bool:
        """Return whether it is the users of chips in a region."""
        return self.kind == "users"

    @property
    def is_fab(self) -> bool:
        """Return whether it is the fabs of a firm in a region."""
        return self.kind == "fab"


@cache
def _party(label: str) -> Party:
    kind, _, rest = label.partition(":")
    name, _, place = rest.partition("@")
    return Party(kind, name, place)


COLUMN = "agent"
"""Payer, receiver or owner of a line: the agent of each column."""


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
    def weight(self) -> int:
        """Sign in the objective."""
        if self.kind == "transfer":
            # The objective is that of private parties: what treasuries get is a cost.
            private_payer = not Party.of(self.payer).is_treasury
            private_receiver = not Party.of(self.receiver).is_treasury
            return int(private_payer) - int(private_receiver)
        return {"cost": 1, "benefit": -1, "memo": 0}[self.kind]
