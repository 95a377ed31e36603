"""A resolved case for people to read: each instrument, its law, its source, what its numbers amount to."""

from __future__ import annotations

from typing import Any

from chipmodel.cases.case import Case
from chipmodel.cases.diff import changed_lines, differences
from chipmodel.common.text import columns, folded, labelled, lower, number, with_article
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import FirmRow, InputRow, RegionRow, SegmentRow, SourceRow
from chipmodel.dataset.sources import citation
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.base import DisplayNames, Number, Policy

APART = ("id", "years", "source", "note")
"""Fields of an instrument that are told on lines of their own."""


def describe_case(
    case: Case, n: Parameters, baseline: Case | None = None
) -> dict[str, Any]:
    """Return a resolved case in a world as plain data; with its baseline, also what it changes against that."""
    return {
        "case": case.name,
        "title": case.title,
        "status": case.status,
        "as_of": case.as_of,
        "summary": " ".join(case.summary.split()),
        "baseline": baseline.name if baseline else None,
        "changes": differences(baseline, case, names_of(n.data)) if baseline else [],
        "world": n.world.name,
        "annuity_factor": n.recovery,
        "discount_rate": n.world.discount_rate,
        "interest_during_construction": _interest(n),
        "instruments": [_instrument(policy, n) for policy in case.policies],
    }


def names_of(data: Dataset) -> DisplayNames:
    """Return the names of regions, segments, firms and inputs as they stand in a sentence."""
    return DisplayNames(
        {
            **{row.input: lower(row.name) for row in data.rows(InputRow)},
            **{row.firm: row.name for row in data.rows(FirmRow)},
            **{row.segment: lower(row.name) for row in data.rows(SegmentRow)},
            **{row.region: with_article(row.name) for row in data.rows(RegionRow)},
        }
    )


def _interest(n: Parameters) -> dict[str, float]:
    works = {place.group[1]: place.work.interest for place in n.sites.places.values()}
    return {region: works[region] for region in n.regions if region in works}


def _instrument(policy: Policy, n: Parameters) -> dict[str, Any]:
    fields = []
    for name, info in type(policy).model_fields.items():
        value = getattr(policy, name)
        if name in APART or value is None or value == ():
            continue
        unit = next(
            (mark.unit for mark in info.metadata if isinstance(mark, Number)), ""
        )
        plain = list(value) if isinstance(value, tuple) else value
        fields.append(
            {
                "field": name,
                "value": plain,
                "unit": unit,
                "meaning": info.description or "",
            }
        )
    return {
        "id": policy.id,
        "kind": policy.kind,
        "law": policy.law,
        "sentence": policy.sentence(names_of(n.data)),
        "years": list(policy.years),
        "years_solved": [
            max(policy.years[0], n.years[0]),
            min(policy.years[1], n.years[-1]),
        ],
        "idle": policy.inactive,
        "fields": fields,
        "computed": [
            {"what": what, "value": value, "unit": unit}
            for what, value, unit in policy.derived(n)
        ],
        "dual": policy.dual,
        "source": policy.source,
        "citation": citation(policy.source, n.data.rows(SourceRow)),
        "note": policy.note,
    }


def case_lines(found: dict[str, Any]) -> list[str]:
    """Return what `describe_case` found as lines of text."""
    dated = f"status: {found['status']}, as of {found['as_of'] or 'no date'}"
    lines = [f"{found['case']}: {found['title']}", dated, ""]
    lines += folded(found["summary"])
    if found["baseline"]:
        lines += ["", *_change_lines(found)]
    interest = ", ".join(
        f"{r} {number(v)}" for r, v in found["interest_during_construction"].items()
    )
    lines += [
        "",
        *folded(
            f"In world {found['world']}: one dollar of capital costs"
            f" {number(found['annuity_factor'])} a year (real rate"
            f" {found['discount_rate']:.1%}). Interest during construction multiplies"
            f" it by: {interest}."
        ),
    ]
    if not found["instruments"]:
        lines += ["", "No instrument."]
    for entry in found["instruments"]:
        lines += ["", *_entry_lines(entry)]
    return lines


def _change_lines(found: dict[str, Any]) -> list[str]:
    if not found["changes"]:
        return [f"baseline: {found['baseline']}, with the same instruments"]
    return [
        f"baseline: {found['baseline']}; what this case changes:",
        *changed_lines(found["changes"]),
    ]


def _entry_lines(entry: dict[str, Any]) -> list[str]:
    inactive = "  (does nothing: a number is zero)" if entry["idle"] else ""
    pairs = [("says", entry["sentence"]), ("kind of law", entry["law"])]
    pairs += [
        (x["field"], f"{_value(x['value'])} {x['unit']}".strip())
        for x in entry["fields"]
    ]
    pairs += [
        ("years", "{} to {}".format(*entry["years"])),
        ("source", f"{entry['source']}: {entry['citation']}"),
    ]
    pairs += [(label, entry[label]) for label in ("note", "dual") if entry[label]]
    lines = [f"{entry['id']}  [{entry['kind']}]{inactive}", *labelled(pairs, "  ")]
    if entry["computed"]:
        lines.append("  in this data, {} to {}:".format(*entry["years_solved"]))
        merged: dict[str, list[str]] = {}
        for row in entry["computed"]:
            merged.setdefault(row["what"], []).extend(
                [number(row["value"]), row["unit"]]
            )
        lines += [
            f"    {line}"
            for line in columns([[k, *v] for k, v in merged.items()], right=(1, 3))
        ]
    return lines


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(x) for x in value)
    return number(value, 6) if isinstance(value, float) else str(value)
