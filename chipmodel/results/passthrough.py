"""Pass-through: how much of a duty on bare chips goes into prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chipmodel.policies.base import chosen
from chipmodel.policies.tariff import Tariff
from chipmodel.results.summary import RSY, Summary


@dataclass(frozen=True)
class PassThrough:
    """How much of a duty per wafer goes into prices.

    Attributes
    ----------
    maker, user : dict
        Rise of the price over the duty, by segment, weighted by imports over the years.
    weight : dict
        Duty on what is imported, by segment, kwpm times USD per wafer.
    premium : dict
        Price at maker less the lowest price elsewhere in the reference, over the duty.
    gone : list
        Segments with dutiable imports in the reference and none in any year of the
        case.
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
        total = 0.0
        weight = 0.0
        for segment in self.weight if among is None else among:
            total += which[segment] * self.weight[segment]
            weight += self.weight[segment]
        return total / weight if weight > 0 else float("nan")


def pass_through(summary: Summary, base: Summary, policy: Tariff) -> PassThrough:
    r"""Return how much of a duty on bare chips goes into prices.

    For each segment and year with dutiable imports q and duty d per wafer, the rise of
    the price against the reference over d, weighted by q d:

    .. math:: \frac{\sum_t q_t (p_t - p^{ref}_t)}{\sum_t q_t d}

    It is for duties by place of making only.
    """
    importer = policy.importer
    dutiable = summary.dutiable
    segments = chosen(policy.segments, tuple(summary.labels.segments))
    imports = _dutiable_imports(summary, policy, segments)
    imports_before = _dutiable_imports(base, policy, segments)
    maker: dict[str, float] = defaultdict(float)
    user: dict[str, float] = defaultdict(float)
    weight: dict[str, float] = defaultdict(float)
    premium: dict[str, float] = defaultdict(float)
    for (segment, year), wafers in imports.items():
        key = (importer, segment, year)
        # Without a price in the reference there is no rise to measure.
        if key not in base.maker_price or key not in base.user_price:
            continue
        price_before = base.maker_price[key]
        elsewhere = _lowest_elsewhere(base.maker_price, key)
        weight[segment] += wafers * policy.rate * policy.scope * dutiable[segment]
        maker[segment] += wafers * (summary.maker_price[key] - price_before)
        user[segment] += wafers * (summary.user_price[key] - base.user_price[key])
        premium[segment] += wafers * (price_before - elsewhere)
    dutied = [segment for segment in segments if weight[segment] > 0]

    def over_duty(amounts: dict[str, float]) -> dict[str, float]:
        return {segment: amounts[segment] / weight[segment] for segment in dutied}

    segments_now = {segment for segment, _ in imports}
    segments_before = {segment for segment, _ in imports_before}
    gone = segments_before - segments_now
    return PassThrough(
        maker=over_duty(maker),
        user=over_duty(user),
        weight={segment: weight[segment] for segment in dutied},
        premium=over_duty(premium),
        gone=[segment for segment in segments if segment in gone],
        before=bool(imports_before),
        still=bool(imports),
    )


def _lowest_elsewhere(prices: Mapping[RSY, float], key: RSY) -> float:
    """Return the lowest price in other regions; the price itself if there is none."""
    region, segment, year = key
    elsewhere = []
    for (r, s, t), price in prices.items():
        if (s, t) == (segment, year) and r != region:
            elsewhere.append(price)
    return min(elsewhere, default=prices[key])


def _dutiable_imports(
    summary: Summary, policy: Tariff, segments: tuple[str, ...]
) -> dict[tuple[str, int], float]:
    """Return dutiable imports of bare chips by segment and year, kwpm."""
    origins = set(chosen(policy.origins, tuple(summary.labels.regions)))
    origins -= {policy.importer, *policy.exempt}
    imports: dict[tuple[str, int], float] = defaultdict(float)
    for (segment, origin, place, year), wafers in summary.bought.items():
        if place != policy.importer or origin not in origins:
            continue
        if segment in segments and policy.active(year) and wafers > 0:
            imports[segment, year] += wafers
    return dict(imports)
