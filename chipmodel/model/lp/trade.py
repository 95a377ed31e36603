"""Trade: from fab through assembly to the makers of devices, and the inertia of routes."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from chipmodel.model.lp.builder import ModelBuilder


def variables(b: ModelBuilder) -> None:
    """Add ``ship[s,r,a,m,t]`` (made in r, assembled in a, sold in m) and ``deviate[s,r,m,k,t]`` (route change)."""
    n = b.n
    buyers = [m for m in n.regions if m in n.sold]
    via = defaultdict(list)
    for r, a in n.packaging.routes:
        via[r].append(a)
    b.variable(
        "ship",
        [
            (s, r, a, m, t)
            for r, s in n.places
            for a in via[r]
            for m in buyers
            for t in n.years
        ],
        "traders",
    )
    steps = range(len(n.routes)) if n.routes else range(0)
    b.variable(
        "deviate",
        [
            (s, r, m, k, t)
            for r, s in n.places
            for m in buyers
            for k in steps
            for t in n.years
        ],
        "traders",
    )


def constraints(b: ModelBuilder) -> None:
    r"""Balance the fab gate and hold routes to their pattern.

    fab_balance: what is made in r equals what is shipped from it.
    route_inertia: with X the shipments from r to m,

    .. math:: X_{s,r,m,t} \le w_{s,m} \, made_{s,r,t} + \sum_k deviate_{s,r,m,k,t}

    route_widening: :math:`deviate_k \le \phi_k \, w_{s,m} \, made_{s,r,t}`. Chips are qualified for
    their buyers: without this, partners are swapped for nothing and every single-origin tariff and
    friendshoring floor is free. All terms are proportional to output, so it makes no free rent.
    """
    n, m = b.n, b.model
    out: dict[tuple[str, str, int], list[object]] = defaultdict(list)
    route: dict[tuple[str, str, str, int], list[object]] = defaultdict(list)
    for (s, r, _, buyer, t), term in m.ship.items():
        out[s, r, t].append(term)
        route[s, r, buyer, t].append(term)
    b.balance(
        "fab_balance",
        list(m.made),
        lambda s, r, t: m.made[s, r, t] - pyo.quicksum(out[s, r, t]),
        unit="kwpm",
        meaning="price of a wafer leaving the region",
    )
    steps = range(len(n.routes))
    b.balance(
        "route_inertia",
        list(route),
        lambda s, r, buyer, t: (
            n.sold[buyer] * m.made[s, r, t]
            + pyo.quicksum(m.deviate[s, r, buyer, k, t] for k in steps)
            - pyo.quicksum(route[s, r, buyer, t])
        ),
        unit="kwpm",
        meaning="price of a qualified route",
        equal=False,
    )
    b.balance(
        "route_widening",
        list(m.deviate),
        lambda s, r, buyer, k, t: (
            n.routes[k][0] * n.sold[buyer] * m.made[s, r, t]
            - m.deviate[s, r, buyer, k, t]
        ),
        unit="kwpm",
        meaning="price of widening a route faster",
        equal=False,
    )


def costs(b: ModelBuilder) -> None:
    r"""Charge freight, requalification and other value added.

    Each wafer of deviate\ :sub:`k` costs ``ln(1 + Phi_k)/sigma`` of the reference
    price. Other value added is the reference price less the long-run cost of a plant:
    design, software and margin; it may be negative.
    """
    n, m = b.n, b.model
    freight: dict[int, list[object]] = defaultdict(list)
    other: dict[int, list[object]] = defaultdict(list)
    ties: dict[int, list[object]] = defaultdict(list)
    for (s, r, a, buyer, t), term in m.ship.items():
        freight[t].append((n.leg(r, a, s) + n.leg(a, buyer, s)) * term)
        other[t].append(n.prices.other[s] * term)
        ties[t].append(n.tie(r, a, buyer) * term)
    change: dict[int, list[object]] = defaultdict(list)
    for (s, _, _, k, t), term in m.deviate.items():
        change[t].append(n.routes[k][1] * n.prices.reference[s] * term)
    for t in n.years:
        b.cost("freight", t, pyo.quicksum(freight[t]))
        b.cost("other_value_added", t, pyo.quicksum(other[t]))
        b.cost("requalification", t, pyo.quicksum(change[t]))
        if b.ties:
            b.cost("tie_break", t, pyo.quicksum(ties[t]))
