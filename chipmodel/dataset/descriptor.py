"""Describe a data package: ``datapackage.json`` after the Frictionless standard, version 1.

Fields, types and constraints come from the row models of `chipmodel.schema`; only what
a column means in words is written here. Foreign keys that also allow another word
('all', 'host') cannot be expressed in the standard and are left to `chipmodel check`;
so is the key of a table one of whose key columns may be empty.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from chipmodel.common.errors import InputError
from chipmodel.common.files import read_file, text_of, write_whole
from chipmodel.dataset.dataset import Dataset, load_dataset
from chipmodel.dataset.fields import Fact, Row
from chipmodel.dataset.rows import TABLES, SourceRow, columns, references

FILE = "datapackage.json"


VERSION = "0.1.0"


MEANING = {
    "region": "Region.",
    "name": "Name for people.",
    "subject": (
        "Whether the region is a subject of the study and comes first in every headline"
        " table."
    ),
    "rank": "Breaks ties; has no other meaning.",
    "note": "What to know about the row.",
    "segment": "Segment of chips.",
    "firm": "Firm; 'other' for makers that are not named.",
    "home": "Home region of the firm; 'host' for wherever it stands.",
    "holder": (
        "A firm, or the pool of the other firms of a region (pool_usa and so on)."
    ),
    "base_year": "Year of the fleets a world starts from.",
    "site": "Id of the site.",
    "as_of": "Date of the information; a later row of the same site supersedes it.",
    "earliest": "First calendar year in service.",
    "construction_begun": "Year construction began; empty if it has not.",
    "status": "What was known of the project on that date.",
    "item": "Which number the row states.",
    "treasury": "Region that pays the award; empty for anything else.",
    "firm_name": "Firm as it is called in the source.",
    "reason": "Why it was left out.",
    "year_from": "First year.",
    "year_to": "Last year.",
    "criterion": "By place of device making (maker) or by place of use (user).",
    "kind": (
        "Running (fleet), announced (project), or a place where more can be added"
        " (greenfield, of no stated size)."
    ),
    "package": "Kind of packaging.",
    "assembly_region": "Region of packaging.",
    "leg": "Inside one region, or between two.",
    "input": "Upstream input.",
    "basis": "Needed per wafer made, or per kwpm of capacity added.",
    "supplier": "Region of the supplier's head office.",
    "importer": "Region that levies the tariff.",
    "origin": "Region of origin, or 'all'.",
    "law": "Law under which it is levied.",
    "year": "Year.",
    "parameter": "Name of the scalar.",
    "step": "Number of the step.",
    "target": "Number of the target.",
    "metric": "What is compared: a number the experiment gives.",
    "role": (
        "input: used to build or calibrate; test: used for nothing; derived: follows"
        " from an input; context: outside what the model can say."
    ),
    "result": "What was published, in words.",
    "experiment": "Experiment that gives our number; empty where the model cannot.",
    "on_support": (
        "Whether the result hangs on whose support it is, so that a placebo should"
        " miss it."
    ),
    "source": "Source, a row of sources.csv.",
    "title": "Title.",
    "publisher": "Publisher, or who repeats the figure.",
    "url": "Address; empty where none was found.",
    "interested": (
        "Whether the source is an interested party: the industry, a company, its"
        " association."
    ),
    "value": "The number.",
    "unit": "Unit of value, low and high.",
    "year_of_money": "Year of the dollars, for money only.",
    "low": "Least sensible value.",
    "high": "Largest sensible value.",
    "grade": (
        "A read in the source; B quoted by another; C citation missing; D computed,"
        " formula in the note; E assumption, reason in the note."
    ),
}
"""What a column means."""


HERE = {
    ("regions", "region"): "Id of the region: three capitals.",
    ("segments", "segment"): "Id of the segment.",
    ("firms", "firm"): "Id of the firm; 'other' stands for makers that are not named.",
    ("inputs", "input"): "Id of the input.",
    ("sources", "source"): "Id of the source.",
    ("sources", "year"): "Year of publication.",
    ("projects", "value"): "Size of the site at full build.",
    ("undisclosed", "segment"): "Segment, where it is known.",
    (
        "targets",
        "reason",
    ): "Why a miss is to be expected; empty where it would be unexplained.",
    ("targets", "low"): "Least value a fair reader would accept.",
    ("targets", "high"): "Largest value a fair reader would accept.",
    ("assembly", "earliest"): "First calendar year in service, for projects only.",
}
"""What it means in one table, where that is more than in general."""


def describe(data: Dataset) -> dict[str, Any]:
    """Return the descriptor of a data package.

    Parameters
    ----------
    data : Dataset

    Returns
    -------
    dict
        Plain data, the same for the same package.
    """
    return {
        "profile": "tabular-data-package",
        "name": "chipmodel-data",
        "title": "Chip factories, their costs and the policies that move them",
        "description": (
            "Capacity, projects, costs, demand, trade and inputs of chip making by"
            " region and segment, for the linear programme chipmodel. Every fact"
            " carries unit, year of money, range, source and grade."
        ),
        "version": VERSION,
        "licenses": [
            {
                "name": "CC-BY-4.0",
                "path": "https://creativecommons.org/licenses/by/4.0/",
                "title": "Creative Commons Attribution 4.0",
            }
        ],
        "contributors": [{"title": "The chipmodel authors", "role": "author"}],
        "sources": _sources(data),
        "resources": [
            _resource(name, model, data.hashes[f"{name}.csv"])
            for name, model in TABLES.items()
        ],
    }


def edited(data: Dataset) -> list[str]:
    """Return the tables that are not as the descriptor beside them records; none without a descriptor.

    So a row that was lost or changed is seen, even where nothing else could miss it.

    Raises
    ------
    InputError
        If the descriptor cannot be read.
    """
    path = data.root / FILE
    if not (path.exists() or path.is_symlink()):
        return []
    try:
        recorded = {
            entry["path"]: entry["hash"]
            for entry in json.loads(text_of(FILE, read_file(path)))["resources"]
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError.one(
            FILE,
            "resources",
            f"does not tell the path and the hash of each table ({error!r})",
            "write it anew with chipmodel.package.write_descriptor, or remove it",
        ) from None
    return [
        file
        for file, digest in data.hashes.items()
        if recorded.get(file) != f"sha256:{digest}"
    ]


def descriptor_text(data: Dataset) -> str:
    """Return the descriptor as the text of its file."""
    return json.dumps(describe(data), indent=1, ensure_ascii=False) + "\n"


def write_descriptor(folder: str | Path) -> Path:
    """Check the package in a folder and write its descriptor.

    Raises
    ------
    InputError
        If the package is not in order.
    """
    path = Path(folder) / FILE
    write_whole(path, descriptor_text(load_dataset(folder)))
    return path


def _sources(data: Dataset) -> list[dict[str, str]]:
    rows = [
        row
        for row in data.rows(SourceRow)
        if row.source not in ("assumption", "derived")
    ]
    count = Counter(row.publisher for row in rows)
    return [
        {"title": name if number == 1 else f"{name} ({number} documents)"}
        for name, number in sorted(count.items())
    ]


def _resource(name: str, model: type[Row], digest: str) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "path": f"{name}.csv",
        "description": model.about,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "hash": f"sha256:{digest}",
        "schema": _schema(name, model),
    }


def _schema(table: str, model: type[Row]) -> dict[str, Any]:
    shapes = model.model_json_schema()["properties"]
    schema: dict[str, Any] = {
        "fields": [
            _field(table, model, column, shapes[column]) for column in columns(model)
        ],
        "missingValues": [""],
    }
    if not any(_may_be_empty(shapes[key]) for key in model.key):
        schema["primaryKey"] = list(model.key)
    foreign = [
        {
            "fields": [column],
            "reference": {"resource": ref.table, "fields": [TABLES[ref.table].key[0]]},
        }
        for column, ref in references(model).items()
        if not ref.also
    ]
    if foreign:
        schema["foreignKeys"] = foreign
    return schema


def _may_be_empty(shape: dict[str, Any]) -> bool:
    return any(part.get("type") == "null" for part in shape.get("anyOf", ()))


def _field(
    table: str, model: type[Row], column: str, shape: dict[str, Any]
) -> dict[str, Any]:
    empty = _may_be_empty(shape)
    if empty:
        shape = next(part for part in shape["anyOf"] if part.get("type") != "null")
    constraints: dict[str, Any] = {
        name: shape[name]
        for name in ("minimum", "maximum", "enum", "pattern")
        if name in shape
    }
    if issubclass(model, Fact):
        constraints |= _fact_constraints(model, column)
    free_text = (
        shape["type"] == "string" and not constraints and column not in model.key
    )
    if not empty and not free_text:
        constraints = {"required": True, **constraints}
    field = {
        "name": column,
        "type": shape["type"],
        "description": _meaning(table, model, column),
    }
    return {**field, "constraints": constraints} if constraints else field


def _fact_constraints(model: type[Fact], column: str) -> dict[str, Any]:
    if column == "unit":
        return {"enum": sorted(set(model.units.values()))} if model.units else {}
    if column != "value":
        return {}
    items = set(model.units) | set(model.bounds)
    bounds = [model.limits(item) for item in items - {"*"} or {"*"}]
    found = {}
    if all(least is not None for least, _ in bounds):
        found["minimum"] = min(least for least, _ in bounds if least is not None)
    if all(most is not None for _, most in bounds):
        found["maximum"] = max(most for _, most in bounds if most is not None)
    return found


def _meaning(table: str, model: type[Row], column: str) -> str:
    text = HERE.get((table, column), MEANING[column])
    if column != "value" or not issubclass(model, Fact) or not model.units:
        return text
    if set(model.units) == {"*"}:
        return f"{text} Unit: {model.units['*']}."
    return (
        f"{text} Units: "
        + ", ".join(f"{item} in {unit}" for item, unit in model.units.items())
        + "."
    )
