"""What a comparison says, in sentences filled from its numbers; every sign is read off, none is assumed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chipmodel.metrics import evaluate
from chipmodel.policies import OriginFloor, Tariff
from chipmodel.policies.base import chosen
from chipmodel.policies.support import Support
from chipmodel.summary import Summary

Pair = tuple[Summary, Summary]
"""A solution and its reference in the same world."""
BINDS = 0.5
"""A floor binds if one more trusted wafer is worth more than this, USD."""


def sentences(pairs: Iterable[Pair]) -> list[str]:
    """Return the findings a list of comparisons has: support withdrawn, duties and floors added."""
    every = [(own, base) for own, base in pairs if own.case.name != base.case.name]
    found: list[str] = []
    for name in dict.fromkeys(own.case.name for own, _ in every):
        same = [(own, base) for own, base in every if own.case.name == name]
        region = _support_withdrawn(*same[0])
        if region:
            found.append(support_finding(same, region))
        own, base = same[0]
        added = [p for p in own.case.policies if p.id not in {q.id for q in base.case.policies}]
        for policy in added:
            if isinstance(policy, Tariff) and policy.on == "chips" and not policy.idle:
                found.append(duty_finding(own, base, policy))
            if isinstance(policy, OriginFloor) and not policy.idle:
                found.append(floor_finding(own, base, policy))
    return found


# -- support ----------------------------------------------------------------------------------------


def _support_withdrawn(own: Summary, base: Summary) -> str:
    """Return the region whose support, and nothing else, the reference has and this case has not."""
    mine = {p.id: p for p in own.case.policies}
    gone = [p for p in base.case.policies if mine.get(p.id) != p]
    new = [p for p in own.case.policies if p.id not in {q.id for q in base.case.policies}]
    regions = {p.region if isinstance(p, Support) else "" for p in gone}
    return regions.pop() if len(regions) == 1 and not new and not any(p.id in mine for p in gone) else ""


def support_finding(pairs: list[Pair], region: str) -> str:
    """Say what a region's capacity is with and without its support, in each world."""
    own, base = pairs[0]
    place, year = own.region(region), own.labels.years[-1]
    lead = leading(own)
    each = "; ".join(
        f"{_world_said(a, pairs)}, it is {_change(a, b, region, 'all', year)} in all and "
        f"{_change(a, b, region, lead, year)} in {_lower(own.segment(lead))}"
        for a, b in pairs
    )
    paid = evaluate(f"outlay.{region}", base) - evaluate(f"outlay.{region}", own)
    buyers = evaluate(f"cost.buyers.{region}", own, base)
    return (
        f"Support: in the model, capacity in {place} in {year} without that support ({own.case.name}) differs from "
        f"{base.case.name} like this: {each}. The treasury {'saves' if paid >= 0 else 'pays'} {_bn(abs(paid))} of cash "
        f"over {_span(own.labels.years)}, and users in {place} {'lose' if buyers >= 0 else 'gain'} {_bn(abs(buyers))} "
        f"in present value{_world_short(own, pairs)}."
    )


def _change(own: Summary, base: Summary, region: str, segment: str, year: int) -> str:
    now, before = (evaluate(f"capacity.{region}.{segment}.{year}", one) for one in (own, base))
    share, share0 = (evaluate(f"share.capacity.{region}.{segment}.{year}", one) for one in (own, base))
    if abs(now - before) <= 5e-4 * max(before, 1.0):
        return f"the same ({_pc(share)} of the world's)"
    by = f"{_pc(abs(now / before - 1.0))} " if before > 0 else ""
    return f"{by}{'lower' if now < before else 'higher'} ({_pc(share)} instead of {_pc(share0)} of the world's)"


def leading(own: Summary) -> str:
    """Return the leading-edge segment: logic below 10 nm, or the one of highest value if there is none."""
    if "logic_lt10" in own.labels.segments:
        return "logic_lt10"
    return max(own.dutiable, key=lambda s: own.dutiable[s])


def _world_said(own: Summary, pairs: list[Pair]) -> str:
    if len({one.world.committed for one, _ in pairs}) > 1:
        if own.world.committed == 1.0:
            return "with commitments as they are"
        if own.world.committed == 0.0:
            return "with every project freed of its commitments"
    return f"in the world {own.world.name}"


def _world_short(own: Summary, pairs: list[Pair]) -> str:
    return f", {_world_said(own, pairs)}" if len(pairs) > 1 else ""


# -- duties -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PassThrough:
    """How much of a duty per wafer goes into prices.

    Attributes
    ----------
    maker, user : dict
        Rise of the price over the duty, by segment, weighted by imports over the years.
    weight : dict
        Duty on what is imported, by segment, MUSD-like weights.
    premium : dict
        By how much the price at maker stood above the least elsewhere in the reference, over the duty.
    gone : list
        Segments no longer imported in any year.
    """

    maker: dict[str, float]
    user: dict[str, float]
    weight: dict[str, float]
    premium: dict[str, float]
    gone: list[str]

    def total(self, which: dict[str, float], among: Iterable[str] | None = None) -> float:
        """Return the mean over segments, weighted by duty on imports."""
        segments = list(self.weight if among is None else among)
        weight = sum(self.weight[s] for s in segments)
        return sum(which[s] * self.weight[s] for s in segments) / weight if weight > 0 else float("nan")


def pass_through(own: Summary, base: Summary, policy: Tariff) -> PassThrough:
    """Return how much of a duty on bare chips goes into prices, where dutiable chips are imported.

    For each segment and year with dutiable imports q and duty d per wafer, the rise of the price
    against the reference over d, weighted by q d.
    """
    here = policy.importer
    every = tuple(own.labels.regions)
    dutiable = set(chosen(policy.origins, every)) - {here, *policy.exempt}
    maker, user, weight, premium = ({s: 0.0 for s in own.labels.segments} for _ in range(4))
    traded = set()
    for (s, r, m, t), wafers in own.bought.items():
        duty = policy.rate * policy.scope * own.dutiable[s]
        key = (here, s, t)
        if m != here or r not in dutiable or not policy.active(t) or s not in chosen(policy.segments, tuple(weight)):
            continue
        traded.add(s)
        if key not in base.maker_price or key not in base.user_price:
            continue
        least = min(p for (where, q, y), p in base.maker_price.items() if (q, y) == (s, t) and where != here)
        weight[s] += wafers * duty
        maker[s] += wafers * (own.maker_price[key] - base.maker_price[key])
        user[s] += wafers * (own.user_price[key] - base.user_price[key])
        premium[s] += wafers * (base.maker_price[key] - least)
    kept = [s for s in weight if weight[s] > 0]
    before = {s for (s, r, m, t) in base.bought if m == here and r in dutiable and policy.active(t)}
    gone = [s for s in chosen(policy.segments, tuple(weight)) if s in before and s not in traded]
    return PassThrough({s: maker[s] / weight[s] for s in kept}, {s: user[s] / weight[s] for s in kept},
                       {s: weight[s] for s in kept}, {s: premium[s] / weight[s] for s in kept}, gone)


def duty_finding(own: Summary, base: Summary, policy: Tariff) -> str:
    """Say who bears a duty: makers of devices, users, and what leaks into imported devices."""
    here, place = policy.importer, own.region(policy.importer)
    through = pass_through(own, base, policy)
    years = tuple(t for t in own.labels.years if policy.active(t))
    name = f"the {_pc(policy.rate, 0)} duty on bare chips ({policy.id})"
    if through.maker:
        maker, user = through.total(through.maker), through.total(through.user)
        start = (
            f"Tariff: in the model, {name} {_raises(maker)} the price makers of devices in {place} pay by "
            f"{_size(maker)} of the duty a wafer and {_raises(user)} the price users there pay by {_size(user)} of it, "
            f"where dutiable chips are still imported ({_span(years)}). {_by_segment(own, through)}"
        )
    else:
        start = f"Tariff: in the model, under {name} no dutiable chip is imported into {place} any more."
    home, total = (_moved(own, base, here, user, years) for user in (here, None))
    users = evaluate(f"cost.buyers.{here}", own, base)
    taken = evaluate(f"revenue.{here}", own) - evaluate(f"revenue.{here}", base)
    return start + (
        f" The leak into devices: device making in {place} {home} for its own users and {total} in all. Users in "
        f"{place} {'lose' if users >= 0 else 'gain'} {_bn(abs(users))} in present value; its treasury takes "
        f"{_bn(abs(taken))} {'more' if taken >= 0 else 'less'} in tariffs over {_span(own.labels.years)}."
    )


def _by_segment(own: Summary, through: PassThrough) -> str:
    """Tell the segments in which a duty is passed on from those in which the reference price held a premium."""
    total = through.total(through.maker)
    odd = [s for s, x in through.maker.items() if x < 0.5 * total and through.premium[s] > 0.25]
    rest = sorted((s for s in through.maker if s not in odd), key=lambda s: -through.maker[s])
    said = []
    if rest:
        listed = _list([f"{_pc(through.maker[s], 0)} in {_lower(own.segment(s))}" for s in rest])
        said.append(f"At the maker that is {listed}")
    said += [
        f"{'but ' if rest else 'At the maker that is '}{_pc(through.maker[s], 0)} in {_lower(own.segment(s))}, where "
        f"the price of the reference case stood above that elsewhere by {_pc(through.premium[s], 0)} of the duty"
        for s in odd
    ]
    if rest and odd:
        those = "that segment" if len(odd) == 1 else "those segments"
        said.append(f"without {those} the mean is {_pc(through.total(through.maker, rest), 0)}")
    if through.gone:
        said.append(f"no foreign {_list([_lower(own.segment(s)) for s in through.gone])} is bought any more")
    return "; ".join(said) + "."


def _moved(own: Summary, base: Summary, maker: str, user: str | None, years: tuple[int, ...]) -> str:
    now, before = (
        sum(v for (_, m, e, t), v in one.devices.items() if m == maker and user in (None, e) and t in years)
        for one in (own, base)
    )
    if before <= 0:
        return "stays at nothing" if now <= 0 else "begins"
    change = now / before - 1.0
    return f"{'falls' if change < 0 else 'rises'} by {_pc(abs(change), 0)}"


def _raises(share: float) -> str:
    return "raises" if share >= 0 else "lowers"


def _size(share: float) -> str:
    return _pc(abs(share), 0)


# -- floors -----------------------------------------------------------------------------------------


def floor_finding(own: Summary, base: Summary, policy: OriginFloor) -> str:
    """Say what a rule of origin is worth per wafer where it binds, and what it costs the market's users."""
    place = own.region(policy.market)
    span: dict[str, list[float]] = {}
    for (policy_id, s, _), dual in own.floors.items():
        if policy_id == policy.id:
            span.setdefault(s, []).append(dual)
    mean = {s: sum(values) / len(values) for s, values in span.items()}
    binding = sorted((s for s in mean if mean[s] > BINDS), key=lambda s: -mean[s])
    slack = [s for s in mean if mean[s] <= BINDS]
    years = tuple(t for t in own.labels.years if policy.active(t))
    what = "chips used" if policy.on == "use" else "chips bought by makers of devices"
    start = (
        f"Friendshoring: in the model, the floor of {_pc(policy.share, 0)} from trusted origins on {what} in {place} "
        f"({policy.id}) "
    )
    if binding:
        worth = _list([f"USD {mean[s]:,.0f} in {_lower(own.segment(s))}" for s in binding])
        start += f"makes one more trusted wafer worth {worth} (its dual, mean of {_span(years)})"
        start += f", and does not bind in {_list([_lower(own.segment(s)) for s in slack])}." if slack else "."
    else:
        start += "binds nowhere: trusted origins have that share anyway."
    users = evaluate(f"cost.buyers.{policy.market}", own, base)
    world = evaluate("welfare.all", own, base)
    fines = evaluate(f"fines.{policy.market}", own)
    return start + (
        f" It {'costs' if users >= 0 else 'gains'} users in {place} {_bn(abs(users))} in present value, and the world "
        f"as a whole {'gains' if world >= 0 else 'loses'} {_bn(abs(world))}; "
        + (f"fines of {_bn(fines)} are paid." if fines > 0.5 else "no fine is paid.")
    )


# -- words ------------------------------------------------------------------------------------------


def _pc(share: float, decimals: int = 1) -> str:
    return f"{round(100.0 * share, decimals) + 0.0:.{decimals}f}%"


def _bn(musd: float) -> str:
    return f"USD {musd / 1000.0:,.1f} bn" if musd >= 100.0 or musd == 0 else f"USD {musd:,.1f} million"


def _span(years: tuple[int, ...]) -> str:
    return f"{years[0]} to {years[-1]}" if len(years) > 1 else str(years[0])


def _list(words: list[str]) -> str:
    between, last = ("; ", "; and ") if any("," in word for word in words) else (", ", " and ")
    return words[0] if len(words) == 1 else between.join(words[:-1]) + last + words[-1]


def _lower(name: str) -> str:
    """Return a segment's name inside a sentence: Logic becomes logic, DRAM stays."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
