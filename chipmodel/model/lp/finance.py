"""Firm budgets: yearly investment, and outside capital at a rising premium."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.row_groups import Owner, limit, lookup
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.solver.ledger import Party

HOLDER = Owner("the holder of the budget", lambda _, h, *__: Party("holder", h).label)


def variables(builder: ModelBuilder) -> None:
    """Add ``outside[h,k,t]``, MUSD that holder h raises outside its budget, step k."""
    parameters = builder.parameters
    keys: list[Index] = []
    for h, t in parameters.budgets:
        keys.extend((h, k, t) for k in range(len(parameters.capital)))
    builder.variable("outside", keys, HOLDER.of(builder))


@lookup
def spending(builder: ModelBuilder) -> Terms:
    """Return the spending on builds that budgets cover, by holder and year.

    It is net of support if the world's budgets are, so it is computed after all
    instruments are written.
    """
    parameters = builder.parameters
    world = parameters.world
    spent: Terms = defaultdict(list)
    if not parameters.budgets:
        return spent
    for (i, start), build in builder.model.build.items():
        site = parameters.sites.sites[i]
        cost = builder.capex(site)
        holder = parameters.holder(site.firm, site.region)
        for year, cash in builder.investment(site, start):
            # What history spent is no choice, and there is no budget after the horizon.
            if not world.history_until < year <= parameters.years[-1]:
                continue
            spent[holder, year].append(cash * build)
            if world.budgets == "net":
                # Support relieves each year by its share of the spending.
                for amount in builder.support_cash[i, start]:
                    spent[holder, year].append(-(cash / cost) * amount)
    return spent


def _bounded_steps(builder: ModelBuilder) -> list[Index]:
    # The last step has no bound: a budget makes a case expensive, never infeasible.
    bounded = range(len(builder.parameters.capital) - 1)
    keys: list[Index] = []
    for h, t in spending(builder):
        keys.extend((h, k, t) for k in bounded)
    return keys


@limit(
    name="firm_budget",
    title="investment budgets",
    index=("holder", "year"),
    over=lambda builder: list(spending(builder)),
    unit="MUSD",
    owner=HOLDER,
    dual="value of one more MUSD of budget in the year",
)
def firm_budget(builder: ModelBuilder, h: str, t: int) -> Any:
    r"""Spending of a year on all builds is at most the budget plus outside capital.

    Builds cost their capital cost at multiplier 1; spending is net of support if the
    budgets of the world are.

    .. math:: \sum_{i \in h,\tau} spend_{t-\tau} \,
              (capex_i \, build_{i,\tau} - support_{i,\tau})
              \le budget_{h,t} + \sum_k outside_{h,k,t}
    """
    parameters = builder.parameters
    steps = range(len(parameters.capital))
    outside = pyo.quicksum(builder.model.outside[h, k, t] for k in steps)
    spent = pyo.quicksum(spending(builder)[h, t])
    return parameters.budgets[h, t] + outside - spent


@limit(
    name="outside_capital",
    title="capital from outside",
    index=("holder", "step", "year"),
    over=_bounded_steps,
    unit="MUSD",
    owner=HOLDER,
    dual="value of more capital at this premium",
)
def outside_capital(builder: ModelBuilder, h: str, k: int, t: int) -> Any:
    r"""Outside capital in a step is at most a share of the budget.

    The last step has no bound.

    .. math:: outside_{h,k,t} \le share_k \, budget_{h,t}
    """
    parameters = builder.parameters
    share, _ = parameters.capital[k]
    return share * parameters.budgets[h, t] - builder.model.outside[h, k, t]


def costs(builder: ModelBuilder) -> None:
    """Charge the premium of outside capital in the year it is raised."""
    premiums: Terms = defaultdict(list)
    for (_, k, t), outside in builder.model.outside.items():
        _, premium = builder.parameters.capital[k]
        premiums[t].append(premium * outside)
    builder.yearly_cost("outside_capital", premiums)
