"""Builds that several instruments select, fine or measure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from chipmodel.common import pyo
from chipmodel.policies.base import Issue, Policy
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.sites import Site

Bearer = Literal["treasury", "makers"]

BuildKey = tuple[str, int]
"""Site and year construction starts."""

Builds = dict[BuildKey, Any]
"""Expressions of what is built, kwpm."""


def fleet_of(sites: Iterable[Site]) -> float:
    """Return the capacity of the fleets among some sites, kwpm."""
    return sum(site.size or 0.0 for site in sites if site.kind == "fleet")


def years_of(policy: Policy) -> range:
    """Return the years in which a policy is in force."""
    return range(policy.years[0], policy.years[1] + 1)


def each_known(
    field: str, names: tuple[str, ...], every: tuple[str, ...]
) -> list[Issue]:
    """Return the issues of names that must be given one by one, without ``all``."""
    return [
        Issue(
            field,
            f"'{name}' is not known, or covers several",
            "use " + ", ".join(every),
        )
        for name in names
        if name not in every
    ]


def new_decisions(
    builder: ModelBuilder, policy: Policy, builds: Iterable[tuple[Site, int]]
) -> Builds:
    """Return the part of builds that is still open: neither history nor committed."""
    parameters = builder.parameters
    sites = parameters.sites.sites
    build = builder.model.build
    keys = [(site.id, t) for site, t in builds if (site.id, t) not in parameters.fixed]
    # A committed project is under way in the first year it can be built.
    committed = [
        (i, t)
        for i, t in keys
        if present(sites[i].committed) and t == sites[i].builds[0]
    ]

    def agent(i: str, t: int) -> str:
        return sites[i].agent

    beyond = builder.variable("beyond", committed, agent, policy)
    builder.limit(
        "under_way",
        committed,
        lambda i, t: build[i, t] - sites[i].committed - beyond[i, t],
        owner=agent,
        unit="kwpm built",
        equal=True,
        policy=policy,
        meaning="worth of one more kwpm that counts as under way",
    )
    # Only a part of a committed build is open, all of any other.
    partly_open = set(committed)
    open_builds = {}
    for key in keys:
        open_builds[key] = beyond[key] if key in partly_open else build[key]
    return open_builds


def fined_builds(
    builder: ModelBuilder, policy: Policy, builds: Builds, price: Any, treasury: str
) -> Any:
    """Add the builds that exceed a rule at a fine, and return the variable.

    The fine is paid as an annuity on the schedule of the capital it is about.

    Parameters
    ----------
    price : float
        Fine, MUSD per kwpm.
    treasury : str
        Region whose treasury receives it.
    """
    sites = builder.parameters.sites.sites
    over = builder.variable("over", list(builds), lambda i, t: sites[i].agent, policy)
    builder.balance(
        "over_built",
        list(builds),
        lambda i, t: builds[i, t] - over[i, t],
        unit="kwpm built",
        equal=False,
        meaning="worth of one more kwpm that could be exempt from the rule",
        policy=policy,
    )
    # A fine is negative support: same annuity, same schedule of cash.
    fines = {key: -price * over[key] for key in builds}
    builder.support(policy, "fine", fines, treasury=treasury, paid="construction")
    return over


def measure_builds(
    builder: ModelBuilder, policy: Policy, name: str, builds: Builds
) -> None:
    """Add builds by year to the policy's ledger, kwpm."""
    total: dict[int, list[Any]] = defaultdict(list)
    for (_, t), term in builds.items():
        total[t].append(term)
    for t, terms in total.items():
        builder.measure(policy, name, t, pyo.quicksum(terms), "kwpm")
