"""Support of investment: grants and tax credits.

Support is a share of the capital cost of a build at cost multiplier 1 (the base): the
rise of cost with the pace of building is not supported. No support may exceed that
cost.
"""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

import pyomo.environ as pyo
from pydantic import Field

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.dataset.rows import ProjectRow
from chipmodel.policies.base import ALL, DisplayNames, Policy, unknown

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters
    from chipmodel.model.parameters.sites import Site

BuildKey = tuple[str, int]


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
        """Return whose builds are eligible, in words."""
        firms = names.every(self.firms, "any firm") + names.only(
            self.homes, " at home in {}"
        )
        return (
            f"{firms}{names.only(self.excluded, ' except {}')}{names.only(self.segments)}"
            f"{names.only(self.sites, ' at {}')}"
        )

    def eligible(self, parameters: Parameters) -> list[tuple[Site, int]]:
        """Return the builds that may be supported as (site, year construction starts)."""
        return [
            (site, t)
            for site in parameters.sites.sites.values()
            if self._covers(site, parameters)
            for t in site.builds
            if self.accepts(site, t)
        ]

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

    def rate_on(self, site: Site, capex: float) -> float:
        """Return the share of capital cost paid for a build of a site."""
        raise NotImplementedError

    def share_on(self, site: Site, build: int, parameters: Parameters) -> float:
        """Return what a build gets over its capital cost; `rate_on`, unless the build year or the world matters."""
        return self.rate_on(site, _capex(site, parameters))

    def support_shares(self, parameters: Parameters) -> dict[BuildKey, float]:
        """Return the share of capital cost paid on every eligible build, for the check of stacking."""
        return {
            (site.id, t): self.share_on(site, t, parameters)
            for site, t in self.eligible(parameters)
        }

    def derived(self, parameters: Parameters) -> list[tuple[str, float, str]]:
        """Support of each eligible kind of build, per kwpm and as a share of its cost."""
        found: dict[str, tuple[float, float]] = {}
        for site, t in self.eligible(parameters):
            capex = _capex(site, parameters)
            share = self.share_on(site, t, parameters)
            if share > 0:
                found.setdefault(self.named(site), (share * capex, share))
        return [
            row
            for name, (money, share) in found.items()
            for row in (
                (f"support of {name}", money, "MUSD/kwpm"),
                (f"support of {name}", share, "share of cost"),
            )
        ]

    def named(self, site: Site) -> str:
        """Return what a site's support is listed under."""
        return f"{site.segment}, {site.kind}"

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("region", (self.region,), n.regions),
            *unknown("segments", self.segments, n.segments),
            *unknown("firms", self.firms, tuple(n.homes)),
            *[
                ("excluded", f"'{f}' is not a firm", "use " + ", ".join(n.homes))
                for f in self.excluded
                if f not in n.homes
            ],
            *unknown("homes", self.homes, n.regions),
            *self._unknown_sites(n),
        ]

    def _unknown_sites(self, n: Parameters) -> list[tuple[str, str, str]]:
        """A site must be in the data, though not in every world: an older world knows fewer projects."""
        known = {row.site for row in n.data.rows(ProjectRow)} | {
            s.id for s in n.sites.sites.values()
        }
        return [
            (
                "sites",
                f"'{name}' is not a site",
                "did you mean "
                + ", ".join(get_close_matches(name, sorted(known), n=3, cutoff=0.0))
                + "?",
            )
            for name in self.sites
            if name not in known and self.sites != ALL
        ]

    def _pay(
        self,
        builder: ModelBuilder,
        account: str,
        amounts: dict[BuildKey, Any],
        kwpm: dict[BuildKey, Any],
        paid: Literal["construction", "service"],
        delay: int = 0,
    ) -> None:
        builder.support(
            self, account, amounts, treasury=self.region, paid=paid, delay=delay
        )
        by_year: dict[int, list[Any]] = defaultdict(list)
        for (i, t), term in kwpm.items():
            by_year[int(builder.n.sites.sites[i].ready[t])].append(term)
        for year, terms in by_year.items():
            if year in builder.n.discount:
                builder.measure(
                    self, "supported_capacity", year, pyo.quicksum(terms), "kwpm"
                )


def _capex(site: Site, parameters: Parameters) -> float:
    return parameters.sites.places[parameters.sites.group_of[site.id]].capex * (
        1.0 + site.premium
    )
