"""Builds that several instruments select or measure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import pyomo.environ as pyo

from chipmodel.policies.base import Policy
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.sites import Site

Bearer = Literal["treasury", "makers"]


def fleet_of(sites: Iterable[Site]) -> float:
    """Return what the fleets among some sites hold, kwpm."""
    return sum(site.size or 0.0 for site in sites if site.kind == "fleet")


BuildKey = tuple[str, int]


Builds = dict[BuildKey, Any]


def _span(policy: Policy) -> range:
    return range(policy.years[0], policy.years[1] + 1)


def _each_known(
    field: str, names: tuple[str, ...], every: tuple[str, ...]
) -> list[tuple[str, str, str]]:
    """Return the problems of names that must be spelled out."""
    return [
        (
            field,
            f"'{name}' is not known, or stands for several",
            "use " + ", ".join(every),
        )
        for name in names
        if name not in every
    ]


def _decided(
    builder: ModelBuilder, policy: Policy, builds: Iterable[tuple[Site, int]]
) -> Builds:
    """Return what is built beyond what is under way: history is left out, commitments are taken off."""
    n, m = builder.n, builder.model
    keys = [(site.id, t) for site, t in builds if (site.id, t) not in n.fixed]
    committed = [
        (i, t)
        for i, t in keys
        if present(n.sites.sites[i].committed) and t == n.sites.sites[i].builds[0]
    ]
    agent = lambda i, t: n.sites.sites[i].agent  # noqa: E731
    beyond = builder.variable("beyond", committed, agent, policy)
    builder.limit(
        "under_way",
        committed,
        lambda i, t: m.build[i, t] - n.sites.sites[i].committed - beyond[i, t],
        owner=agent,
        unit="kwpm built",
        equal=True,
        policy=policy,
        meaning="worth of one more kwpm that counts as under way",
    )
    return {key: beyond[key] if key in set(committed) else m.build[key] for key in keys}


def _bought_off(
    builder: ModelBuilder, policy: Policy, builds: Builds, price: Any, treasury: str
) -> Any:
    """Let builds be freed of a rule at a price, paid as an annuity on the schedule of their capital."""
    over = builder.variable(
        "over", list(builds), lambda i, t: builder.n.sites.sites[i].agent, policy
    )
    builder.balance(
        "over_built",
        list(builds),
        lambda i, t: builds[i, t] - over[i, t],
        unit="kwpm built",
        equal=False,
        meaning="worth of one more kwpm that could be freed of the rule",
        policy=policy,
    )
    fines = {key: -price * over[key] for key in builds}
    builder.support(policy, "fine", fines, treasury=treasury, paid="construction")
    return over


def _measure(builder: ModelBuilder, policy: Policy, name: str, builds: Builds) -> None:
    total: dict[int, list[Any]] = defaultdict(list)
    for (_, t), term in builds.items():
        total[t].append(term)
    for t, terms in total.items():
        builder.measure(policy, name, t, pyo.quicksum(terms), "kwpm")
