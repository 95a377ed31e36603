"""What a comparison of cases shows, as paragraphs that are filled from its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from chipmodel.common.text import billion, listed, lower, percent
from chipmodel.dataset.derived import Intervals
from chipmodel.display.duty_finding import duty_finding
from chipmodel.display.finding_parts import (
    UNCHANGED,
    Finding,
    Pair,
    cash,
    fines_sentence,
    floor_worth,
    instrument,
    recorded_instrument,
    revenue_sentence,
    users_sentence,
    welfare_sentence,
)
from chipmodel.display.intervals import known, sure
from chipmodel.policies.base import Policy
from chipmodel.policies.guardrail import Guardrail
from chipmodel.policies.origin_floor import OriginFloor
from chipmodel.policies.support import Support
from chipmodel.policies.tariff import Tariff
from chipmodel.results.metrics import ALL, evaluate, parse
from chipmodel.results.summary import Summary

COLUMNS = ("statement", "world", "quantity", "segment", "value", "unit")


def sentences(pairs: Iterable[tuple[Summary, Summary]]) -> list[str]:
    """Return the paragraphs of the findings of comparisons."""
    return [finding.text for finding in findings(pairs)]


def table(all_findings: Iterable[Finding]) -> pd.DataFrame:
    """Return every number of findings, a row each."""
    rows = []
    for finding in all_findings:
        rows += [(finding.statement, *row) for row in finding.numbers]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def findings(
    pairs: Iterable[tuple[Summary, Summary]], intervals: Intervals | None = None
) -> list[Finding]:
    """Return the findings of comparisons: support withdrawn, duties and floors added.

    Parameters
    ----------
    pairs : iterable
        Each solution with its reference in the same world.
    intervals : Intervals, optional
        Shown beside the numbers they belong to.
    """
    by_case: dict[str, list[Pair]] = {}
    for summary, base in pairs:
        if summary.case.name != base.case.name:
            by_case.setdefault(summary.case.name, []).append(Pair(summary, base))
    all_findings: list[Finding] = []
    # A case may be solved in several worlds; its sums are those of the first.
    for worlds in by_case.values():
        region = _region_without_support(worlds[0])
        of_case = list(_trade_findings(worlds[0]))
        if region:
            of_case = [support_finding(worlds, region)]
        for finding in of_case:
            _add_intervals(finding, worlds[0], intervals or Intervals({}))
        all_findings += of_case
    return all_findings


def _add_intervals(finding: Finding, pair: Pair, intervals: Intervals) -> None:
    """Add the intervals of the numbers a finding is most about."""
    summary, base = pair
    year, region = summary.labels.years[-1], finding.region
    segments = dict.fromkeys((ALL, summary.labels.leading))
    names = [f"share.capacity.{region}.{segment}.{year}" for segment in segments]
    names += [f"cost.buyers.{region}", f"welfare.{region}", "welfare.all"]
    for name in names:
        ends = known(summary, base, name, intervals)
        if ends is not None:
            unit = parse(name).unit
            low, high = ends
            finding.number(summary, f"low of {name}", low, unit)
            finding.number(summary, f"high of {name}", high, unit)
    sentence = sure([(summary, base, name) for name in names], intervals)
    finding.text = f"{finding.text} {sentence}".rstrip()


@dataclass(frozen=True)
class Changes:
    """The instruments by which a case differs from its reference."""

    added: list[Policy]
    changed: list[Policy]
    removed: list[Policy]

    @classmethod
    def of(cls, pair: Pair) -> Changes:
        """Compare the instruments of a case, by id, with those of its reference."""
        policies = _active_policies(pair.summary)
        reference = _active_policies(pair.base)
        added, changed = [], []
        for name, policy in policies.items():
            if name not in reference:
                added.append(policy)
            elif reference[name] != policy:
                changed.append(policy)
        removed = [policy for name, policy in reference.items() if name not in policies]
        return cls(added, changed, removed)


def _active_policies(summary: Summary) -> dict[str, Policy]:
    return {
        policy.id: policy for policy in summary.case.policies if not policy.inactive
    }


def _region_without_support(pair: Pair) -> str:
    """Return the region whose support a case removes, if it changes nothing else.

    What the region asks in return for its support, a guardrail, may be removed with it.
    """
    changes = Changes.of(pair)
    if changes.added or changes.changed:
        return ""
    regions = set()
    has_support = False
    for policy in changes.removed:
        if not isinstance(policy, Support | Guardrail):
            return ""
        has_support |= isinstance(policy, Support)
        regions.add(policy.region)
    # A guardrail alone is a condition, and support of two regions has no one finding.
    if not has_support or len(regions) > 1:
        return ""
    return regions.pop()


def support_finding(pairs: Sequence[Pair], region: str) -> Finding:
    """Return what a region's capacity is with and without its support, by world."""
    summary, base = pairs[0]
    finding = Finding(f"support.{summary.case.name}", region)
    leading = summary.labels.leading
    segment = lower(summary.segment(leading))
    worlds = []
    for pair in pairs:
        total_change = _capacity_change(finding, pair, region, ALL)
        leading_change = _capacity_change(finding, pair, region, leading)
        worlds.append(
            f"{_world_phrase(pair.summary, pairs)}, it is {total_change} in all and"
            f" {leading_change} in {segment}"
        )
    # Support is withdrawn, so that less outlay than in the reference is money saved.
    saved = -finding.metric(f"outlay.{region}", pairs[0])
    verb = "saves" if saved >= 0 else "pays"
    text = [
        f"Support: in the model, capacity in {summary.region(region)} in"
        f" {summary.labels.years[-1]} without that support ({summary.case.name})"
        f" compares with {base.case.name} as follows: {'; '.join(worlds)}.",
        f"The treasury {verb} {billion(abs(saved))} of support {cash(summary)}.",
        users_sentence(finding, pairs[0], region),
        welfare_sentence(finding, pairs[0], region),
    ]
    if len(pairs) > 1:
        text.append(f"These sums are those {_world_phrase(summary, pairs)}.")
    finding.text = " ".join(text)
    return finding


def _capacity_change(finding: Finding, pair: Pair, region: str, segment: str) -> str:
    """Return by how much capacity in the last year differs from the reference."""
    summary, base = pair
    year = summary.labels.years[-1]
    capacity = f"capacity.{region}.{segment}.{year}"
    new, old = evaluate(capacity, summary), evaluate(capacity, base)
    new_share = evaluate(f"share.{capacity}", summary)
    old_share = evaluate(f"share.{capacity}", base)
    quantity = f"share.capacity.{region}.{year}"
    finding.number(summary, quantity, new_share, "share", segment)
    finding.number(summary, f"{quantity} in the reference", old_share, "share", segment)
    # Where nothing was built before, there is no relative change to give.
    size = ""
    if old > 0:
        change = new / old - 1.0
        name = f"relative change of capacity.{region}.{year}"
        finding.number(summary, name, change, "share", segment)
        size = f"{percent(abs(change))} "
    if abs(new - old) <= UNCHANGED * max(old, 1.0):
        return f"the same ({percent(new_share)} of the world's)"
    direction = "lower" if new < old else "higher"
    return (
        f"{size}{direction} ({percent(new_share)} instead of {percent(old_share)} of"
        " the world's)"
    )


def _world_phrase(summary: Summary, pairs: Sequence[Pair]) -> str:
    """Return a world by its committed projects where worlds differ in them."""
    committed = summary.world.committed
    if len({pair.summary.world.committed for pair in pairs}) > 1:
        if committed == 1.0:
            return "with commitments as they are"
        if committed == 0.0:
            return "with no announced project committed"
    return f"in the world {summary.world.name}"


def _trade_findings(pair: Pair) -> Iterator[Finding]:
    """Return the finding of a duty or floor if a case changes nothing else.

    If it changes more, the finding is one of the case as a whole.
    """
    changes = Changes.of(pair)
    trade_rules = []
    for added in changes.added:
        if isinstance(added, Tariff | OriginFloor):
            trade_rules.append(added)
    if not trade_rules:
        return
    policy = trade_rules[0]
    # The effect of several instruments together belongs to none of them.
    if len(changes.added) > 1 or changes.changed or changes.removed:
        yield case_finding(pair, changes)
    elif isinstance(policy, Tariff):
        yield duty_finding(pair, policy)
    else:
        yield floor_finding(pair, policy)


def case_finding(pair: Pair, changes: Changes) -> Finding:
    """Return what a case of several instruments does, without attributing it to one."""
    summary, base = pair
    regions: list[str] = []
    for policy in changes.added:
        if isinstance(policy, Tariff):
            regions.append(policy.importer)
        elif isinstance(policy, OriginFloor):
            regions.append(policy.market)
    # The finding is about the region of the first duty or floor that is added.
    finding = Finding(f"case.{summary.case.name}", regions[0])
    added = []
    for policy in changes.added:
        added.append(recorded_instrument(finding, policy, summary))
    actions = [f"adds {listed(added)}"]
    for verb, policies in (("changes", changes.changed), ("removes", changes.removed)):
        if policies:
            actions.append(f"{verb} {listed([policy.id for policy in policies])}")
    text = [
        f"Case {summary.case.name}: in the model, the case {listed(actions)}, against"
        f" {base.case.name}; the numbers are those of the case as a whole."
    ]
    differing = [*changes.added, *changes.changed, *changes.removed]
    has_duty = any(isinstance(policy, Tariff) for policy in differing)
    for region in dict.fromkeys(regions):
        text.append(users_sentence(finding, pair, region))
        text.append(revenue_sentence(finding, pair, region))
        text.append(welfare_sentence(finding, pair, region, has_duty))
    for policy in changes.added:
        if isinstance(policy, OriginFloor):
            worth = floor_worth(finding, policy, summary)
            text.append(f"Under the case, {instrument(policy, summary)} {worth}.")
    finding.text = " ".join(text)
    return finding


def floor_finding(pair: Pair, policy: OriginFloor) -> Finding:
    """Return what a floor is worth per wafer where it binds, and its cost to users."""
    summary = pair.summary
    finding = Finding(f"floor.{summary.case.name}.{policy.id}", policy.market)
    floor = recorded_instrument(finding, policy, summary)
    worth = floor_worth(finding, policy, summary)
    fines = fines_sentence(finding, policy, summary)
    finding.text = " ".join(
        [
            f"Friendshoring: in the model, {floor} {worth}.",
            users_sentence(finding, pair, policy.market),
            welfare_sentence(finding, pair, policy.market),
            fines,
        ]
    )
    return finding
