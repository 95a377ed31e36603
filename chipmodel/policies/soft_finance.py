"""Support that is not a grant: a credit on wafers made, and loans, guarantees and equity below market terms."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.common.text import exact_percent
from chipmodel.model.parameters.finance import capital_recovery
from chipmodel.policies.base import DisplayNames, Number, Share
from chipmodel.policies.support import Support
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters
    from chipmodel.model.parameters.sites import Site

Form = Literal["loan", "guarantee", "equity"]


def grant_equivalent(form: Form, market: float, gap: float, tenor: int) -> float:
    r"""Return what support below market terms is worth as a share of its principal.

    A loan, or one that a guarantee makes cheaper, is repaid in N level instalments, at
    rate i = r - gap:

    .. math:: g = 1 - CRF(r - gap, N) / CRF(r, N)

    the annuity of the interest saved, discounted at the market rate r. Equity earns r - gap and is
    sold at par after N years:

    .. math:: g = gap \cdot (1 - (1 + r)^{-N}) / r

    Parameters
    ----------
    form : str
        ``loan``, ``guarantee`` or ``equity``.
    market : float
        Real rate a year a firm would pay or shareholders would ask.
    gap : float
        By how much support lowers it.
    tenor : int
        Years to the last instalment, or to the sale.
    """
    if form == "equity":
        return gap / capital_recovery(market, tenor)
    return 1.0 - _instalment(market - gap, tenor) / _instalment(market, tenor)


def _instalment(rate: float, years: int) -> float:
    return 1.0 / years if abs(rate) < 1e-12 else capital_recovery(rate, years)


class SoftFinance(Support):
    r"""Loans, guarantees and equity below market terms, as grant equivalents.

    The principal is ``amount`` of the capital cost (or, with ``base = "award"``, of the
    award recorded for the project: the conversion of a grant). What it is worth to the
    firm, and costs the treasury, is the grant equivalent g: either given, or computed
    from the rate gap and the tenor.

    .. math:: support = g \cdot amount \cdot capex \cdot build

    It is paid with the spending, as a grant is. The principal itself is no support: it is an asset of
    the treasury (with a guarantee a contingent liability) and stands in the ledger as ``lent``,
    ``repaid`` and ``outstanding`` beside the support, outside the objective. Lent money does not
    widen a firm's budget; its grant equivalent does, if budgets are net of support. ``years`` are
    the years construction starts, or for awards those of coming on line.
    """

    kind: ClassVar[str] = "soft_finance"
    law: ClassVar[str] = (
        "Loans, guarantees and equity below market terms: CHIPS loans, policy banks,"
        " state funds."
    )
    example: ClassVar[str] = """
id = "stake"
form = "equity"
base = "award"
region = "USA"
firms = ["samsung"]
amount = 1.0
rate_gap = 0.02
tenor = 10
years = [2022, 2041]
source = "own"
"""

    form: Form = Field(description="What the treasury gives.")
    amount: Share = Field(description="Principal as a share of the base.")
    base: Literal["capital", "award"] = Field(
        default="capital",
        description=(
            "Share of the capital cost, or of the award recorded for a project."
        ),
    )
    rate_gap: Annotated[
        Annotated[float, Field(ge=0, le=0.2)] | None, Number("share/year")
    ] = Field(default=None, description="Market rate less the rate asked, a year.")
    tenor: Annotated[int, Field(ge=1, le=50)] = Field(
        description="Years to the last instalment, or to the sale."
    )
    grant_equivalent: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None, Number("share")
    ] = Field(
        default=None,
        description=(
            "Grant equivalent as a share of the principal, instead of rate_gap."
        ),
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> SoftFinance:
        if (self.rate_gap is None) == (self.grant_equivalent is None):
            raise ValueError("give either rate_gap or grant_equivalent")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Who gives what on which terms."""
        gives = {
            "loan": "lends",
            "guarantee": "guarantees loans of",
            "equity": "buys shares for",
        }[self.form]
        of = (
            "the cost of fabs"
            if self.base == "capital"
            else "the awards recorded for projects"
        )
        worth = (
            f"at {exact_percent(self.rate_gap)} a year below the market"
            if self.rate_gap is not None
            else f"worth a grant of {exact_percent(self.grant_equivalent or 0.0)} of it"
        )
        return (
            f"{names(self.region)} {gives} {exact_percent(self.amount)} of {of} of"
            f" {self.whom(names)}, for {self.tenor} years, {worth}"
        )

    @property
    def inactive(self) -> bool:
        """Nothing lent, or lent at market terms."""
        return self.amount == 0 or self.rate_gap == 0 or self.grant_equivalent == 0

    def accepts(self, site: Site, build: int) -> bool:
        """Builds begun in the years, or projects with an award that come on line in them."""
        if self.base == "award":
            return present(site.awards.get(self.region, 0.0)) and self.active(
                int(site.ready[build])
            )
        return self.active(build)

    def worth(self, parameters: Parameters) -> float:
        """Return the grant equivalent as a share of the principal."""
        if self.grant_equivalent is not None:
            return self.grant_equivalent
        return grant_equivalent(
            self.form, parameters.world.discount_rate, self.rate_gap or 0.0, self.tenor
        )

    def share_on(self, site: Site, build: int, parameters: Parameters) -> float:
        """Return the grant equivalent as a share of capital cost."""
        cost = parameters.sites.places[parameters.sites.group_of[site.id]].capex * (
            1.0 + site.premium
        )
        return self.worth(parameters) * self.amount * self._base(site, cost) / cost

    def _base(self, site: Site, cost: float) -> float:
        return (
            site.awards[self.region] / (site.size or 1.0)
            if self.base == "award"
            else cost
        )

    def derived(self, parameters: Parameters) -> list[tuple[str, float, str]]:
        """The grant equivalent, then the support of each kind of build."""
        return [
            ("grant equivalent", self.worth(parameters), "share of principal"),
            *super().derived(parameters),
        ]

    def named(self, site: Site) -> str:
        """Converted awards are listed by site."""
        return site.id if self.base == "award" else super().named(site)

    def add(self, builder: ModelBuilder) -> None:
        """Pay the grant equivalent and keep the ledger of the principal."""
        n, amount = builder.n, builder.num(self, "amount")
        builds = {
            (site.id, t): builder.model.build[site.id, t]
            for site, t in self.eligible(n)
        }
        if not builds:
            return
        principal = {}
        for (i, t), term in builds.items():
            site = n.sites.sites[i]
            principal[i, t] = amount * self._base(site, builder.capex(site)) * term
        worth = self.worth(n)
        self._pay(
            builder,
            "soft_finance",
            {key: worth * term for key, term in principal.items()},
            builds,
            "construction",
        )
        self._keep(builder, principal)

    def _keep(
        self, builder: ModelBuilder, principal: dict[tuple[str, int], Any]
    ) -> None:
        """Measure what is lent, repaid and outstanding at the end of each year."""
        n = builder.n
        lent: dict[int, list[Any]] = defaultdict(list)
        for (i, t), amount in principal.items():
            spend = n.sites.places[n.sites.group_of[i]].work.spend
            for k, share in enumerate(spend):
                lent[t + k].append(share * amount)
        left, paid = self._schedule(n)
        for year in n.years:
            since = [
                (year - start, pyo.quicksum(terms))
                for start, terms in lent.items()
                if start <= year
            ]
            if self.form != "guarantee":
                builder.measure(
                    self,
                    "lent",
                    year,
                    pyo.quicksum(x for age, x in since if age == 0),
                    "MUSD of principal",
                )
                repaid = pyo.quicksum(
                    paid[age - 1] * x for age, x in since if 1 <= age <= self.tenor
                )
                builder.measure(self, "repaid", year, repaid, "MUSD of principal")
            owed = pyo.quicksum(left[age] * x for age, x in since if age <= self.tenor)
            builder.measure(self, "outstanding", year, owed, "MUSD of principal")

    def _schedule(self, n: Parameters) -> tuple[list[float], list[float]]:
        """Return what is left of one MUSD after each year, and what of it is repaid in each."""
        if self.form == "equity":
            left = [1.0] * self.tenor + [0.0]
        else:
            # Given only a grant equivalent, the rate is unknown: principal is repaid as
            # at the market rate.
            rate = n.world.discount_rate - (self.rate_gap or 0.0)
            whole = _instalment(rate, self.tenor)
            left = [
                whole / _instalment(rate, self.tenor - age) for age in range(self.tenor)
            ] + [0.0]
        return left, [before - after for before, after in pairwise(left)]
