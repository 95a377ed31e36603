"""Limits on expansion abroad for firms that take support."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pyomo.environ as pyo
from pydantic import Field

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent, millions
from chipmodel.policies.base import ALL, DisplayNames, Number, Policy, chosen, unknown
from chipmodel.policies.builds import (
    _bought_off,
    _decided,
    _each_known,
    _measure,
    _span,
    fleet_of,
)
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class Guardrail(Policy):
    r"""Recipients of support may hardly grow in countries of concern.

    For each firm and segment, over all builds begun in ``years`` in those countries,

    .. math:: \sum_{i,t} build_{i,t} \le share \cdot fleet + \sum_{i,t} over_{i,t}

    with the firm's fleet of the base year there. What is under way when the rule comes (history and
    commitments) does not count as growth. ``firms`` are named: whether a firm would rather forgo its
    support than accept the rule is a case of its own, without the rule and with the firm
    ``excluded``. Where fleets are not known by firm, there is no fleet to grow from.

    With a ``price_cap`` a firm may pay for growth beyond the rule, on the schedule of
    the capital it pays for (a clawback). The dual is what one more kwpm of room would
    be worth to the firm.
    """

    kind: ClassVar[str] = "guardrail"
    law: ClassVar[str] = (
        "The guardrails of the CHIPS Act: recipients' growth in countries of concern."
    )
    dual: ClassVar[str] = (
        "worth to the firm of one more kwpm of room to grow, present value"
    )
    example: ClassVar[str] = """
id = "guardrail"
region = "USA"
firms = ["samsung", "sk_hynix"]
countries = ["CHN"]
segments = ["dram", "nand"]
share = 0.05
years = [2024, 2034]
source = "law_guardrails"
"""

    region: str = Field(
        pattern=REGION_PATTERN,
        description="Region that makes the rule and gets the fine.",
    )
    firms: tuple[str, ...] = Field(min_length=1, description="Recipients bound by it.")
    countries: tuple[str, ...] = Field(
        min_length=1, description="Countries of concern."
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments, each bound by itself."
    )
    share: Annotated[float, Field(ge=0, le=10), Number("share")] = Field(
        description="Most growth as a share of the firm's base-year fleet there."
    )
    price_cap: Annotated[
        Annotated[float, Field(gt=0, le=1e6)] | None, Number("MUSD/kwpm")
    ] = Field(default=None, description="Fine per kwpm begun beyond it.")

    def describe(self, names: DisplayNames) -> str:
        """Who may grow by how much where."""
        fine = (
            ""
            if self.price_cap is None
            else f", or pay {millions(self.price_cap)} for a kwpm begun beyond"
        )
        most = (
            f"grow by at most {exact_percent(self.share)} of their fleets"
            if self.share
            else "not grow"
        )
        return (
            f"{names(self.region)} lets {names(*self.firms)} {most} in"
            f" {names(*self.countries)}{names.only(self.segments)}{fine}"
        )

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist and firms that stand for many."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("region", (self.region,), n.regions),
            *_each_known(
                "firms",
                self.firms,
                tuple(f for f, home in n.homes.items() if home != "host"),
            ),
            *_each_known("countries", self.countries, n.regions),
            *unknown("segments", self.segments, n.segments),
            *[
                ("countries", f"{r} makes the rule", "leave it out")
                for r in self.countries
                if r == self.region
            ],
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Hold each firm's growth in each segment to its room."""
        n = builder.n
        segments = chosen(self.segments, n.segments)
        growth = _decided(
            builder,
            self,
            [
                (site, t)
                for country in self.countries
                for site, t, _ in builder.builds(
                    country, segments, _span(self), self.firms
                )
            ],
        )
        bound = growth
        if self.price_cap is not None:
            over = _bought_off(
                builder, self, growth, builder.num(self, "price_cap"), self.region
            )
            bound = {key: term - over[key] for key, term in growth.items()}
        sites, share = n.sites.sites, builder.num(self, "share")
        of: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for (i, _), term in bound.items():
            of[sites[i].firm, sites[i].segment].append(term)

        def room(firm: str, segment: str) -> Any:
            fleet = sum(
                fleet_of(s for s in n.sites.of(r, segment) if s.firm == firm)
                for r in self.countries
            )
            return share * fleet - pyo.quicksum(of[firm, segment])

        builder.limit(
            "growth",
            list(of),
            room,
            owner=lambda f, s: Party("holder", n.holder(f, self.countries[0])).label,
            unit="kwpm built",
            meaning=self.dual,
            policy=self,
        )
        _measure(builder, self, "growth", growth)
