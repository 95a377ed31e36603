"""Upstream inputs: tools and materials by the home of their suppliers."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

from chipmodel.common import pyo
from chipmodel.model.lp.builder import ModelBuilder
from chipmodel.model.lp.row_groups import Owner, balance, limit, lookup
from chipmodel.model.lp.rows import Index, Terms
from chipmodel.model.lp.shares import nonzero
from chipmodel.model.parameters.upstream import Upstream
from chipmodel.solver.ledger import Party

SUPPLIER = Owner(
    "the suppliers of the input in the region",
    lambda _, j, k, *__: Party("supplier", k).label,
)
REPLACEMENT = Owner(
    "those who replace the input in the region",
    lambda _, j, r, t: f"replacement:{r}",
)


def variables(builder: ModelBuilder) -> None:
    """Add use of inputs and replacement of withheld ones.

    ``use[j,k,r,t]``: input j from suppliers in k to the fabs of r, index units.
    ``replaced[j,r,t]``: what replaces withheld input j in the fabs of r.
    """
    builder.variable("use", _uses(builder), SUPPLIER.of(builder))
    builder.variable("replaced", _replacements(builder), REPLACEMENT.of(builder))


def _suppliers(builder: ModelBuilder, j: str) -> list[str]:
    parameters = builder.parameters
    return [k for k in parameters.regions if k in parameters.upstream[j].shares]


def _uses(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    keys: list[Index] = []
    for j in parameters.upstream:
        suppliers = _suppliers(builder, j)
        keys.extend(product([j], suppliers, parameters.regions, parameters.years))
    return keys


def _replacements(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    return list(product(parameters.upstream, parameters.regions, parameters.years))


def _supplies(builder: ModelBuilder) -> list[Index]:
    parameters = builder.parameters
    keys: list[Index] = []
    for j in parameters.upstream:
        keys.extend(product([j], _suppliers(builder, j), parameters.years))
    return keys


def _given_replacements(builder: ModelBuilder) -> list[Index]:
    replaced = builder.model.replaced
    return [key for key in builder.parameters.fixed_replaced if key in replaced]


@lookup
def needs(builder: ModelBuilder) -> Terms:
    """Return the need for each input, by region and year."""
    needed: Terms = defaultdict(list)
    for j, upstream in builder.parameters.upstream.items():
        if upstream.basis == "wafer":
            _add_needs_of_wafers(builder, j, upstream, needed)
        else:
            _add_needs_of_builds(builder, j, upstream, needed)
    return needed


def _add_needs_of_wafers(
    builder: ModelBuilder, j: str, upstream: Upstream, needed: Terms
) -> None:
    for (s, r, t), made in builder.model.made.items():
        if s in upstream.need:
            needed[j, r, t].append(upstream.need[s] * made)


def _add_needs_of_builds(
    builder: ModelBuilder, j: str, upstream: Upstream, needed: Terms
) -> None:
    """Add the needs of builds in the years in which their tools move in."""
    sites = builder.parameters.sites
    for (i, start), build in builder.model.build.items():
        site = sites.sites[i]
        if site.segment not in upstream.need:
            continue
        need = upstream.need[site.segment]
        work = sites.places[sites.group_of[i]].work
        for k, share in nonzero(enumerate(work.tools)):
            needed[j, site.region, start + k].append(need * share * build)


@balance(
    name="input_need",
    title="needs of the fabs",
    index=("input", "region", "year"),
    over=lambda builder: list(builder.model.replaced),
    unit="index",
    dual="price of the input in the region",
)
def input_need(builder: ModelBuilder, j: str, r: str, t: int) -> Any:
    r"""What fabs need of an input is used or replaced.

    For an input needed per wafer, and for one needed per kwpm added, with tools the
    share of the tools of a build that move in in the year:

    .. math:: \sum_k use_{j,k,r,t} + replaced_{j,r,t}
              = \sum_s need_{j,s} \, made_{s,r,t}

    .. math:: \sum_k use_{j,k,r,t} + replaced_{j,r,t}
              = \sum_{i \in r,\tau} need_{j,s(i)} \, tools_{t-\tau} \, build_{i,\tau}
    """
    model = builder.model
    use = pyo.quicksum(model.use[j, k, r, t] for k in _suppliers(builder, j))
    needed = needs(builder).get((j, r, t), [])
    return use + model.replaced[j, r, t] - pyo.quicksum(needed)


@limit(
    name="input_supply",
    title="supply",
    index=("input", "region", "year"),
    over=_supplies,
    unit="index",
    owner=SUPPLIER,
    dual="scarcity of the input at its suppliers",
)
def input_supply(builder: ModelBuilder, j: str, k: str, t: int) -> Any:
    r"""Suppliers of a region deliver at most their share of supply.

    Supply grows with reference demand.

    .. math:: \sum_r use_{j,k,r,t} \le share_{j,k} \, supply_{j,t}
    """
    upstream = builder.parameters.upstream[j]
    regions = builder.parameters.regions
    # By the head office of the supplier: its government controls what it delivers,
    # wherever it is made.
    use = pyo.quicksum(builder.model.use[j, k, r, t] for r in regions)
    return upstream.shares[k] * upstream.supply[t] - use


@limit(
    name="input_replacement",
    title="pace of replacing withheld input",
    index=("input", "region", "year"),
    over=lambda builder: list(builder.model.replaced),
    unit="index",
    owner=REPLACEMENT,
    dual="value of replacing the input faster",
)
def input_replacement(builder: ModelBuilder, j: str, r: str, t: int) -> Any:
    r"""Replacement rises by at most a share x of the region's reference need a year.

    .. math:: replaced_{j,r,t} \le replaced_{j,r,t-1} + x_j \, usual_{j,r,t}

    Results about withheld inputs are shown over the range of x.
    """
    parameters = builder.parameters
    replaced = builder.model.replaced
    # Nothing is withheld, and so nothing replaced, before the first year.
    before = replaced[j, r, t - 1] if t > parameters.years[0] else 0.0
    ramp = parameters.upstream[j].ramp.get((r, t), 0.0)
    return ramp + before - replaced[j, r, t]


@limit(
    name="replacement_history",
    title="input replaced already",
    index=("input", "region", "year"),
    over=_given_replacements,
    unit="index",
    owner=REPLACEMENT,
    dual="value of one more unit replaced before the surprise",
    equal=True,
)
def replacement_history(builder: ModelBuilder, j: str, r: str, t: int) -> Any:
    r"""Fix the replacement that an earlier pass decided, before a surprise.

    .. math:: replaced_{j,r,t} = given_{j,r,t}
    """
    given = builder.parameters.fixed_replaced[j, r, t]
    return builder.model.replaced[j, r, t] - given


def costs(builder: ModelBuilder) -> None:
    """Charge the premium of replaced inputs.

    The cost of the inputs themselves is in running cost and capital cost.
    """
    parameters = builder.parameters
    premium: Terms = defaultdict(list)
    ties: Terms = defaultdict(list)
    for (j, _, t), replaced in builder.model.replaced.items():
        premium[t].append(parameters.upstream[j].replaced_at * replaced)
    for (_, k, r, t), use in builder.model.use.items():
        ties[t].append(parameters.tie(k, r) * use)
    builder.yearly_cost("replacement", premium)
    if builder.ties:
        builder.yearly_cost("tie_break", ties)
