"""Common parts of grants, credits and soft finance: support of investment.

Support is a share of the capital cost of a build at cost multiplier 1 (the base): the
rise of cost with the pace of building is not supported. No support may exceed that
cost.
"""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from chipmodel.common import pyo
from chipmodel.common.ids import REGION_PATTERN
from chipmodel.dataset.rows import ProjectRow
from chipmodel.model.lp.row_groups import lookup
from chipmodel.policies.base import ALL, Derived, DisplayNames, Issue, Policy, unknown
from chipmodel.policies.builds import BuildKey, Builds

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters
    from chipmodel.model.parameters.sites import Site


class Support(Policy):
    """Common part of instruments that pay for builds in a region."""

    region: str = Field(
        pattern=REGION_PATTERN,
        description="Region whose treasury pays and where builds count.",
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments that are eligible."
    )
    firms: tuple[str, ...] = Field(default=ALL, description="Firms that are eligible.")
    homes: tuple[str, ...] = Field(
        default=ALL, description="Homes of the firms that are eligible."
    )
    sites: tuple[str, ...] = Field(
        default=ALL,
        description="Sites that are eligible: projects or greenfield places.",
    )
    excluded: tuple[str, ...] = Field(
        default=(), description="Firms left out, or whose awards are withdrawn."
    )

    def whom(self, names: DisplayNames) -> str:
        """Return whose builds are eligible, as part of a sentence."""
        firms = names.every(self.firms, "any firm")
        homes = names.only(self.homes, " at home in {}")
        excluded = names.only(self.excluded, " except {}")
        sites = names.only(self.sites, " at {}")
        return f"{firms}{homes}{excluded}{names.only(self.segments)}{sites}"

    def eligible(self, parameters: Parameters) -> list[tuple[Site, int]]:
        """Return the builds that may be supported: site and year of the start."""
        builds = []
        for site in parameters.sites.sites.values():
            if self._covers(site, parameters):
                builds += [(site, t) for t in site.builds if self.accepts(site, t)]
        return builds

    def _covers(self, site: Site, parameters: Parameters) -> bool:
        return (
            site.region == self.region
            and site.firm not in self.excluded
            and (self.segments == ALL or site.segment in self.segments)
            and (self.firms == ALL or site.firm in self.firms)
            and (self.sites == ALL or site.id in self.sites)
            and (
                self.homes == ALL
                or parameters.home(site.firm, site.region) in self.homes
            )
        )

    def accepts(self, site: Site, build: int) -> bool:
        """Whether a build counts."""
        raise NotImplementedError

    @property
    def by_award(self) -> bool:
        """Whether it pays the awards recorded for projects."""
        return False

    def instead_of_award(self, site: Site) -> bool:
        """Whether a site takes it instead of the award of the same treasury."""
        return False

    def rate_on(self, site: Site, capex: float) -> float:
        """Return the share of capital cost paid for a build of a site."""
        raise NotImplementedError

    def share_on(self, site: Site, build: int, parameters: Parameters) -> float:
        """Return the support of a build over its capital cost.

        This is `rate_on`, unless the build year or the world matters.
        """
        return self.rate_on(site, capex_of(site, parameters))

    def support_shares(self, parameters: Parameters) -> dict[BuildKey, float]:
        """Return the share of capital cost paid on every eligible build.

        It is used by the check that instruments together do not exceed the cost.
        """
        return {
            (site.id, t): self.share_on(site, t, parameters)
            for site, t in self.eligible(parameters)
        }

    def derived(self, parameters: Parameters) -> list[Derived]:
        """Return the support of each kind of build, per kwpm and as a share of cost."""
        # The first build of a kind is listed; others of its name differ little.
        support: dict[str, list[Derived]] = {}
        for site, t in self.eligible(parameters):
            share = self.share_on(site, t, parameters)
            name = f"support of {self.named(site)}"
            if share > 0 and name not in support:
                money = share * capex_of(site, parameters)
                support[name] = [
                    Derived(name, money, "MUSD/kwpm"),
                    Derived(name, share, "share of cost"),
                ]
        return list(chain.from_iterable(support.values()))

    def named(self, site: Site) -> str:
        """Return the name under which the support of a site is listed."""
        return f"{site.segment}, {site.kind}"

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist."""
        firms = tuple(parameters.homes)
        unknown_firms = [firm for firm in self.excluded if firm not in firms]
        return [
            *super().problems(parameters),
            *unknown("region", (self.region,), parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
            *unknown("firms", self.firms, firms),
            *(
                Issue("excluded", f"'{firm}' is not a firm", "use " + ", ".join(firms))
                for firm in unknown_firms
            ),
            *unknown("homes", self.homes, parameters.regions),
            *self._unknown_sites(parameters),
            *self._nobody_left(),
        ]

    def _nobody_left(self) -> list[Issue]:
        """Return the issue of firms that are named and all left out."""
        if self.firms == ALL or not set(self.firms) <= set(self.excluded):
            return []
        what = f"leaves out every firm that is named ({', '.join(self.firms)})"
        return [Issue("excluded", what, "remove a firm from excluded")]

    def _unknown_sites(self, parameters: Parameters) -> list[Issue]:
        """Return sites that are not in the data.

        A site need not be in every world: an older world has fewer projects.
        """
        if self.sites == ALL:
            return []
        known = {row.site for row in parameters.data.rows(ProjectRow)}
        known |= {site.id for site in parameters.sites.sites.values()}
        issues = []
        for name in self.sites:
            if name not in known:
                near = get_close_matches(name, sorted(known), n=3, cutoff=0.0)
                fix = f"did you mean {', '.join(near)}?"
                issues.append(Issue("sites", f"'{name}' is not a site", fix))
        return issues

    def pay(
        self,
        builder: ModelBuilder,
        account: str,
        amounts: Builds,
        kwpm: Builds,
        paid: Literal["construction", "service"],
        delay: int = 0,
    ) -> None:
        """Pay amounts on builds, and measure the capacity supported.

        Parameters
        ----------
        amounts : dict
            Support of each build, MUSD.
        kwpm : dict
            What is built with it.
        paid : str
            ``construction``: with the spending; ``service``: on coming on line.
        delay : int
            Years by which payments come late.
        """
        builder.support(
            self, account, amounts, treasury=self.region, paid=paid, delay=delay
        )
        sites = builder.parameters.sites.sites
        by_year: dict[int, list[Any]] = defaultdict(list)
        # By the year of coming on line, when the capacity that was paid for exists.
        for (i, t), term in kwpm.items():
            by_year[int(sites[i].ready[t])].append(term)
        for year, terms in by_year.items():
            # What comes on line after the horizon has no discount factor.
            if year in builder.parameters.discount:
                capacity = pyo.quicksum(terms)
                builder.measure(self, "supported_capacity", year, capacity, "kwpm")


@lookup
def by_rate(builder: ModelBuilder) -> Builds:
    r"""Return the part of each build that takes open rates instead of its award.

    By site and year of the start, where some instrument offers a rate to a site with an
    award of the same treasury. No site is paid twice by one treasury; it takes its
    award, or all rates it is offered, whichever is better for it:

    .. math:: by\_rate_{i,t} \le build_{i,t}

    A maximum of award and rate would not be affine in a rate that is searched for.
    """
    parameters = builder.parameters
    sites = parameters.sites.sites
    offered: set[BuildKey] = set()
    for policy in builder.instruments:
        if isinstance(policy, Support):
            for site, t in policy.eligible(parameters):
                if policy.instead_of_award(site):
                    offered.add((site.id, t))
    # In the order of the builds: that of columns does not depend on instruments.
    keys = [key for key in builder.model.build if key in offered]
    var = builder.variable("by_rate", keys, lambda i, t: sites[i].agent)
    build = builder.model.build
    builder.balance(
        "award_or_rate",
        keys,
        lambda i, t: build[i, t] - var[i, t],
        unit="kwpm built",
        equal=False,
        meaning="worth of one more kwpm that could take the open rate",
    )
    return {key: var[key] for key in keys}


def awarded(builder: ModelBuilder, site: Site, build: int) -> Any:
    """Return the part of a build that takes its award: what takes no open rate."""
    key = (site.id, build)
    return builder.model.build[key] - by_rate(builder).get(key, 0.0)


def capex_of(site: Site, parameters: Parameters) -> float:
    """Return the capital cost of a site at multiplier 1, MUSD per kwpm."""
    # The base of every support: what congestion adds to cost is not supported.
    place = parameters.sites.places[parameters.sites.group_of[site.id]]
    return place.capex * (1.0 + site.premium)
