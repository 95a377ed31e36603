"""Rules on the origin of chips."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.policies.base import ALL, Number, Policy, Share, chosen, unknown
from chipmodel.schema import REGION_PATTERN
from chipmodel.units import per_kwpm_year

if TYPE_CHECKING:
    from chipmodel.lp.book import Book
    from chipmodel.numbers import Numbers


class OriginFloor(Policy):
    r"""A friendshoring rule: at least a share from a trusted set of origins.

    In each year and segment

    .. math:: \sum_{r \in trusted} flow_r \ge share \cdot \sum_r flow_r - short

    where flow is what makers in the market buy (``on = "chips"``) or what its users use, devices
    included (``on = "use"``). A bare share is satisfied by buying nothing, so the rule takes a
    ``price_cap`` (USD per wafer short, paid to the market's treasury) or ``min_served`` (a share of
    the reference quantity users must still be served; with ``on = "use"`` only), or both.

    The dual is the price of trust: what one more trusted wafer is worth. Its price form is a
    feebate: the dual on each trusted wafer, less share times the dual on every wafer.
    """

    kind: ClassVar[str] = "origin_floor"
    law: ClassVar[str] = "A friendshoring or procurement rule by country of origin."
    dual: ClassVar[str] = "price of trust: worth of one more wafer from the trusted set, USD per wafer"

    market: str = Field(pattern=REGION_PATTERN, description="Region the rule binds.")
    trusted: tuple[str, ...] = Field(min_length=1, description="Origins that count.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments, each bound by itself.")
    share: Share = Field(description="Least share from the trusted set.")
    on: Literal["chips", "use"] = Field(description="What makers in the market buy, or what its users use.")
    price_cap: Annotated[Annotated[float, Field(gt=0, le=1e6)] | None, Number("USD/wafer")] = Field(
        default=None, description="Fine per wafer short of the floor, USD."
    )
    min_served: Annotated[Annotated[float, Field(gt=0, le=1)] | None, Number("share")] = Field(
        default=None, description="Share of the reference quantity users must still get."
    )

    @model_validator(mode="after")
    def _not_vacuous(self) -> OriginFloor:
        if self.price_cap is None and self.min_served is None:
            raise ValueError("give price_cap or min_served: a bare share is satisfied by buying nothing")
        if self.on == "chips" and self.price_cap is None:
            raise ValueError("on = 'chips' needs price_cap: min_served counts users, not what makers buy")
        if self.market not in self.trusted:
            raise ValueError(f"trusted must hold the market's own region {self.market}")
        return self

    @property
    def idle(self) -> bool:
        """A zero share does nothing."""
        return self.share == 0

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = numbers
        return [
            *super().problems(n),
            *unknown("market", (self.market,), n.regions),
            *unknown("trusted", self.trusted, n.regions),
            *unknown("segments", self.segments, n.segments),
        ]

    def tells_apart(self, numbers: Numbers) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """The trusted set, if it binds use."""
        if self.on == "chips":
            return []
        return [(self.market, chosen(self.segments, numbers.segments), frozenset(self.trusted))]

    def add(self, book: Book) -> None:
        """Hold each segment and year to the floor."""
        n = book.n
        segments = chosen(self.segments, n.segments)
        years = [t for t in n.years if self.active(t)]
        read = book.imports if self.on == "chips" else book.use
        every: dict[tuple[str, int], list[Any]] = defaultdict(list)
        trusted: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for flow in read(self.market, segments, years):
            every[flow.segment, flow.year].append(flow.term)
            if flow.origins <= set(self.trusted):
                trusted[flow.segment, flow.year].append(flow.term)
        share = book.num(self, "share")
        soft = self.price_cap is not None
        short = book.variable("short", list(every) if soft else [], "makers", self)
        book.balance("floor", list(every),
                     lambda s, t: pyo.quicksum(trusted[s, t]) - share * pyo.quicksum(every[s, t])
                     + (short[s, t] if soft else 0.0),
                     unit="kwpm", meaning=self.dual, equal=False, policy=self)
        for t in years:
            book.measure(self, "trusted_flow", t, pyo.quicksum(x for s in segments for x in trusted[s, t]), "kwpm")
            if soft:
                fine = per_kwpm_year(1.0) * book.num(self, "price_cap")
                book.transfer("fine", t, fine * pyo.quicksum(short[s, t] for s in segments), payer="agent",
                              receiver=f"treasury:{self.market}", policy=self)
                book.measure(self, "short_of_floor", t, pyo.quicksum(short[s, t] for s in segments), "kwpm")
        if self.min_served is not None:
            self._serve(book, segments, years)

    def _serve(self, book: Book, segments: tuple[str, ...], years: list[int]) -> None:
        n, m = book.n, book.model
        steps: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for (e, s, _, t), term in m.served.items():
            if e == self.market and s in segments and self.active(t):
                steps[s, t].append(term)
        least = book.num(self, "min_served")
        book.limit("min_served", list(steps),
                   lambda s, t: pyo.quicksum(steps[s, t]) - least * n.reference[self.market, s, t],
                   owner=f"users:{self.market}", unit="kwpm", policy=self,
                   meaning="cost of serving one more wafer under the rule, USD per wafer")
