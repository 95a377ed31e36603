"""How sure a number is, in words: the intervals kept for headline numbers beside the findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chipmodel.common.text import listed, lower, with_article
from chipmodel.common.units import SHOWN
from chipmodel.dataset.derived import CHANGE, Ends, Intervals
from chipmodel.results.metrics import ALL, Metric, evaluate, parse
from chipmodel.results.summary import Labels, Summary

HOW_SURE = "How sure:"
"""How the sentence begins."""


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
"""What the families of metrics are called inside a sentence."""


def sure(
    wanted: Iterable[tuple[Summary, Summary, str]],
    intervals: Intervals,
    spoken: Callable[[str], str] | None = None,
) -> str:
    """Return the sentence that gives the intervals of metrics; empty if none is known.

    Parameters
    ----------
    wanted : iterable
        Solution, its reference and the name of a metric; with `CHANGE` before the name
        it is the metric's change against the reference.
    intervals : Intervals
    spoken : callable, optional
        From the name of a case to what it is called; without it cases are not named.
    """
    found = []
    for own, base, name in wanted:
        ends = known(own, base, name, intervals)
        if ends is not None:
            metric = parse(name.removeprefix(CHANGE))
            case = f" under {spoken(own.case.name)}" if spoken else ""
            by = "the change in " if name.startswith(CHANGE) else ""
            found.append(
                f"{by}{phrase(metric, own.labels)}{case} at"
                f" {written(ends, metric.unit)}"
            )
    return f"{HOW_SURE} {intervals.says} put {listed(found)}." if found else ""


def known(own: Summary, base: Summary, name: str, intervals: Intervals) -> Ends | None:
    """Return the interval of a metric or of its change, if one is known for this very value."""
    bare = name.removeprefix(CHANGE)
    value = evaluate(bare, own, base)
    if bare != name:
        value -= evaluate(bare, base, base)
    return intervals.of(own.case.name, own.world.name, name, value)


def written(ends: Ends, unit: str) -> str:
    """Return an interval as it stands in a sentence.

    >>> written((0.084, 0.137), "share"), written((-2400.0, 12000.0), "MUSD")
    ('8.4 to 13.7%', '-2.4 to 12.0 USD bn')
    """
    word, factor, decimals = SHOWN.get(unit, (unit, 1.0, 3))
    low, high = (f"{round(factor * end, decimals) + 0.0:,.{decimals}f}" for end in ends)
    return f"{low} to {high}" + (word if word == "%" else f" {word}" if word else "")


def phrase(metric: Metric, labels: Labels) -> str:
    """Return what a metric is called inside a sentence."""
    form = ".".join(part for part in metric.family.parts if not part.startswith("<"))
    given = metric.given
    region = str(given.get("region", ""))
    segment = str(given.get("segment", ""))
    return PHRASES.get(form, metric.name).format(
        region=(
            "the world"
            if region == ALL
            else with_article(labels.regions.get(region, region))
        ),
        segment=(
            "all segments"
            if segment == ALL
            else lower(labels.segments.get(segment, segment))
        ),
        year=given.get("year", ""),
    )
