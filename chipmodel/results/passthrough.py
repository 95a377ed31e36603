"""How much of a duty on bare chips goes into prices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chipmodel.policies.base import chosen
from chipmodel.policies.tariff import Tariff
from chipmodel.results.summary import Summary


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
        By how much the price at maker stood above the least elsewhere in the reference,
        over the duty.
    gone : list
        Segments with dutiable imports in the reference and none any more in any year.
    before : bool
        Whether the reference has dutiable imports.
    still : bool
        Whether the case has dutiable imports.
    """

    maker: dict[str, float]
    user: dict[str, float]
    weight: dict[str, float]
    premium: dict[str, float]
    gone: list[str]
    before: bool
    still: bool

    def total(
        self, which: dict[str, float], among: Iterable[str] | None = None
    ) -> float:
        """Return the mean over segments, weighted by duty on imports."""
        segments = list(self.weight if among is None else among)
        weight = sum(self.weight[s] for s in segments)
        return (
            sum(which[s] * self.weight[s] for s in segments) / weight
            if weight > 0
            else float("nan")
        )


def pass_through(own: Summary, base: Summary, policy: Tariff) -> PassThrough:
    """Return how much of a duty on bare chips goes into prices, where dutiable chips are imported.

    For each segment and year with dutiable imports q and duty d per wafer, the rise of
    the price against the reference over d, weighted by q d. It is for duties by place
    of making only.
    """
    here = policy.importer
    segments = chosen(policy.segments, tuple(own.labels.segments))
    maker, user, weight, premium = ({s: 0.0 for s in segments} for _ in range(4))
    mine, theirs = _dutiable(own, policy, segments), _dutiable(base, policy, segments)
    for (s, t), wafers in mine.items():
        key = (here, s, t)
        if key not in base.maker_price or key not in base.user_price:
            continue
        now = base.maker_price[key]
        least = min(
            (
                p
                for (where, q, y), p in base.maker_price.items()
                if (q, y) == (s, t) and where != here
            ),
            default=now,
        )
        weight[s] += wafers * policy.rate * policy.scope * own.dutiable[s]
        maker[s] += wafers * (own.maker_price[key] - now)
        user[s] += wafers * (own.user_price[key] - base.user_price[key])
        premium[s] += wafers * (now - least)
    kept = [s for s in segments if weight[s] > 0]
    traded, before = {s for s, _ in mine}, {s for s, _ in theirs}
    return PassThrough(
        {s: maker[s] / weight[s] for s in kept},
        {s: user[s] / weight[s] for s in kept},
        {s: weight[s] for s in kept},
        {s: premium[s] / weight[s] for s in kept},
        [s for s in segments if s in before and s not in traded],
        bool(before),
        bool(traded),
    )


def _dutiable(
    one: Summary, policy: Tariff, segments: tuple[str, ...]
) -> dict[tuple[str, int], float]:
    """Return dutiable imports of bare chips by segment and year, kwpm."""
    origins = set(chosen(policy.origins, tuple(one.labels.regions))) - {
        policy.importer,
        *policy.exempt,
    }
    found: dict[tuple[str, int], float] = {}
    for (s, r, m, t), wafers in one.bought.items():
        if (
            m == policy.importer
            and r in origins
            and policy.active(t)
            and s in segments
            and wafers > 0
        ):
            found[s, t] = found.get((s, t), 0.0) + wafers
    return found
