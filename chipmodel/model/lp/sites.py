"""Sites: builds, their steps of rising cost, and what is given."""

from __future__ import annotations

from collections import defaultdict

import pyomo.environ as pyo

from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.solver.ledger import Account
from chipmodel.solver.polynomials import present


def variables(b: ModelBuilder) -> None:
    r"""Add builds and the steps they climb.

    ``build[i,t]`` kwpm begun at site i in year t; ``step[f,r,s,k,t]`` kwpm of a place's
    additions at cost step k; ``effort[f,r,s,t]`` the same weighted with the cost
    multipliers.
    """
    n = b.n
    sites, places = n.sites.sites, n.sites.places
    b.variable(
        "build",
        [(i, t) for i, s in sites.items() for t in s.builds],
        lambda i, t: sites[i].agent,
    )
    b.variable(
        "step",
        [
            (*g, k, t)
            for g, p in places.items()
            for t in p.widths
            for k in range(len(p.multipliers))
        ],
        lambda f, r, s, k, t: places[f, r, s].agent,
    )
    b.variable(
        "effort",
        [(*g, t) for g, p in places.items() for t in p.widths],
        lambda f, r, s, t: places[f, r, s].agent,
    )


def constraints(b: ModelBuilder) -> None:
    r"""Hold builds to what is given, to the size of the site and to the pace of the place.

    history: build\ :sub:`i,t` equals what has happened.
    commitment: build\ :sub:`i,first` is at least the share under way times the size.
    size: the builds of a project sum to at most its size.
    pace: the builds of a place in a year are at most the sum of its steps.
    step_width: step\ :sub:`k,t` is at most its width, a share of the world segment's
    capacity; the last step has none.
    effort_of: effort = sum of multiplier\ :sub:`k` step\ :sub:`k`.
    """
    n, m = b.n, b.model
    sites, places, group_of = n.sites.sites, n.sites.places, n.sites.group_of
    site_agent = lambda i, *_: sites[i].agent  # noqa: E731
    b.limit(
        "history",
        [key for key in n.fixed if key in m.build],
        lambda i, t: m.build[i, t] - n.fixed[i, t],
        owner=site_agent,
        unit="kwpm",
        meaning="what one more kwpm of a given build would be worth",
        equal=True,
    )
    b.limit(
        "commitment",
        [
            (i, s.builds[0])
            for i, s in sites.items()
            if present(s.committed) and (i, s.builds[0]) not in n.fixed
        ],
        lambda i, t: m.build[i, t] - sites[i].committed,
        owner=site_agent,
        unit="kwpm",
        meaning="cost of one more kwpm of commitment",
    )
    b.limit(
        "size",
        [(i,) for i, s in sites.items() if s.size is not None and s.builds],
        lambda i: sites[i].size - pyo.quicksum(m.build[i, t] for t in sites[i].builds),
        owner=site_agent,
        unit="kwpm",
        meaning="worth of one more kwpm of room at the site",
    )
    at: dict[tuple[str, str, str, int], list[tuple[str, int]]] = defaultdict(list)
    for i, t in m.build:
        at[(*group_of[i], t)].append((i, t))
    b.balance(
        "pace",
        [(*g, t) for g, p in places.items() for t in p.widths],
        lambda f, r, s, t: (
            pyo.quicksum(
                m.step[f, r, s, k, t] for k in range(len(places[f, r, s].multipliers))
            )
            - pyo.quicksum(m.build[key] for key in at[f, r, s, t])
            if at[f, r, s, t]
            else None
        ),
        unit="kwpm",
        meaning="price of a kwpm of room to build in the place and year",
        equal=False,
    )
    b.limit(
        "step_width",
        [
            (*g, k, t)
            for g, p in places.items()
            for t in p.widths
            for k in range(len(p.multipliers) - 1)
        ],
        lambda f, r, s, k, t: places[f, r, s].widths[t] - m.step[f, r, s, k, t],
        owner=lambda f, r, s, k, t: places[f, r, s].agent,
        unit="kwpm",
        meaning="rent of a cheap place to build over the dearest one used",
    )
    b.balance(
        "effort_of",
        [(*g, t) for g, p in places.items() for t in p.widths],
        lambda f, r, s, t: (
            m.effort[f, r, s, t]
            - pyo.quicksum(
                w * m.step[f, r, s, k, t]
                for k, w in enumerate(places[f, r, s].multipliers)
            )
        ),
        unit="kwpm",
        meaning="cost of a kwpm at multiplier 1",
    )


def costs(b: ModelBuilder) -> None:
    r"""Charge capital as an annuity while it is in service.

    In year tau a build begun in t costs

    .. math:: CRF \cdot capex \cdot \sum_k spend_k (1+r)^{L-k} \cdot service_{i,t,\tau}

    times its cost multiplier: interest during construction is part of the cost of a slow place. The
    cash is a memo line in the years it is spent. Builds that are history carry multiplier 1.
    """
    n, m = b.n, b.model
    yearly: dict[int, list[object]] = defaultdict(list)
    cash: dict[int, list[object]] = defaultdict(list)
    for f, r, s, t in m.effort:
        place = n.sites.places[f, r, s]
        _charge(
            b,
            place.capex,
            place.work.interest,
            place.work.spend,
            t,
            t + place.work.lead,
            m.effort[f, r, s, t],
            yearly,
            cash,
        )
    for i, t in m.build:
        site, place = n.sites.sites[i], n.sites.places[n.sites.group_of[i]]
        share = site.premium + (0.0 if t in place.widths else 1.0)
        if share:
            _charge(
                b,
                share * place.capex,
                place.work.interest,
                place.work.spend,
                t,
                site.ready[t],
                m.build[i, t],
                yearly,
                cash,
            )
        late = site.ready[t] - t - place.work.lead
        if late > 1e-9 and t in place.widths:
            # The ladder charges from t + lead; a first cohort that waits for its permit
            # pays when it stands.
            _charge(
                b,
                place.capex,
                place.work.interest,
                (),
                t,
                site.ready[t],
                m.build[i, t],
                yearly,
                cash,
            )
            _charge(
                b,
                -place.capex,
                place.work.interest,
                (),
                t,
                t + place.work.lead,
                m.build[i, t],
                yearly,
                cash,
            )
    for year, terms in yearly.items():
        b.cost("capital", year, pyo.quicksum(terms))
    for year, terms in cash.items():
        b.memo(
            Account("capital", cash=True).label,
            year,
            pyo.quicksum(terms),
            payer="agent",
        )


def _charge(
    b: ModelBuilder,
    capex: float,
    interest: float,
    spend: tuple[float, ...],
    start: int,
    ready: float,
    term: object,
    yearly: dict[int, list[object]],
    cash: dict[int, list[object]],
) -> None:
    for year in b.n.years:
        share = min(1.0, max(0.0, year + 1.0 - ready))
        if share > 0:
            yearly[year].append(share * b.n.recovery * capex * interest * term)  # type: ignore[operator]
    for k, share in enumerate(spend):
        if present(share):
            cash[start + k].append(share * capex * term)  # type: ignore[operator]
