"""Who pays and who gains: rents by owner, computed twice, and the identities checked.

Consumer surplus plus producer rents equals minus the objective; with the treasuries,
world welfare equals the value of what is served less the resources used. Each agent's
gain is computed from its flows at node prices, and again from right-hand sides times
duals of the limits it owns; the two must agree per owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from chipmodel.common.errors import CertificateError
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.highs import Optimum
from chipmodel.solver.ledger import COLUMN, Account, Line, Party
from chipmodel.solver.linear_program import Index, LinearProgram, Vector, agent_of

TOLERANCE = 1e-6
"""Largest gap of an identity, relative to the size of the objective."""


class AccountRow(NamedTuple):
    """What one agent pays (negative) or receives (positive) on a line, undiscounted.

    Attributes
    ----------
    account : str
        Label of an `Account`.
    policy : str
        Id of the policy the line belongs to; empty for none.
    agent, counterpart : str
        Labels of a `Party`; the counterpart may be empty.
    unit : str
        ``MUSD``, or the unit of a measured quantity.
    """

    account: str
    policy: str
    agent: str
    counterpart: str
    year: int
    value: float
    unit: str

    @property
    def is_cash(self) -> bool:
        """Whether it is a memo of payments in the year they are made."""
        return Account.of(self.account).cash

    @property
    def is_money(self) -> bool:
        """Whether its value is money, in MUSD."""
        return self.unit == "MUSD"

    @property
    def party(self) -> Party:
        """The agent as a party."""
        return Party.of(self.agent)


@dataclass(frozen=True)
class Accounts:
    """Present values, MUSD.

    Attributes
    ----------
    gains : dict
        Gain of each agent (consumer surplus of ``users:``, rents of all others) from
        its flows.
    owned : dict
        The same from right-hand sides and duals, by owner.
    treasury : dict
        Net revenue of each treasury.
    rows : list of AccountRow
        Undiscounted lines by agent.
    """

    gains: dict[str, float]
    owned: dict[str, float]
    treasury: dict[str, float]
    rows: list[AccountRow]

    @property
    def consumers(self) -> float:
        """Consumer surplus of the world."""
        return self._gain(of_users=True)

    @property
    def producers(self) -> float:
        """Rents of all others."""
        return self._gain(of_users=False)

    def _gain(self, of_users: bool) -> float:
        total = 0.0
        for agent, gain in self.gains.items():
            if Party.of(agent).is_users == of_users:
                total += gain
        return total


def compute(
    program: LinearProgram, optimum: Optimum, parameters: Parameters
) -> Accounts:
    """Compute the accounts of a solution and assert their identities.

    Raises
    ------
    CertificateError
        If an identity fails.
    """
    treasury, rows = _lines(program, optimum.x, parameters.discount)
    accounts = Accounts(
        _gains(program, optimum), _owned(program, optimum), treasury, rows
    )
    size = max(1.0, abs(optimum.objective))
    _assert_objective(accounts, optimum, size)
    _assert_owners(accounts, parameters, size)
    _assert_welfare(accounts, program, optimum, parameters, size)
    return accounts


def _gains(program: LinearProgram, optimum: Optimum) -> dict[str, float]:
    r"""Return the gain of each agent, present value, from flows at node prices.

    .. math:: gain_j = x_j (\sum_{i \in balances} a_{ij} y_i - c_j)
    """
    names, code = program.labels.agent_codes
    # Only balances have prices at which something is traded; the dual of a limit is the
    # rent itself, which is what the gain must come to.
    price = np.where(program.labels.is_limit, 0.0, optimum.y)
    gain = optimum.x * (program.matrix.T @ price - program.cost)
    by_agent = np.bincount(code, weights=gain, minlength=len(names))
    return dict(zip(names, by_agent.tolist(), strict=True))


def _owned(program: LinearProgram, optimum: Optimum) -> dict[str, float]:
    """Return rents, present value, from right-hand sides and duals by owner."""
    names, code = program.labels.owner_codes
    rent = np.bincount(code, weights=-program.rhs * optimum.y, minlength=len(names))
    owned: dict[str, float] = {}
    for name, value in zip(names, rent.tolist(), strict=True):
        # Balances have no owner.
        if name not in ("", COLUMN):
            owned[name] = value
    if COLUMN in names:
        # These limits have no single owner: each agent owns the part of its columns.
        by_column = np.where(code == names.index(COLUMN), optimum.y, 0.0)
        agents, agent_code = program.labels.agent_codes
        rent = -optimum.x * (program.matrix.T @ by_column)
        by_agent = np.bincount(agent_code, weights=rent, minlength=len(agents))
        for name, value in zip(agents, by_agent.tolist(), strict=True):
            if value:
                owned[name] = owned.get(name, 0.0) + value
    return owned


def policy_rents(
    program: LinearProgram, optimum: Optimum
) -> dict[tuple[str, Index, str], float]:
    """Return the rent of every limit a policy adds by (group, index, owner).

    Present value, MUSD. A rent that is negative is what its owner bears.
    """
    labels = program.labels
    by_row = program.matrix.tocsr()
    total: dict[tuple[str, Index, str], float] = defaultdict(float)
    for i in np.flatnonzero(labels.is_limit & (optimum.y != 0.0)).tolist():
        group, index = labels.row_labels[i]
        if not labels.groups[group].policy:
            continue
        owner = labels.owners[i]
        dual = float(optimum.y[i])
        if owner != COLUMN:
            total[group, index, owner] -= float(program.rhs[i]) * dual
            continue
        row = slice(by_row.indptr[i], by_row.indptr[i + 1])
        for j, a in zip(by_row.indices[row], by_row.data[row], strict=True):
            total[group, index, labels.agents[j]] -= float(dual * a * optimum.x[j])
    return dict(total)


def _lines(
    program: LinearProgram, x: Vector, discount: dict[int, float]
) -> tuple[dict[str, float], list[AccountRow]]:
    """Return the net revenue of each treasury and the lines by agent."""
    treasury: dict[str, float] = defaultdict(float)
    rows: list[AccountRow] = []
    for line, agent, value in _values_by_agent(program, x):
        rows += _account_rows(line, agent, value)
        if line.kind != "transfer":
            continue
        # What a treasury pays as the agent of a column is among its gains already.
        for party, sign in ((line.payer, -1.0), (line.receiver, 1.0)):
            if Party.of(party).is_treasury:
                treasury[party] += sign * value * discount[line.year]
    return dict(treasury), rows


def _values_by_agent(
    program: LinearProgram, x: Vector
) -> Iterable[tuple[Line, str, float]]:
    """Yield each line with each agent that has part of it, in their order."""
    names, code = program.labels.agent_codes
    # Columns by agents, so that one product sums every line by agent.
    by_agent = sparse.csr_matrix((x, (np.arange(len(x)), code)), (len(x), len(names)))
    values = sparse.coo_matrix(program.lines @ by_agent)
    order = np.lexsort((values.col, values.row))
    for k, j, value in zip(
        values.row[order].tolist(),
        values.col[order].tolist(),
        values.data[order].tolist(),
        strict=True,
    ):
        if value:
            yield program.labels.lines[k], names[j], value


def _account_rows(line: Line, column_agent: str, value: float) -> list[AccountRow]:
    """Return the rows that book the part of a line due to the columns of an agent."""

    def row(agent: str, counterpart: str, amount: float) -> AccountRow:
        return AccountRow(
            line.account, line.policy, agent, counterpart, line.year, amount, line.unit
        )

    payer = agent_of(line.payer, column_agent)
    receiver = agent_of(line.receiver, column_agent)
    if line.kind == "transfer":
        return [row(payer, receiver, -value), row(receiver, payer, value)]
    if line.kind == "benefit":
        return [row(receiver, "", value)]
    # A memo in money is paid like a cost; any other memo is a quantity.
    paid = line.kind == "cost" or line.unit == "MUSD"
    return [row(payer, receiver, -value if paid else value)]


def _assert_objective(accounts: Accounts, optimum: Optimum, size: float) -> None:
    total = accounts.consumers + accounts.producers
    if abs(total + optimum.objective) > TOLERANCE * size:
        raise CertificateError(
            f"surplus and rents sum to {total:.6g}, minus the objective is"
            f" {-optimum.objective:.6g}"
        )


def _assert_owners(accounts: Accounts, parameters: Parameters, size: float) -> None:
    # Flows know a firm in a region, duals its budget: both are summed to the budget.
    by_flow = _by_owner(accounts.gains, parameters)
    by_dual = _by_owner(accounts.owned, parameters)
    for owner in sorted(set(by_flow) | set(by_dual)):
        flow = by_flow.get(owner, 0.0)
        dual = by_dual.get(owner, 0.0)
        if abs(flow - dual) > TOLERANCE * size:
            raise CertificateError(
                f"rent of {owner} is {flow:.6g} from flows and {dual:.6g} from duals"
            )


def _assert_welfare(
    accounts: Accounts,
    program: LinearProgram,
    optimum: Optimum,
    parameters: Parameters,
    size: float,
) -> None:
    lines = program.labels.lines
    kinds = np.array([line.kind for line in lines])
    # Cash beyond the horizon is a memo, and no part of welfare.
    discount = np.array([parameters.discount.get(line.year, 0.0) for line in lines])
    present_values = (program.lines @ optimum.x) * discount
    value = float(present_values[kinds == "benefit"].sum())
    resources = float(present_values[kinds == "cost"].sum())
    total = accounts.consumers + accounts.producers
    welfare = total + sum(accounts.treasury.values())
    if abs(welfare - (value - resources)) > TOLERANCE * size:
        raise CertificateError(
            f"welfare is {welfare:.6g} by agents and {value - resources:.6g} by"
            " resources"
        )


def _by_owner(gains: dict[str, float], parameters: Parameters) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for agent, value in gains.items():
        total[holder_of(agent, parameters)] += value
    return dict(total)


def holder_of(agent: str, parameters: Parameters) -> str:
    """Return the owner of an agent's rents: a firm with its budget, or the agent."""
    party = Party.of(agent)
    if party.is_fab:
        return Party("holder", parameters.holder(party.name, party.place)).label
    return agent


def home_of(agent: str, parameters: Parameters) -> str:
    """Return the region an agent's gain belongs to by ownership."""
    party = Party.of(agent)
    if party.is_fab:
        return parameters.home(party.name, party.place)
    if party.kind == "holder":
        return parameters.pools.get(party.name) or parameters.homes[party.name]
    return party.name or "world"


def host_of(agent: str, parameters: Parameters) -> str:
    """Return the region an agent's gain belongs to by territory."""
    party = Party.of(agent)
    if party.is_fab:
        return party.place
    return home_of(agent, parameters)
