"""Retirement: fleets that leave service for good."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.row_groups import Owner, balance, limit, lookup
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.model.parameters.parameters import Parameters

SITE = Owner(
    "the firm at the site",
    lambda builder, i, *_: builder.parameters.sites.sites[i].agent,
)


def variables(builder: ModelBuilder) -> None:
    """Add ``retired[i,t]``: kwpm of fleet i out of service for good by year t."""
    builder.variable("retired", _fleet_years(builder), SITE.of(builder))


def _fleet_years(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    keys: list[Index] = []
    for i, site in parameters.sites.sites.items():
        if site.kind == "fleet":
            keys.extend((i, t) for t in _open_years(parameters))
    return keys


def _open_years(parameters: Parameters) -> list[int]:
    # What retired in the past is not in the fleets of the base year.
    return [t for t in parameters.years if t > parameters.world.history_until]


@lookup
def builds_in_service(
    builder: ModelBuilder,
) -> dict[tuple[str, int], list[tuple[int, float]]]:
    """Return the builds in service by site and year: start and share of the year."""
    running: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
    for (i, start), years in builder.parameters.service.items():
        for t, share in years:
            running[i, t].append((start, share))
    return dict(running)


def in_service(builder: ModelBuilder, i: str, t: int, factor: Any) -> Any:
    """Return the capacity of a site in service in a year, times a factor.

    Of a fleet, what has not retired; of a new fab, what is built.
    """
    retired = builder.model.retired
    site = builder.parameters.sites.sites[i]
    if site.kind == "fleet":
        whole = factor * (site.size or 0.0)
        # Nothing retires in the years of history.
        if (i, t) not in retired:
            return whole
        return whole - factor * retired[i, t]
    terms = []
    for start, share in builds_in_service(builder).get((i, t), []):
        terms.append(factor * share * builder.model.build[i, start])
    return pyo.quicksum(terms)


def _last_years(builder: ModelBuilder) -> list[Index]:
    last = builder.parameters.years[-1]
    return [(i, t) for i, t in builder.model.retired if t == last]


def _given_retirements(builder: ModelBuilder) -> list[Index]:
    retired = builder.model.retired
    return [key for key in builder.parameters.fixed_retired if key in retired]


@balance(
    name="retired_for_good",
    title="fleets retire for good",
    index=("site", "year"),
    over=lambda builder: list(builder.model.retired),
    unit="kwpm",
    dual="value of one kwpm that could return to service",
    equal=False,
)
def retired_for_good(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""What has retired stays out of service.

    .. math:: retired_{i,t} \ge retired_{i,t-1}
    """
    retired = builder.model.retired
    # In the first year that is open nothing has retired before.
    if (i, t - 1) not in retired:
        return None
    return retired[i, t] - retired[i, t - 1]


@limit(
    name="fleet_size",
    title="sizes of fleets",
    index=("site", "year"),
    over=_last_years,
    unit="kwpm",
    owner=SITE,
    dual="value of one more kwpm of a fleet that could retire",
)
def fleet_size(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""A fleet retires at most as a whole, with T the last year.

    .. math:: retired_{i,T} \le size_i
    """
    size = builder.parameters.sites.sites[i].size or 0.0
    return size - builder.model.retired[i, t]


@limit(
    name="announced_retirement",
    title="retirements announced",
    index=("site", "year"),
    over=lambda builder: list(builder.parameters.retirements),
    unit="kwpm",
    owner=SITE,
    dual="cost of one more kwpm announced to retire",
)
def announced_retirement(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""What a world states to retire has retired by its year.

    .. math:: retired_{i,t} \ge share_i \, size_i
    """
    return builder.model.retired[i, t] - builder.parameters.retirements[i, t]


@limit(
    name="retirement_history",
    title="fleets retired already",
    index=("site", "year"),
    over=_given_retirements,
    unit="kwpm",
    owner=SITE,
    dual="value of one more kwpm retired before the surprise",
    equal=True,
)
def retirement_history(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""Fix what an earlier pass retired, before a surprise.

    .. math:: retired_{i,t} = given_{i,t}
    """
    return builder.model.retired[i, t] - builder.parameters.fixed_retired[i, t]


def costs(builder: ModelBuilder) -> None:
    """Charge what retiring costs, and credit what it saves.

    A kwpm that retires costs a share of the capital cost of a new fab there, once. From
    then on it saves a share of the running cost up to u_min, which is otherwise paid in
    any case and outside the accounts.
    """
    parameters = builder.parameters
    once: Terms = defaultdict(list)
    saved: Terms = defaultdict(list)
    for (i, t), retired in builder.model.retired.items():
        site = parameters.sites.sites[i]
        place = (site.region, site.segment)
        cost = parameters.retiring[place]
        once[t].append(cost * retired)
        # `retired` is cumulative: what had retired before is not paid for again.
        if (i, t + 1) in builder.model.retired:
            once[t + 1].append(-cost * retired)
        saved[t].append(-parameters.fixed_saved[place] * retired)
    builder.yearly_cost("retirement", once)
    builder.yearly_cost("fixed_cost", saved)
