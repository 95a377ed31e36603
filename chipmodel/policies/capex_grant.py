"""Grants for capital cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from chipmodel.common import pyo
from chipmodel.common.text import exact_percent, millions
from chipmodel.policies.base import DisplayNames, Money, Number, Share
from chipmodel.policies.builds import Builds
from chipmodel.policies.support import Support, awarded, by_rate
from chipmodel.solver.polynomials import present

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.sites import Site


class CapexGrant(Support):
    r"""Grants towards the capital cost of fabs, in one of three forms.

    award
        Named projects get the awards recorded in the data, spread over their size:
        support a kwpm is fixed. ``share`` is the part of the award that is paid;
        ``years`` are those of coming on line. With a ``delay`` every payment comes that
        many years later, without interest, so the award is worth less to the firm. The
        award of a firm is withdrawn by naming it in ``excluded``, and converted by a
        ``soft_finance`` of ``base = "award"`` for that firm beside it.
    open
        One ``rate`` for every build started in ``years``. A site with an award of the
        same treasury takes its award or the rate, part by part, whichever is better
        for it. Given a ``budget`` instead, the rate is the one at which the cash
        paid equals the budget; it is found by solving the case repeatedly.
    marginal
        Only what is built beyond the case without the grant is paid: ``supported <=
        build - build0``, at a ``rate``, within a ``budget``. An upper bound on what a
        dollar buys; eligible sites must also build what they would have built without.

    A bare pool (a budget with ``supported <= build``) is not offered: it pays builds
    that happen anyway first, moves nothing, and its dual is exactly 1.

    The dual of a marginal grant's budget is the fall of the objective per MUSD of
    budget.
    """

    kind: ClassVar[str] = "capex_grant"
    law: ClassVar[str] = (
        "A grant programme: CHIPS direct funding, METI grants, European state aid."
    )
    dual: ClassVar[str] = "fall of the objective per MUSD of budget"
    example: ClassVar[str] = """
id = "programme"
form = "open"
region = "JPN"
budget = 40000
years = [2026, 2030]
source = "own"
"""

    form: Literal["award", "open", "marginal"] = Field(
        description="How the grant is given."
    )
    share: Share = Field(
        default=1.0, description="Part of the recorded awards that is paid (award)."
    )
    rate: Annotated[Annotated[float, Field(ge=0, lt=1)] | None, Number("share")] = (
        Field(default=None, description="Share of capital cost paid (open, marginal).")
    )
    budget: Money = Field(
        default=None,
        description="Cash to be paid, MUSD (open instead of rate; marginal with it).",
    )
    delay: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="Years by which payments come late (award)."
    )

    @model_validator(mode="after")
    def _form_fits(self) -> CapexGrant:
        if self.form != "award" and self.delay:
            raise ValueError(
                "delay: only awards are paid late; other grants change their years"
            )
        if self.form == "award" and (self.rate is not None or self.budget is not None):
            raise ValueError(
                "an award takes neither rate nor budget: amounts are in"
                " project_facts.csv"
            )
        if self.form == "open" and (self.rate is None) == (self.budget is None):
            raise ValueError("an open grant takes either rate or budget")
        if self.form == "marginal" and (self.rate is None or self.budget is None):
            raise ValueError(
                "a marginal grant takes both rate and budget; a bare pool would move"
                " nothing"
            )
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return who pays what to whom."""
        payer = names(self.region)
        whom = self.whom(names)
        if self.form == "award":
            share = "" if self.share == 1 else f"{exact_percent(self.share)} of "
            late = f", {self.delay} years late" if self.delay else ""
            return (
                f"{payer} pays {share}the awards recorded for projects of {whom}{late},"
                " if they come on line"
            )
        rate = exact_percent(self.rate or 0.0)
        money = "" if self.budget is None else millions(self.budget)
        if self.form == "marginal":
            return (
                f"{payer} pays {rate} of the cost of fabs that {whom} begins beyond"
                f" what it would without, {money} at most"
            )
        amount = f"{rate} of" if self.rate is not None else f"{money} in all towards"
        return (
            f"{payer} pays {amount} the cost of fabs without an award that {whom}"
            " begins"
        )

    @property
    def inactive(self) -> bool:
        """Whether its share, rate or budget is zero."""
        if self.form == "award":
            return self.share == 0
        return self.rate == 0 or self.budget == 0

    @property
    def needs_baseline(self) -> bool:
        """Whether it pays for what is built beyond the case without it."""
        return self.form == "marginal"

    @property
    def seeks_rate(self) -> bool:
        """Whether its rate is the one that spends the budget."""
        return self.form == "open" and self.rate is None

    def accepts(self, site: Site, build: int) -> bool:
        """Whether an award comes on line in time, or another grant's build starts."""
        award = site.awards.get(self.region, 0.0)
        if self.form == "award":
            return present(award) and self.active(int(site.ready[build]))
        # A marginal grant pays what no award does.
        return self.active(build) and (self.form == "open" or not award)

    @property
    def by_award(self) -> bool:
        """Whether it pays awards."""
        return self.form == "award"

    def instead_of_award(self, site: Site) -> bool:
        """Whether it is an open grant and the treasury has an award for the site."""
        return self.form == "open" and present(site.awards.get(self.region, 0.0))

    def rate_on(self, site: Site, capex: float) -> float:
        """Return the share of capital cost paid."""
        if self.form == "award":
            # An award is for the whole site, spread evenly over its size.
            return self.share * site.awards[self.region] / ((site.size or 1.0) * capex)
        return self.rate or 0.0

    def named(self, site: Site) -> str:
        """Return the site for an award, the kind of build for other grants."""
        return site.id if self.form == "award" else super().named(site)

    def add(self, builder: ModelBuilder) -> None:
        """Pay for what is built, or for what is built beyond the case without it."""
        build = builder.model.build
        builds = {}
        for site, t in self.eligible(builder.parameters):
            builds[site.id, t] = build[site.id, t]
            if self.by_award:
                builds[site.id, t] = awarded(builder, site, t)
            elif self.instead_of_award(site):
                builds[site.id, t] = by_rate(builder)[site.id, t]
        if not builds:
            return
        if self.form == "award":
            self._pay_awards(builder, builds)
            return
        # Given a budget, the rate has been found before the linear program is written.
        assert self.rate is not None
        sites = builder.parameters.sites.sites
        supported = builds if self.form == "open" else self._additional(builder, builds)
        amounts = {}
        for (i, t), term in supported.items():
            amounts[i, t] = self.rate * builder.capex(sites[i]) * term
        self.pay(builder, "grant", amounts, supported, "construction")
        if self.form == "marginal":
            cash = pyo.quicksum(amounts.values())
            # Owned by the builds that use the budget, as its rent is a gain of theirs.
            builder.limit(
                "budget",
                [()],
                lambda: self.budget - cash,
                owner="agent",
                unit="MUSD",
                meaning=self.dual,
                policy=self,
            )

    def _pay_awards(self, builder: ModelBuilder, builds: Builds) -> None:
        """Pay awards spread over the size of their sites."""
        sites = builder.parameters.sites.sites
        amounts = {}
        for (i, t), term in builds.items():
            award_per_kwpm = sites[i].awards[self.region] / (sites[i].size or 1.0)
            amounts[i, t] = self.share * award_per_kwpm * term
        self.pay(builder, "grant", amounts, builds, "construction", self.delay)

    def _additional(self, builder: ModelBuilder, builds: Builds) -> Builds:
        """Return what is built beyond the case without the grant, by variables."""
        sites = builder.parameters.sites.sites
        before = builder.parameters.baseline_builds[self.id]
        fixed = builder.parameters.fixed
        # Builds fixed by an earlier pass are history: a grant cannot move them.
        free = {key: term for key, term in builds.items() if key not in fixed}

        def agent(i: str, t: int) -> str:
            return sites[i].agent

        supported = builder.variable("supported", list(free), agent, self)
        builder.limit(
            "eligible",
            list(free),
            lambda i, t: free[i, t] - before.get((i, t), 0.0) - supported[i, t],
            owner=agent,
            unit="kwpm built",
            policy=self,
            meaning="worth of support that reaches one more kwpm",
        )
        return {key: supported[key] for key in free}
