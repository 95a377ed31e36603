"""Rules on where firms invest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pyomo.environ as pyo
from pydantic import Field

from chipmodel.policies.base import ALL, Names, Number, Policy, Share, chosen, unknown
from chipmodel.policies.capacity import Bearer, fleet_of
from chipmodel.policies.words import millions, percent
from chipmodel.schema import REGION_PATTERN
from chipmodel.traced import present

if TYPE_CHECKING:
    from chipmodel.lp.book import Book
    from chipmodel.numbers import Numbers
    from chipmodel.numbers.sites import Site

BuildKey = tuple[str, int]
Builds = dict[BuildKey, Any]


class Guardrail(Policy):
    r"""Recipients of support may hardly grow in countries of concern.

    For each firm and segment, over all builds begun in ``years`` in those countries,

    .. math:: \sum_{i,t} build_{i,t} \le share \cdot fleet + \sum_{i,t} over_{i,t}

    with the firm's fleet of the base year there. What is under way when the rule comes (history and
    commitments) does not count as growth. ``firms`` are named: whether a firm would rather forgo its
    support than accept the rule is a case of its own, without the rule and with the firm
    ``excluded``. Where fleets are not known by firm, there is no fleet to grow from.

    With a ``price_cap`` a firm may pay for growth beyond the rule, on the schedule of the capital it
    pays for (a clawback). The dual is what one more kwpm of room would be worth to the firm.
    """

    kind: ClassVar[str] = "guardrail"
    law: ClassVar[str] = "The guardrails of the CHIPS Act: recipients' growth in countries of concern."
    dual: ClassVar[str] = "worth to the firm of one more kwpm of room to grow, present value"
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

    region: str = Field(pattern=REGION_PATTERN, description="Region that makes the rule and gets the fine.")
    firms: tuple[str, ...] = Field(min_length=1, description="Recipients bound by it.")
    countries: tuple[str, ...] = Field(min_length=1, description="Countries of concern.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments, each bound by itself.")
    share: Annotated[float, Field(ge=0, le=10), Number("share")] = Field(
        description="Most growth as a share of the firm's base-year fleet there."
    )
    price_cap: Annotated[Annotated[float, Field(gt=0, le=1e6)] | None, Number("MUSD/kwpm")] = Field(
        default=None, description="Fine per kwpm begun beyond it."
    )

    def says(self, names: Names) -> str:
        """Who may grow by how much where."""
        fine = "" if self.price_cap is None else f", or pay {millions(self.price_cap)} for a kwpm begun beyond"
        most = f"grow by at most {percent(self.share)} of their fleets" if self.share else "not grow"
        return (f"{names(self.region)} lets {names(*self.firms)} {most} in {names(*self.countries)}"
                f"{names.only(self.segments)}{fine}")

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names that do not exist and firms that stand for many."""
        n = numbers
        return [
            *super().problems(n),
            *unknown("region", (self.region,), n.regions),
            *_each_known("firms", self.firms, tuple(f for f, home in n.homes.items() if home != "host")),
            *_each_known("countries", self.countries, n.regions),
            *unknown("segments", self.segments, n.segments),
            *[("countries", f"{r} makes the rule", "leave it out") for r in self.countries if r == self.region],
        ]

    def add(self, book: Book) -> None:
        """Hold each firm's growth in each segment to its room."""
        n = book.n
        segments = chosen(self.segments, n.segments)
        growth = _decided(book, self, [
            (site, t) for country in self.countries
            for site, t, _ in book.builds(country, segments, _span(self), self.firms)
        ])
        bound = growth
        if self.price_cap is not None:
            over = _bought_off(book, self, growth, book.num(self, "price_cap"), self.region)
            bound = {key: term - over[key] for key, term in growth.items()}
        sites, share = n.sites.sites, book.num(self, "share")
        of: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for (i, _), term in bound.items():
            of[sites[i].firm, sites[i].segment].append(term)

        def room(firm: str, segment: str) -> Any:
            fleet = sum(fleet_of(s for s in n.sites.of(r, segment) if s.firm == firm) for r in self.countries)
            return share * fleet - pyo.quicksum(of[firm, segment])

        book.limit("growth", list(of), room, owner=lambda f, s: f"holder:{n.holder(f, self.countries[0])}",
                   unit="kwpm built", meaning=self.dual, policy=self)
        _measure(book, self, "growth", growth)


class DomesticFirst(Policy):
    r"""At least a share of what a firm invests must be invested at home.

    For each firm (or for all firms of the home together, ``each = "home"``) and each year t in
    ``years``, over builds begun in t,

    .. math:: \sum_{i \in home} w_i \, build_{i,t} \ge share \sum_i w_i \, (build_{i,t} - over_{i,t})

    with w = 1 (``measure = "kwpm"``) or the capital cost at multiplier 1 (``"capital"``). What is
    under way (history and commitments) does not count on either side. The rule can be met by
    building at home or by building less abroad: the ledger gives both, ``home_builds`` and
    ``foreign_builds``, to be compared with the case without it.

    The row has no right-hand side: what a home build earns by it a foreign build pays. With
    ``borne_by = "makers"`` that stays among the firms bound. With ``"treasury"`` firms keep the right to
    build abroad and the treasury buys it back: it pays the dual on every home build, and what is
    built is the same.

    With a ``price_cap`` a firm may pay for builds abroad beyond the rule. The dual is what the
    diverted fab was worth abroad.
    """

    kind: ClassVar[str] = "domestic_first"
    law: ClassVar[str] = "A domestic-first rule: a least share of the investment of a country's firms at home."
    dual: ClassVar[str] = "worth abroad of the fab diverted home, for one more unit begun at home"
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

    region: str = Field(pattern=REGION_PATTERN, description="Home: region of the rule and of the firms it binds.")
    firms: tuple[str, ...] = Field(default=ALL, description="Firms bound; all for every named firm at home there.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments that count, taken together.")
    share: Share = Field(description="Least share at home.")
    measure: Literal["kwpm", "capital"] = Field(description="What is counted.")
    each: Literal["firm", "home"] = Field(description="Whether each firm meets it or all of them together.")
    borne_by: Bearer = Field(description="Who bears what it costs.")
    price_cap: Annotated[Annotated[float, Field(gt=0, le=1e6)] | None, Number("MUSD/kwpm")] = Field(
        default=None, description="Fine per kwpm begun abroad beyond it."
    )

    def says(self, names: Names) -> str:
        """What share at home, of whom."""
        firms = names.every(self.firms, "the firms at home there")
        fine = "" if self.price_cap is None else f", or pay {millions(self.price_cap)} for a kwpm beyond"
        return (f"{names(self.region)} has {firms} begin at least {percent(self.share)} of their fabs"
                f"{names.only(self.segments)} at home, in {'kwpm' if self.measure == 'kwpm' else 'capital cost'}, "
                f"{'each by itself' if self.each == 'firm' else 'all together'}, at the cost of "
                f"{'the treasury' if self.borne_by == 'treasury' else 'the firms'}{fine}")

    @property
    def idle(self) -> bool:
        """A zero share does nothing."""
        return self.share == 0

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names that do not exist and firms that are not at home there."""
        n = numbers
        found = [*super().problems(n), *unknown("region", (self.region,), n.regions),
                 *unknown("segments", self.segments, n.segments)]
        native = tuple(f for f, home in n.homes.items() if home == self.region)
        if not found and not native:
            found.append(("region", f"no named firm is at home in {self.region}", "choose another region"))
        return found or unknown("firms", self.firms, native)

    def add(self, book: Book) -> None:
        """Hold home builds to their share of all."""
        n, sites = book.n, book.n.sites.sites
        firms = chosen(self.firms, tuple(f for f, home in n.homes.items() if home == self.region))
        segments = chosen(self.segments, n.segments)
        counted = _decided(book, self, [
            (site, t) for place in n.regions for site, t, _ in book.builds(place, segments, _span(self), firms)
        ])
        at_home = {key: term for key, term in counted.items() if sites[key[0]].region == self.region}
        abroad = {key: term for key, term in counted.items() if key not in at_home}
        bound = dict(abroad)
        if self.price_cap is not None:
            over = _bought_off(book, self, abroad, book.num(self, "price_cap"), self.region)
            bound = {key: term - over[key] for key, term in abroad.items()}
        home, foreign = self._weighed(book, at_home), self._weighed(book, bound)
        self._rule(book, list(foreign), home, foreign)
        _measure(book, self, "home_builds", at_home)
        _measure(book, self, "foreign_builds", abroad)

    def _weighed(self, book: Book, builds: Builds) -> dict[tuple[str, int], Any]:
        total: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for (i, t), term in builds.items():
            site = book.n.sites.sites[i]
            weight = book.capex(site) if self.measure == "capital" else 1.0
            total[site.firm if self.each == "firm" else self.region, t].append(weight * term)
        return {key: pyo.quicksum(terms) for key, terms in total.items()}

    def _rule(self, book: Book, rows: list[tuple[str, int]], home: dict[tuple[str, int], Any],
              foreign: dict[tuple[str, int], Any]) -> None:
        share = book.num(self, "share")
        unit = "kwpm built" if self.measure == "kwpm" else "MUSD"
        if self.borne_by == "makers":
            book.balance("home_share", rows,
                         lambda f, t: (1.0 - share) * home.get((f, t), 0.0) - share * foreign[f, t],
                         unit=unit, meaning=self.dual, equal=False, policy=self)
            return
        paid = book.variable("paid", rows, f"treasury:{self.region}", self)
        book.balance("home_paid", rows, lambda f, t: home.get((f, t), 0.0) - paid[f, t], unit=unit, equal=False,
                     meaning="what the treasury pays for one more unit begun at home", policy=self)
        # A limit, though it has no right-hand side: the right to build abroad is the firms' own, so they pay no levy.
        book.limit("home_bought", rows,
                   lambda f, t: paid[f, t] - share * (home.get((f, t), 0.0) + foreign[f, t]),
                   owner="agent", unit=unit, meaning=self.dual, policy=self)


def _span(policy: Policy) -> range:
    return range(policy.years[0], policy.years[1] + 1)


def _each_known(field: str, names: tuple[str, ...], every: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return the problems of names that must be spelled out."""
    return [(field, f"'{name}' is not known, or stands for several", "use " + ", ".join(every))
            for name in names if name not in every]


def _decided(book: Book, policy: Policy, builds: Iterable[tuple[Site, int]]) -> Builds:
    """Return what is built beyond what is under way: history is left out, commitments are taken off."""
    n, m = book.n, book.model
    keys = [(site.id, t) for site, t in builds if (site.id, t) not in n.fixed]
    committed = [(i, t) for i, t in keys if present(n.sites.sites[i].committed) and t == n.sites.sites[i].builds[0]]
    agent = lambda i, t: n.sites.sites[i].agent  # noqa: E731
    beyond = book.variable("beyond", committed, agent, policy)
    book.limit("under_way", committed, lambda i, t: m.build[i, t] - n.sites.sites[i].committed - beyond[i, t],
               owner=agent, unit="kwpm built", equal=True, policy=policy,
               meaning="worth of one more kwpm that counts as under way")
    return {key: beyond[key] if key in set(committed) else m.build[key] for key in keys}


def _bought_off(book: Book, policy: Policy, builds: Builds, price: Any, treasury: str) -> Any:
    """Let builds be freed of a rule at a price, paid as an annuity on the schedule of their capital."""
    over = book.variable("over", list(builds), lambda i, t: book.n.sites.sites[i].agent, policy)
    book.balance("over_built", list(builds), lambda i, t: builds[i, t] - over[i, t], unit="kwpm built", equal=False,
                 meaning="worth of one more kwpm that could be freed of the rule", policy=policy)
    fines = {key: -price * over[key] for key in builds}
    book.support(policy, "fine", fines, treasury=treasury, paid="construction")
    return over


def _measure(book: Book, policy: Policy, name: str, builds: Builds) -> None:
    total: dict[int, list[Any]] = defaultdict(list)
    for (_, t), term in builds.items():
        total[t].append(term)
    for t, terms in total.items():
        book.measure(policy, name, t, pyo.quicksum(terms), "kwpm")
