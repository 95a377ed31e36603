"""What a comparison says, in sentences filled from its numbers; every sign is read off, none is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pandas as pd

from chipmodel.common.text import LEAST, billion, both, listed, lower, percent, span
from chipmodel.dataset.derived import Intervals
from chipmodel.display.intervals import known, sure
from chipmodel.policies.base import Policy
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.policies.support import Support
from chipmodel.policies.tariff import Tariff
from chipmodel.results.metrics import evaluate, parse
from chipmodel.results.passthrough import PassThrough, pass_through
from chipmodel.results.summary import Summary

Pair = tuple[Summary, Summary]
"""A solution and its reference in the same world."""


BINDS = 0.5
"""A floor binds if one more trusted wafer is worth more than this, USD."""


STILL = 5e-4
"""A share that moves less than this does not move."""


COLUMNS = ("statement", "world", "quantity", "segment", "value", "unit")


@dataclass
class Finding:
    """A paragraph and every number it is filled from.

    Attributes
    ----------
    statement : str
        What it is about: ``support.<case>``, ``tariff.<case>.<instrument>``,
        ``floor.<case>.<instrument>`` or ``case.<case>``.
    region : str
        Whose instrument it is about.
    numbers : list
        Rows of `COLUMNS` without the statement.
    """

    statement: str
    region: str
    text: str = ""
    numbers: list[tuple[str, str, str, float, str]] = field(default_factory=list)

    def number(
        self, own: Summary, quantity: str, value: float, unit: str, segment: str = "all"
    ) -> float:
        """Note a number, once, and return it."""
        row = (own.world.name, quantity, segment, value, unit)
        if row not in self.numbers:
            self.numbers.append(row)
        return value

    def metric(self, name: str, own: Summary, base: Summary) -> float:
        """Note a metric, or its change if it is not a difference by itself, and return it."""
        metric = parse(name)
        if metric.family.against:
            return self.number(own, name, metric.value(own, base), metric.unit)
        return self.number(
            own,
            f"change of {name}",
            metric.value(own) - metric.value(base),
            metric.unit,
        )


def sentences(pairs: Iterable[Pair]) -> list[str]:
    """Return the paragraphs of the findings a list of comparisons has."""
    return [one.text for one in findings(pairs)]


def table(found: Iterable[Finding]) -> pd.DataFrame:
    """Return every number of findings, a row each."""
    return pd.DataFrame(
        [(one.statement, *row) for one in found for row in one.numbers],
        columns=list(COLUMNS),
    )


def findings(
    pairs: Iterable[Pair], intervals: Intervals | None = None
) -> list[Finding]:
    """Return the findings a list of comparisons has: support withdrawn, duties and floors added."""
    every = [(own, base) for own, base in pairs if own.case.name != base.case.name]
    found: list[Finding] = []
    for name in dict.fromkeys(own.case.name for own, _ in every):
        same = [(own, base) for own, base in every if own.case.name == name]
        region = _support_withdrawn(*same[0])
        told = [support_finding(same, region)] if region else list(_trade(*same[0]))
        for one in told:
            _tell_how_sure(one, same[0], intervals or Intervals({}))
        found += told
    return found


def _tell_how_sure(found: Finding, pair: Pair, intervals: Intervals) -> None:
    """Add the intervals of what a finding is most about."""
    own, base = pair
    last, region = own.labels.years[-1], found.region
    names = [
        f"share.capacity.{region}.{s}.{last}"
        for s in dict.fromkeys(("all", own.labels.leading))
    ]
    names += [f"cost.buyers.{region}", f"welfare.{region}", "welfare.all"]
    for name in names:
        ends = known(own, base, name, intervals)
        for end, value in zip(("low", "high"), ends or (), strict=False):
            found.number(own, f"{end} of {name}", value, parse(name).unit)
    found.text = f"{found.text} {sure(((own, base, name) for name in names), intervals)}".rstrip()


@dataclass(frozen=True)
class _Changes:
    """By what instruments a case differs from its reference."""

    added: list[Policy]
    changed: list[Policy]
    removed: list[Policy]

    @classmethod
    def of(cls, own: Summary, base: Summary) -> _Changes:
        mine, theirs = (
            {p.id: p for p in one.case.policies if not p.inactive}
            for one in (own, base)
        )
        return cls(
            [p for i, p in mine.items() if i not in theirs],
            [p for i, p in mine.items() if i in theirs and theirs[i] != p],
            [p for i, p in theirs.items() if i not in mine],
        )


def _support_withdrawn(own: Summary, base: Summary) -> str:
    """Return the region whose support (and what it asks in return), and nothing else, this case is without."""
    changes = _Changes.of(own, base)
    regions = {
        p.region if isinstance(p, Support | Guardrail) else "" for p in changes.removed
    }
    if not any(isinstance(p, Support) for p in changes.removed):
        return ""
    return (
        regions.pop()
        if len(regions) == 1 and not changes.added and not changes.changed
        else ""
    )


def support_finding(pairs: list[Pair], region: str) -> Finding:
    """Say what a region's capacity is with and without its support, in each world."""
    own, base = pairs[0]
    found = Finding(f"support.{own.case.name}", region)
    place, lead = own.region(region), own.labels.leading
    each = "; ".join(
        f"{_world_said(a, pairs)}, it is {_change(found, a, b, region, 'all')} in all"
        f" and {_change(found, a, b, region, lead)} in {lower(own.segment(lead))}"
        for a, b in pairs
    )
    saved = -found.metric(f"outlay.{region}", own, base)
    found.text = (
        f"Support: in the model, capacity in {place} in {own.labels.years[-1]} without"
        f" that support ({own.case.name}) differs from {base.case.name} like this:"
        f" {each}. The treasury {'saves' if saved >= 0 else 'pays'}"
        f" {billion(abs(saved))} of support {_cash(own)}."
        f" {_users(found, own, base, region)}"
        f" {_welfare(found, own, base, region)}{_world_short(own, pairs)}"
    )
    return found


def _change(
    found: Finding, own: Summary, base: Summary, region: str, segment: str
) -> str:
    year = own.labels.years[-1]
    now, before = (
        evaluate(f"capacity.{region}.{segment}.{year}", one) for one in (own, base)
    )
    share, share0 = (
        evaluate(f"share.capacity.{region}.{segment}.{year}", one)
        for one in (own, base)
    )
    found.number(own, f"share.capacity.{region}.{year}", share, "share", segment)
    found.number(
        own,
        f"share.capacity.{region}.{year} in the reference",
        share0,
        "share",
        segment,
    )
    if before > 0:
        found.number(
            own,
            f"relative change of capacity.{region}.{year}",
            now / before - 1.0,
            "share",
            segment,
        )
    if abs(now - before) <= STILL * max(before, 1.0):
        return f"the same ({percent(share)} of the world's)"
    by = f"{percent(abs(now / before - 1.0))} " if before > 0 else ""
    return (
        f"{by}{'lower' if now < before else 'higher'} ({percent(share)} instead of"
        f" {percent(share0)} of the world's)"
    )


def _world_said(own: Summary, pairs: list[Pair]) -> str:
    if len({one.world.committed for one, _ in pairs}) > 1:
        if own.world.committed == 1.0:
            return "with commitments as they are"
        if own.world.committed == 0.0:
            return "with every project freed of its commitments"
    return f"in the world {own.world.name}"


def _world_short(own: Summary, pairs: list[Pair]) -> str:
    return f" These sums are those {_world_said(own, pairs)}." if len(pairs) > 1 else ""


def _trade(own: Summary, base: Summary) -> Iterator[Finding]:
    """Return the finding of a duty or floor that is all a case changes, or of the case as a whole."""
    changes = _Changes.of(own, base)
    trade = [p for p in changes.added if isinstance(p, Tariff | OriginFloor)]
    if not trade:
        return
    if len(changes.added) > 1 or changes.changed or changes.removed:
        yield case_finding(own, base, changes)
    elif isinstance(trade[0], Tariff):
        yield duty_finding(own, base, trade[0])
    else:
        yield floor_finding(own, base, trade[0])


def case_finding(own: Summary, base: Summary, changes: _Changes) -> Finding:
    """Say what a case of several instruments does, without giving any one of them its effect."""
    places = dict.fromkeys(
        p.importer if isinstance(p, Tariff) else p.market
        for p in changes.added
        if isinstance(p, Tariff | OriginFloor)
    )
    found = Finding(f"case.{own.case.name}", next(iter(places)))
    said = [f"adds {listed([_instrument(found, own, p) for p in changes.added])}"]
    said += [
        f"{verb} {listed([p.id for p in these])}"
        for verb, these in (("changes", changes.changed), ("removes", changes.removed))
        if these
    ]
    parts = [
        f"Case {own.case.name}: in the model, the case {listed(said)}, against"
        f" {base.case.name}; the numbers are those of the case as a whole."
    ]
    duty = any(
        isinstance(p, Tariff)
        for p in (*changes.added, *changes.changed, *changes.removed)
    )
    for region in places:
        parts.append(_users(found, own, base, region))
        parts.append(_revenue(found, own, base, region))
        parts.append(_welfare(found, own, base, region, duty))
    parts += [
        f"Under the case, {_instrument(None, own, p)} {_worth(found, own, p)}."
        for p in changes.added
        if isinstance(p, OriginFloor)
    ]
    found.text = " ".join(parts)
    return found


def _instrument(found: Finding | None, own: Summary, policy: Policy) -> str:
    """Return an instrument in words, and note its rate or share."""
    if isinstance(policy, Tariff):
        if found:
            found.number(own, f"rate of {policy.id}", policy.rate, "share")
        what = "bare chips" if policy.on == "chips" else "chips in everything used"
        return (
            f"the {percent(policy.rate)} duty on {what} in"
            f" {own.region(policy.importer)} ({policy.id})"
        )
    if isinstance(policy, OriginFloor):
        if found:
            found.number(own, f"share of {policy.id}", policy.share, "share")
        what = (
            "chips used" if policy.on == "use" else "chips bought by makers of devices"
        )
        return (
            f"the floor of {percent(policy.share)} from trusted origins on {what} in"
            f" {own.region(policy.market)} ({policy.id})"
        )
    return policy.id


def _in_force(own: Summary, policy: Policy) -> tuple[int, ...]:
    return tuple(t for t in own.labels.years if policy.active(t))


def _outside(own: Summary, policy: Policy) -> str:
    """Say that an instrument is in force in no year reported."""
    if policy.years[0] > own.labels.years[-1]:
        return (
            f"comes into force only in {policy.years[0]}, after the years reported"
            f" ({span(own.labels.years)})"
        )
    return f"is not in force in the years reported ({span(own.labels.years)})"


def duty_finding(own: Summary, base: Summary, policy: Tariff) -> Finding:
    """Say who bears a duty: makers of devices, users, and what leaks into imported devices."""
    here, years = policy.importer, _in_force(own, policy)
    found = Finding(f"tariff.{own.case.name}.{policy.id}", here)
    parts = [
        f"Tariff: in the model, {_instrument(found, own, policy)}"
        f" {_borne(found, own, base, policy)}"
    ]
    if years:
        parts.append(
            f"The leak into devices: device making in {own.region(here)} "
            f"{_devices(found, own, base, here, years)} ({span(years)})."
        )
    found.text = " ".join(
        [
            *parts,
            _users(found, own, base, here),
            _revenue(found, own, base, here),
            _welfare(found, own, base, here, duty=True),
        ]
    )
    return found


def _borne(found: Finding, own: Summary, base: Summary, policy: Tariff) -> str:
    """Say how much of a duty goes into prices, or why that is not told."""
    years, place = _in_force(own, policy), own.region(policy.importer)
    if not years:
        return f"{_outside(own, policy)}."
    if policy.on == "use":
        return "falls on chips in devices too, and no pass-through is given."
    if policy.origin_rule == "assembly":
        return (
            "takes the place of packaging for the origin, and no pass-through is given."
        )
    through = pass_through(own, base, policy)
    if not through.before and not through.still:
        return (
            f"meets no trade: nothing dutiable is bought in {place} in {base.case.name}"
            " either."
        )
    if not through.still:
        return f"ends the trade: no dutiable chip is bought in {place} any more."
    if not through.maker:
        return "has no price of the reference case to be compared with."
    maker = found.number(
        own, "pass-through at maker", through.total(through.maker), "share of the duty"
    )
    user = found.number(
        own, "pass-through at user", through.total(through.user), "share of the duty"
    )
    for s in through.maker:
        found.number(
            own, "pass-through at maker", through.maker[s], "share of the duty", s
        )
        found.number(
            own, "pass-through at user", through.user[s], "share of the duty", s
        )
        found.number(
            own,
            "price at maker in the reference above the least elsewhere",
            through.premium[s],
            "share of the duty",
            s,
        )
    return (
        f"{_raises(maker)} the price makers of devices there pay by"
        f" {percent(abs(maker))} of the duty a wafer and {_raises(user)} the price"
        f" users there pay by {percent(abs(user))} of it, where dutiable chips are"
        f" still bought ({span(years)}). {_by_segment(found, own, through)}"
    )


def _raises(share: float) -> str:
    return "raises" if share >= 0 else "lowers"


def _by_segment(found: Finding, own: Summary, through: PassThrough) -> str:
    """Tell the segments in which a duty is passed on from those in which the reference price held a premium."""
    total = through.total(through.maker)
    odd = [
        s
        for s, x in through.maker.items()
        if total > 0 and x < 0.5 * total and through.premium[s] > 0.25
    ]
    rest = sorted(
        (s for s in through.maker if s not in odd), key=lambda s: -through.maker[s]
    )
    said = []
    if rest:
        each = listed(
            [f"{percent(through.maker[s])} in {lower(own.segment(s))}" for s in rest]
        )
        said.append(f"At the maker that is {each}")
    said += [
        f"{'but ' if rest else 'At the maker that is '}{percent(through.maker[s])} in"
        f" {lower(own.segment(s))}, where the price of the reference case stood above"
        f" that elsewhere by {percent(through.premium[s])} of the duty"
        for s in odd
    ]
    if rest and odd:
        those = "that segment" if len(odd) == 1 else "those segments"
        mean = found.number(
            own,
            f"pass-through at maker without {' '.join(odd)}",
            through.total(through.maker, rest),
            "share of the duty",
        )
        said.append(f"without {those} the mean is {percent(mean)}")
    if through.gone:
        said.append(
            f"no dutiable {listed([lower(own.segment(s)) for s in through.gone])} is"
            " bought any more"
        )
    return "; ".join(said) + "."


def _devices(
    found: Finding, own: Summary, base: Summary, maker: str, years: tuple[int, ...]
) -> str:
    """Say how the making of devices moves, for users at home and in all."""
    changes: list[float] = []
    alone: list[str] = []
    for user, where in ((maker, "for users at home"), (None, "in all")):
        now, before = (
            sum(
                v
                for (_, m, e, t), v in one.devices.items()
                if m == maker and user in (None, e) and t in years
            )
            for one in (own, base)
        )
        if before > 0:
            changes.append(
                found.number(
                    own,
                    f"relative change of device making in {maker} {where}",
                    now / before - 1.0,
                    "share",
                )
            )
        alone.append(f"{'stays at nothing' if now <= 0 else 'begins'} {where}")
    if len(changes) == 2:
        return both(
            (changes[0], "for users at home"), (changes[1], "in all"), percent, STILL
        )
    if changes:
        return (
            f"{alone[0]} and {'falls' if changes[0] < 0 else 'rises'} by"
            f" {percent(abs(changes[0]))} in all"
        )
    return " and ".join(alone)


def floor_finding(own: Summary, base: Summary, policy: OriginFloor) -> Finding:
    """Say what a rule of origin is worth per wafer where it binds, and what it costs the market's users."""
    found = Finding(f"floor.{own.case.name}.{policy.id}", policy.market)
    start = (
        f"Friendshoring: in the model, {_instrument(found, own, policy)}"
        f" {_worth(found, own, policy)}."
    )
    fines = found.number(
        own, f"fines.{policy.market}", evaluate(f"fines.{policy.market}", own), "MUSD"
    )
    paid = (
        f"Fines of {billion(fines)} are paid {_cash(own)}."
        if fines > LEAST
        else "No fine is paid in these years."
    )
    found.text = " ".join(
        [
            start,
            _users(found, own, base, policy.market),
            _welfare(found, own, base, policy.market),
            paid,
        ]
    )
    return found


def _worth(found: Finding, own: Summary, policy: OriginFloor) -> str:
    """Say what one more trusted wafer is worth, by segment."""
    years = _in_force(own, policy)
    if not years:
        return _outside(own, policy)
    duals: dict[str, list[float]] = {}
    for (policy_id, s, _), dual in own.floors.items():
        if policy_id == policy.id:
            duals.setdefault(s, []).append(dual)
    when = f"in {years[0]}" if len(years) == 1 else f"mean of {span(years)}"
    mean = {
        s: found.number(
            own,
            f"dual of {policy.id}, {when}",
            sum(values) / len(values),
            "USD/wafer",
            s,
        )
        for s, values in duals.items()
    }
    binding = sorted((s for s in mean if mean[s] > BINDS), key=lambda s: -mean[s])
    slack = [lower(own.segment(s)) for s in mean if mean[s] <= BINDS]
    if not binding:
        return f"binds nowhere in {span(years)}: trusted origins have that share anyway"
    worth = listed([f"USD {mean[s]:,.0f} in {lower(own.segment(s))}" for s in binding])
    return f"makes one more trusted wafer worth {worth} (its dual, {when})" + (
        f", and does not bind in {listed(slack)}" if slack else ""
    )


def _present(own: Summary) -> str:
    return f"in present value over {own.labels.years[0]} to {own.labels.horizon}"


def _cash(own: Summary) -> str:
    return f"in cash over {span(own.labels.years)}"


def _users(found: Finding, own: Summary, base: Summary, region: str) -> str:
    lost = found.metric(f"cost.buyers.{region}", own, base)
    if abs(lost) < LEAST:
        return f"Users in {own.region(region)} neither gain nor lose."
    return (
        f"Users in {own.region(region)} {'lose' if lost > 0 else 'gain'}"
        f" {billion(abs(lost))} {_present(own)}."
    )


def _revenue(found: Finding, own: Summary, base: Summary, region: str) -> str:
    taken = found.metric(f"revenue.{region}", own, base)
    if abs(taken) < LEAST:
        return (
            f"The treasury of {own.region(region)} takes neither more nor less in"
            " tariffs in the years reported."
        )
    way = "more" if taken > 0 else "less"
    return (
        f"The treasury of {own.region(region)} takes {billion(abs(taken))} {way} in"
        f" tariffs {_cash(own)}."
    )


def _welfare(
    found: Finding, own: Summary, base: Summary, region: str, duty: bool = False
) -> str:
    here = found.metric(f"welfare.{region}", own, base)
    world = found.metric("welfare.all", own, base)
    said = both(
        (here, f"in {own.region(region)}"), (world, "in the world as a whole"), billion
    )
    alone = "; nobody retaliates in the model" if duty else ""
    return f"Welfare (users, firms and treasury) {said}, {_present(own)}{alone}."
