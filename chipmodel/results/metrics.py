"""The headline numbers of a solution: read by name, evaluated and compared.

A metric is named by a family and what it is about, joined with dots:
``share.capacity.USA.all.2035``. Where money may be summed over the world, the region
may be ``all``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pandas as pd

from chipmodel.common.errors import InputError, Problem
from chipmodel.dataset.derived import CHANGE
from chipmodel.results.metric_families import FAMILIES as FAMILIES
from chipmodel.results.metric_families import Blank
from chipmodel.results.metric_families import Family as Family
from chipmodel.results.metric_values import ALL as ALL
from chipmodel.results.solution import Solution
from chipmodel.results.summary import Labels, Summary, summary_of

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
    "welfare_billed.*",
    "objective",
)
"""Metrics that `compare` returns by default; `expand` reads LEADING and LAST."""


@dataclass(frozen=True)
class Metric:
    """A metric read from its name.

    Attributes
    ----------
    given : dict
        What its name fills in, such as ``{"region": "USA", "year": 2035}``.
    """

    name: str
    family: Family
    given: dict[str, str | int]

    @property
    def unit(self) -> str:
        """Its unit."""
        return self.family.unit

    def text(self, template: str, labels: Labels | None = None) -> str:
        """Fill a template of its family with the names of what it is about."""
        words = {kind: str(value) for kind, value in self.given.items()}
        if labels is not None:
            region = words.get("region", "")
            segment = words.get("segment", "")
            words["region"] = labels.regions.get(region, region)
            words["segment"] = labels.segments.get(segment, segment)
            words["solved"] = f"{labels.years[0]}-{labels.horizon}"
            words["reported"] = f"{labels.years[0]}-{labels.years[-1]}"
        if self.given.get("region") == ALL:
            in_sentence = template is self.family.sentence
            words["region"] = "the world" if in_sentence else "World"
        if self.given.get("firm") == ALL:
            words["firm"] = "all firms"
        if self.given.get("segment") == ALL:
            words["segment"] = "all segments"
        return template.format(**words)

    def value(self, summary: Summary, reference: Summary | None = None) -> float:
        """Return its value.

        Raises
        ------
        InputError
            If it is about something the solution does not hold, or needs a reference
            and has none.
        """
        problems = self.problems(summary.labels)
        if problems:
            raise InputError(problems)
        if not self.family.against:
            return float(self.family.value(summary, **self.given))
        if reference is None:
            raise InputError.one(
                "metric",
                self.name,
                "is a difference to a reference case and none is given",
                "name a reference",
            )
        return float(self.family.value(summary, reference, **self.given))

    def problems(self, labels: Labels) -> list[Problem]:
        """Return the regions, segments and years it names that do not exist."""
        known: dict[str, Sequence[str | int]] = {
            "region": list(labels.regions),
            "segment": list(labels.segments),
            "year": labels.years,
        }
        problems = []
        for kind, value in self.given.items():
            choices = known.get(kind)
            if choices is None or value == ALL or value in choices:
                continue
            names = [str(choice) for choice in choices]
            near = get_close_matches(str(value), names, n=3, cutoff=0.3)
            suggestion = ", ".join(near) or f"{names[0]} to {names[-1]}"
            problems.append(
                Problem(
                    "metric",
                    self.name,
                    f"unknown {kind} '{value}'",
                    f"did you mean {suggestion}?",
                )
            )
        return problems


DIGITS = 16
"""Digits of a digest of linear programs."""


def parse(name: str) -> Metric:
    """Read a metric from its name.

    Raises
    ------
    InputError
        If no family fits, with the nearest ones.
    """
    words = name.split(".")
    for family in FAMILIES:
        given = family.fit(words)
        if given is not None:
            return Metric(name, family, given)
    forms = [family.form for family in FAMILIES]
    same_start = [form for form in forms if form.partition(".")[0] == words[0]]
    near = same_start or get_close_matches(name, forms, n=3, cutoff=0.2) or forms
    raise InputError.one(
        "metric",
        name or "(empty)",
        "no such metric",
        "did you mean " + " or ".join(near) + "?",
    )


def describe(name: str) -> tuple[str, str]:
    """Return the unit of a metric and a sentence that defines it."""
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
    base = None if reference is None else summary_of(reference)
    return parse(name).value(summary_of(solution), base)


def expand(names: Iterable[str], labels: Labels) -> list[str]:
    """Return names without wildcards, each once.

    ``*`` is replaced by every region or segment, ``LEADING`` by the leading-edge
    segment and ``LAST`` by the last year reported.
    """
    expanded: list[str] = []
    for name in names:
        name = name.replace("LEADING", labels.leading)
        name = name.replace("LAST", str(labels.years[-1]))
        expanded += _without_stars(name, labels)
    return list(dict.fromkeys(expanded))


def _without_stars(name: str, labels: Labels) -> list[str]:
    """Return the names a name with stars matches, the first star varying slowest."""
    parts = name.split(".")
    if "*" not in parts:
        return [name]
    place = parts.index("*")
    names: list[str] = []
    for word in _matches_at(parts, place, labels):
        filled = ".".join([*parts[:place], word, *parts[place + 1 :]])
        names += _without_stars(filled, labels)
    return names


def _matches_at(parts: list[str], place: int, labels: Labels) -> list[str]:
    """Return what a star at a place of a name matches."""
    for family in FAMILIES:
        if _has_shape(family, parts):
            blank = Blank.of(family.parts[place])
            kind = blank.kind if blank else ""
            if kind == "REGION":
                return list(labels.regions)
            if kind == "segment":
                return list(labels.segments)
            if kind == "year":
                return [str(year) for year in labels.years]
            return []
    # No family has this shape: the name is refused when it is parsed.
    return [ALL]


def _has_shape(family: Family, parts: list[str]) -> bool:
    """Whether a name has the fixed words of a family at their places."""
    if len(family.parts) != len(parts):
        return False
    return all(
        part == word or Blank.of(part) is not None
        for part, word in zip(family.parts, parts, strict=True)
    )


def rows(
    names: Iterable[str], summary: Summary, reference: Summary | None
) -> list[dict[str, Any]]:
    """Return a row for each metric: its value and the difference to the reference."""
    table = []
    for name in names:
        metric = parse(name)
        value = metric.value(summary, reference)
        difference = float("nan")
        if reference is not None:
            # Of a metric that is a difference itself, this is its value again.
            difference = value - metric.value(reference, reference)
        table.append(
            {
                "metric": name,
                "unit": metric.unit,
                "case": summary.case.name,
                "world": summary.world.name,
                **summary.point,
                "value": value,
                "difference": difference,
            }
        )
    return table


def programs_of(name: str, summary: Summary, reference: Summary | None) -> str:
    """Return a digest of the linear programs that a metric is from.

    A metric that is a difference, and one with `CHANGE` before its name, is also from
    that of the reference.
    """
    metric = name.removeprefix(CHANGE)
    is_difference = metric != name or parse(metric).family.against
    if reference is None or not is_difference:
        return summary.program[:DIGITS]
    both = f"{summary.program} {reference.program}"
    return hashlib.sha256(both.encode()).hexdigest()[:DIGITS]


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
    reference = summary_of(base)
    if metrics is None:
        metrics = HEADLINE
    names = expand(metrics, reference.labels)
    table = rows(names, reference, reference)
    for other in others:
        table += rows(names, summary_of(other), reference)
    return pd.DataFrame(
        table, columns=["metric", "unit", "case", "world", "value", "difference"]
    )
