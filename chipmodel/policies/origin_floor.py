"""Rules on the origin of chips."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from chipmodel.common import pyo
from chipmodel.common.ids import REGION_PATTERN
from chipmodel.common.text import exact_percent
from chipmodel.common.units import per_kwpm_year
from chipmodel.model.parameters.duties import Distinction
from chipmodel.policies.base import (
    ALL,
    DisplayNames,
    FinePerWafer,
    Issue,
    Number,
    Policy,
    Share,
    chosen,
    unknown,
)
from chipmodel.policies.origins import (
    exceptions,
    flow_name,
    require_fine,
    serve_minimum,
)
from chipmodel.solver.ledger import Party

if TYPE_CHECKING:
    from chipmodel.model.lp.builder import ModelBuilder
    from chipmodel.model.parameters.parameters import Parameters


class OriginFloor(Policy):
    r"""A friendshoring rule: a minimum share from a trusted set of origins.

    In each year and segment

    .. math:: \sum_{r \in trusted} flow_r \ge share \cdot \sum_r flow_r - short

    where flow is what makers in the market buy (``on = "chips"``) or what its users
    use, devices included (``on = "use"``). A bare share is satisfied by buying nothing,
    so the rule takes a ``price_cap`` (USD per wafer short, paid to the market's
    treasury) or ``min_served`` (a share of the reference quantity users must still be
    served; with ``on = "use"`` only), or both.

    The dual is the price of trust: what one more trusted wafer is worth. Its price form
    is a feebate: the dual on each trusted wafer, less share times the dual on every
    wafer.
    """

    kind: ClassVar[str] = "origin_floor"
    law: ClassVar[str] = "A friendshoring or procurement rule by country of origin."
    dual: ClassVar[str] = (
        "price of trust: worth of one more wafer from the trusted set, USD per wafer"
    )
    example: ClassVar[str] = """
id = "friends"
market = "USA"
trusted = ["USA", "JPN", "KOR", "TWN", "EUR"]
share = 0.80
on = "use"
price_cap = 20000
years = [2030, 2041]
source = "own"
"""

    market: str = Field(pattern=REGION_PATTERN, description="Region the rule binds.")
    trusted: tuple[str, ...] = Field(min_length=1, description="Origins that count.")
    segments: tuple[str, ...] = Field(
        default=ALL, description="Segments, each bound by itself."
    )
    share: Share = Field(description="Minimum share from the trusted set.")
    on: Literal["chips", "use"] = Field(
        description="What makers in the market buy, or what its users use."
    )
    price_cap: FinePerWafer = Field(
        default=None, description="Fine per wafer short of the floor, USD."
    )
    min_served: Annotated[
        Annotated[float, Field(gt=0, le=1)] | None, Number("share")
    ] = Field(
        default=None,
        description="Share of the reference quantity users must still get.",
    )

    @model_validator(mode="after")
    def _not_vacuous(self) -> OriginFloor:
        if self.price_cap is None and self.min_served is None:
            raise ValueError(
                "give price_cap or min_served: a bare share is satisfied by buying"
                " nothing"
            )
        require_fine(self.on, self.price_cap)
        if self.market not in self.trusted:
            raise ValueError(f"trusted must hold the market's own region {self.market}")
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return what share comes from whom."""
        share = "all" if self.share == 1 else f"at least {exact_percent(self.share)}"
        flow = flow_name(self.on, self.market, self.segments, names)
        return (
            f"{share} of {flow} are made in {names(*self.trusted)}"
            f"{exceptions(self.price_cap, 'short of it', self.min_served)}"
        )

    @property
    def inactive(self) -> bool:
        """Whether the share is zero."""
        return self.share == 0

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist."""
        return [
            *super().problems(parameters),
            *unknown("market", (self.market,), parameters.regions),
            *unknown("trusted", self.trusted, parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
        ]

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return the trusted set, if the floor binds use."""
        if self.on == "chips":
            return []
        segments = chosen(self.segments, parameters.segments)
        return [Distinction(self.market, segments, frozenset(self.trusted))]

    def add(self, builder: ModelBuilder) -> None:
        """Require the share in each segment and year."""
        parameters = builder.parameters
        segments = chosen(self.segments, parameters.segments)
        years = [t for t in parameters.years if self.active(t)]
        every: dict[tuple[str, int], list[Any]] = defaultdict(list)
        trusted: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for flow in builder.flows(self.on, self.market, segments, years):
            every[flow.segment, flow.year].append(flow.term)
            # `distinguishes` makes a class of origins trusted as a whole or not at all.
            if flow.origins <= set(self.trusted):
                trusted[flow.segment, flow.year].append(flow.term)
        soft = self.price_cap is not None
        short = builder.variable("short", list(every) if soft else [], "makers", self)

        # A share has no right-hand side: the row is a balance, and what trusted wafers
        # earn by it the others pay.
        def floor(s: str, t: int) -> Any:
            required = self.share * pyo.quicksum(every[s, t])
            missing = short[s, t] if soft else 0.0
            return pyo.quicksum(trusted[s, t]) - required + missing

        builder.balance(
            "floor",
            list(every),
            floor,
            unit="kwpm",
            meaning=self.dual,
            equal=False,
            policy=self,
        )
        for t in years:
            terms: list[Any] = []
            for s in segments:
                terms += trusted[s, t]
            builder.measure(self, "trusted_flow", t, pyo.quicksum(terms), "kwpm")
            if self.price_cap is not None:
                missing_wafers = pyo.quicksum(short[s, t] for s in segments)
                self._fine(builder, self.price_cap, missing_wafers, t)
        if self.min_served is not None:
            serve_minimum(builder, self, self.market, segments, self.min_served)

    def _fine(self, builder: ModelBuilder, price: float, short: Any, year: int) -> None:
        """Add the fine on wafers short of the floor in a year."""
        builder.transfer(
            "fine",
            year,
            per_kwpm_year(1.0) * price * short,
            payer="agent",
            receiver=Party("treasury", self.market).label,
            policy=self,
        )
        builder.measure(self, "short_of_floor", year, short, "kwpm")
