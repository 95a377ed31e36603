"""Sites: builds, their steps of rising cost, and what is given."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import BuildKey, ModelBuilder
from chipmodel.model.lp.row_groups import Owner, balance, limit, lookup
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.model.lp.shares import nonzero, present
from chipmodel.model.parameters.finance import share_in_service
from chipmodel.solver.ledger import Account

PlaceYear = tuple[str, str, str, int]
"""Firm, region, segment and year."""

ROUNDING = 1e-9
"""Differences between times below this are rounding errors, years."""


SITE = Owner(
    "the firm at the site",
    lambda builder, i, *_: builder.parameters.sites.sites[i].agent,
)
PLACE = Owner(
    "the firm at the place",
    lambda builder, f, r, s, *_: builder.parameters.sites.places[f, r, s].agent,
)


def variables(builder: ModelBuilder) -> None:
    r"""Add builds and the cost steps they fill.

    ``build[i,t]``: kwpm whose construction starts at site i in year t.
    ``step[f,r,s,k,t]``: kwpm of the builds of a place (firm f, region r, segment s) at
    cost step k. ``effort[f,r,s,t]``: the same, weighted by the cost multipliers.
    """
    builder.variable("build", _builds(builder), SITE.of(builder))
    builder.variable("step", _steps(builder), PLACE.of(builder))
    builder.variable("effort", _place_years(builder), PLACE.of(builder))


def _builds(builder: ModelBuilder) -> list[Index]:
    sites = builder.parameters.sites.sites
    keys: list[Index] = []
    for i, site in sites.items():
        # `builds` ends where a build would come on line after the horizon: such columns
        # would mean nothing and only disturb the results.
        keys.extend((i, t) for t in site.builds)
    return keys


def _place_years(builder: ModelBuilder) -> list[Index]:
    keys: list[Index] = []
    for group, place in builder.parameters.sites.places.items():
        keys.extend((*group, t) for t in place.widths)
    return keys


def _steps(builder: ModelBuilder) -> list[Index]:
    keys: list[Index] = []
    for group, place in builder.parameters.sites.places.items():
        years_and_steps = product(place.widths, range(len(place.multipliers)))
        keys.extend((*group, k, t) for t, k in years_and_steps)
    return keys


def _bounded_steps(builder: ModelBuilder) -> list[Index]:
    keys: list[Index] = []
    for group, place in builder.parameters.sites.places.items():
        # The last step has no width, so that a build is never impossible, only costly.
        years_and_steps = product(place.widths, range(len(place.multipliers) - 1))
        keys.extend((*group, k, t) for t, k in years_and_steps)
    return keys


def _given_builds(builder: ModelBuilder) -> list[Index]:
    build = builder.model.build
    return [key for key in builder.parameters.fixed if key in build]


def _committed_builds(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    keys: list[Index] = []
    for i, site in parameters.sites.sites.items():
        if site.builds and present(site.committed):
            first = site.builds[0]
            # A build that an earlier pass fixed has an equation and needs no bound.
            if (i, first) not in parameters.fixed:
                keys.append((i, first))
    return keys


def _announced_sites(builder: ModelBuilder) -> list[Index]:
    sites = builder.parameters.sites.sites
    return [(i,) for i, site in sites.items() if site.size is not None and site.builds]


@lookup
def builds_by_place(builder: ModelBuilder) -> dict[PlaceYear, list[BuildKey]]:
    """Return the builds of each place and year."""
    group_of = builder.parameters.sites.group_of
    builds: dict[PlaceYear, list[BuildKey]] = defaultdict(list)
    for i, t in builder.model.build:
        builds[*group_of[i], t].append((i, t))
    return builds


@limit(
    name="history",
    title="fabs already under construction",
    index=("site", "year"),
    over=_given_builds,
    unit="kwpm",
    owner=SITE,
    dual="value of one more kwpm of a given build",
    equal=True,
)
def history(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""Fix builds of the past, and builds that an earlier pass decided.

    .. math:: build_{i,t} = given_{i,t}
    """
    # A limit, though an equation: its right-hand side is a rent that needs an owner.
    return builder.model.build[i, t] - builder.parameters.fixed[i, t]


@limit(
    name="commitment",
    title="commitments under way",
    index=("site", "year"),
    over=_committed_builds,
    unit="kwpm",
    owner=SITE,
    dual="cost of one more kwpm of commitment",
)
def commitment(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""Build at least the committed share of an announced site, in its first year.

    .. math:: build_{i,t} \ge committed_i \, size_i
    """
    # `committed` of a site is in kwpm: the share times the size.
    return builder.model.build[i, t] - builder.parameters.sites.sites[i].committed


@limit(
    name="size",
    title="sizes of announced sites",
    index=("site",),
    over=_announced_sites,
    unit="kwpm",
    owner=SITE,
    dual="value of one more kwpm at the site",
)
def size(builder: ModelBuilder, i: str) -> Any:
    r"""Builds at an announced site sum to at most its size.

    .. math:: \sum_t build_{i,t} \le size_i
    """
    site = builder.parameters.sites.sites[i]
    build = builder.model.build
    return site.size - pyo.quicksum(build[i, t] for t in site.builds)


@balance(
    name="pace",
    title="pace of construction",
    index=("firm", "region", "segment", "year"),
    over=_place_years,
    unit="kwpm",
    dual="price of one kwpm of construction capacity in the place and year",
    equal=False,
)
def pace(builder: ModelBuilder, f: str, r: str, s: str, t: int) -> Any:
    r"""Builds of a place in a year are at most the sum of its cost steps.

    .. math:: \sum_{i \in (f,r,s)} build_{i,t} \le \sum_k step_{f,r,s,k,t}
    """
    builds = builds_by_place(builder)[f, r, s, t]
    if not builds:
        return None
    # An inequality, so that its dual, a price, cannot be negative. It binds anyway:
    # steps beyond what is built only cost.
    model = builder.model
    steps = range(len(builder.parameters.sites.places[f, r, s].multipliers))
    capacity = pyo.quicksum(model.step[f, r, s, k, t] for k in steps)
    return capacity - pyo.quicksum(model.build[key] for key in builds)


@limit(
    name="step_width",
    title="construction capacity at a cost step",
    index=("firm", "region", "segment", "step", "year"),
    over=_bounded_steps,
    unit="kwpm",
    owner=PLACE,
    dual="rent of a cheaper step of construction over the most expensive one used",
)
def step_width(builder: ModelBuilder, f: str, r: str, s: str, k: int, t: int) -> Any:
    r"""A cost step is at most its width, a share of the segment's world capacity.

    The last step has no width.

    .. math:: step_{f,r,s,k,t} \le width_{f,r,s,t}
    """
    width = builder.parameters.sites.places[f, r, s].widths[t]
    return width - builder.model.step[f, r, s, k, t]


@balance(
    name="effort_of",
    title="construction weighted by its cost",
    index=("firm", "region", "segment", "year"),
    over=_place_years,
    unit="kwpm",
    dual="cost of one kwpm at multiplier 1",
)
def effort_of(builder: ModelBuilder, f: str, r: str, s: str, t: int) -> Any:
    r"""Weight the cost steps of a place by their multipliers.

    .. math:: effort_{f,r,s,t} = \sum_k multiplier_k \, step_{f,r,s,k,t}
    """
    # One column for all steps: the annuity of a build has a term in the account of each
    # year in service, and these would otherwise be repeated for every step.
    model = builder.model
    multipliers = builder.parameters.sites.places[f, r, s].multipliers
    weighted = pyo.quicksum(
        multiplier * model.step[f, r, s, k, t]
        for k, multiplier in enumerate(multipliers)
    )
    return model.effort[f, r, s, t] - weighted


def costs(builder: ModelBuilder) -> None:
    r"""Charge capital as an annuity while it is in service.

    In year :math:`\tau` a build whose construction starts in t costs

    .. math:: CRF \cdot capex \cdot \sum_k spend_k (1+r)^{L-k} \cdot service_{i,t,\tau}

    times its cost multiplier, with L the construction time: interest during
    construction is part of the cost of a slow place. The cash is a memo line in the
    years in which it is spent. Builds that are history have multiplier 1.
    """
    charges = CapitalCharges(builder)
    _charge_steps(builder, charges)
    _charge_sites(builder, charges)
    charges.write()


class CapitalCharges:
    """Terms of capital cost by year: the annuity, and the cash beside it."""

    def __init__(self, builder: ModelBuilder, account: str = "capital") -> None:
        self.builder = builder
        self.account = account
        self.annuity: Terms = defaultdict(list)
        self.cash: Terms = defaultdict(list)

    def add_annuity(
        self, capex: float, interest: float, ready: float, term: Any
    ) -> None:
        """Charge `capex`, MUSD per kwpm, with its interest from the time `ready`."""
        parameters = self.builder.parameters
        for year in parameters.years:
            share = share_in_service(ready, year)
            if present(share):
                self.annuity[year].append(
                    share * parameters.recovery * capex * interest * term
                )

    def add_cash(
        self, capex: float, spend: tuple[float, ...], start: int, term: Any
    ) -> None:
        """Record the cash spent in each year from the start of construction."""
        for k, share in nonzero(enumerate(spend)):
            self.cash[start + k].append(share * capex * term)

    def write(self) -> None:
        """Write the lines of the accounts."""
        self.builder.yearly_cost(self.account, self.annuity)
        label = Account(self.account, cash=True).label
        for year, terms in self.cash.items():
            self.builder.memo(label, year, pyo.quicksum(terms), payer="agent")


def _charge_steps(builder: ModelBuilder, charges: CapitalCharges) -> None:
    """Charge the builds of each place at the multipliers of its cost steps."""
    for (f, r, s, t), effort in builder.model.effort.items():
        place = builder.parameters.sites.places[f, r, s]
        work = place.work
        charges.add_annuity(place.capex, work.interest, t + work.lead, effort)
        charges.add_cash(place.capex, work.spend, t, effort)


def _charge_sites(builder: ModelBuilder, charges: CapitalCharges) -> None:
    """Charge what the cost steps of the place do not hold."""
    sites = builder.parameters.sites
    for (i, t), build in builder.model.build.items():
        site = sites.sites[i]
        place = sites.places[sites.group_of[i]]
        work = place.work
        on_steps = t in place.widths
        ready = site.ready[t]
        # Cost steps start after history: what history built pays multiplier 1 here.
        share = site.premium if on_steps else site.premium + 1.0
        if present(share):
            capex = share * place.capex
            charges.add_annuity(capex, work.interest, ready, build)
            charges.add_cash(capex, work.spend, t, build)
        expected = t + work.lead
        if on_steps and present(ready - t - work.lead - ROUNDING):
            # The steps charge from t + lead; a first cohort that waits for its permit
            # pays when it comes into service.
            charges.add_annuity(place.capex, work.interest, ready, build)
            charges.add_annuity(-place.capex, work.interest, expected, build)
