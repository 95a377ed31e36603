"""Demand: steps of a constant-elasticity curve per user and segment."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.row_groups import Owner, balance, limit
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.model.parameters.market import GRID
from chipmodel.solver.ledger import Party

STEPS = range(len(GRID) - 1)

USERS = Owner("the users of the region", lambda _, e, *__: Party("users", e).label)


def variables(builder: ModelBuilder) -> None:
    """Add ``served[e,s,k,t]``, chips of segment s for users in e in demand step k."""
    builder.variable("served", _served(builder), USERS.of(builder))


def _served(builder: ModelBuilder) -> list[Index]:
    keys: list[Index] = []
    for e, s, t in builder.parameters.reference:
        keys.extend((e, s, k, t) for k in STEPS)
    return keys


@balance(
    name="demand_balance",
    title="demand served",
    index=("region", "segment", "year"),
    over=lambda builder: list(builder.model.consumed),
    unit="kwpm",
    dual="price users pay for a chip",
)
def demand_balance(builder: ModelBuilder, e: str, s: str, t: int) -> Any:
    r"""What is consumed is what is served.

    .. math:: consumed_{e,s,t} = \sum_k served_{e,s,k,t}
    """
    model = builder.model
    served = pyo.quicksum(model.served[e, s, k, t] for k in STEPS)
    return model.consumed[e, s, t] - served


@limit(
    name="demand_step",
    title="demand",
    index=("region", "segment", "step", "year"),
    over=lambda builder: list(builder.model.served),
    unit="kwpm",
    owner=USERS,
    dual="surplus of the buyers in the step",
)
def demand_step(builder: ModelBuilder, e: str, s: str, k: int, t: int) -> Any:
    r"""Served in a step is at most its width, a fixed share of the reference quantity.

    .. math:: served_{e,s,k,t} \le (g_{k+1} - g_k) \, reference_{e,s,t}

    with g the grid of the demand curve.
    """
    width = (GRID[k + 1] - GRID[k]) * builder.parameters.reference[e, s, t]
    return width - builder.model.served[e, s, k, t]


def costs(builder: ModelBuilder) -> None:
    """Credit the value of what is served: the mean of the demand curve over a step."""
    parameters = builder.parameters
    value: Terms = defaultdict(list)
    for (_, s, k, t), served in builder.model.served.items():
        price = parameters.values[s][k] * parameters.prices.reference[s]
        value[t].append(price * served)
    for t in parameters.years:
        builder.benefit("value_served", t, pyo.quicksum(value[t]))
