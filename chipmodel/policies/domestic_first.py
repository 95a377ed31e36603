"""Domestic-first rules on where firms invest."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from chipmodel.common import pyo
from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent, millions
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    FinePerKwpm,
    Issue,
    Policy,
    Share,
    chosen,
    unknown,
)
from chipmodel.policies.builds import (
    Bearer,
    Builds,
    fined_builds,
    measure_builds,
    new_decisions,
    years_of,
)
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters

RuleKey = tuple[str, int]
"""Firm (or the home region, for all firms together) and year of a row."""


class DomesticFirst(Policy):
    r"""A minimum share of what a firm invests must be invested at home.

    For each firm (or for all firms of the home together, ``each = "home"``) and each
    year t in ``years``, over builds started in t,

    .. math::
        \sum_{i \in home} w_i \, build_{i,t}
        \ge share \sum_i w_i \, (build_{i,t} - over_{i,t})

    with w = 1 (``measure = "kwpm"``) or the capital cost at multiplier 1
    (``"capital"``). What is under way (history and commitments) does not count on
    either side. The rule can be met by building at home or by building less abroad: the
    ledger gives both, ``home_builds`` and ``foreign_builds``, to be compared with the
    case without it.

    The row has no right-hand side: what a home build earns by it a foreign build pays.
    With ``borne_by = "makers"`` that stays among the firms bound. With ``"treasury"``
    firms keep the right to build abroad and the treasury buys it back: it pays the dual
    on every home build, and what is built is the same.

    With a ``price_cap`` a firm may pay for builds abroad beyond the rule. The dual is
    what the diverted fab was worth abroad.
    """

    kind: ClassVar[str] = "domestic_first"
    law: ClassVar[str] = (
        "A domestic-first rule: a minimum share of the investment of a country's firms"
        " at home."
    )
    dual: ClassVar[str] = (
        "worth abroad of the fab diverted home, for one more unit started at home"
    )
    example: ClassVar[str] = """
id = "home_first"
region = "KOR"
firms = ["samsung", "sk_hynix"]
share = 0.90
measure = "capital"
each = "firm"
borne_by = "makers"
price_cap = 100
years = [2027, 2035]
source = "own"
"""

    region: str = Field(
        pattern=REGION_PATTERN,
        description="Home: region of the rule and of the firms it binds.",
    )
    firms: tuple[str, ...] = Field(
        default=ALL, description="Firms bound; all for every named firm at home there."
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments that count, taken together."
    )
    share: Share = Field(description="Minimum share at home.")
    measure: Literal["kwpm", "capital"] = Field(description="What is counted.")
    each: Literal["firm", "home"] = Field(
        description="Whether each firm meets it or all of them together."
    )
    borne_by: Bearer = Field(description="Who bears what it costs.")
    price_cap: FinePerKwpm = Field(
        default=None, description="Fine per kwpm started abroad beyond it."
    )

    def describe(self, names: DisplayNames) -> str:
        """Return what share at home is required of whom."""
        firms = names.every(self.firms, "the firms at home there")
        measure = "kwpm" if self.measure == "kwpm" else "capital cost"
        each = "each by itself" if self.each == "firm" else "all together"
        bearer = "the treasury" if self.borne_by == "treasury" else "the firms"
        fine = ""
        if self.price_cap is not None:
            fine = f", or pay {millions(self.price_cap)} per kwpm beyond"
        return (
            f"{names(self.region)} has {firms} begin at least"
            f" {exact_percent(self.share)} of their fabs{names.only(self.segments)} at"
            f" home, in {measure}, {each}, at the cost of {bearer}{fine}"
        )

    @property
    def inactive(self) -> bool:
        """Whether the share is zero."""
        return self.share == 0

    def _native(self, parameters: Parameters) -> tuple[str, ...]:
        """Return the named firms at home in the region."""
        homes = parameters.homes.items()
        return tuple(firm for firm, home in homes if home == self.region)

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist and firms that are not at home there."""
        issues = [
            *super().problems(parameters),
            *unknown("region", (self.region,), parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
        ]
        native = self._native(parameters)
        # With an unknown region, every firm would be an issue as well.
        if issues:
            return issues
        if not native:
            what = f"no named firm is at home in {self.region}"
            return [Issue("region", what, "choose another region")]
        return unknown("firms", self.firms, native)

    def add(self, builder: ModelBuilder) -> None:
        """Require the share of home builds in all builds."""
        parameters = builder.parameters
        sites = parameters.sites.sites
        firms = chosen(self.firms, self._native(parameters))
        segments = chosen(self.segments, parameters.segments)
        builds = []
        for place in parameters.regions:
            for site, t, _ in builder.builds(place, segments, years_of(self), firms):
                builds.append((site, t))
        at_home: Builds = {}
        abroad: Builds = {}
        # What is under way counts on neither side: no rule can divert it any more.
        for key, term in new_decisions(builder, self, builds).items():
            side = at_home if sites[key[0]].region == self.region else abroad
            side[key] = term
        bound = abroad
        if self.price_cap is not None:
            over = fined_builds(builder, self, abroad, self.price_cap, self.region)
            bound = {key: term - over[key] for key, term in abroad.items()}
        home = self._weighted(builder, at_home)
        foreign = self._weighted(builder, bound)
        if self.borne_by == "makers":
            self._require(builder, home, foreign)
        else:
            self._buy(builder, home, foreign)
        measure_builds(builder, self, "home_builds", at_home)
        measure_builds(builder, self, "foreign_builds", abroad)

    def _weighted(self, builder: ModelBuilder, builds: Builds) -> dict[RuleKey, Any]:
        """Return builds by row, in kwpm or MUSD of capital."""
        sites = builder.parameters.sites.sites
        total: dict[RuleKey, list[Any]] = defaultdict(list)
        for (i, t), term in builds.items():
            site = sites[i]
            weight = builder.capex(site) if self.measure == "capital" else 1.0
            bound = site.firm if self.each == "firm" else self.region
            total[bound, t].append(weight * term)
        return {key: pyo.quicksum(terms) for key, terms in total.items()}

    @property
    def _unit(self) -> str:
        return "kwpm built" if self.measure == "kwpm" else "MUSD"

    def _require(
        self,
        builder: ModelBuilder,
        home: dict[RuleKey, Any],
        foreign: dict[RuleKey, Any],
    ) -> None:
        """Add the rule at the cost of the firms."""
        share = self.share
        builder.balance(
            "home_share",
            list(foreign),
            lambda f, t: (1.0 - share) * home.get((f, t), 0.0) - share * foreign[f, t],
            unit=self._unit,
            meaning=self.dual,
            equal=False,
            policy=self,
        )

    def _buy(
        self,
        builder: ModelBuilder,
        home: dict[RuleKey, Any],
        foreign: dict[RuleKey, Any],
    ) -> None:
        """Add the rule at the cost of the treasury, which pays for home builds."""
        rows = list(foreign)
        paid = builder.variable(
            "paid", rows, Party("treasury", self.region).label, self
        )
        builder.balance(
            "home_paid",
            rows,
            lambda f, t: home.get((f, t), 0.0) - paid[f, t],
            unit=self._unit,
            equal=False,
            meaning="what the treasury pays for one more unit started at home",
            policy=self,
        )

        def bought(f: str, t: int) -> Any:
            every = home.get((f, t), 0.0) + foreign[f, t]
            return paid[f, t] - self.share * every

        # A limit, though it has no right-hand side: the right to build abroad is the
        # firms' own, so they pay no levy.
        builder.limit(
            "home_bought",
            rows,
            bought,
            owner="agent",
            unit=self._unit,
            meaning=self.dual,
            policy=self,
        )
