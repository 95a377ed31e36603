"""Support of investment: grants and tax credits.

Support is a share of the capital cost of a build at cost multiplier 1 (the base): the rise of cost
with the pace of building is not supported. No support may exceed that cost.
"""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.policies.base import ALL, Money, Names, Number, Policy, PolicyYear, Share, unknown
from chipmodel.policies.words import millions, percent
from chipmodel.schema import REGION_PATTERN, ProjectRow
from chipmodel.traced import present

if TYPE_CHECKING:
    from chipmodel.lp.book import Book
    from chipmodel.numbers import Numbers
    from chipmodel.numbers.sites import Site

BuildKey = tuple[str, int]


class Support(Policy):
    """Common part of instruments that pay for builds in a region."""

    region: str = Field(pattern=REGION_PATTERN, description="Region whose treasury pays and where builds count.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments that are eligible.")
    firms: tuple[str, ...] = Field(default=ALL, description="Firms that are eligible.")
    homes: tuple[str, ...] = Field(default=ALL, description="Homes of the firms that are eligible.")
    sites: tuple[str, ...] = Field(default=ALL, description="Sites that are eligible: projects or greenfield places.")
    excluded: tuple[str, ...] = Field(default=(), description="Firms left out, or whose awards are withdrawn.")

    def whom(self, names: Names) -> str:
        """Return whose builds are eligible, in words."""
        firms = names.every(self.firms, "any firm") + names.only(self.homes, " at home in {}")
        return (f"{firms}{names.only(self.excluded, ' except {}')}{names.only(self.segments)}"
                f"{names.only(self.sites, ' at {}')}")

    def eligible(self, numbers: Numbers) -> list[tuple[Site, int]]:
        """Return the builds that may be supported as (site, year construction starts)."""
        return [
            (site, t)
            for site in numbers.sites.sites.values()
            if self._covers(site, numbers)
            for t in site.builds
            if self.accepts(site, t)
        ]

    def _covers(self, site: Site, numbers: Numbers) -> bool:
        return (
            site.region == self.region
            and site.firm not in self.excluded
            and (self.segments == ALL or site.segment in self.segments)
            and (self.firms == ALL or site.firm in self.firms)
            and (self.sites == ALL or site.id in self.sites)
            and (self.homes == ALL or numbers.home(site.firm, site.region) in self.homes)
        )

    def accepts(self, site: Site, build: int) -> bool:
        """Whether a build counts."""
        raise NotImplementedError

    def rate_on(self, site: Site, capex: float) -> float:
        """Return the share of capital cost paid for a build of a site."""
        raise NotImplementedError

    def share_on(self, site: Site, build: int, numbers: Numbers) -> float:
        """Return what a build gets over its capital cost; `rate_on`, unless the build year or the world matters."""
        return self.rate_on(site, _capex(site, numbers))

    def support_shares(self, numbers: Numbers) -> dict[BuildKey, float]:
        """Return the share of capital cost paid on every eligible build, for the check of stacking."""
        return {(site.id, t): self.share_on(site, t, numbers) for site, t in self.eligible(numbers)}

    def computed(self, numbers: Numbers) -> list[tuple[str, float, str]]:
        """Support of each eligible kind of build, per kwpm and as a share of its cost."""
        found: dict[str, tuple[float, float]] = {}
        for site, t in self.eligible(numbers):
            capex = _capex(site, numbers)
            share = self.share_on(site, t, numbers)
            if share > 0:
                found.setdefault(self.named(site), (share * capex, share))
        return [
            row
            for name, (money, share) in found.items()
            for row in ((f"support of {name}", money, "MUSD/kwpm"), (f"support of {name}", share, "share of cost"))
        ]

    def named(self, site: Site) -> str:
        """Return what a site's support is listed under."""
        return f"{site.segment}, {site.kind}"

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = numbers
        return [
            *super().problems(n),
            *unknown("region", (self.region,), n.regions),
            *unknown("segments", self.segments, n.segments),
            *unknown("firms", self.firms, tuple(n.homes)),
            *[("excluded", f"'{f}' is not a firm", "use " + ", ".join(n.homes)) for f in self.excluded
              if f not in n.homes],
            *unknown("homes", self.homes, n.regions),
            *self._unknown_sites(n),
        ]

    def _unknown_sites(self, n: Numbers) -> list[tuple[str, str, str]]:
        """A site must be in the data, though not in every world: an older world knows fewer projects."""
        known = {row.site for row in n.data.rows(ProjectRow)} | {s.id for s in n.sites.sites.values()}
        return [
            ("sites", f"'{name}' is not a site", "did you mean " + ", ".join(
                get_close_matches(name, sorted(known), n=3, cutoff=0.0)) + "?")
            for name in self.sites
            if name not in known and self.sites != ALL
        ]

    def _pay(self, book: Book, account: str, amounts: dict[BuildKey, Any], kwpm: dict[BuildKey, Any],
             paid: Literal["construction", "service"], delay: int = 0) -> None:
        book.support(self, account, amounts, treasury=self.region, paid=paid, delay=delay)
        by_year: dict[int, list[Any]] = defaultdict(list)
        for (i, t), term in kwpm.items():
            by_year[int(book.n.sites.sites[i].ready[t])].append(term)
        for year, terms in by_year.items():
            if year in book.n.discount:
                book.measure(self, "supported_capacity", year, pyo.quicksum(terms), "kwpm")


class CapexGrant(Support):
    r"""Grants towards the capital cost of fabs, in one of three forms.

    award
        Named projects get the awards recorded in the data, spread over their size: support a kwpm
        is fixed. ``share`` is the part of the award that is paid; ``years`` are those of coming on
        line. With a ``delay`` every payment comes that many years later, without interest, so the
        award is worth less to the firm. The award of a firm is withdrawn by naming it in ``excluded``,
        and converted by a ``soft_finance`` of ``base = "award"`` for that firm beside it.
    open
        One ``rate`` for every build begun in ``years`` that holds no award of the same treasury. Given a
        ``budget`` instead, the rate is the one at which the cash paid equals the budget; the
        engine finds it.
    marginal
        Only what is built beyond the case without the programme is paid:
        ``supported <= build - build0``, at a ``rate``, within a ``budget``. An upper bound on what
        a dollar buys; it also holds eligible sites to what they would have built.

    A bare pool (a budget with ``supported <= build``) is not offered: it pays builds that happen
    anyway first, moves nothing, and its dual is exactly 1.

    The dual of a marginal programme's budget is the fall of the objective per MUSD of budget.
    """

    kind: ClassVar[str] = "capex_grant"
    law: ClassVar[str] = "A grant programme: CHIPS direct funding, METI grants, European state aid."
    dual: ClassVar[str] = "fall of the objective per MUSD of budget"
    example: ClassVar[str] = """
id = "programme"
form = "open"
region = "JPN"
budget = 40000
years = [2026, 2030]
source = "own"
"""

    form: Literal["award", "open", "marginal"] = Field(description="How the grant is given.")
    share: Share = Field(default=1.0, description="Part of the recorded awards that is paid (award).")
    rate: Annotated[Annotated[float, Field(ge=0, lt=1)] | None, Number("share")] = Field(
        default=None, description="Share of capital cost paid (open, marginal)."
    )
    budget: Money = Field(default=None, description="Cash to be paid, MUSD (open instead of rate; marginal with it).")
    delay: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="Years by which payments come late (award)."
    )

    @model_validator(mode="after")
    def _form_fits(self) -> CapexGrant:
        if self.form != "award" and self.delay:
            raise ValueError("delay: only awards are paid late; other grants change their years")
        if self.form == "award" and (self.rate is not None or self.budget is not None):
            raise ValueError("an award takes neither rate nor budget: amounts are in project_facts.csv")
        if self.form == "open" and (self.rate is None) == (self.budget is None):
            raise ValueError("an open grant takes either rate or budget")
        if self.form == "marginal" and (self.rate is None or self.budget is None):
            raise ValueError("a marginal grant takes both rate and budget; a bare pool would move nothing")
        return self

    def says(self, names: Names) -> str:
        """Who pays what to whom."""
        payer, rate, whom = names(self.region), percent(self.rate or 0.0), self.whom(names)
        if self.form == "award":
            part = "the awards" if self.share == 1 else f"{percent(self.share)} of the awards"
            late = f", {self.delay} years late" if self.delay else ""
            return f"{payer} pays {part} recorded for projects of {whom}{late}, if they come on line"
        money = "" if self.budget is None else millions(self.budget)
        if self.form == "marginal":
            return (f"{payer} pays {rate} of the cost of fabs that {whom} begins beyond what it would without, "
                    f"{money} at most")
        share = f"{rate} of" if self.rate is not None else f"{money} in all towards"
        return f"{payer} pays {share} the cost of fabs without an award that {whom} begins"

    @property
    def idle(self) -> bool:
        """A zero share, rate or budget does nothing."""
        return self.share == 0 if self.form == "award" else self.rate == 0 or self.budget == 0

    def accepts(self, site: Site, build: int) -> bool:
        """Awards go to their sites if they come on line in time; other grants to builds begun in the years."""
        if self.form == "award":
            return present(site.awards.get(self.region, 0.0)) and self.active(int(site.ready[build]))
        return self.active(build) and not site.awards.get(self.region)

    def rate_on(self, site: Site, capex: float) -> float:
        """Return the share of capital cost paid."""
        if self.form == "award":
            return self.share * site.awards[self.region] / ((site.size or 1.0) * capex)
        return self.rate or 0.0

    def named(self, site: Site) -> str:
        """Awards are listed by site."""
        return site.id if self.form == "award" else super().named(site)

    def add(self, book: Book) -> None:
        """Pay for what is built, or for what is built beyond the case without the programme."""
        n, m = book.n, book.model
        builds = {(site.id, t): m.build[site.id, t] for site, t in self.eligible(n)}
        if not builds:
            return
        if self.form == "award":
            share = book.num(self, "share")
            amounts = {
                (i, t): share * (n.sites.sites[i].awards[self.region] / (n.sites.sites[i].size or 1.0)) * term
                for (i, t), term in builds.items()
            }
            self._pay(book, "grant", amounts, builds, "construction", self.delay)
            return
        rate = book.num(self, "rate")
        supported = builds if self.form == "open" else self._additional(book, builds)
        amounts = {
            (i, t): rate * book.capex(n.sites.sites[i]) * term for (i, t), term in supported.items()
        }
        self._pay(book, "grant", amounts, dict(supported), "construction")
        if self.form == "marginal":
            cash = pyo.quicksum(amounts.values())
            book.limit("budget", [()], lambda: book.num(self, "budget") - cash, owner="agent", unit="MUSD",
                       meaning=self.dual, policy=self)

    def _additional(self, book: Book, builds: dict[BuildKey, Any]) -> dict[BuildKey, Any]:
        sites, before = book.n.sites.sites, book.n.baseline_builds[self.id]
        free = {key: term for key, term in builds.items() if key not in book.n.fixed}
        supported = book.variable("supported", list(free), lambda i, t: sites[i].agent, self)
        book.limit("eligible", list(free), lambda i, t: free[i, t] - before.get((i, t), 0.0) - supported[i, t],
                   owner=lambda i, t: sites[i].agent, unit="kwpm built", policy=self,
                   meaning="worth of support that reaches one more kwpm")
        return {key: supported[key] for key in free}


class InvestmentTaxCredit(Support):
    """A credit on the capital cost of fabs, paid when they come on line.

    ``years`` are the years of coming on line. Construction must have begun by ``begin_by``: for a
    project begun already that is met whatever the year of its further builds; for anything else the
    year construction starts decides.
    """

    kind: ClassVar[str] = "investment_tax_credit"
    law: ClassVar[str] = "An investment tax credit: US Section 48D, Korea's K-Chips Act, Taiwan's Article 10-2."
    example: ClassVar[str] = """
id = "us_credit"
region = "USA"
rate = 0.35
begin_by = 2026
years = [2026, 2041]
source = "law_48d"
"""

    rate: Share = Field(description="Share of capital cost credited.")
    begin_by: PolicyYear | None = Field(default=None, description="Last year in which construction may begin.")

    def says(self, names: Names) -> str:
        """Who credits what."""
        begun = f" begun by {self.begin_by}" if self.begin_by is not None else ""
        return (f"{names(self.region)} credits {percent(self.rate)} of the cost of fabs of {self.whom(names)}{begun}, "
                "if they come on line")

    @property
    def idle(self) -> bool:
        """A zero rate does nothing."""
        return self.rate == 0

    def accepts(self, site: Site, build: int) -> bool:
        """In-service year within the years, construction begun in time."""
        in_time = self.begin_by is None or build <= self.begin_by or (
            site.begun is not None and site.begun <= self.begin_by
        )
        return in_time and self.active(int(site.ready[build]))

    def rate_on(self, site: Site, capex: float) -> float:
        """Return the credit rate."""
        return self.rate

    def add(self, book: Book) -> None:
        """Credit every eligible build."""
        m = book.model
        rate = book.num(self, "rate")
        builds = {(site.id, t): m.build[site.id, t] for site, t in self.eligible(book.n)}
        if builds:
            amounts = {(i, t): rate * book.capex(book.n.sites.sites[i]) * term for (i, t), term in builds.items()}
            self._pay(book, "tax_credit", amounts, builds, "service")


def _capex(site: Site, numbers: Numbers) -> float:
    return numbers.sites.places[numbers.sites.group_of[site.id]].capex * (1.0 + site.premium)


def overpaid(policies: list[Policy], numbers: Numbers) -> dict[tuple[str, ...], tuple[str, float]]:
    """Return the site at which policies together pay most of the cost, and that share, if it exceeds the least cost."""
    total: dict[BuildKey, dict[str, float]] = defaultdict(dict)
    for policy in policies:
        if isinstance(policy, Support) and not policy.idle:
            for key, share in policy.support_shares(numbers).items():
                total[key][policy.id] = share
    found: dict[tuple[str, ...], tuple[str, float]] = {}
    for (site, _), shares in total.items():
        share = sum(shares.values())
        if share > numbers.parameter["multiplier_start"] and share > found.get(tuple(shares), ("", 0.0))[1]:
            found[tuple(shares)] = (site, share)
    return found


def stacked(policies: list[Policy], numbers: Numbers) -> list[tuple[str, str, str]]:
    """Return builds whose support together exceeds their least cost, as (policies, what, mend)."""
    least = numbers.parameter["multiplier_start"]
    return [
        (" and ".join(ids), f"together pay {share:.0%} of the cost of {site}", f"keep support below {least:.0%}")
        for ids, (site, share) in overpaid(policies, numbers).items()
    ]
