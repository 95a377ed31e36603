"""Caps on the share of one origin."""

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


class ConcentrationCap(Policy):
    r"""A diversification rule: no single origin above a share.

    In each year and segment, for each origin r that is capped by itself

    .. math:: flow_r \le share \cdot \sum_q flow_q + over_r

    where flow is what makers in the market buy (``on = "chips"``) or what its users
    use, devices included (``on = "use"``), home-made chips counted in the sum. Buying
    nothing satisfies it, so the rule takes a ``price_cap`` (USD per wafer over the cap,
    paid to the market's treasury) or ``min_served`` (with ``on = "use"`` only), or
    both.

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
    price_cap: FinePerWafer = Field(
        default=None, description="Fine per wafer over the cap, USD."
    )
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
        require_fine(self.on, self.price_cap)
        return self

    def describe(self, names: DisplayNames) -> str:
        """Return what share at most comes from one origin."""
        flow = flow_name(self.on, self.market, self.segments, names)
        origins = names.every(self.origins, "any one foreign region")
        each = ", each" if len(self.origins) > 1 else ""
        return (
            f"at most {exact_percent(self.share)} of {flow} are made in {origins}{each}"
            f"{exceptions(self.price_cap, 'over it', self.min_served)}"
        )

    @property
    def inactive(self) -> bool:
        """Whether the cap is at the whole."""
        return self.share == 1

    def _capped(self, parameters: Parameters) -> list[str]:
        """Return the origins capped: those named, or every one but the market."""
        if self.origins == ALL:
            return [r for r in parameters.regions if r != self.market]
        return list(chosen(self.origins, parameters.regions))

    def problems(self, parameters: Parameters) -> list[Issue]:
        """Return names that do not exist."""
        return [
            *super().problems(parameters),
            *unknown("market", (self.market,), parameters.regions),
            *unknown("origins", self.origins, parameters.regions),
            *unknown("segments", self.segments, parameters.segments),
        ]

    def impossible(self, parameters: Parameters) -> list[Issue]:
        """Return shares that no set of origins can meet."""
        # With a fine the rule can always be met.
        if self.price_cap is not None:
            return []
        capped = set(self._capped(parameters))
        issues = []
        for s in chosen(self.segments, parameters.segments):
            makers = [r for r, segment in parameters.places if segment == s]
            if set(makers) <= capped and self.share * len(makers) < 1:
                what = (
                    f"{len(makers)} origins of {s} at {self.share:g} each make less"
                    " than the whole"
                )
                fix = (
                    f"raise it above {1 / len(makers):.2g}, leave an origin free or"
                    " give a price_cap"
                )
                issues.append(Issue("share", what, fix))
        return issues

    def distinguishes(self, parameters: Parameters) -> list[Distinction]:
        """Return each capped origin by itself, if the cap binds use."""
        if self.on == "chips":
            return []
        segments = chosen(self.segments, parameters.segments)
        return [
            Distinction(self.market, segments, frozenset({r}))
            for r in self._capped(parameters)
        ]

    def add(self, builder: ModelBuilder) -> None:
        """Limit the share of each capped origin in each segment and year."""
        parameters = builder.parameters
        segments = chosen(self.segments, parameters.segments)
        years = [t for t in parameters.years if self.active(t)]
        capped = set(self._capped(parameters))
        every: dict[tuple[str, int], list[Any]] = defaultdict(list)
        origin: dict[tuple[str, str, int], list[Any]] = defaultdict(list)
        for flow in builder.flows(self.on, self.market, segments, years):
            every[flow.segment, flow.year].append(flow.term)
            # A flow inside devices is of one capped origin, or of none: see
            # `distinguishes`.
            for r in flow.origins & capped:
                origin[flow.segment, r, flow.year].append(flow.term)
        soft = self.price_cap is not None
        over = builder.variable("over", list(origin) if soft else [], "makers", self)

        # A share has no right-hand side: the row is a balance, and what the capped
        # origin pays by it all wafers get back.
        def cap(s: str, r: str, t: int) -> Any:
            allowed = self.share * pyo.quicksum(every[s, t])
            excess = over[s, r, t] if soft else 0.0
            return allowed - pyo.quicksum(origin[s, r, t]) + excess

        builder.balance(
            "cap",
            list(origin),
            cap,
            unit="kwpm",
            meaning=self.dual,
            equal=False,
            policy=self,
        )
        for t in years:
            terms = []
            for (_, _, year), flows in origin.items():
                if year == t:
                    terms += flows
            builder.measure(self, "capped_flow", t, pyo.quicksum(terms), "kwpm")
            if self.price_cap is not None:
                self._fine(builder, self.price_cap, over, t)
        if self.min_served is not None:
            serve_minimum(builder, self, self.market, segments, self.min_served)

    def _fine(self, builder: ModelBuilder, price: float, over: Any, year: int) -> None:
        """Add the fine on wafers over the cap in a year."""
        beyond = pyo.quicksum(term for (_, _, t), term in over.items() if t == year)
        builder.transfer(
            "fine",
            year,
            per_kwpm_year(1.0) * price * beyond,
            payer="agent",
            receiver=Party("treasury", self.market).label,
            policy=self,
        )
        builder.measure(self, "over_the_cap", year, beyond, "kwpm")
