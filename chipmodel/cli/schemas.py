"""JSON schemas of the files people write: case, world, study.

The files in ``schema/`` are written by ``write_schemas("schema")``; a test compares
them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from chipmodel.cases.case import CaseFile
from chipmodel.common.files import write_whole
from chipmodel.model.world import WorldFile
from chipmodel.policies.base import Policy
from chipmodel.studies.definition import Study

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def case_schema() -> dict[str, Any]:
    """Return the schema of a case file; each ``policy`` is one kind of instrument."""
    schema = _schema(CaseFile, "case")
    # Instruments of other packages are not part of the published schema.
    kinds = {
        kind: policy for kind, policy in sorted(Policy.kinds.items()) if _own(policy)
    }
    definitions = schema.setdefault("$defs", {})
    for kind, policy in kinds.items():
        body = policy.model_json_schema(ref_template="#/$defs/{model}")
        definitions |= body.pop("$defs", {})
        body["description"] = policy.law
        body["properties"] = {
            "kind": {"const": kind, "description": "Kind of instrument."},
            **body["properties"],
        }
        body["required"] = ["kind", *body["required"]]
        definitions[policy.__name__] = body
    schema["properties"]["policy"]["items"] = {
        "oneOf": [{"$ref": f"#/$defs/{policy.__name__}"} for policy in kinds.values()]
    }
    return schema


def world_schema() -> dict[str, Any]:
    """Return the schema of a world file."""
    return _schema(WorldFile, "world")


def study_schema() -> dict[str, Any]:
    """Return the schema of a study file."""
    schema = _schema(Study, "study")
    # The name is that of the file.
    schema["required"] = [key for key in schema.get("required", []) if key != "name"]
    return schema


def write_schemas(folder: str | Path) -> list[Path]:
    """Write the schemas of cases, worlds and studies into a folder.

    The files are ``case.schema.json``, ``world.schema.json`` and ``study.schema.json``.

    Returns
    -------
    list of Path
        The files written.
    """
    written = []
    for name, schema in (
        ("case", case_schema()),
        ("study", study_schema()),
        ("world", world_schema()),
    ):
        path = Path(folder) / f"{name}.schema.json"
        write_whole(path, json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
        written.append(path)
    return written


def _schema(model: type[BaseModel], name: str) -> dict[str, Any]:
    body = model.model_json_schema(ref_template="#/$defs/{model}")
    return {"$schema": DIALECT, "$id": f"{name}.schema.json", **body}


def _own(policy: type[Policy]) -> bool:
    return policy.__module__.startswith("chipmodel.")
