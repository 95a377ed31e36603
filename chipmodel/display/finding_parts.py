"""A finding while it is written, and the sentences that several findings share.

Every sentence is filled from numbers, and every number it is filled from is recorded
with the finding. Whether something rises or falls is read off the number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from chipmodel.common.text import NEGLIGIBLE as NEGLIGIBLE
from chipmodel.common.text import (
    billion,
    listed,
    lower,
    percent,
    span,
    two_changes_phrase,
)
from chipmodel.policies.base import Policy
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.policies.tariff import Tariff
from chipmodel.results.metrics import ALL, evaluate, parse
from chipmodel.results.summary import Summary

BINDS = 0.5
"""A floor binds if one more trusted wafer is worth more than this, USD."""


UNCHANGED = 5e-4
"""A share that changes by less than this counts as unchanged."""


class Pair(NamedTuple):
    """A solution and the reference it is compared with, in the same world."""

    summary: Summary
    base: Summary


Row = tuple[str, str, str, float, str]
"""World, quantity, segment, value and unit of a number."""


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
    text : str
    numbers : list of Row
    """

    statement: str
    region: str
    text: str = ""
    numbers: list[Row] = field(default_factory=list)

    def number(
        self,
        summary: Summary,
        quantity: str,
        value: float,
        unit: str,
        segment: str = ALL,
    ) -> float:
        """Record a number, once, and return it."""
        row = (summary.world.name, quantity, segment, value, unit)
        # Two sentences may be filled from the same number.
        if row not in self.numbers:
            self.numbers.append(row)
        return value

    def metric(self, name: str, pair: Pair) -> float:
        """Record a metric, or its change against the reference, and return it.

        A metric that is a difference by itself, such as welfare, is recorded as it is.
        """
        metric = parse(name)
        if metric.family.against:
            value = metric.value(pair.summary, pair.base)
            return self.number(pair.summary, name, value, metric.unit)
        change = metric.value(pair.summary) - metric.value(pair.base)
        return self.number(pair.summary, f"change of {name}", change, metric.unit)


def instrument(policy: Policy, summary: Summary) -> str:
    """Return a duty or a floor with its rate as text; the id of other instruments."""
    if isinstance(policy, Tariff):
        goods = "bare chips"
        if policy.on == "use":
            goods = "chips in everything used"
        return (
            f"the {percent(policy.rate)} duty on {goods} in"
            f" {summary.region(policy.importer)} ({policy.id})"
        )
    if isinstance(policy, OriginFloor):
        goods = "chips bought by makers of devices"
        if policy.on == "use":
            goods = "chips used"
        return (
            f"the floor of {percent(policy.share)} from trusted origins on {goods} in"
            f" {summary.region(policy.market)} ({policy.id})"
        )
    return policy.id


def recorded_instrument(finding: Finding, policy: Policy, summary: Summary) -> str:
    """Return what an instrument is, and record its rate or share."""
    if isinstance(policy, Tariff):
        finding.number(summary, f"rate of {policy.id}", policy.rate, "share")
    if isinstance(policy, OriginFloor):
        finding.number(summary, f"share of {policy.id}", policy.share, "share")
    return instrument(policy, summary)


def years_in_force(policy: Policy, summary: Summary) -> tuple[int, ...]:
    """Return the years reported in which an instrument is in force."""
    return tuple(year for year in summary.labels.years if policy.active(year))


def outside_report(policy: Policy, summary: Summary) -> str:
    """Return that an instrument is in force in no year reported."""
    reported = f"the years reported ({span(summary.labels.years)})"
    start = policy.years[0]
    if start > summary.labels.years[-1]:
        return f"comes into force only in {start}, after {reported}"
    return f"is not in force in {reported}"


def present_value(summary: Summary) -> str:
    """Return over which years present values are taken."""
    labels = summary.labels
    return f"in present value over {labels.years[0]} to {labels.horizon}"


def cash(summary: Summary) -> str:
    """Return over which years cash is added up."""
    return f"in cash over {span(summary.labels.years)}"


def users_sentence(finding: Finding, pair: Pair, region: str) -> str:
    """Return what users of chips in a region lose or gain."""
    # The metric is a cost: it is positive where users lose.
    lost = finding.metric(f"cost.buyers.{region}", pair)
    users = f"Users in {pair.summary.region(region)}"
    if abs(lost) < NEGLIGIBLE:
        return f"{users} neither gain nor lose."
    verb = "lose" if lost > 0 else "gain"
    return f"{users} {verb} {billion(abs(lost))} {present_value(pair.summary)}."


def revenue_sentence(finding: Finding, pair: Pair, region: str) -> str:
    """Return how much more or less a region's treasury takes in tariffs."""
    change = finding.metric(f"revenue.{region}", pair)
    treasury = f"The treasury of {pair.summary.region(region)}"
    if abs(change) < NEGLIGIBLE:
        return (
            f"{treasury} takes neither more nor less in tariffs in the years reported."
        )
    more = "more" if change > 0 else "less"
    return (
        f"{treasury} takes {billion(abs(change))} {more} in tariffs"
        f" {cash(pair.summary)}."
    )


def welfare_sentence(
    finding: Finding, pair: Pair, region: str, has_duty: bool = False
) -> str:
    """Return how welfare changes in a region and in the world.

    A duty could be met by duties of others, which the sentence then excludes.
    """
    summary = pair.summary
    region_change = finding.metric(f"welfare.{region}", pair)
    world_change = finding.metric("welfare.all", pair)
    changes = two_changes_phrase(
        (region_change, f"in {summary.region(region)}"),
        (world_change, "in the world as a whole"),
        billion,
    )
    text = f"Welfare (users, firms and treasury) {changes}, {present_value(summary)}"
    if has_duty:
        text += "; nobody retaliates in the model"
    return f"{text}."


def floor_worth(finding: Finding, policy: OriginFloor, summary: Summary) -> str:
    """Return what one more trusted wafer is worth under a floor, by segment."""
    years = years_in_force(policy, summary)
    if not years:
        return outside_report(policy, summary)
    # The dual of a floor is the value of one more trusted wafer, by segment and year.
    duals: dict[str, list[float]] = {}
    for (policy_id, segment, _), dual in summary.floors.items():
        if policy_id == policy.id:
            duals.setdefault(segment, []).append(dual)
    when = f"in {years[0]}"
    if len(years) > 1:
        when = f"mean of {span(years)}"
    worth = {}
    for segment, values in duals.items():
        mean = sum(values) / len(values)
        quantity = f"dual of {policy.id}, {when}"
        finding.number(summary, quantity, mean, "USD/wafer", segment)
        worth[segment] = mean
    binding = [segment for segment in worth if worth[segment] > BINDS]
    if not binding:
        return f"binds nowhere in {span(years)}: trusted origins have that share anyway"
    binding.sort(key=lambda segment: -worth[segment])
    values_of_binding = []
    for segment in binding:
        name = lower(summary.segment(segment))
        values_of_binding.append(f"USD {worth[segment]:,.0f} in {name}")
    text = (
        f"makes one more trusted wafer worth {listed(values_of_binding)} (its dual,"
        f" {when})"
    )
    # A dual of zero is a floor that trusted origins exceed without it.
    slack = []
    for segment in worth:
        if segment not in binding:
            slack.append(lower(summary.segment(segment)))
    if slack:
        text += f", and does not bind in {listed(slack)}"
    return text


def fines_sentence(finding: Finding, policy: OriginFloor, summary: Summary) -> str:
    """Return the fines paid where a floor is missed."""
    name = f"fines.{policy.market}"
    fines = finding.number(summary, name, evaluate(name, summary), "MUSD")
    if fines > NEGLIGIBLE:
        return f"Fines of {billion(fines)} are paid {cash(summary)}."
    return "No fine is paid in these years."
