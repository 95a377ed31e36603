"""Caps on the share of one origin."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.common.units import per_kwpm_year
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    Number,
    Policy,
    Share,
    chosen,
    unknown,
)
from chipmodel.policies.origins import _flow, _needs_fine, _softened, serve
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class ConcentrationCap(Policy):
    r"""A diversification rule: no single origin above a share.

    In each year and segment, for each origin r that is capped by itself

    .. math:: flow_r \le share \cdot \sum_q flow_q + over_r

    where flow is what makers in the market buy (``on = "chips"``) or what its users use, devices
    included (``on = "use"``), home-made chips counted in the sum. Buying nothing satisfies it, so the
    rule takes a ``price_cap`` (USD per wafer over the cap, paid to the market's treasury) or
    ``min_served`` (with ``on = "use"`` only), or both.

    The dual is the price of diversification: what one more wafer from the capped origin
    would be worth. Its price form is a feebate: the dual is paid on each wafer of the
    origin, and share times it is given back on every wafer.
    """

    kind: ClassVar[str] = "concentration_cap"
    law: ClassVar[str] = (
        "A rule against dependence on one country, as in Europe's raw materials act."
    )
    dual: ClassVar[str] = (
        "price of diversification: worth of one more wafer from the capped origin, USD"
        " per wafer"
    )
    example: ClassVar[str] = """
id = "spread"
market = "EUR"
segments = ["logic_lt10"]
share = 0.65
on = "use"
price_cap = 20000
years = [2030, 2041]
source = "own"
"""

    market: str = Field(pattern=REGION_PATTERN, description="Region the rule binds.")
    origins: tuple[str, ...] = Field(
        default=ALL, description="Origins capped, each by itself; all for all others."
    )
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments, each bound by itself."
    )
    share: Share = Field(description="Largest share of one origin.")
    on: Literal["chips", "use"] = Field(
        description="What makers in the market buy, or what its users use."
    )
    price_cap: Annotated[
        Annotated[float, Field(gt=0, le=1e6)] | None, Number("USD/wafer")
    ] = Field(default=None, description="Fine per wafer over the cap, USD.")
    min_served: Annotated[
        Annotated[float, Field(gt=0, le=1)] | None, Number("share")
    ] = Field(
        default=None,
        description="Share of the reference quantity users must still get.",
    )

    @model_validator(mode="after")
    def _not_vacuous(self) -> ConcentrationCap:
        if self.price_cap is None and self.min_served is None:
            raise ValueError(
                "give price_cap or min_served: a bare cap is satisfied by buying"
                " nothing"
            )
        _needs_fine(self.on, self.price_cap)
        return self

    def describe(self, names: DisplayNames) -> str:
        """What share at most from one origin."""
        return (
            f"at most {exact_percent(self.share)} of"
            f" {_flow(self.on, self.market, self.segments, names)} are made in "
            f"{names.every(self.origins, 'any one foreign region')}{', each' if len(self.origins) > 1 else ''}"
            f"{_softened(self.price_cap, 'over it', self.min_served)}"
        )

    @property
    def inactive(self) -> bool:
        """A cap at the whole does nothing."""
        return self.share == 1

    def _capped(self, n: Parameters) -> list[str]:
        return [
            r
            for r in chosen(self.origins, n.regions)
            if self.origins != ALL or r != self.market
        ]

    def problems(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = parameters
        return [
            *super().problems(n),
            *unknown("market", (self.market,), n.regions),
            *unknown("origins", self.origins, n.regions),
            *unknown("segments", self.segments, n.segments),
        ]

    def impossible(self, parameters: Parameters) -> list[tuple[str, str, str]]:
        """Return shares that no set of origins can keep."""
        n, found = parameters, []
        for s in chosen(self.segments, n.segments):
            makers = [r for r, q in n.places if q == s]
            if (
                self.price_cap is None
                and set(makers) <= set(self._capped(n))
                and self.share * len(makers) < 1
            ):
                found.append(
                    (
                        "share",
                        (
                            f"{len(makers)} origins of {s} at {self.share:g} each make"
                            " less than the whole"
                        ),
                        (
                            f"raise it above {1 / len(makers):.2g}, leave an origin"
                            " free or give a price_cap"
                        ),
                    )
                )
        return found

    def distinguishes(
        self, parameters: Parameters
    ) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """Each capped origin by itself, if it binds use."""
        if self.on == "chips":
            return []
        segments = chosen(self.segments, parameters.segments)
        return [
            (self.market, segments, frozenset({r})) for r in self._capped(parameters)
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Hold each origin, segment and year to the cap."""
        n = builder.n
        segments = chosen(self.segments, n.segments)
        years = [t for t in n.years if self.active(t)]
        read = builder.imports if self.on == "chips" else builder.use
        every: dict[tuple[str, int], list[Any]] = defaultdict(list)
        origin: dict[tuple[str, str, int], list[Any]] = defaultdict(list)
        capped = self._capped(n)
        for flow in read(self.market, segments, years):
            every[flow.segment, flow.year].append(flow.term)
            for r in flow.origins & set(capped):
                origin[flow.segment, r, flow.year].append(flow.term)
        share = builder.num(self, "share")
        soft = self.price_cap is not None
        over = builder.variable("over", list(origin) if soft else [], "makers", self)
        builder.balance(
            "cap",
            list(origin),
            lambda s, r, t: (
                share * pyo.quicksum(every[s, t])
                - pyo.quicksum(origin[s, r, t])
                + (over[s, r, t] if soft else 0.0)
            ),
            unit="kwpm",
            meaning=self.dual,
            equal=False,
            policy=self,
        )
        for t in years:
            terms = [
                x for (_, _, year), flows in origin.items() if year == t for x in flows
            ]
            builder.measure(self, "capped_flow", t, pyo.quicksum(terms), "kwpm")
            if soft:
                fine = per_kwpm_year(1.0) * builder.num(self, "price_cap")
                beyond = pyo.quicksum(
                    x for (_, _, year), x in over.items() if year == t
                )
                builder.transfer(
                    "fine",
                    t,
                    fine * beyond,
                    payer="agent",
                    receiver=Party("treasury", self.market).label,
                    policy=self,
                )
                builder.measure(self, "over_the_cap", t, beyond, "kwpm")
        if self.min_served is not None:
            serve(builder, self, self.market, segments)
