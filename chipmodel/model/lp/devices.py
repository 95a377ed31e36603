"""Devices: chips go into devices in one place, are used in another, and keep their origin where a rule asks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyomo.environ as pyo

from chipmodel.model.lp.builder import POOLED, ModelBuilder
from chipmodel.solver.polynomials import present

MARGIN = 0.02
"""By how much the mix of origins may differ between a maker's buyers for nothing."""


Sold = dict[tuple[str, int, str, int], Any]


def variables(b: ModelBuilder) -> None:
    """Add chips in devices, moves of device making, and use.

    ``device[s,c,m,e,t]`` chips of origin class c in devices made in m for users in e
    (the class is pooled for users no rule looks at); ``rest[s,c,m,t]`` chips of a class
    left to those users; ``consumed[e,s,t]`` what is used; ``move_out[s,m,e,k,t]`` and
    ``move_in[s,m,e,t]`` device making moved out of m, step k, and into it;
    ``sort[s,c,m,e,k,t]`` chips of a class put into devices for e beyond their usual
    share, step k.
    """
    n = b.n
    users, makers = _users(b), [m for m in n.regions if m in n.sold]
    b.variable(
        "device",
        [
            (s, c, m, e, t)
            for s in n.segments
            for m in makers
            for e in users
            for c in _classes(b, s, e)
            for t in n.years
        ],
        "makers",
    )
    b.variable(
        "rest",
        [
            (s, c, m, t)
            for s in n.segments
            if b.origins[s].users
            for c in range(len(b.origins[s].classes))
            for m in makers
            for t in n.years
        ],
        "makers",
    )
    b.variable(
        "consumed",
        [(e, s, t) for e in users for s in n.segments for t in n.years],
        "makers",
    )
    pairs = [(s, m, e) for s in n.segments for m in makers for e in users]
    steps = range(len(n.device_moves))
    b.variable(
        "move_out",
        [
            (*p, k, t)
            for p in pairs
            for k in steps
            for t in n.years
            if present(n.pattern.get((p[1], p[2]), 0.0))
        ],
        "makers",
    )
    b.variable("move_in", [(*p, t) for p in pairs for t in n.years], "makers")
    usual = usual_shares(b)
    b.variable(
        "sort",
        [
            (s, c, m, e, k, t)
            for s, c, m, e, t in b.model.device
            if c != POOLED and usual.get((m, e))
            for k in range(len(n.routes))
        ],
        "makers",
    )


def constraints(b: ModelBuilder) -> None:
    r"""Balance makers and users and hold the place of device making.

    device_balance: chips sold to makers in m are in devices made in m; where a rule
    looks at some users, class by class, the rest going to all other users
    (rest_balance).
    use_balance: devices for users in e hold the chips they use.
    device_place: with :math:`D_{m,e}` the devices made in m for e and h today's
    pattern,

    .. math:: D_{m,e} = h_{m,e} \, consumed_e + move\_in_{m,e} - \sum_k move\_out_{m,e,k}

    device_move: :math:`move\_out_k \le width_k \, h_{m,e} \, consumed_e`: a share of a place's usual
    making leaves at each step's premium. Most chips reach the United States inside devices: a duty on bare
    chips and one on the chips in devices are different policies.

    device_inertia, for users some rule looks at: a maker's chips of a class go to its
    buyers in today's proportions v, with a margin,

    .. math:: device_{c,m,e} \le (1 + \epsilon) v_{m,e} (X_{c,m} + \sum_{e' \ne e,k} move\_out_{m,e',k})
              + move\_in_{m,e} - \sum_k move\_out_{m,e,k} + \sum_k sort_{c,m,e,k}

    device_sorting: :math:`sort_k \le \phi_k v_{m,e} X_{c,m}`, at the cost of
    requalification. Without it a floor at the user is met by relabelling which device
    gets which chip, for nothing; moves count net, so that making cannot leave a place
    and return with another mix.
    """
    n, m = b.n, b.model
    sold = _sold(b)
    inside: Sold = defaultdict(list)
    used: dict[tuple[str, str, int], list[Any]] = defaultdict(list)
    made: dict[tuple[str, str, str, int], list[Any]] = defaultdict(list)
    for (s, c, maker, e, t), term in m.device.items():
        inside[s, c, maker, t].append(term)
        used[e, s, t].append(term)
        made[s, maker, e, t].append(term)

    def left(s: str, c: int, maker: str, t: int) -> Any:
        rest = m.rest[s, c, maker, t] if c != POOLED else 0.0
        return (
            pyo.quicksum(sold[s, c, maker, t])
            - pyo.quicksum(inside[s, c, maker, t])
            - rest
        )

    b.balance(
        "device_balance",
        list(sold),
        left,
        unit="kwpm",
        meaning="price device makers pay for a chip of this origin",
    )
    b.balance(
        "rest_balance",
        [key for key in inside if key[1] == POOLED and b.origins[key[0]].users],
        lambda s, _, maker, t: (
            pyo.quicksum(
                m.rest[s, c, maker, t] for c in range(len(b.origins[s].classes))
            )
            - pyo.quicksum(inside[s, POOLED, maker, t])
        ),
        unit="kwpm",
        meaning="price of a chip to users no rule looks at",
    )
    b.balance(
        "use_balance",
        list(m.consumed),
        lambda e, s, t: pyo.quicksum(used[e, s, t]) - m.consumed[e, s, t],
        unit="kwpm",
        meaning="price users pay for a chip",
    )
    steps = range(len(n.device_moves))
    b.balance(
        "device_place",
        list(m.move_in),
        lambda s, maker, e, t: (
            n.pattern.get((maker, e), 0.0) * m.consumed[e, s, t]
            + m.move_in[s, maker, e, t]
            - pyo.quicksum(
                m.move_out[s, maker, e, k, t]
                for k in steps
                if (s, maker, e, k, t) in m.move_out
            )
            - pyo.quicksum(made[s, maker, e, t])
        ),
        unit="kwpm",
        meaning="price of making the device here rather than elsewhere",
    )
    b.balance(
        "device_move",
        list(m.move_out),
        lambda s, maker, e, k, t: (
            n.device_moves[k][0] * n.pattern[maker, e] * m.consumed[e, s, t]
            - m.move_out[s, maker, e, k, t]
        ),
        unit="kwpm",
        meaning="price of moving device making faster",
        equal=False,
    )
    _inertia(b, sold)


def _inertia(b: ModelBuilder, sold: Sold) -> None:
    """Hold a maker's mix of origins to today's proportions between its buyers."""
    n, m = b.n, b.model
    steps, moves, users, usual = (
        range(len(n.routes)),
        range(len(n.device_moves)),
        _users(b),
        usual_shares(b),
    )
    b.balance(
        "device_inertia",
        [key for key in m.device if key[1] != POOLED and usual.get((key[2], key[3]))],
        lambda s, c, maker, e, t: (
            (1.0 + MARGIN)
            * usual[maker, e]
            * (
                pyo.quicksum(sold[s, c, maker, t])
                + pyo.quicksum(
                    m.move_out[s, maker, q, k, t]
                    for q in users
                    if q != e
                    for k in moves
                    if (s, maker, q, k, t) in m.move_out
                )
            )
            + m.move_in[s, maker, e, t]
            - pyo.quicksum(
                m.move_out[s, maker, e, k, t]
                for k in moves
                if (s, maker, e, k, t) in m.move_out
            )
            + pyo.quicksum(m.sort[s, c, maker, e, k, t] for k in steps)
            - m.device[s, c, maker, e, t]
        ),
        unit="kwpm",
        meaning="price of sorting chips of this origin into devices for this user",
        equal=False,
    )
    b.balance(
        "device_sorting",
        list(m.sort),
        lambda s, c, maker, e, k, t: (
            n.routes[k][0] * usual[maker, e] * pyo.quicksum(sold[s, c, maker, t])
            - m.sort[s, c, maker, e, k, t]
        ),
        unit="kwpm",
        meaning="price of sorting faster",
        equal=False,
    )


def costs(b: ModelBuilder) -> None:
    """Charge moves of device making, a premium on the reference price that rises with the step, and sorting."""
    n, m = b.n, b.model
    moves: dict[int, list[Any]] = defaultdict(list)
    for (s, _, _, k, t), term in m.move_out.items():
        moves[t].append(n.device_moves[k][1] * n.prices.reference[s] * term)
    sorting: dict[int, list[Any]] = defaultdict(list)
    for (s, _, _, _, k, t), term in m.sort.items():
        sorting[t].append(n.routes[k][1] * n.prices.reference[s] * term)
    ties: dict[int, list[Any]] = defaultdict(list)
    for (s, c, maker, e, t), term in m.device.items():
        origin = (
            e if c == POOLED else min(b.origins[s].classes[c], key=n.rank.__getitem__)
        )
        ties[t].append(n.tie(e, maker, origin) * term)
    for t in n.years:
        b.cost("device_moves", t, pyo.quicksum(moves[t]))
        b.cost("sorting", t, pyo.quicksum(sorting[t]))
        if b.ties:
            b.cost("tie_break", t, pyo.quicksum(ties[t]))


def usual_shares(b: ModelBuilder) -> dict[tuple[str, str], float]:
    """Return today's share of the devices made in a place that go to each place of use."""
    n = b.n
    made = {
        maker: sum(n.pattern.get((maker, e), 0.0) * n.users[e] for e in _users(b))
        for maker in n.sold
    }
    return {
        (maker, e): n.pattern.get((maker, e), 0.0) * n.users[e] / made[maker]
        for maker in made
        for e in _users(b)
        if present(made[maker])
    }


def _users(b: ModelBuilder) -> list[str]:
    return sorted({e for e, _, _ in b.n.reference}, key=b.n.regions.index)


def _classes(b: ModelBuilder, segment: str, user: str) -> range:
    told = b.origins[segment]
    return range(len(told.classes)) if user in told.users else range(POOLED, POOLED + 1)


def _sold(b: ModelBuilder) -> Sold:
    """Return chips sold to makers by origin class, pooled where no rule looks at any user."""
    class_of = {
        (s, r): c if told.users else POOLED
        for s, told in b.origins.items()
        for c, members in enumerate(told.classes)
        for r in members
    }
    sold: Sold = defaultdict(list)
    for (s, r, _, maker, t), term in b.model.ship.items():
        sold[s, class_of[s, r], maker, t].append(term)
    return sold
