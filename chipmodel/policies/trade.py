"""Quantity rules on trade: quotas, export controls and embargoes, on chips and on upstream inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import pyomo.environ as pyo
from pydantic import Field, model_validator

from chipmodel.policies.base import ALL, Names, Number, Policy, chosen, unknown
from chipmodel.policies.licences import (
    On,
    RentTo,
    chips,
    holders,
    inputs,
    license_flows,
    no_channel,
    no_route,
    own_chips,
    told,
)
from chipmodel.policies.words import dollars, percent
from chipmodel.schema import ID_PATTERN, REGION_PATTERN

if TYPE_CHECKING:
    from chipmodel.lp.book import Book
    from chipmodel.numbers import Numbers

Quota = Annotated[Annotated[float, Field(ge=0, le=1e5)] | None, Number("kwpm")]
PriceCap = Annotated[Annotated[float, Field(gt=0, le=1e6)] | None, Number("USD/wafer")]


class ImportQuota(Policy):
    r"""A quota on a region's imports of chips.

    In each year the chips of the named segments and origins that makers of devices in the importing
    region buy (``on = "chips"``) or that are in everything used there (``on = "use"``) are at most
    ``quota``, all origins and segments together:

    .. math:: \sum_{s, r} flow_{s,r,t} \le quota

    The dual is the price of a licence. Price times quota is the rent, which ``rent_to`` gives to the
    exporters (by the licences each uses, as in a voluntary restraint), to importers who are given the
    licences, or to the importer's treasury, which sells them. With a ``price_cap`` more may be
    brought in at a fine a wafer, paid to that treasury: a tariff-rate quota. A tariff at the dual has
    the same effect, and the treasury then earns the rent.
    """

    kind: ClassVar[str] = "import_quota"
    law: ClassVar[str] = "An import quota, a tariff-rate quota or a voluntary export restraint."
    dual: ClassVar[str] = "price of an import licence, USD per wafer"
    example: ClassVar[str] = """
id = "memory_quota"
importer = "USA"
origins = ["KOR"]
segments = ["dram", "nand"]
quota = 50
on = "chips"
rent_to = "exporter"
price_cap = 1500
years = [2027, 2031]
source = "own"
"""

    importer: str = Field(pattern=REGION_PATTERN, description="Region whose imports are limited.")
    origins: tuple[str, ...] = Field(default=ALL, description="Origins limited together; all for every other region.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments limited together.")
    quota: Annotated[float, Field(ge=0, le=1e5), Number("kwpm")] = Field(description="Most that may come in, kwpm.")
    on: On = Field(description="Bare chips at the maker, or chips in everything used.")
    rent_to: RentTo = Field(description="Who earns the price of the licences.")
    price_cap: PriceCap = Field(default=None, description="Fine per wafer over the quota, USD; none: nothing over it.")

    def says(self, names: Names) -> str:
        """How much may come in from where."""
        goods = _goods(self.on, self.segments, names)
        return (f"{names(self.importer)} takes in at most {self.quota:g} kwpm of {goods} from "
                f"{names.every(self.origins, 'all other regions')}; {_rent(self.rent_to, self.price_cap)}")

    def _origins(self, n: Numbers) -> frozenset[str]:
        return frozenset(chosen(self.origins, n.regions)) - ({self.importer} if self.origins == ALL else set())

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names and routes that do not exist."""
        n = numbers
        segments = chosen(self.segments, n.segments)
        return [
            *super().problems(n),
            *unknown("importer", (self.importer,), n.regions),
            *unknown("origins", self.origins, n.regions),
            *unknown("segments", self.segments, n.segments),
            *own_chips("origins", self.origins, self.importer),
            *no_route(n, self.importer, self._origins(n), segments, self.on),
        ]

    def tells_apart(self, numbers: Numbers) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """The origins limited, each by itself if exporters earn the rent."""
        if self.on == "chips":
            return []
        return told(self.importer, chosen(self.segments, numbers.segments), self._origins(numbers),
                    self.rent_to == "exporter")

    def add(self, book: Book) -> None:
        """Hold imports to the quota."""
        flows = chips(book, self, self.importer, self._origins(book.n), chosen(self.segments, book.n.segments), self.on)
        quota = dict.fromkeys(book.n.years, book.num(self, "quota"))
        license_flows(book, self, flows, quota, holder=holders(flows, self.rent_to, self.importer, self.importer),
                      unit="kwpm", meaning=self.dual, fine_to=self.importer)


class ExportControl(Policy):
    r"""An export control: a region lets only so much of its chips, or of an input, go to a destination.

    On chips, all named segments together are at most ``quota``, or ``share`` of the reference flow:

    .. math:: \sum_s flow_{s,r \to m,t} \le share \cdot \sum_s w_m \cdot u_s \cdot capacity_{s,r} \cdot growth_{s,t}

    the base-year output of the exporter, grown with demand, times the destination's part of the
    world's purchases (``on = "chips"``) or use (``on = "use"``). On an ``input``, suppliers of the
    exporting region let at most ``share`` of what the destination usually takes from them through;
    control follows the home of the supplier. What is withheld can be replaced slowly, at a premium.

    The dual is the price of an export licence. ``rent_to`` gives the rent to the exporters, to the
    importers who hold licences, or to the exporting region's treasury, which sells them. A
    ``price_cap`` (chips only) is a fine a wafer over the limit, paid to that treasury.
    """

    kind: ClassVar[str] = "export_control"
    law: ClassVar[str] = "An export control: licences for chips, tools or materials to a destination."
    dual: ClassVar[str] = "price of an export licence, USD per wafer for chips, MUSD per index unit for an input"
    example: ClassVar[str] = """
id = "resist"
exporter = "JPN"
destination = "KOR"
input = "photoresist"
share = 0.5
rent_to = "treasury"
known_from = 2028
years = [2028, 2029]
source = "japan_korea_2019"
"""

    exporter: str = Field(pattern=REGION_PATTERN, description="Region that controls its exports.")
    destination: str = Field(pattern=REGION_PATTERN, description="Region they go to.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments of chips limited together.")
    input: Annotated[str, Field(pattern=ID_PATTERN)] | None = Field(
        default=None, description="Upstream input that is controlled; none for chips."
    )
    share: Annotated[Annotated[float, Field(ge=0, le=10)] | None, Number("share")] = Field(
        default=None, description="Share of the reference flow let through (instead of quota)."
    )
    quota: Quota = Field(default=None, description="Most chips let through, kwpm (instead of share).")
    on: On | None = Field(default=None, description="Chips: those sold bare to makers, or those in everything used.")
    rent_to: RentTo = Field(description="Who earns the price of the licences.")
    price_cap: PriceCap = Field(default=None, description="Fine per wafer over the limit, USD; chips only.")

    @model_validator(mode="after")
    def _form_fits(self) -> ExportControl:
        if (self.share is None) == (self.quota is None):
            raise ValueError("give either share or quota")
        if self.exporter == self.destination:
            raise ValueError("destination is the exporter itself")
        chips_only = {"quota": self.quota, "on": self.on, "price_cap": self.price_cap}
        if self.input is not None:
            given = [k for k, v in chips_only.items() if v is not None]
            given += ["segments"] if self.segments != ALL else []
            if given:
                raise ValueError(f"a control of an input takes no {given[0]}")
        elif self.on is None:
            raise ValueError("say on = 'chips' or 'use'")
        return self

    def says(self, names: Names) -> str:
        """How much is let through to whom."""
        most = f"{percent(self.share)} of its usual" if self.share is not None else f"at most {self.quota:g} kwpm of"
        goods = names(self.input) if self.input is not None else _goods(self.on, self.segments, names)
        return (f"{names(self.exporter)} lets {most} {goods} through to {names(self.destination)}; "
                f"{_rent(self.rent_to, self.price_cap)}")

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names and routes that do not exist."""
        n = numbers
        return [
            *super().problems(n),
            *unknown("exporter", (self.exporter,), n.regions),
            *unknown("destination", (self.destination,), n.regions),
            *unknown("segments", self.segments, n.segments),
            *no_channel(n, self.exporter, self.destination, chosen(self.segments, n.segments), self.on, self.input),
        ]

    def tells_apart(self, numbers: Numbers) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """The exporter, if use is limited."""
        if self.on != "use":
            return []
        return told(self.destination, chosen(self.segments, numbers.segments), frozenset({self.exporter}), False)

    def reference(self, numbers: Numbers) -> dict[int, float]:
        """Return the flow the share refers to by year, kwpm or index units."""
        n = numbers
        years = [t for t in n.years if self.active(t)]
        if self.input is not None:
            u = n.upstream[self.input]
            return {t: u.shares[self.exporter] * u.usual.get((self.destination, t), 0.0) for t in years}
        part = n.sold[self.destination] if self.on == "chips" else n.users[self.destination]
        return {
            t: part * sum(n.use[s, "u_base"] * n.capacity.get((self.exporter, s), 0.0) * n.index[s, t]
                          for s in chosen(self.segments, n.segments))
            for t in years
        }

    def computed(self, numbers: Numbers) -> list[tuple[str, float, str]]:
        """The reference flow in the first and last year in force."""
        found = self.reference(numbers)
        unit = "kwpm" if self.input is None else "index"
        return [(f"reference flow in {t}", found[t], unit) for t in sorted({min(found), max(found)})] if found else []

    def add(self, book: Book) -> None:
        """Hold exports to the share or the quota."""
        if self.input is None:
            flows = chips(book, self, self.destination, frozenset({self.exporter}),
                          chosen(self.segments, book.n.segments), self.on or "chips")
            meaning = "price of an export licence, USD per wafer"
        else:
            flows = inputs(book, self, self.input, self.exporter, self.destination)
            meaning = "price of an export licence of the input, MUSD per index unit"
        if self.share is None:
            quota = dict.fromkeys(book.n.years, book.num(self, "quota"))
        else:
            quota = {t: book.num(self, "share") * usual for t, usual in self.reference(book.n).items()}
        license_flows(book, self, flows, quota, holder=holders(flows, self.rent_to, self.destination, self.exporter),
                      unit="kwpm" if self.input is None else "index", meaning=meaning, fine_to=self.exporter)


class Embargo(Policy):
    r"""An embargo: nothing of a region goes to a destination, chips or an upstream input.

    .. math:: \sum_s flow_{s,r \to m,t} = 0

    On chips by origin and destination, bare (``on = "chips"``) or inside everything used
    (``on = "use"``), on an ``input`` by the home of its supplier. It earns nobody a rent. The dual is
    at least what the first wafer (or unit of the input) let through would be worth; where nothing is
    made for the route its price is not unique. A partial embargo is an export control or an import quota.
    """

    kind: ClassVar[str] = "embargo"
    law: ClassVar[str] = "An embargo, a ban or a blacklist."
    dual: ClassVar[str] = "upper bound of the worth of the first wafer let through, USD per wafer (MUSD per index unit)"
    example: ClassVar[str] = """
id = "mature_chips"
origin = "CHN"
destination = "USA"
segments = ["logic_ge28"]
on = "use"
years = [2030, 2041]
source = "own"
"""

    origin: str = Field(pattern=REGION_PATTERN, description="Region whose chips, or suppliers, are banned.")
    destination: str = Field(pattern=REGION_PATTERN, description="Region they may not reach.")
    segments: tuple[str, ...] = Field(default=ALL, description="Segments of chips that are banned.")
    input: Annotated[str, Field(pattern=ID_PATTERN)] | None = Field(
        default=None, description="Upstream input that is banned; none for chips."
    )
    on: On | None = Field(default=None, description="Chips: those sold bare to makers, or those in everything used.")

    @model_validator(mode="after")
    def _form_fits(self) -> Embargo:
        if self.origin == self.destination:
            raise ValueError("destination is the origin itself")
        if self.input is not None and (self.on is not None or self.segments != ALL):
            raise ValueError(f"an embargo on an input takes no {'segments' if self.on is None else 'on'}")
        if self.input is None and self.on is None:
            raise ValueError("say on = 'chips' or 'use'")
        return self

    def says(self, names: Names) -> str:
        """What may not go where."""
        goods = names(self.input) if self.input is not None else _goods(self.on, self.segments, names)
        go = "go" if self.input is None else "goes"
        return f"no {goods} from {names(self.origin)} {go} to {names(self.destination)}"

    def problems(self, numbers: Numbers) -> list[tuple[str, str, str]]:
        """Return names and routes that do not exist."""
        n = numbers
        return [
            *super().problems(n),
            *unknown("origin", (self.origin,), n.regions),
            *unknown("destination", (self.destination,), n.regions),
            *unknown("segments", self.segments, n.segments),
            *no_channel(n, self.origin, self.destination, chosen(self.segments, n.segments), self.on, self.input),
        ]

    def tells_apart(self, numbers: Numbers) -> list[tuple[str, tuple[str, ...], frozenset[str]]]:
        """The origin, if its chips are banned inside devices."""
        if self.on != "use":
            return []
        return told(self.destination, chosen(self.segments, numbers.segments), frozenset({self.origin}), False)

    def add(self, book: Book) -> None:
        """Let nothing through."""
        if self.input is None:
            flows = chips(book, self, self.destination, frozenset({self.origin}),
                          chosen(self.segments, book.n.segments), self.on or "chips")
        else:
            flows = inputs(book, self, self.input, self.origin, self.destination)
        of_chips = self.input is None
        book.balance("banned", [(t,) for _, t in flows], lambda t: -pyo.quicksum(flows[self.origin, t]),
                     unit="kwpm" if of_chips else "index", equal=False, policy=self,
                     meaning="upper bound of the worth of the first wafer let through, USD per wafer" if of_chips
                     else "upper bound of the worth of the first unit let through, MUSD per index unit")


def _goods(on: str | None, segments: tuple[str, ...], names: Names) -> str:
    return f"{'bare chips' if on == 'chips' else 'chips in everything used'}{names.only(segments)}"


def _rent(rent_to: RentTo, price_cap: float | None) -> str:
    owner = {"exporter": "exporters", "importer": "importers", "treasury": "the treasury"}[rent_to]
    beyond = "" if price_cap is None else f", and {dollars(price_cap)} are paid for a wafer beyond"
    return f"the licences belong to {owner}{beyond}"
