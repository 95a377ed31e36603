"""The finding of a duty: who bears it, and what becomes of device making."""

from __future__ import annotations

from chipmodel.common.text import listed, lower, percent, span, two_changes_phrase
from chipmodel.display.finding_parts import (
    UNCHANGED,
    Finding,
    Pair,
    outside_report,
    recorded_instrument,
    revenue_sentence,
    users_sentence,
    welfare_sentence,
    years_in_force,
)
from chipmodel.policies.tariff import Tariff
from chipmodel.results.passthrough import PassThrough, pass_through
from chipmodel.results.summary import Summary

DUTY_SHARE = "share of the duty"
"""Unit of a pass-through."""


WEAK = 0.5
"""A pass-through below this part of the mean is weak."""


PREMIUM = 0.25
"""A premium in the reference price above this part of the duty explains a weak one."""


def duty_finding(pair: Pair, policy: Tariff) -> Finding:
    """Return who bears a duty: makers of devices, users, and device making abroad."""
    summary = pair.summary
    importer = policy.importer
    finding = Finding(f"tariff.{summary.case.name}.{policy.id}", importer)
    duty = recorded_instrument(finding, policy, summary)
    text = [f"Tariff: in the model, {duty} {_incidence(finding, pair, policy)}"]
    # A duty on bare chips makes devices from abroad cheaper than those made at home.
    years = years_in_force(policy, summary)
    if years:
        change = _device_making(finding, pair, importer, years)
        text.append(
            f"Leakage into imported devices: device making in"
            f" {summary.region(importer)} {change} ({span(years)})."
        )
    text += [
        users_sentence(finding, pair, importer),
        revenue_sentence(finding, pair, importer),
        welfare_sentence(finding, pair, importer, has_duty=True),
    ]
    finding.text = " ".join(text)
    return finding


def _incidence(finding: Finding, pair: Pair, policy: Tariff) -> str:
    """Return how much of a duty goes into prices, or why that is not known."""
    summary, base = pair
    years = years_in_force(policy, summary)
    place = summary.region(policy.importer)
    if not years:
        return f"{outside_report(policy, summary)}."
    if policy.on == "use":
        return "applies to chips in devices too, and no pass-through is given."
    # By place of packaging the duty of a wafer is not known from where it was made.
    if policy.origin_rule == "assembly":
        return (
            "takes the place of packaging for the origin, and no pass-through is given."
        )
    through = pass_through(summary, base, policy)
    if not through.before and not through.still:
        return (
            f"affects no trade: nothing dutiable is bought in {place} in"
            f" {base.case.name} either."
        )
    if not through.still:
        return f"ends the trade: no dutiable chip is bought in {place} any more."
    if not through.maker:
        return "cannot be compared: the reference case has no price for these chips."
    maker = through.total(through.maker)
    user = through.total(through.user)
    finding.number(summary, "pass-through at maker", maker, DUTY_SHARE)
    finding.number(summary, "pass-through at user", user, DUTY_SHARE)
    for segment in through.maker:
        by_quantity = {
            "pass-through at maker": through.maker[segment],
            "pass-through at user": through.user[segment],
            "price at maker in the reference above the lowest elsewhere": (
                through.premium[segment]
            ),
        }
        for quantity, value in by_quantity.items():
            finding.number(summary, quantity, value, DUTY_SHARE, segment)
    return (
        f"{_raises(maker)} the price makers of devices there pay by"
        f" {percent(abs(maker))} of the duty a wafer and {_raises(user)} the price"
        f" users there pay by {percent(abs(user))} of it, where dutiable chips are"
        f" still bought ({span(years)}). {_by_segment(finding, summary, through)}"
    )


def _raises(share: float) -> str:
    return "raises" if share >= 0 else "lowers"


def _by_segment(finding: Finding, summary: Summary, through: PassThrough) -> str:
    """Return the pass-through by segment.

    Segments in which the reference price already contained a premium are listed apart:
    there the duty replaces the premium and raises the price by less.
    """
    # A ratio to the mean has no meaning where the mean is negative.
    total = through.total(through.maker)
    weak, other = [], []
    for segment, share in through.maker.items():
        is_weak = total > 0 and share < WEAK * total
        if is_weak and through.premium[segment] > PREMIUM:
            weak.append(segment)
        else:
            other.append(segment)
    other.sort(key=lambda segment: -through.maker[segment])

    def share_in(segment: str) -> str:
        return f"{percent(through.maker[segment])} in {lower(summary.segment(segment))}"

    start = "At the maker, the pass-through is "
    clauses = []
    if other:
        clauses.append(start + listed([share_in(segment) for segment in other]))
    # With no other segment, the weak ones open the sentence.
    weak_start = "but " if other else start
    for segment in weak:
        clauses.append(
            f"{weak_start}{share_in(segment)}, where the price in the reference case"
            " exceeded the lowest elsewhere by"
            f" {percent(through.premium[segment])} of the duty"
        )
    if other and weak:
        mean = through.total(through.maker, other)
        quantity = f"pass-through at maker without {' '.join(weak)}"
        finding.number(summary, quantity, mean, DUTY_SHARE)
        segments = "that segment"
        if len(weak) > 1:
            segments = "those segments"
        clauses.append(f"without {segments} the mean is {percent(mean)}")
    if through.gone:
        gone = [lower(summary.segment(segment)) for segment in through.gone]
        clauses.append(f"no dutiable {listed(gone)} is bought any more")
    return "; ".join(clauses) + "."


def _device_making(
    finding: Finding, pair: Pair, maker: str, years: tuple[int, ...]
) -> str:
    """Return how device making in a region changes, for users at home and in all."""
    home, total = "for users at home", "in all"
    changes: dict[str, float] = {}
    without_base: dict[str, str] = {}
    for user, where in ((maker, home), (None, total)):
        new = _devices_made(pair.summary, maker, user, years)
        old = _devices_made(pair.base, maker, user, years)
        if old > 0:
            quantity = f"relative change of device making in {maker} {where}"
            changes[where] = finding.number(
                pair.summary, quantity, new / old - 1.0, "share"
            )
        elif new > 0:
            without_base[where] = "starts"
        else:
            without_base[where] = "stays at zero"
    if not without_base:
        return two_changes_phrase(
            (changes[home], home), (changes[total], total), percent, UNCHANGED
        )
    if changes:
        # Making for the home market is a part of all, so that it is the one at zero.
        change = changes[total]
        verb = "falls" if change < 0 else "rises"
        start = f"{without_base[home]} {home}"
        return f"{start} and {verb} by {percent(abs(change))} {total}"
    return " and ".join(f"{verb} {where}" for where, verb in without_base.items())


def _devices_made(
    summary: Summary, maker: str, user: str | None, years: tuple[int, ...]
) -> float:
    """Return what a region makes for a user, or for all, over years, kwpm."""
    made = 0.0
    for (_, place, buyer, year), kwpm in summary.devices.items():
        if place == maker and user in (None, buyer) and year in years:
            made += kwpm
    return made
