"""Results on disk: one folder a result, whole or absent, that tells when it was touched."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from chipmodel.cases.case import Case, policy_dict
from chipmodel.common.errors import InputError, Problem
from chipmodel.common.fingerprint import code_digest, is_untouched, sealed
from chipmodel.common.folders import prepare, write_folder
from chipmodel.common.tables import read_result_csv, result_csv
from chipmodel.common.toml import toml_text
from chipmodel.common.version import __version__
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.world import World
from chipmodel.results.manifest import build_manifest, result_id
from chipmodel.results.solution import TABLES, Solution

MANIFEST = "manifest.json"


CASE = "case.toml"


FILES = (CASE, *(f"{name}.csv" for name in TABLES))
"""What lies in a result folder beside the manifest."""


@dataclass(frozen=True)
class Saved:
    """A result read back from disk.

    Attributes
    ----------
    folder : Path
    manifest : dict
        What ran, on what, with what.
    tables : Mapping[str, pandas.DataFrame]
        The tables of the solution, to nine significant digits.
    """

    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame] = field(repr=False)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by name."""
        if name not in self.tables:
            raise InputError.one(
                str(self.folder), name, "no such table", "tables: " + ", ".join(TABLES)
            )
        return self.tables[name]


def folder_name(data: Dataset, case: Case, world: World) -> str:
    """Return the name of the folder of a result: case, world and eight digits of what it depends on."""
    return f"{slug(case.name)}--{world.name}--{result_id(data, case, world)[:8]}"


def slug(name: str) -> str:
    """Return the name of a case as it is safe in the name of a file."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:80] or "case"


def save(
    solution: Solution,
    out: str | Path,
    timings: Mapping[str, float] | None = None,
    verified: Mapping[str, Any] | None = None,
) -> Path:
    """Write a solution as ``out/<case>--<world>--<hash8>/``.

    The folder appears whole or not at all; one of the same name is replaced. All files
    but the manifest are equal to the byte whenever version, data, case and world are.

    Parameters
    ----------
    solution : Solution
    out : str or Path
        Folder to write into; made if it is not there.
    timings : mapping, optional
        Seconds by step, for the manifest.
    verified : Verification, optional
        What other methods said of it, for the manifest.

    Returns
    -------
    Path
        The folder of the result.

    Raises
    ------
    InputError
        If the folder cannot be written, or holds files chipmodel did not write.
    """
    files = {CASE: case_text(solution.case, solution.world)}
    files |= {f"{name}.csv": result_csv(solution.table(name)) for name in TABLES}
    content = {name: text.encode() for name, text in files.items()}
    outputs = {name: hashlib.sha256(raw).hexdigest() for name, raw in content.items()}
    content[MANIFEST] = sealed(
        build_manifest(solution, outputs, timings or {}, verified)
    )
    target = prepare(out) / folder_name(
        solution.parameters.data, solution.case, solution.world
    )
    write_folder(target, content)
    return target


def case_text(case: Case, world: World | None = None) -> str:
    """Return a resolved case as a case file without baseline."""
    body = {
        "title": case.title,
        "status": case.status,
        "as_of": case.as_of or (world.information_date if world else "2000-01-01"),
        "summary": case.summary,
        "policy": [policy_dict(policy) for policy in case.policies],
    }
    return toml_text(body)


def load(path: str | Path, any_version: bool = False) -> Saved:
    """Read a result and check that nobody touched it.

    Parameters
    ----------
    path : str or Path
        Its folder, or the manifest in it.
    any_version : bool
        Also take results of another version of chipmodel.

    Returns
    -------
    Saved

    Raises
    ------
    InputError
        Naming every file that is missing, was edited or is cut short, or the other
        version.
    """
    folder, manifest = read_manifest(path)
    version = manifest["chipmodel"]
    if version != __version__ and not any_version:
        raise InputError.one(
            str(folder / MANIFEST),
            "chipmodel",
            f"was written by version {version}, this is {__version__}",
            f"rebuild it with `chipmodel rerun`, or install chipmodel {version}",
        )
    content, problems = _read_outputs(folder, manifest)
    if problems:
        raise InputError(problems)
    tables = {
        name: read_result_csv(content[f"{name}.csv"], str(folder / f"{name}.csv"))
        for name in TABLES
    }
    return Saved(folder, manifest, MappingProxyType(tables))


def read_manifest(path: str | Path) -> tuple[Path, dict[str, Any]]:
    """Read a manifest by its path or that of its folder; return the folder and the manifest."""
    given = Path(path)
    file = given / MANIFEST if given.is_dir() else given
    other = InputError.one(
        str(file),
        "file",
        "is not a manifest of chipmodel",
        "name a folder or manifest written by `chipmodel run`",
    )
    try:
        manifest = json.loads(file.read_bytes())
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise InputError.one(
            str(file),
            "file",
            what,
            "name a folder or manifest written by `chipmodel run`",
        ) from None
    except (ValueError, RecursionError):
        if file.name != MANIFEST:
            raise other from None
        raise InputError.one(
            str(file), "JSON", "was edited or is cut short", "run the case again"
        ) from None
    wanted = {
        "chipmodel": str,
        "dataset": dict,
        "case": dict,
        "world": dict,
        "outputs": dict,
    }
    if not isinstance(manifest, dict) or not wanted.keys() & manifest.keys():
        raise other
    problems = [
        Problem(str(file), key, "is missing or was edited", "run the case again")
        for key, kind in wanted.items()
        if not isinstance(manifest.get(key), kind)
    ]
    if problems:
        raise InputError(problems)
    # One of another version may be sealed in another way, or not at all: what is told
    # then is the version.
    if manifest["chipmodel"] == __version__ and not is_untouched(manifest):
        raise InputError.one(
            str(file),
            "seal",
            "was edited: its hash is not the one it was written with",
            "restore it, or run the case again",
        )
    return file.parent, manifest


def is_fresh(folder: str | Path) -> bool:
    """Whether a folder holds a whole, untouched result of this very code."""
    try:
        where, manifest = read_manifest(folder)
    except InputError:
        return False
    if manifest["chipmodel"] != __version__ or manifest.get("code") != code_digest():
        return False
    return not _read_outputs(where, manifest)[1]


def _read_outputs(
    folder: Path, manifest: Mapping[str, Any]
) -> tuple[dict[str, bytes], list[Problem]]:
    content: dict[str, bytes] = {}
    problems = []
    for name in FILES:
        file = folder / name
        try:
            content[name] = file.read_bytes()
        except OSError as error:
            what = (
                "is missing"
                if isinstance(error, FileNotFoundError)
                else f"cannot be read ({error.strerror})"
            )
            problems.append(
                Problem(str(file), "file", what, "restore it, or run the case again")
            )
            continue
        if hashlib.sha256(content[name]).hexdigest() != manifest["outputs"].get(name):
            what = (
                "was edited or is cut short: its SHA-256 is not the one in the manifest"
            )
            problems.append(
                Problem(str(file), "file", what, "restore it, or run the case again")
            )
    return content, problems
