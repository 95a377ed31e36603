"""Who pays and who gains: rents by owner, computed twice, and the identities that must hold.

Consumer surplus plus producer rents equals minus the objective; with the treasuries,
world welfare equals the value of what is served less the resources used. Each agent's
gain is computed from its flows at node prices, and again from right-hand sides times
duals of the limits it owns; the two must agree per owner.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from chipmodel.common.errors import CertificateError
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.highs import Optimum
from chipmodel.solver.ledger import COLUMN, Party
from chipmodel.solver.linear_program import LinearProgram, Vector, agent_of

TOLERANCE = 1e-6


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
    rows : list
        ``(account, policy, agent, counterpart, year, value, unit)``: undiscounted lines
        by agent.
    """

    gains: dict[str, float]
    owned: dict[str, float]
    treasury: dict[str, float]
    rows: list[tuple[str, str, str, str, int, float, str]]

    @property
    def consumers(self) -> float:
        """Consumer surplus of the world."""
        return sum(v for a, v in self.gains.items() if Party.of(a).is_users)

    @property
    def producers(self) -> float:
        """Rents of all others."""
        return sum(v for a, v in self.gains.items() if not Party.of(a).is_users)


def compute(
    program: LinearProgram, optimum: Optimum, parameters: Parameters
) -> Accounts:
    """Compute the accounts of a solution and assert their identities.

    Raises
    ------
    CertificateError
        If an identity fails.
    """
    names, code = program.labels.agent_codes
    price = np.where(program.labels.is_limit, 0.0, optimum.y)
    gain = optimum.x * (program.matrix.T @ price - program.cost)
    gains = dict(
        zip(
            names,
            np.bincount(code, weights=gain, minlength=len(names)).tolist(),
            strict=True,
        )
    )
    treasury, rows = _lines(program, optimum.x, parameters.discount)
    accounts = Accounts(gains, _owned(program, optimum), treasury, rows)
    _assert_identities(accounts, program, optimum, parameters)
    return accounts


def _owned(program: LinearProgram, optimum: Optimum) -> dict[str, float]:
    """Return rents, present value, from right-hand sides and duals by owner."""
    names, code = program.labels.owner_codes
    rent = np.bincount(code, weights=-program.rhs * optimum.y, minlength=len(names))
    owned = {
        name: float(value)
        for name, value in zip(names, rent, strict=True)
        if name not in ("", COLUMN)
    }
    if COLUMN in names:
        by_column = np.where(code == names.index(COLUMN), optimum.y, 0.0)
        agents, agent = program.labels.agent_codes
        split = np.bincount(
            agent,
            weights=-optimum.x * (program.matrix.T @ by_column),
            minlength=len(agents),
        )
        for name, value in zip(agents, split.tolist(), strict=True):
            if value:
                owned[name] = owned.get(name, 0.0) + value
    return owned


def policy_rents(
    program: LinearProgram, optimum: Optimum
) -> dict[tuple[str, tuple[object, ...], str], float]:
    """Return the rent of every limit a policy adds by (group, index, owner), present value, MUSD.

    A rent that is negative is what its owner bears.
    """
    frame = program.labels
    by_row = program.matrix.tocsr()
    total: dict[tuple[str, tuple[object, ...], str], float] = defaultdict(float)
    for i in np.flatnonzero(frame.is_limit & (optimum.y != 0.0)).tolist():
        (group, index), owner, dual = (
            frame.row_labels[i],
            frame.owners[i],
            float(optimum.y[i]),
        )
        if not frame.groups[group].policy:
            continue
        if owner != COLUMN:
            total[group, index, owner] -= float(program.rhs[i]) * dual
            continue
        row = slice(by_row.indptr[i], by_row.indptr[i + 1])
        for j, a in zip(by_row.indices[row], by_row.data[row], strict=True):
            total[group, index, frame.agents[j]] -= float(dual * a * optimum.x[j])
    return dict(total)


def _lines(
    program: LinearProgram, x: Vector, discount: dict[int, float]
) -> tuple[dict[str, float], list[tuple[str, str, str, str, int, float, str]]]:
    names, code = program.labels.agent_codes
    treasury: dict[str, float] = defaultdict(float)
    rows = []
    whose = sparse.csr_matrix((x, (np.arange(len(x)), code)), (len(x), len(names)))
    shared = sparse.coo_matrix(program.lines @ whose)
    order = np.lexsort((shared.col, shared.row))
    for k, j, value in zip(
        shared.row[order].tolist(),
        shared.col[order].tolist(),
        shared.data[order].tolist(),
        strict=True,
    ):
        if not value:
            continue
        line, agent = program.labels.lines[k], names[j]
        payer, receiver = agent_of(line.payer, agent), agent_of(line.receiver, agent)
        if line.kind == "transfer":
            rows.append(
                (
                    line.account,
                    line.policy,
                    payer,
                    receiver,
                    line.year,
                    -value,
                    line.unit,
                )
            )
            rows.append(
                (
                    line.account,
                    line.policy,
                    receiver,
                    payer,
                    line.year,
                    value,
                    line.unit,
                )
            )
            # What a treasury pays as the agent of a column is among its gains already.
            for party, sign in ((line.payer, -1.0), (line.receiver, 1.0)):
                if Party.of(party).is_treasury:
                    treasury[party] += sign * value * discount[line.year]
        elif line.kind == "benefit":
            rows.append(
                (line.account, line.policy, receiver, "", line.year, value, line.unit)
            )
        elif line.kind == "cost" or line.unit == "MUSD":
            rows.append(
                (
                    line.account,
                    line.policy,
                    payer,
                    receiver,
                    line.year,
                    -value,
                    line.unit,
                )
            )
        else:
            rows.append(
                (
                    line.account,
                    line.policy,
                    payer,
                    receiver,
                    line.year,
                    value,
                    line.unit,
                )
            )
    return dict(treasury), rows


def _assert_identities(
    accounts: Accounts, program: LinearProgram, optimum: Optimum, n: Parameters
) -> None:
    size = max(1.0, abs(optimum.objective))
    total = accounts.consumers + accounts.producers
    if abs(total + optimum.objective) > TOLERANCE * size:
        raise CertificateError(
            f"surplus and rents sum to {total:.6g}, minus the objective is"
            f" {-optimum.objective:.6g}"
        )
    by_flow, by_dual = _by_owner(accounts.gains, n), _by_owner(accounts.owned, n)
    for owner in sorted(set(by_flow) | set(by_dual)):
        flow, dual = by_flow.get(owner, 0.0), by_dual.get(owner, 0.0)
        if abs(flow - dual) > TOLERANCE * size:
            raise CertificateError(
                f"rent of {owner} is {flow:.6g} from flows and {dual:.6g} from duals"
            )
    kinds = np.array([line.kind for line in program.labels.lines])
    sums = program.lines @ optimum.x
    df = np.array([n.discount.get(line.year, 0.0) for line in program.labels.lines])
    value = float((sums * df)[kinds == "benefit"].sum())
    resources = float((sums * df)[kinds == "cost"].sum())
    welfare = total + sum(accounts.treasury.values())
    if abs(welfare - (value - resources)) > TOLERANCE * size:
        raise CertificateError(
            f"welfare is {welfare:.6g} by agents and {value - resources:.6g} by"
            " resources"
        )


def _by_owner(gains: dict[str, float], n: Parameters) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for agent, value in gains.items():
        total[holder_of(agent, n)] += value
    return dict(total)


def holder_of(agent: str, n: Parameters) -> str:
    """Return the owner an agent's rents go to: a firm with its budget, or the agent itself."""
    party = Party.of(agent)
    if party.is_fab:
        return Party("holder", n.holder(party.name, party.place)).label
    return agent


def home_of(agent: str, n: Parameters) -> str:
    """Return the region an agent's gain belongs to by ownership."""
    party = Party.of(agent)
    if party.is_fab:
        return n.home(party.name, party.place)
    if party.kind == "holder":
        return n.pools.get(party.name) or n.homes[party.name]
    return party.name or "world"


def host_of(agent: str, n: Parameters) -> str:
    """Return the region an agent's gain belongs to by territory."""
    party = Party.of(agent)
    if party.is_fab:
        return party.place
    return home_of(agent, n)
