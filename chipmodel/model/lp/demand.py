"""Demand: steps of a constant-elasticity curve per user and segment."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.parameters.market import GRID
from chipmodel.solver.ledger import Party


def variables(b: ModelBuilder) -> None:
    """Add ``served[e,s,k,t]``, chips used in demand step k."""
    n = b.n
    b.variable(
        "served",
        [(e, s, k, t) for e, s, t in n.reference for k in range(len(GRID) - 1)],
        lambda e, s, k, t: Party("users", e).label,
    )


def constraints(b: ModelBuilder) -> None:
    r"""Serve demand step by step.

    demand_balance: what is consumed is what is served.
    demand_step: served in a step is at most its width, a fixed multiple of the
    reference quantity. The dual of the step is the surplus of its buyers.
    """
    n, m = b.n, b.model
    steps = range(len(GRID) - 1)
    b.balance(
        "demand_balance",
        list(m.consumed),
        lambda e, s, t: (
            m.consumed[e, s, t] - pyo.quicksum(m.served[e, s, k, t] for k in steps)
        ),
        unit="kwpm",
        meaning="price users pay for a chip",
    )
    b.limit(
        "demand_step",
        list(m.served),
        lambda e, s, k, t: (
            (GRID[k + 1] - GRID[k]) * n.reference[e, s, t] - m.served[e, s, k, t]
        ),
        owner=lambda e, s, k, t: Party("users", e).label,
        unit="kwpm",
        meaning="surplus of the buyers in the step",
    )


def costs(b: ModelBuilder) -> None:
    """Credit the value of what is served: the mean of the demand curve over each step."""
    n, m = b.n, b.model
    value: dict[int, list[object]] = defaultdict(list)
    for (_, s, k, t), term in m.served.items():
        value[t].append(n.values[s][k] * n.prices.reference[s] * term)
    for t in n.years:
        b.benefit("value_served", t, pyo.quicksum(value[t]))
