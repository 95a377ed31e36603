"""Upstream inputs: tools and materials by the home of their suppliers."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.solver.ledger import Party


def variables(b: ModelBuilder) -> None:
    """Add ``use[j,k,r,t]``, input j from k to the fabs of r, and ``replaced[j,r,t]``, what replaces withheld input."""
    n = b.n
    b.variable(
        "use",
        [
            (j, k, r, t)
            for j, u in n.upstream.items()
            for k in n.regions
            if k in u.shares
            for r in n.regions
            for t in n.years
        ],
        lambda j, k, r, t: Party("supplier", k).label,
    )
    b.variable(
        "replaced",
        [(j, r, t) for j in n.upstream for r in n.regions for t in n.years],
        lambda j, r, t: f"replacement:{r}",
    )


def constraints(b: ModelBuilder) -> None:
    r"""Meet the needs of fabs from suppliers or, slowly, from replacements.

    input_need: need times wafers made, or times kwpm whose tools move in this year,
    equals what is used plus what is replaced.
    input_supply: what a region's suppliers deliver is at most their share of supply,
    which grows with reference demand.
    input_replacement: replaced\ :sub:`t` is at most replaced\ :sub:`t-1` plus x% of the
    region's reference need. That x is the range every result about withheld inputs is
    shown over.
    replacement_history: before a surprise, what was replaced without knowing it stays.
    """
    n, m = b.n, b.model
    need: dict[tuple[str, str, int], list[object]] = defaultdict(list)
    for j, u in n.upstream.items():
        if u.basis == "wafer":
            for (s, r, t), term in m.made.items():
                if s in u.need:
                    need[j, r, t].append(u.need[s] * term)
            continue
        for (i, start), term in m.build.items():
            site = n.sites.sites[i]
            if site.segment not in u.need:
                continue
            for k, share in enumerate(n.sites.places[n.sites.group_of[i]].work.tools):
                if share > 0:
                    need[j, site.region, start + k].append(
                        u.need[site.segment] * share * term
                    )
    b.balance(
        "input_need",
        list(m.replaced),
        lambda j, r, t: (
            pyo.quicksum(
                m.use[j, k, r, t] for k in n.regions if k in n.upstream[j].shares
            )
            + m.replaced[j, r, t]
            - pyo.quicksum(need[j, r, t])
        ),
        unit="index",
        meaning="price of the input in the region",
    )
    b.limit(
        "input_supply",
        [
            (j, k, t)
            for j, u in n.upstream.items()
            for k in n.regions
            if k in u.shares
            for t in n.years
        ],
        lambda j, k, t: (
            n.upstream[j].shares[k] * n.upstream[j].supply[t]
            - pyo.quicksum(m.use[j, k, r, t] for r in n.regions)
        ),
        owner=lambda j, k, t: Party("supplier", k).label,
        unit="index",
        meaning="scarcity of the input at its suppliers",
    )

    def replacement(j: str, r: str, t: int) -> object:
        before = m.replaced[j, r, t - 1] if t > n.years[0] else 0.0
        return n.upstream[j].ramp.get((r, t), 0.0) + before - m.replaced[j, r, t]

    b.limit(
        "input_replacement",
        list(m.replaced),
        replacement,
        owner=lambda j, r, t: f"replacement:{r}",
        unit="index",
        meaning="worth of replacing the input faster",
    )
    b.limit(
        "replacement_history",
        [key for key in n.fixed_replaced if key in m.replaced],
        lambda j, r, t: m.replaced[j, r, t] - n.fixed_replaced[j, r, t],
        owner=lambda j, r, t: f"replacement:{r}",
        unit="index",
        meaning="what one more unit replaced before the surprise would be worth",
        equal=True,
    )


def costs(b: ModelBuilder) -> None:
    """Charge the premium of replaced inputs; the inputs themselves are in running cost and capex."""
    n, m = b.n, b.model
    extra: dict[int, list[object]] = defaultdict(list)
    ties: dict[int, list[object]] = defaultdict(list)
    for (j, _, t), term in m.replaced.items():
        extra[t].append(n.upstream[j].replaced_at * term)
    for (_, k, r, t), term in m.use.items():
        ties[t].append(n.tie(k, r) * term)
    for t in n.years:
        b.cost("replacement", t, pyo.quicksum(extra[t]))
        if b.ties:
            b.cost("tie_break", t, pyo.quicksum(ties[t]))
