"""A resolved case as plain data and as text: each instrument, its law and source."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo

from chipmodel.cases.case import Case
from chipmodel.cases.diff import changed_lines, differences
from chipmodel.common.text import columns, folded, labelled, lower, number, with_article
from chipmodel.common.units import per_wafer
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.rows import FirmRow, InputRow, RegionRow, SegmentRow, SourceRow
from chipmodel.dataset.sources import citation
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.policies.base import DisplayNames, Number, Policy

ON_OWN_LINES = ("id", "years", "source", "note")
"""Fields of an instrument that have lines of their own."""


def describe_case(
    case: Case, parameters: Parameters, baseline: Case | None = None
) -> dict[str, Any]:
    """Return a resolved case in a world as plain data.

    Parameters
    ----------
    baseline : Case, optional
        Case to compare it with, under the key ``changes``.
    """
    changes: list[dict[str, str]] = []
    baseline_name = None
    if baseline is not None:
        changes = differences(baseline, case, names_of(parameters.data))
        baseline_name = baseline.name
    return {
        "case": case.name,
        "title": case.title,
        "status": case.status,
        "as_of": case.as_of,
        "summary": " ".join(case.summary.split()),
        "baseline": baseline_name,
        "changes": changes,
        "world": parameters.world.name,
        "annuity_factor": parameters.recovery,
        "discount_rate": parameters.world.discount_rate,
        "interest_during_construction": _interest(parameters),
        "place_residual": _residuals(parameters),
        "instruments": [_instrument(policy, parameters) for policy in case.policies],
    }


def names_of(data: Dataset) -> DisplayNames:
    """Return the names of regions, segments, firms and inputs, as in a sentence."""
    names = {row.input: lower(row.name) for row in data.rows(InputRow)}
    names |= {row.firm: row.name for row in data.rows(FirmRow)}
    names |= {row.segment: lower(row.name) for row in data.rows(SegmentRow)}
    names |= {row.region: with_article(row.name) for row in data.rows(RegionRow)}
    return DisplayNames(names)


def _interest(parameters: Parameters) -> dict[str, float]:
    """Return the factor of interest during construction by region."""
    # All places of a region take the same time to build.
    interest = {}
    for place in parameters.sites.places.values():
        _, region, _ = place.group
        interest[region] = place.work.interest
    return {r: interest[r] for r in parameters.regions if r in interest}


def _residuals(parameters: Parameters) -> dict[str, float]:
    """Return the residual of a leading-edge wafer by region where it is not zero."""
    leading = parameters.data.leading_segment
    residuals = {r: parameters.residual[r, leading] for r in parameters.regions}
    return {r: per_wafer(value) for r, value in residuals.items() if value}


def number_unit(info: FieldInfo) -> str | None:
    """Return the unit of a field that is a number; none for any other field."""
    for mark in info.metadata:
        if isinstance(mark, Number):
            return mark.unit
    return None


def _instrument(policy: Policy, parameters: Parameters) -> dict[str, Any]:
    fields = []
    for name, info in type(policy).model_fields.items():
        value = getattr(policy, name)
        if name in ON_OWN_LINES or value is None or value == ():
            continue
        # JSON has lists only.
        if isinstance(value, tuple):
            value = list(value)
        fields.append(
            {
                "field": name,
                "value": value,
                "unit": number_unit(info) or "",
                "meaning": info.description or "",
            }
        )
    first, last = policy.years
    years = parameters.years
    data = parameters.data
    return {
        "id": policy.id,
        "kind": policy.kind,
        "law": policy.law,
        "sentence": policy.sentence(names_of(data)),
        "years": [first, last],
        "years_solved": [max(first, years[0]), min(last, years[-1])],
        "idle": policy.inactive,
        "fields": fields,
        "computed": [
            {"what": what, "value": value, "unit": unit}
            for what, value, unit in policy.derived(parameters)
        ],
        "dual": policy.dual,
        "source": policy.source,
        "citation": citation(policy.source, data.rows(SourceRow)),
        "note": policy.note,
    }


def case_lines(description: dict[str, Any]) -> list[str]:
    """Return the data of `describe_case` as lines of text."""
    as_of = description["as_of"] or "no date"
    lines = [
        f"{description['case']}: {description['title']}",
        f"status: {description['status']}, as of {as_of}",
        "",
        *folded(description["summary"]),
    ]
    if description["baseline"]:
        lines += ["", *_change_lines(description)]
    interest = [
        f"{region} {number(factor)}"
        for region, factor in description["interest_during_construction"].items()
    ]
    capital = (
        f"In world {description['world']}: one dollar of capital costs"
        f" {number(description['annuity_factor'])} a year (real rate"
        f" {description['discount_rate']:.1%}). Interest during construction multiplies"
        f" it by: {', '.join(interest)}."
    )
    residuals = [
        f"{region} {number(value)}"
        for region, value in description["place_residual"].items()
    ]
    if residuals:
        capital += (
            " What a place adds to the cost of a leading-edge wafer of its new fabs"
            f" beyond what is billed (fitted): {', '.join(residuals)} USD."
        )
    lines += ["", *folded(capital)]
    if not description["instruments"]:
        lines += ["", "No instrument."]
    for entry in description["instruments"]:
        lines += ["", *_entry_lines(entry)]
    return lines


def _change_lines(description: dict[str, Any]) -> list[str]:
    baseline = description["baseline"]
    if not description["changes"]:
        return [f"baseline: {baseline}, with the same instruments"]
    return [
        f"baseline: {baseline}; what this case changes:",
        *changed_lines(description["changes"]),
    ]


def _entry_lines(entry: dict[str, Any]) -> list[str]:
    inactive = "  (does nothing: a number is zero)" if entry["idle"] else ""
    pairs = [("sentence", entry["sentence"]), ("kind of law", entry["law"])]
    for field in entry["fields"]:
        value = f"{_value(field['value'])} {field['unit']}"
        pairs.append((field["field"], value.strip()))
    first, last = entry["years"]
    pairs.append(("years", f"{first} to {last}"))
    pairs.append(("source", f"{entry['source']}: {entry['citation']}"))
    pairs += [(label, entry[label]) for label in ("note", "dual") if entry[label]]
    lines = [f"{entry['id']}  [{entry['kind']}]{inactive}", *labelled(pairs, "  ")]
    if entry["computed"]:
        first, last = entry["years_solved"]
        lines.append(f"  in this data, {first} to {last}:")
        # A quantity in two units, such as support per kwpm and as a share, is one row.
        rows: dict[str, list[str]] = {}
        for computed in entry["computed"]:
            cells = [number(computed["value"]), computed["unit"]]
            rows.setdefault(computed["what"], []).extend(cells)
        table = columns([[what, *cells] for what, cells in rows.items()], right=(1, 3))
        lines += [f"    {line}" for line in table]
    return lines


def _value(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, float):
        return number(value, 6)
    return str(value)
