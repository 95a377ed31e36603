"""Money in a solution by region, policy and firm, read from its accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass

from chipmodel.results.accounts import home_of
from chipmodel.results.solution import Solution
from chipmodel.solver.ledger import Party


def surplus_and_rents(
    solution: Solution,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return consumer surplus and rents by home region, present value, MUSD.

    Rents of nobody's are under ``world``.
    """
    surplus: dict[str, float] = defaultdict(float)
    rents: dict[str, float] = defaultdict(float)
    for agent, value in solution.account.gains.items():
        party = Party.of(agent)
        if party.is_treasury:
            continue
        gains = surplus if party.is_users else rents
        gains[home_of(agent, solution.parameters)] += value
    return dict(surplus), dict(rents)


def unbilled_gains(solution: Solution) -> dict[str, float]:
    """Return what firms gain by the residual of places, by their home.

    Present value, MUSD: part of rents and users' surplus, booked with the firm whose
    new fabs make the wafers.
    """
    by_year: dict[tuple[str, int], float] = defaultdict(float)
    for row in solution.account.rows:
        if row.account == "place_residual" and row.year <= solution.world.horizon:
            by_year[row.agent, row.year] += row.value
    gains: dict[str, float] = defaultdict(float)
    for (agent, year), value in by_year.items():
        home = home_of(agent, solution.parameters)
        gains[home] += solution.parameters.discount[year] * value
    return dict(gains)


def net_revenue(solution: Solution) -> dict[str, float]:
    """Return net revenue of treasuries by region, present value, MUSD.

    Taxes and sales of licences, less support.
    """
    total: dict[str, float] = defaultdict(float)
    # The lines hold taxes and support; what a treasury gains by selling licences is
    # not in any line.
    for source in (solution.account.treasury, solution.account.gains):
        for agent, value in source.items():
            party = Party.of(agent)
            if party.is_treasury:
                total[party.name] += value
    return dict(total)


@dataclass(frozen=True)
class CashFlows:
    """Money by year of treasuries and fabs, undiscounted, MUSD.

    Attributes
    ----------
    support : dict
        Support paid in cash by (policy, region, year).
    treasury : dict
        Receipts less payments of treasuries by (account, policy, region, year), without
        the memo of cash.
    invested : dict
        Cash spent on fabs by (firm, region, year) before support.
    received : dict
        Support received in cash by (policy, firm, region of the fab, year).
    """

    support: dict[tuple[str, str, int], float]
    treasury: dict[tuple[str, str, str, int], float]
    invested: dict[tuple[str, str, int], float]
    received: dict[tuple[str, str, str, int], float]


def cash_flows(solution: Solution, years: Container[int]) -> CashFlows:
    """Return the money of treasuries and fabs in some years."""
    support: dict[tuple[str, str, int], float] = defaultdict(float)
    treasury: dict[tuple[str, str, str, int], float] = defaultdict(float)
    invested: dict[tuple[str, str, int], float] = defaultdict(float)
    received: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for row in solution.account.rows:
        if not row.is_money or row.year not in years:
            continue
        party, year = row.party, row.year
        if not row.is_cash:
            if party.is_treasury:
                treasury[row.account, row.policy, party.name, year] += row.value
            continue
        if party.is_treasury:
            support[row.policy, party.name, year] -= row.value
        # Cash with a policy is support, which is counted on its own.
        if not row.policy:
            if party.is_fab:
                invested[party.name, party.place, year] -= row.value
            continue
        # The memo is booked at its payer, a treasury; the fab is the counterpart.
        fab = Party.of(row.counterpart)
        if fab.is_fab:
            received[row.policy, fab.name, fab.place, year] -= row.value
    return CashFlows(dict(support), dict(treasury), dict(invested), dict(received))
