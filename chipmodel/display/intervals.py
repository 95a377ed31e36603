"""How sure a number is, as text: the intervals stored for headline numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chipmodel.common.text import listed, lower, with_article
from chipmodel.common.units import SHOWN
from chipmodel.dataset.derived import CHANGE, Ends, Intervals
from chipmodel.results.metrics import ALL, Metric, evaluate, parse, programs_of
from chipmodel.results.summary import Labels, Summary

HOW_SURE = "How sure:"
"""First words of the sentence."""


PHRASES = {
    "share.capacity": "the share of {region} in {segment} in {year}",
    "capacity": "capacity of {region} in {segment} in {year}",
    "cost.buyers": "what users in {region} lose",
    "outlay": "what {region} pays in support",
    "revenue": "what {region} takes in tariffs",
    "rents": "what firms of {region} gain",
    "treasury": "what the treasury of {region} gains",
    "welfare": "what {region} gains in all",
    "hhi": "the concentration of {segment} in {year}",
}
"""What each family of metrics is called inside a sentence."""


def sure(
    wanted: Iterable[tuple[Summary, Summary, str]],
    intervals: Intervals,
    case_phrase: Callable[[str], str] | None = None,
) -> str:
    """Return the sentence that gives the intervals of metrics; empty if none is known.

    Parameters
    ----------
    wanted : iterable
        Solution, its reference and the name of a metric; with `CHANGE` before the name
        it is the metric's change against the reference.
    intervals : Intervals
    case_phrase : callable, optional
        From the name of a case to what it is called; without it cases are not named.
    """
    phrases = []
    for summary, base, name in wanted:
        ends = known(summary, base, name, intervals)
        if ends is None:
            continue
        metric = parse(name.removeprefix(CHANGE))
        text = phrase(metric, summary.labels)
        if name.startswith(CHANGE):
            text = f"the change in {text}"
        if case_phrase is not None:
            text += f" under {case_phrase(summary.case.name)}"
        phrases.append(f"{text} at {written(ends, metric.unit)}")
    if not phrases:
        return ""
    return f"{HOW_SURE} {intervals.description} put {listed(phrases)}."


def known(
    summary: Summary, base: Summary, name: str, intervals: Intervals
) -> Ends | None:
    """Return the interval of a metric or of its change, if it belongs to this value."""
    metric = name.removeprefix(CHANGE)
    value = evaluate(metric, summary, base)
    if metric != name:
        value -= evaluate(metric, base, base)
    case, world = summary.case.name, summary.world.name
    return intervals.of(case, world, name, value, programs_of(name, summary, base))


def written(ends: Ends, unit: str) -> str:
    """Return an interval inside a sentence, in the unit it is shown in.

    >>> written((0.084, 0.137), "share"), written((-2400.0, 12000.0), "MUSD")
    ('8.4 to 13.7%', '-2.4 to 12.0 USD bn')
    """
    name, factor, decimals = SHOWN.get(unit, (unit, 1.0, 3))
    texts = []
    for end in ends:
        # Adding zero turns minus zero into zero.
        number = round(factor * end, decimals) + 0.0
        texts.append(f"{number:,.{decimals}f}")
    low, high = texts
    if name in ("", "%"):
        return f"{low} to {high}{name}"
    return f"{low} to {high} {name}"


def phrase(metric: Metric, labels: Labels) -> str:
    """Return what a metric is called inside a sentence."""
    fixed = [part for part in metric.family.parts if not part.startswith("<")]
    region = str(metric.given.get("region", ""))
    segment = str(metric.given.get("segment", ""))
    region_text, segment_text = "the world", "all segments"
    if region != ALL:
        region_text = with_article(labels.regions.get(region, region))
    if segment != ALL:
        segment_text = lower(labels.segments.get(segment, segment))
    return PHRASES.get(".".join(fixed), metric.name).format(
        region=region_text,
        segment=segment_text,
        year=metric.given.get("year", ""),
    )
