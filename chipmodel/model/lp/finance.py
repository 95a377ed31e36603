"""Firm budgets: what can be invested in a year, and capital from outside at a rising premium."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from chipmodel.common.errors import InputError, Problem
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.solver.ledger import Party


def variables(b: ModelBuilder) -> None:
    """Add ``outside[h,k,t]``, MUSD a holder raises outside its budget in step k."""
    n = b.n
    b.variable(
        "outside",
        [(h, k, t) for h, t in n.budgets for k in range(len(n.capital))],
        lambda h, k, t: Party("holder", h).label,
    )


def constraints(b: ModelBuilder) -> None:
    """Hold spending to budgets; written last, when every support is known.

    firm_budget: spending of the year on all builds (at multiplier 1; net of support if
    the world says so) is at most the budget plus outside capital.
    outside_capital: each step but the last is at most a share of the budget.
    """
    n, m = b.n, b.model
    spent: dict[tuple[str, int], list[object]] = defaultdict(list)
    for i, t in m.build:
        site = n.sites.sites[i]
        cost = b.capex(site)
        for year, cash in b.investment(site, t):
            key = (n.holder(site.firm, site.region), year)
            if year <= n.world.history_until or year > n.years[-1] or not n.budgets:
                continue
            spent[key].append(cash * m.build[i, t])
            if n.world.budgets == "net":
                spent[key] += [
                    -(cash / cost) * amount for amount in b.support_cash[i, t]
                ]
    missing = sorted({h for h, _ in spent} - {h for h, _ in n.budgets})
    if missing:
        raise InputError(
            Problem(
                "budgets.csv",
                f"{h}, {n.world.base_year}",
                "row is missing",
                "add the budget of the holder",
            )
            for h in missing
        )
    steps = range(len(n.capital))
    b.limit(
        "firm_budget",
        list(spent),
        lambda h, t: (
            n.budgets[h, t]
            + pyo.quicksum(m.outside[h, k, t] for k in steps)
            - pyo.quicksum(spent[h, t])
        ),
        owner=lambda h, t: Party("holder", h).label,
        unit="MUSD",
        meaning="what one more MUSD of budget in the year is worth",
    )
    b.limit(
        "outside_capital",
        [(h, k, t) for h, t in spent for k in steps[:-1]],
        lambda h, k, t: n.capital[k][0] * n.budgets[h, t] - m.outside[h, k, t],
        owner=lambda h, k, t: Party("holder", h).label,
        unit="MUSD",
        meaning="worth of more capital at this premium",
    )


def costs(b: ModelBuilder) -> None:
    """Charge the premium of outside capital in the year it is raised."""
    n, m = b.n, b.model
    extra: dict[int, list[object]] = defaultdict(list)
    for (_, k, t), term in m.outside.items():
        extra[t].append(n.capital[k][1] * term)
    for t, terms in extra.items():
        b.cost("outside_capital", t, pyo.quicksum(terms))
