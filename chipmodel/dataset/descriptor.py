"""Describe a data package: ``datapackage.json``, Frictionless standard, version 1.

Names, types, constraints and meanings come from the row models of
`chipmodel.dataset.rows`. Foreign keys that also allow another word ('all', 'host')
cannot be expressed in the standard and are left to `chipmodel check`; so is the key of
a table one of whose key columns may be empty.
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

CONSTRAINTS = ("minimum", "maximum", "enum", "pattern")
"""Constraints of a JSON schema that the standard knows under the same name."""


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
    resources = [
        _resource(name, model, data.hashes[f"{name}.csv"])
        for name, model in TABLES.items()
    ]
    return {
        "profile": "tabular-data-package",
        "name": "chipmodel-data",
        "title": "Chip factories, their costs and the policies that move them",
        "description": (
            "Capacity, projects, costs, demand, trade and inputs of chip making by"
            " region and segment, for the linear program chipmodel. Every fact"
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
        "resources": resources,
    }


def edited(data: Dataset) -> list[str]:
    """Return the tables that differ from what the descriptor beside them records.

    This detects a lost or changed row that no other check could miss. A package
    without a descriptor gives an empty list.

    Raises
    ------
    InputError
        If the descriptor cannot be read.
    """
    path = data.root / FILE
    # A link to nothing is reported when it is read; a missing file is not a problem.
    if not (path.exists() or path.is_symlink()):
        return []
    try:
        resources = json.loads(text_of(FILE, read_file(path)))["resources"]
        recorded = {entry["path"]: entry["hash"] for entry in resources}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError.one(
            FILE,
            "resources",
            f"does not give the path and the hash of each table ({error!r})",
            "write it again with chipmodel.dataset.descriptor.write_descriptor, or"
            " remove it",
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
    publishers = Counter(
        row.publisher
        for row in data.rows(SourceRow)
        if row.source not in ("assumption", "derived")
    )
    sources = []
    for publisher, documents in sorted(publishers.items()):
        title = publisher
        if documents > 1:
            title += f" ({documents} documents)"
        sources.append({"title": title})
    return sources


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
        "schema": _schema(model),
    }


def _schema(model: type[Row]) -> dict[str, Any]:
    properties = model.model_json_schema()["properties"]
    schema: dict[str, Any] = {
        "fields": [
            _field(model, column, properties[column]) for column in columns(model)
        ],
        "missingValues": [""],
    }
    if not any(_may_be_empty(properties[column]) for column in model.key):
        schema["primaryKey"] = list(model.key)
    foreign_keys = [
        {
            "fields": [column],
            "reference": {"resource": ref.table, "fields": [TABLES[ref.table].key[0]]},
        }
        for column, ref in references(model).items()
        if not ref.also
    ]
    if foreign_keys:
        schema["foreignKeys"] = foreign_keys
    return schema


def _may_be_empty(shape: dict[str, Any]) -> bool:
    return any(part.get("type") == "null" for part in shape.get("anyOf", ()))


def _field(model: type[Row], column: str, shape: dict[str, Any]) -> dict[str, Any]:
    meaning = shape["description"]
    may_be_empty = _may_be_empty(shape)
    if may_be_empty:
        shape = next(part for part in shape["anyOf"] if part.get("type") != "null")
    constraints = {name: shape[name] for name in CONSTRAINTS if name in shape}
    if issubclass(model, Fact):
        constraints |= _fact_constraints(model, column)
    # Free text, such as a note, may be empty without being optional.
    free_text = (
        shape["type"] == "string" and not constraints and column not in model.key
    )
    if not may_be_empty and not free_text:
        constraints = {"required": True, **constraints}
    field = {"name": column, "type": shape["type"], "description": meaning}
    if issubclass(model, Fact) and column == "value":
        field["description"] += _units(model)
    if constraints:
        field["constraints"] = constraints
    return field


def _fact_constraints(model: type[Fact], column: str) -> dict[str, Any]:
    if column == "unit" and model.units:
        return {"enum": sorted(set(model.units.values()))}
    if column != "value":
        return {}
    items = (set(model.units) | set(model.bounds)) - {"*"}
    bounds = [model.limits(item) for item in items or {"*"}]
    lowest = [low for low, _ in bounds if low is not None]
    highest = [high for _, high in bounds if high is not None]
    # A bound holds for the column only if every item has one.
    constraints = {}
    if len(lowest) == len(bounds):
        constraints["minimum"] = min(lowest)
    if len(highest) == len(bounds):
        constraints["maximum"] = max(highest)
    return constraints


def _units(model: type[Fact]) -> str:
    if not model.units:
        return ""
    if set(model.units) == {"*"}:
        return f" Unit: {model.units['*']}."
    units = [f"{item} in {unit}" for item, unit in model.units.items()]
    return f" Units: {', '.join(units)}."
