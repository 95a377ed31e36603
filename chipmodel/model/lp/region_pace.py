"""Pace of building of a whole region: builders, power and cleanrooms are shared."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import BuildKey, ModelBuilder
from chipmodel.model.lp.row_groups import Owner, balance, limit, lookup
from chipmodel.model.lp.rows import Index
from chipmodel.model.lp.shares import present
from chipmodel.model.lp.sites import CapitalCharges
from chipmodel.solver.ledger import Party

SITE = Owner(
    "the firm at the site",
    lambda builder, i, *_: builder.parameters.sites.sites[i].agent,
)
BUILDERS = Owner(
    "the builders of the region", lambda _, r, *__: Party("builders", r).label
)

RegionYear = tuple[str, int]


def variables(builder: ModelBuilder) -> None:
    """Add what the builders of a region start in a year, MUSD of capital.

    ``band[r,k,t]``: in cost band k. ``crowding[r,t]``: what the bands cost beyond
    multiplier 1. ``exempt[i,t]``: kwpm of a committed build, which is under way.
    """
    pace = builder.parameters.pace
    bands = range(len(pace.premiums))
    keys = [(r, k, t) for (r, t), k in product(_region_years(builder), bands)]
    builder.variable("band", keys, BUILDERS.of(builder))
    builder.variable("crowding", _region_years(builder), BUILDERS.of(builder))
    builder.variable("exempt", _committed(builder), SITE.of(builder))


def _region_years(builder: ModelBuilder) -> list[Index]:
    return list(builds_by_region(builder))


def _committed(builder: ModelBuilder) -> list[Index]:
    keys: list[Index] = []
    for i, site in builder.parameters.sites.sites.items():
        if site.builds and present(site.committed):
            keys.append((i, site.builds[0]))
    return keys


@lookup
def builds_by_region(builder: ModelBuilder) -> dict[RegionYear, list[BuildKey]]:
    """Return the builds of each region and year, without those of history."""
    parameters = builder.parameters
    builds: dict[RegionYear, list[BuildKey]] = defaultdict(list)
    for i, site in parameters.sites.sites.items():
        for t in site.builds:
            if t > parameters.world.history_until:
                builds[site.region, t].append((i, t))
    return dict(builds)


@balance(
    name="region_pace",
    title="pace of construction of a region",
    index=("region", "year"),
    over=_region_years,
    unit="MUSD",
    dual="price of building capacity of the region, per MUSD of capital",
    equal=False,
)
def region_pace(builder: ModelBuilder, r: str, t: int) -> Any:
    r"""Capital of the builds of a region is at most the sum of its bands.

    Over all segments, at multiplier 1; what is committed is exempt.

    .. math:: \sum_{i \in r} capex_i \, (build_{i,t} - exempt_{i,t})
              \le \sum_k band_{r,k,t}
    """
    model = builder.model
    sites = builder.parameters.sites.sites
    bands = range(len(builder.parameters.pace.premiums))
    terms = [model.band[r, k, t] for k in bands]
    for key in builds_by_region(builder)[r, t]:
        capex = builder.capex(sites[key[0]])
        terms.append(-capex * model.build[key])
        if key in model.exempt:
            terms.append(capex * model.exempt[key])
    return pyo.quicksum(terms)


@limit(
    name="band_width",
    title="building capacity of a region at a cost band",
    index=("region", "band", "year"),
    over=lambda builder: list(builder.parameters.pace.widths),
    unit="MUSD",
    owner=BUILDERS,
    dual="rent of a cheaper band of building over the most expensive one used",
)
def band_width(builder: ModelBuilder, r: str, k: int, t: int) -> Any:
    r"""A band is at most its width; the last band has none.

    .. math:: band_{r,k,t} \le width_{r,k,t}
    """
    # No build that starts in the last years comes on line before the horizon.
    if (r, k, t) not in builder.model.band:
        return None
    return builder.parameters.pace.widths[r, k, t] - builder.model.band[r, k, t]


@limit(
    name="exemption",
    title="commitments that pay for no pace of the region",
    index=("site", "year"),
    over=lambda builder: list(builder.model.exempt),
    unit="kwpm",
    owner=SITE,
    dual="value of one more kwpm that counts as under way",
)
def exemption(builder: ModelBuilder, i: str, t: int) -> Any:
    r"""At most the committed part of a build is exempt.

    .. math:: exempt_{i,t} \le committed_i \, size_i
    """
    # `committed` of a site is in kwpm: the share times the size.
    return builder.parameters.sites.sites[i].committed - builder.model.exempt[i, t]


@balance(
    name="crowding_of",
    title="building beyond multiplier 1",
    index=("region", "year"),
    over=_region_years,
    unit="MUSD",
    dual="cost of one MUSD of crowding",
)
def crowding_of(builder: ModelBuilder, r: str, t: int) -> Any:
    r"""Weight the bands of a region by their extra cost.

    .. math:: crowding_{r,t} = \sum_k premium_k \, band_{r,k,t}
    """
    model = builder.model
    beyond = pyo.quicksum(
        premium * model.band[r, k, t]
        for k, premium in enumerate(builder.parameters.pace.premiums)
    )
    return model.crowding[r, t] - beyond


def costs(builder: ModelBuilder) -> None:
    """Charge crowding as an annuity on the schedule of the capital it is about."""
    parameters = builder.parameters
    scale = parameters.world.congestion
    charges = CapitalCharges(builder, "congestion")
    for (r, t), crowding in builder.model.crowding.items():
        work = parameters.pace.works[r]
        charges.add_annuity(scale, work.interest, t + work.lead, crowding)
        charges.add_cash(scale, work.spend, t, crowding)
    charges.write()
