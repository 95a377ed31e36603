"""Rules on where firms invest."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent, millions
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    Number,
    Policy,
    Share,
    chosen,
    unknown,
)
from chipmodel.policies.builds import (
    Bearer,
    Builds,
    _bought_off,
    _decided,
    _measure,
    _span,
)
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class DomesticFirst(Policy):
    r"""At least a share of what a firm invests must be invested at home.

    For each firm (or for all firms of the home together, ``each = "home"``) and each
    year t in ``years``, over builds begun in t,

    .. math:: \sum_{i \in home} w_i \, build_{i,t} \ge share \sum_i w_i \, (build_{i,t} - over_{i,t})

    with w = 1 (``measure = "kwpm"``) or the capital cost at multiplier 1 (``"capital"``). What is
    under way (history and commitments) does not count on either side. The rule can be met by
    building at home or by building less abroad: the ledger gives both, ``home_builds`` and
    ``foreign_builds``, to be compared with the case without it.

    The row has no right-hand side: what a home build earns by it a foreign build pays.
    With ``borne_by = "makers"`` that stays among the firms bound. With ``"treasury"``
    firms keep the right to build abroad and the treasury buys it back: it pays the dual
    on every home build, and what is built is the same.

    With a ``price_cap`` a firm may pay for builds abroad beyond the rule. The dual is
    what the diverted fab was worth abroad.
    """

    kind: ClassVar[str] = "domestic_first"
    law: ClassVar[str] = (
        "A domestic-first rule: a least share of the investment of a country's firms at"
        " home."
    )
    dual: ClassVar[str] = (
        "worth abroad of the fab diverted home, for one more unit begun at home"
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
    share: Share = Field(description="Least share at home.")
    measure: Literal["kwpm", "capital"] = Field(description="What is counted.")
    each: Literal["firm", "home"] = Field(
        description="Whether each firm meets it or all of them together."
    )
    borne_by: Bearer = Field(description="Who bears what it costs.")
    price_cap: Annotated[
        Annotated[float, Field(gt=0, le=1e6)] | None, Number("MUSD/kwpm")
    ] = Field(default=None, description="Fine per kwpm begun abroad beyond it.")

    def describe(self, names: DisplayNames) -> str:
        """What share at home, of whom."""
        firms = names.every(self.firms, "the firms at home there")
        fine = (
            ""
            if self.price_cap is None
            else f", or pay {millions(self.price_cap)} for a kwpm beyond"
        )
        return (
            f"{names(self.region)} has {firms} begin at least"
            f" {exact_percent(self.share)} of their fabs{names.only(self.segments)} at"
            f" home, in {'kwpm' if self.measure == 'kwpm' else 'capital cost'},"
            f" {'each by itself' if self.each == 'firm' else 'all together'}, at the"
            " cost of"
            f" {'the treasury' if self.borne_by == 'treasury' else 'the firms'}{fine}"
        )

    @property
    def inactive(self) -> bool:
        """A zero share does nothing."""
        return self.share == 0

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist and firms that are not at home there."""
        n = parameters
        found = [
            *super().problems(n),
            *unknown("region", (self.region,), n.regions),
            *unknown("segments", self.segments, n.segments),
        ]
        native = tuple(f for f, home in n.homes.items() if home == self.region)
        if not found and not native:
            found.append(
                (
                    "region",
                    f"no named firm is at home in {self.region}",
                    "choose another region",
                )
            )
        return found or unknown("firms", self.firms, native)

    def add(self, builder: ModelBuilder) -> None:
        """Hold home builds to their share of all."""
        n, sites = builder.n, builder.n.sites.sites
        firms = chosen(
            self.firms, tuple(f for f, home in n.homes.items() if home == self.region)
        )
        segments = chosen(self.segments, n.segments)
        counted = _decided(
            builder,
            self,
            [
                (site, t)
                for place in n.regions
                for site, t, _ in builder.builds(place, segments, _span(self), firms)
            ],
        )
        at_home = {
            key: term
            for key, term in counted.items()
            if sites[key[0]].region == self.region
        }
        abroad = {key: term for key, term in counted.items() if key not in at_home}
        bound = dict(abroad)
        if self.price_cap is not None:
            over = _bought_off(
                builder, self, abroad, builder.num(self, "price_cap"), self.region
            )
            bound = {key: term - over[key] for key, term in abroad.items()}
        home, foreign = self._weighed(builder, at_home), self._weighed(builder, bound)
        self._rule(builder, list(foreign), home, foreign)
        _measure(builder, self, "home_builds", at_home)
        _measure(builder, self, "foreign_builds", abroad)

    def _weighed(
        self, builder: ModelBuilder, builds: Builds
    ) -> dict[tuple[str, int], Any]:
        total: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for (i, t), term in builds.items():
            site = builder.n.sites.sites[i]
            weight = builder.capex(site) if self.measure == "capital" else 1.0
            total[site.firm if self.each == "firm" else self.region, t].append(
                weight * term
            )
        return {key: pyo.quicksum(terms) for key, terms in total.items()}

    def _rule(
        self,
        builder: ModelBuilder,
        rows: list[tuple[str, int]],
        home: dict[tuple[str, int], Any],
        foreign: dict[tuple[str, int], Any],
    ) -> None:
        share = builder.num(self, "share")
        unit = "kwpm built" if self.measure == "kwpm" else "MUSD"
        if self.borne_by == "makers":
            builder.balance(
                "home_share",
                rows,
                lambda f, t: (
                    (1.0 - share) * home.get((f, t), 0.0) - share * foreign[f, t]
                ),
                unit=unit,
                meaning=self.dual,
                equal=False,
                policy=self,
            )
            return
        paid = builder.variable(
            "paid", rows, Party("treasury", self.region).label, self
        )
        builder.balance(
            "home_paid",
            rows,
            lambda f, t: home.get((f, t), 0.0) - paid[f, t],
            unit=unit,
            equal=False,
            meaning="what the treasury pays for one more unit begun at home",
            policy=self,
        )
        # A limit, though it has no right-hand side: the right to build abroad is the
        # firms' own, so they pay no levy.
        builder.limit(
            "home_bought",
            rows,
            lambda f, t: paid[f, t] - share * (home.get((f, t), 0.0) + foreign[f, t]),
            owner="agent",
            unit=unit,
            meaning=self.dual,
            policy=self,
        )
