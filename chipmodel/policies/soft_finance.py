"""Loans, guarantees and equity below market terms."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from chipmodel.common import pyo
from chipmodel.common.text import exact_percent
from chipmodel.model.parameters.finance import capital_recovery
from chipmodel.policies.base import Derived, DisplayNames, Number, Share
from chipmodel.policies.builds import Builds
from chipmodel.policies.support import Support, awarded, capex_of
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

    the annuity of the interest saved, discounted at the market rate r. Equity earns
    r - gap and is sold at par after N years:

    .. math:: g = gap \cdot (1 - (1 + r)^{-N}) / r

    Parameters
    ----------
    form : str
        ``loan``, ``guarantee`` or ``equity``.
    market : float
        Real rate per year that a firm would pay or shareholders would ask.
    gap : float
        Reduction of that rate by the support.
    tenor : int
        Years to the last instalment, or to the sale.
    """
    if form == "equity":
        return gap / capital_recovery(market, tenor)
    return 1.0 - _instalment(market - gap, tenor) / _instalment(market, tenor)


def _instalment(rate: float, years: int) -> float:
    """Return the yearly payment that repays one MUSD, also at a rate of zero."""
    # The formula of the capital recovery factor is 0/0 at a rate of zero.
    return 1.0 / years if abs(rate) < 1e-12 else capital_recovery(rate, years)


class SoftFinance(Support):
    r"""Loans, guarantees and equity below market terms, as grant equivalents.

    The principal is ``amount`` of the capital cost (or, with ``base = "award"``, of the
    award recorded for the project: the conversion of a grant). What it is worth to the
    firm, and costs the treasury, is the grant equivalent g: either given, or computed
    from the rate gap and the tenor.

    .. math:: support = g \cdot amount \cdot capex \cdot build

    It is paid with the spending, as a grant is. The principal itself is no support: it
    is an asset of the treasury (with a guarantee a contingent liability) and appears in
    the ledger as ``lent``, ``repaid`` and ``outstanding`` beside the support, outside
    the objective. Lent money does not widen a firm's budget; its grant equivalent does,
    if budgets are net of support. ``years`` are the years construction starts, or for
    awards those of coming on line.
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
    ] = Field(default=None, description="Market rate less the rate asked, per year.")
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
        """Return who gives what on which terms."""
        gives = {
            "loan": "lends",
            "guarantee": "guarantees loans of",
            "equity": "buys shares for",
        }[self.form]
        base = "the cost of fabs"
        if self.base == "award":
            base = "the awards recorded for projects"
        if self.rate_gap is not None:
            worth = f"at {exact_percent(self.rate_gap)} a year below the market"
        else:
            equivalent = exact_percent(self.grant_equivalent or 0.0)
            worth = f"worth a grant of {equivalent} of it"
        return (
            f"{names(self.region)} {gives} {exact_percent(self.amount)} of {base} of"
            f" {self.whom(names)}, for {self.tenor} years, {worth}"
        )

    @property
    def inactive(self) -> bool:
        """Whether nothing is lent, or lent at market terms."""
        return self.amount == 0 or self.rate_gap == 0 or self.grant_equivalent == 0

    def accepts(self, site: Site, build: int) -> bool:
        """Whether a build starts, or a project with an award comes on line, in time."""
        if self.base == "capital":
            return self.active(build)
        award = site.awards.get(self.region, 0.0)
        return present(award) and self.active(int(site.ready[build]))

    @property
    def by_award(self) -> bool:
        """Whether its principal is a share of awards."""
        return self.base == "award"

    def worth(self, parameters: Parameters) -> float:
        """Return the grant equivalent as a share of the principal."""
        if self.grant_equivalent is not None:
            return self.grant_equivalent
        # The model has one real rate: firms would borrow at the rate of discounting.
        market = parameters.world.discount_rate
        return grant_equivalent(self.form, market, self.rate_gap or 0.0, self.tenor)

    def share_on(self, site: Site, build: int, parameters: Parameters) -> float:
        """Return the grant equivalent as a share of capital cost."""
        cost = capex_of(site, parameters)
        return self.worth(parameters) * self.amount * self._base(site, cost) / cost

    def _base(self, site: Site, cost: float) -> float:
        """Return what the principal is a share of, MUSD per kwpm."""
        if self.base == "capital":
            return cost
        return site.awards[self.region] / (site.size or 1.0)

    def derived(self, parameters: Parameters) -> list[Derived]:
        """Return the grant equivalent, then the support of each kind of build."""
        worth = self.worth(parameters)
        return [
            Derived("grant equivalent", worth, "share of principal"),
            *super().derived(parameters),
        ]

    def named(self, site: Site) -> str:
        """Return the site for a converted award, else the kind of build."""
        return site.id if self.base == "award" else super().named(site)

    def add(self, builder: ModelBuilder) -> None:
        """Pay the grant equivalent and add the ledger of the principal."""
        build = builder.model.build
        builds = {}
        principal = {}
        for site, t in self.eligible(builder.parameters):
            term = awarded(builder, site, t) if self.by_award else build[site.id, t]
            base = self._base(site, builder.capex(site))
            builds[site.id, t] = term
            principal[site.id, t] = self.amount * base * term
        if not builds:
            return
        worth = self.worth(builder.parameters)
        amounts = {key: worth * term for key, term in principal.items()}
        self.pay(builder, "soft_finance", amounts, builds, "construction")
        self._measure_principal(builder, principal)

    def _measure_principal(self, builder: ModelBuilder, principal: Builds) -> None:
        """Measure what is lent, repaid and outstanding at the end of each year."""
        parameters = builder.parameters
        lent: dict[int, list[Any]] = defaultdict(list)
        for (i, t), amount in principal.items():
            place = parameters.sites.places[parameters.sites.group_of[i]]
            # Money is lent as it is spent, and each part is repaid on its own schedule.
            for k, share in enumerate(place.work.spend):
                lent[t + k].append(share * amount)
        left, paid = self._schedule(parameters)
        unit = "MUSD of principal"
        for year in parameters.years:
            loans = []
            for start, terms in lent.items():
                if start <= year:
                    loans.append((year - start, pyo.quicksum(terms)))
            # A guarantee lends nothing; only the liability is outstanding.
            if self.form != "guarantee":
                new = pyo.quicksum(amount for age, amount in loans if age == 0)
                builder.measure(self, "lent", year, new, unit)
                due = [loan for loan in loans if 1 <= loan[0] <= self.tenor]
                repaid = pyo.quicksum(paid[age - 1] * amount for age, amount in due)
                builder.measure(self, "repaid", year, repaid, unit)
            running = [loan for loan in loans if loan[0] <= self.tenor]
            owed = pyo.quicksum(left[age] * amount for age, amount in running)
            builder.measure(self, "outstanding", year, owed, unit)

    def _schedule(self, parameters: Parameters) -> tuple[list[float], list[float]]:
        """Return what is left of one MUSD after each year, and what is repaid in it."""
        if self.form == "equity":
            left = [1.0] * self.tenor + [0.0]
        else:
            # Given only a grant equivalent, the rate is unknown: principal is repaid as
            # at the market rate.
            rate = parameters.world.discount_rate - (self.rate_gap or 0.0)
            whole = _instalment(rate, self.tenor)
            left = []
            for age in range(self.tenor):
                # The instalment is that of the principal left over the years left.
                left.append(whole / _instalment(rate, self.tenor - age))
            left.append(0.0)
        return left, [before - after for before, after in pairwise(left)]
