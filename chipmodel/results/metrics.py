"""The headline numbers, each defined once with its unit and a sentence.

A metric is named by a family and what it is about, joined with dots:
``share.capacity.USA.all.2035``. Where money may be summed over the world, the region
may be ``all``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pandas as pd

from chipmodel.common.errors import InputError, Problem
from chipmodel.common.ids import ID_PATTERN, REGION_PATTERN
from chipmodel.common.units import per_kwpm_year
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Labels, Summary, summary_of

ALL = "all"


@dataclass(frozen=True)
class Family:
    """A family of metrics.

    Attributes
    ----------
    form : str
        Name with its blanks: ``<REGION>``, ``<segment>``, ``<year>``; ``|all`` where a
        sum is allowed.
    sentence : str
        What it is, with the same blanks in braces.
    heading, row : str
        How a comparison table groups it; ``{solved}`` and ``{reported}`` stand for the
        years of its money.
    against : bool
        Whether it is a difference to the reference case.
    """

    form: str
    unit: str
    sentence: str
    heading: str
    row: str
    value: Callable[..., float]
    against: bool = False

    @property
    def parts(self) -> list[str]:
        """The parts of its name."""
        return self.form.split(".")


def _capacity(own: Summary, region: str, segment: str, year: int) -> float:
    return sum(
        v
        for (r, s, t), v in own.capacity.items()
        if t == year and region in (r, ALL) and segment in (s, ALL)
    )


def _share(own: Summary, region: str, segment: str, year: int) -> float:
    world = _capacity(own, ALL, segment, year)
    return _capacity(own, region, segment, year) / world if world > 0 else 0.0


def _hhi(own: Summary, segment: str, year: int) -> float:
    return sum(_share(own, r, segment, year) ** 2 for r in own.labels.regions)


def _of(values: dict[str, float], region: str) -> float:
    return sum(values.values()) if region == ALL else values.get(region, 0.0)


def _buyers(own: Summary, base: Summary, region: str) -> float:
    return _of(base.surplus, region) - _of(own.surplus, region)


def _makers(own: Summary, base: Summary, region: str) -> float:
    return sum(
        per_kwpm_year(
            own.maker_price[key] - base.maker_price.get(key, own.maker_price[key])
        )
        * wafers
        * own.discount[key[-1]]
        for key, wafers in own.purchases.items()
        if region in (key[0], ALL)
    )


def _rents(own: Summary, base: Summary, region: str) -> float:
    return _of(own.rents, region) - _of(base.rents, region)


def _treasury(own: Summary, base: Summary, region: str) -> float:
    return _of(own.treasury, region) - _of(base.treasury, region)


def _welfare(own: Summary, base: Summary, region: str) -> float:
    return (
        _rents(own, base, region)
        + _treasury(own, base, region)
        - _buyers(own, base, region)
    )


def _outlay(own: Summary, region: str) -> float:
    return sum(v for (_, r, _), v in own.cash.items() if region in (r, ALL))


def _received(account: str) -> Callable[[Summary, str], float]:
    def value(own: Summary, region: str) -> float:
        return sum(
            v
            for (a, _, r, _), v in own.lines.items()
            if a == account and region in (r, ALL)
        )

    return value


def _price(stage: str) -> Callable[[Summary, str, str, int], float]:
    def value(own: Summary, region: str, segment: str, year: int) -> float:
        prices = own.user_price if stage == "user" else own.maker_price
        return prices.get((region, segment, year), float("nan"))

    return value


def _certificate(own: Summary, policy: str, year: int) -> float:
    return own.certificates.get((policy, year), float("nan"))


def _worth(field: str) -> Callable[[Summary, str, int], float]:
    def value(own: Summary, policy: str, year: int) -> float:
        rule = next((p for p in own.case.policies if p.id == policy), None)
        return getattr(rule, field, float("nan")) * per_kwpm_year(
            _certificate(own, policy, year)
        )

    return value


def _income(own: Summary, policy: str, firm: str) -> float:
    return sum(
        per_kwpm_year(own.certificates[p, t]) * kwpm
        for (p, f, t), kwpm in own.earned.items()
        if p == policy and firm in (f, ALL)
    )


def _refund(own: Summary, policy: str) -> float:
    return -sum(
        v for (a, p, _, _), v in own.lines.items() if (a, p) == ("allowance", policy)
    )


FAMILIES: tuple[Family, ...] = (
    Family(
        "share.capacity.<REGION>.<segment|all>.<year>",
        "share",
        "share of the world's capacity in service in {region}, {segment}, {year}",
        "Share of world capacity, {segment}, {year}",
        "{region}",
        _share,
    ),
    Family(
        "capacity.<REGION|all>.<segment|all>.<year>",
        "kwpm",
        "capacity in service in {region}, {segment}, {year}, thousand 300 mm wafers a"
        " month",
        "Capacity, {segment}, {year}",
        "{region}",
        _capacity,
    ),
    Family(
        "cost.buyers.<REGION|all>",
        "MUSD",
        "loss of consumer surplus of chip users in {region} against the reference case,"
        " present value over all years solved",
        "Buyers' cost at user (loss of surplus), present value {solved}",
        "{region}",
        _buyers,
        against=True,
    ),
    Family(
        "cost.buyers.maker.<REGION|all>",
        "MUSD",
        "what makers of devices in {region} pay more for the chips they buy than at the"
        " prices of the reference case, present value over all years solved; it reaches"
        " users and is not to be added to their cost",
        "Buyers' cost at maker (memo), present value {solved}",
        "{region}",
        _makers,
        against=True,
    ),
    Family(
        "price.user.<REGION>.<segment>.<year>",
        "USD/wafer",
        "price of a wafer's chips to users in {region}, {segment}, {year}",
        "Price at user, {segment}, {year}",
        "{region}",
        _price("user"),
    ),
    Family(
        "price.maker.<REGION>.<segment>.<year>",
        "USD/wafer",
        "mean price of a wafer's chips to makers of devices in {region}, {segment},"
        " {year}",
        "Price at maker, {segment}, {year}",
        "{region}",
        _price("maker"),
    ),
    Family(
        "outlay.<REGION|all>",
        "MUSD",
        "support paid in cash by {region} over the years reported, undiscounted",
        "Support paid, cash {reported}",
        "{region}",
        _outlay,
    ),
    Family(
        "revenue.<REGION|all>",
        "MUSD",
        "tariffs received by {region} over the years reported, undiscounted",
        "Tariff revenue, undiscounted {reported}",
        "{region}",
        _received("tariff"),
    ),
    Family(
        "fines.<REGION|all>",
        "MUSD",
        "fines for missing a rule of origin received by {region} over the years"
        " reported, undiscounted",
        "Fines under rules of origin, undiscounted {reported}",
        "{region}",
        _received("fine"),
    ),
    Family(
        "certificate.price.<policy>.<year>",
        "USD/wafer",
        "price of a certificate of {policy} in {year}: what one more wafer free of the"
        " duty is worth",
        "Price of a certificate, {year}",
        "{policy}",
        _certificate,
    ),
    Family(
        "certificate.building.<policy>.<year>",
        "MUSD/kwpm",
        "what a kwpm under construction earns in certificates of {policy} in {year}",
        "Certificates of a kwpm under construction, {year}",
        "{policy}",
        _worth("under_construction"),
    ),
    Family(
        "certificate.running.<policy>.<year>",
        "MUSD/kwpm",
        "what a kwpm in service earns in certificates of {policy} in {year}",
        "Certificates of a kwpm in service, {year}",
        "{policy}",
        _worth("in_service"),
    ),
    Family(
        "certificate.income.<policy>.<firm|all>",
        "MUSD",
        "worth of the certificates {firm} earns under {policy} over the years reported,"
        " undiscounted",
        "Income from certificates of {policy}, undiscounted {reported}",
        "{firm}",
        _income,
    ),
    Family(
        "certificate.refund.<policy>",
        "MUSD",
        "duty forgone under {policy} over the years reported, undiscounted; beyond"
        " certificates, buyers keep it",
        "Duty forgone under {policy}, undiscounted {reported}",
        "{policy}",
        _refund,
    ),
    Family(
        "hhi.<segment|all>.<year>",
        "index",
        "concentration of capacity over regions (Herfindahl index, 0 to 1), {segment},"
        " {year}",
        "Concentration of capacity (Herfindahl), {year}",
        "{segment}",
        _hhi,
    ),
    Family(
        "rents.<REGION|all>",
        "MUSD",
        "rents of firms at home in {region} against the reference case, present value"
        " over all years solved",
        "Rents of firms by home, present value {solved}",
        "{region}",
        _rents,
        against=True,
    ),
    Family(
        "treasury.<REGION|all>",
        "MUSD",
        "net revenue of the treasury of {region} against the reference case, present"
        " value over all years solved; support counts as annuities, which renew with"
        " the asset up to the horizon, so over a long horizon it exceeds the cash paid",
        "Treasuries, present value {solved}",
        "{region}",
        _treasury,
        against=True,
    ),
    Family(
        "welfare.<REGION|all>",
        "MUSD",
        "consumer surplus, rents and treasury of {region} against the reference case,"
        " present value over all years solved",
        "Welfare (users, firms and treasury), present value {solved}",
        "{region}",
        _welfare,
        against=True,
    ),
    Family(
        "objective",
        "MUSD",
        "objective of the programme: resource cost, tariffs less support, less the"
        " value served, present value",
        "Objective, present value {solved}",
        "world",
        lambda own: own.objective,
    ),
)


_BLANKS = {
    "REGION": REGION_PATTERN,
    "segment": ID_PATTERN,
    "policy": ID_PATTERN,
    "firm": ID_PATTERN,
    "year": r"^[0-9]{4}$",
}


HEADLINE = (
    "share.capacity.*.all.LAST",
    "share.capacity.*.LEADING.LAST",
    "cost.buyers.*",
    "cost.buyers.maker.*",
    "outlay.*",
    "revenue.*",
    "hhi.all.LAST",
    "rents.*",
    "treasury.*",
    "welfare.*",
    "objective",
)
"""What `compare` shows unless told otherwise; `expand` reads LEADING and LAST."""


@dataclass(frozen=True)
class Metric:
    """A metric read from its name."""

    name: str
    family: Family
    given: dict[str, Any]

    @property
    def unit(self) -> str:
        """Its unit."""
        return self.family.unit

    def text(self, template: str, labels: Labels | None = None) -> str:
        """Fill a template of its family with the names of what it is about."""
        words = {k: str(v) for k, v in self.given.items()}
        if labels is not None:
            words["region"] = labels.regions.get(
                words.get("region", ""), words.get("region", "")
            )
            words["segment"] = labels.segments.get(
                words.get("segment", ""), words.get("segment", "")
            )
            words["solved"] = f"{labels.years[0]}-{labels.horizon}"
            words["reported"] = f"{labels.years[0]}-{labels.years[-1]}"
        if self.given.get("region") == ALL:
            words["region"] = (
                "the world" if template is self.family.sentence else "World"
            )
        if self.given.get("firm") == ALL:
            words["firm"] = "all firms"
        if self.given.get("segment") == ALL:
            words["segment"] = "all segments"
        return template.format(**words)

    def value(self, own: Summary, reference: Summary | None = None) -> float:
        """Return its value.

        Raises
        ------
        InputError
            If it is about something the solution does not hold, or needs a reference
            and has none.
        """
        wrong = self.problems(own.labels)
        if wrong:
            raise InputError(wrong)
        if not self.family.against:
            return float(self.family.value(own, **self.given))
        if reference is None:
            raise InputError.one(
                "metric",
                self.name,
                "is a difference to a reference case and none is given",
                "name a reference",
            )
        return float(self.family.value(own, reference, **self.given))

    def problems(self, labels: Labels) -> list[Problem]:
        """Return what it names that does not exist."""
        known: dict[str, list[Any]] = {
            "region": list(labels.regions),
            "segment": list(labels.segments),
            "year": list(labels.years),
        }
        found = []
        for kind, value in self.given.items():
            if kind in known and value != ALL and value not in known[kind]:
                near = get_close_matches(
                    str(value), map(str, known[kind]), n=3, cutoff=0.3
                )
                one_of = ", ".join(near) or f"{known[kind][0]} to {known[kind][-1]}"
                found.append(
                    Problem(
                        "metric",
                        self.name,
                        f"unknown {kind} '{value}'",
                        f"did you mean {one_of}?",
                    )
                )
        return found


def parse(name: str) -> Metric:
    """Read a metric from its name.

    Raises
    ------
    InputError
        If no family fits, with the nearest ones.
    """
    given = name.split(".")
    for family in FAMILIES:
        blanks = _fit(family.parts, given)
        if blanks is not None:
            return Metric(name, family, blanks)
    forms = [family.form for family in FAMILIES]
    start = [f for f in forms if f.split(".")[0] == given[0]]
    near = start or get_close_matches(name, forms, n=3, cutoff=0.2) or forms
    raise InputError.one(
        "metric",
        name or "(empty)",
        "no such metric",
        "did you mean " + " or ".join(near) + "?",
    )


def _fit(form: list[str], given: list[str]) -> dict[str, Any] | None:
    if len(form) != len(given):
        return None
    blanks: dict[str, Any] = {}
    for part, word in zip(form, given, strict=True):
        if not part.startswith("<"):
            if part != word:
                return None
            continue
        kind, _, also = part.strip("<>").partition("|")
        if word == ALL and kind != "year":
            if also != ALL:
                return None
        elif not re.fullmatch(_BLANKS[kind], word):
            return None
        blanks[kind.lower()] = int(word) if kind == "year" else word
    return blanks


def describe(name: str) -> tuple[str, str]:
    """Return the unit of a metric and a sentence that says what it is."""
    metric = parse(name)
    return metric.unit, metric.text(metric.family.sentence)


def evaluate(
    name: str, solution: Solution | Summary, reference: Solution | Summary | None = None
) -> float:
    """Return the value of a metric.

    Parameters
    ----------
    name : str
        Dotted name, such as ``share.capacity.USA.logic_lt10.2035``.
    solution : Solution or Summary
    reference : Solution or Summary, optional
        Needed by metrics that are differences to a reference case.

    Raises
    ------
    InputError
        If there is no such metric, or a reference is needed and none is given.
    """
    return parse(name).value(
        summary_of(solution), None if reference is None else summary_of(reference)
    )


def expand(names: Iterable[str], labels: Labels) -> list[str]:
    """Return names with their wildcards written out.

    ``*`` is every region or segment, ``LEADING`` the leading-edge segment and ``LAST``
    the last year reported.
    """
    spelled: list[str] = []
    for name in names:
        name = name.replace("LEADING", labels.leading)
        found = [name.replace("LAST", str(labels.years[-1]))]
        while any("*" in one.split(".") for one in found):
            found = [given for one in found for given in _starred(one, labels)]
        spelled += found
    return list(dict.fromkeys(spelled))


def _starred(name: str, labels: Labels) -> list[str]:
    parts = name.split(".")
    at = parts.index("*") if "*" in parts else None
    if at is None:
        return [name]
    for family in FAMILIES:
        form = family.parts
        if len(form) == len(parts) and all(
            f.startswith("<") or f == p for f, p in zip(form, parts, strict=True)
        ):
            kind = form[at].strip("<>").partition("|")[0]
            words = {
                "REGION": labels.regions,
                "segment": labels.segments,
                "year": labels.years,
            }.get(kind, ())
            return [
                ".".join([*parts[:at], str(word), *parts[at + 1 :]]) for word in words
            ]
    return [name.replace("*", "all", 1)]


def rows(
    names: Iterable[str], own: Summary, reference: Summary | None
) -> list[dict[str, Any]]:
    """Return a row for each metric: its value and the difference to the reference."""
    found = []
    for name in names:
        metric = parse(name)
        value = metric.value(own, reference)
        base = None if reference is None else metric.value(reference, reference)
        found.append(
            {
                "metric": name,
                "unit": metric.unit,
                "case": own.case.name,
                "world": own.world.name,
                **own.point,
                "value": value,
                "difference": float("nan") if base is None else value - base,
            }
        )
    return found


def compare(
    base: Solution | Summary,
    *others: Solution | Summary,
    metrics: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Compare solutions with a base, metric by metric.

    Parameters
    ----------
    base : Solution or Summary
        The reference of every difference.
    *others : Solution or Summary
    metrics : iterable of str, optional
        Names of metrics; a list of headline numbers by default.

    Returns
    -------
    pandas.DataFrame
        Columns ``metric, unit, case, world, value, difference``.
    """
    own = summary_of(base)
    if metrics is None:
        metrics = HEADLINE
    names = expand(metrics, own.labels)
    every = [own, *(summary_of(other) for other in others)]
    return pd.DataFrame(
        [row for one in every for row in rows(names, one, own)],
        columns=["metric", "unit", "case", "world", "value", "difference"],
    )
