"""Money in a solution by region, policy and firm, read from its accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container

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
    gains: dict[str, float] = defaultdict(float)
    table = solution.accounts
    table = table[table["account"] == "place_residual"]
    for agent, year, value in zip(
        table["agent"], table["year"], table["value"], strict=True
    ):
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


def cash_support(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, int], float]:
    """Return support paid in cash by (policy, region, year), MUSD."""
    cash: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in solution.account.rows:
        if not row.is_money or not row.is_cash or row.year not in years:
            continue
        if row.party.is_treasury:
            cash[row.policy, row.party.name, row.year] -= row.value
    return dict(cash)


def treasury_lines(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, str, int], float]:
    """Return receipts less payments of treasuries, MUSD.

    By (account, policy, region, year), without the memo of cash.
    """
    lines: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for row in solution.account.rows:
        if not row.is_money or row.is_cash or row.year not in years:
            continue
        if row.party.is_treasury:
            lines[row.account, row.policy, row.party.name, row.year] += row.value
    return dict(lines)


def invested_cash(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, int], float]:
    """Return cash spent on fabs by (firm, region, year) before support, MUSD."""
    invested: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in solution.account.rows:
        # Cash with a policy is support, which is counted on its own.
        if row.policy or not row.is_money or not row.is_cash or row.year not in years:
            continue
        fab = row.party
        if fab.is_fab:
            invested[fab.name, fab.place, row.year] -= row.value
    return dict(invested)


def received_cash(
    solution: Solution, years: Container[int]
) -> dict[tuple[str, str, str, int], float]:
    """Return support received in cash, MUSD.

    By (policy, firm, region of the fab, year).
    """
    received: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for row in solution.account.rows:
        if not (row.policy and row.is_money and row.is_cash and row.year in years):
            continue
        # The memo is booked at its payer, a treasury; the fab is the counterpart.
        fab = Party.of(row.counterpart)
        if fab.is_fab:
            received[row.policy, fab.name, fab.place, row.year] -= row.value
    return dict(received)
