"""Rules on the origin of chips."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.policies.base import ALL, Names, Number, Policy, Share, chosen, unknown
from chipmodel.policies.words import dollars, percent
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
        _needs_fine(self.on, self.price_cap)
        if self.market not in self.trusted:
            raise ValueError(f"trusted must hold the market's own region {self.market}")
        return self

    def says(self, names: Names) -> str:
        """What share from whom."""
        least = "all" if self.share == 1 else f"at least {percent(self.share)}"
        return (f"{least} of {_flow(self.on, self.market, self.segments, names)} are made in "
                f"{names(*self.trusted)}{_softened(self.price_cap, 'short of it', self.min_served)}")

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
            serve(book, self, self.market, segments)


def serve(book: Book, policy: Policy, market: str, segments: tuple[str, ...]) -> None:
    """Hold what users of a market get to at least ``min_served`` of the reference quantity, by segment and year."""
    n, m = book.n, book.model
    steps: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for (e, s, _, t), term in m.served.items():
        if e == market and s in segments and policy.active(t):
            steps[s, t].append(term)
    least = book.num(policy, "min_served")
    book.limit("min_served", list(steps),
               lambda s, t: pyo.quicksum(steps[s, t]) - least * n.reference[market, s, t],
               owner=f"users:{market}", unit="kwpm", policy=policy,
               meaning="cost of serving one more wafer under the rule, USD per wafer")


def _flow(on: str, market: str, segments: tuple[str, ...], names: Names) -> str:
    what = "everything used" if on == "use" else "what makers of devices buy"
    return f"the chips{names.only(segments)} in {what} in {names(market)}"


def _softened(price_cap: float | None, beyond: str, min_served: float | None) -> str:
    fine = "" if price_cap is None else f", or {dollars(price_cap)} are paid for a wafer {beyond}"
    served = "" if min_served is None else f", and users get {percent(min_served)} of what they usually use"
    return fine + served


def _needs_fine(on: str, price_cap: float | None) -> None:
    if on == "chips" and price_cap is None:
        raise ValueError("on = 'chips' needs price_cap: min_served counts users, not what makers buy")


class ConcentrationCap(Policy):
    r"""A diversification rule: no single origin above a share.

    In each year and segment, for each origin r that is capped by itself

    .. math:: flow_r \le share \cdot \sum_q flow_q + over_r

    where flow is what makers in the market buy (``on = "chips"``) or what its users use, devices
    included (``on = "use"``), home-made chips counted in the sum. Buying nothing satisfies it, so the
    rule takes a ``price_cap`` (USD per wafer over the cap, paid to the market's treasury) or
    ``min_served`` (with ``on = "use"`` only), or both.

    The dual is the price of diversification: what one more wafer from the capped origin would be
    worth. Its price form is a feebate: the dual is paid on each wafer of the origin, and share times
    it is given back on every wafer.
    """

    kind: ClassVar[str] = "concentration_cap"
    law: ClassVar[str] = "A rule against dependence on one country, as in Europe's raw materials act."
    dual: ClassVar[str] = "price of diversification: worth of one more wafer from the capped origin, USD per wafer"
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
    origins: tuple[str, ...] = Field(default=ALL, description="Origins capped, each by itself; all for all others.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments, each bound by itself.")
    share: Share = Field(description="Largest share of one origin.")
    on: Literal["chips", "use"] = Field(description="What makers in the market buy, or what its users use.")
    price_cap: Annotated[Annotated[float, Field(gt=0, le=1e6)] | None, Number("USD/wafer")] = Field(
        default=None, description="Fine per wafer over the cap, USD."
    )
    min_served: Annotated[Annotated[float, Field(gt=0, le=1)] | None, Number("share")] = Field(
        default=None, description="Share of the reference quantity users must still get."
    )

    @model_validator(mode="after")
    def _not_vacuous(self) -> ConcentrationCap:
        if self.price_cap is None and self.min_served is None:
            raise ValueError("give price_cap or min_served: a bare cap is satisfied by buying nothing")
        _needs_fine(self.on, self.price_cap)
        return self

    def says(self, names: Names) -> str:
        """What share at most from one origin."""
        return (f"at most {percent(self.share)} of {_flow(self.on, self.market, self.segments, names)} are made in "
                f"{names.every(self.origins, 'any one foreign region')}{', each' if len(self.origins) > 1 else ''}"
                f"{_softened(self.price_cap, 'over it', self.min_served)}")

    @property
    def idle(self) -> bool:
        """A cap at the whole does nothing."""
        return self.share == 1

    def _capped(self, n: Numbers) -> list[str]:
        return [r for r in chosen(self.origins, n.regions) if self.origins != ALL or r != self.market]

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names that do not exist."""
        n = numbers
        return [
            *super().problems(n),
            *unknown("market", (self.market,), n.regions),
            *unknown("origins", self.origins, n.regions),
            *unknown("segments", self.segments, n.segments),
        ]

    def impossible(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return shares that no set of origins can keep."""
        n, found = numbers, []
        for s in chosen(self.segments, n.segments):
            makers = [r for r, q in n.places if q == s]
            if self.price_cap is None and set(makers) <= set(self._capped(n)) and self.share * len(makers) < 1:
                found.append(("share", f"{len(makers)} origins of {s} at {self.share:g} each make less than the whole",
                              f"raise it above {1 / len(makers):.2g}, leave an origin free or give a price_cap"))
        return found

    def tells_apart(self, numbers: Numbers) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """Each capped origin by itself, if it binds use."""
        if self.on == "chips":
            return []
        segments = chosen(self.segments, numbers.segments)
        return [(self.market, segments, frozenset({r})) for r in self._capped(numbers)]

    def add(self, book: Book) -> None:
        """Hold each origin, segment and year to the cap."""
        n = book.n
        segments = chosen(self.segments, n.segments)
        years = [t for t in n.years if self.active(t)]
        read = book.imports if self.on == "chips" else book.use
        every: dict[tuple[str, int], list[Any]] = defaultdict(list)
        origin: dict[tuple[str, str, int], list[Any]] = defaultdict(list)
        capped = self._capped(n)
        for flow in read(self.market, segments, years):
            every[flow.segment, flow.year].append(flow.term)
            for r in flow.origins & set(capped):
                origin[flow.segment, r, flow.year].append(flow.term)
        share = book.num(self, "share")
        soft = self.price_cap is not None
        over = book.variable("over", list(origin) if soft else [], "makers", self)
        book.balance("cap", list(origin),
                     lambda s, r, t: share * pyo.quicksum(every[s, t]) - pyo.quicksum(origin[s, r, t])
                     + (over[s, r, t] if soft else 0.0),
                     unit="kwpm", meaning=self.dual, equal=False, policy=self)
        for t in years:
            terms = [x for (_, _, year), flows in origin.items() if year == t for x in flows]
            book.measure(self, "capped_flow", t, pyo.quicksum(terms), "kwpm")
            if soft:
                fine = per_kwpm_year(1.0) * book.num(self, "price_cap")
                beyond = pyo.quicksum(x for (_, _, year), x in over.items() if year == t)
                book.transfer("fine", t, fine * beyond, payer="agent", receiver=f"treasury:{self.market}", policy=self)
                book.measure(self, "over_the_cap", t, beyond, "kwpm")
        if self.min_served is not None:
            serve(book, self, self.market, segments)
