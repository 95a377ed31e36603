"""Solutions on disk: one folder per result, whole or absent, with a sealed manifest."""

from __future__ import annotations

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
from chipmodel.common.fingerprint import code_digest, is_untouched
from chipmodel.common.folders import prepare
from chipmodel.common.tables import read_result_csv, result_csv
from chipmodel.common.toml import toml_text
from chipmodel.common.version import __version__
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.world import World
from chipmodel.results.folder import MANIFEST as MANIFEST
from chipmodel.results.folder import (
    digests,
    lacking,
    read_outputs,
    refuse_to_lose,
    write_result,
)
from chipmodel.results.manifest import build_manifest, result_id
from chipmodel.results.solution import TABLES, Solution

CASE = "case.toml"

FILES = (CASE, *(f"{name}.csv" for name in TABLES))
"""The files of a result folder beside the manifest."""


@dataclass(frozen=True, eq=False)
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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Saved):
            return NotImplemented
        # The manifest lists the hash of every table.
        return (self.folder, self.manifest) == (other.folder, other.manifest)

    def __hash__(self) -> int:
        return hash(self.folder)

    def __reduce__(self) -> tuple[object, ...]:
        # A read-only mapping cannot be sent to another process; a dictionary can.
        return _restored, (self.folder, dict(self.manifest), dict(self.tables))

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by name."""
        if name not in self.tables:
            raise InputError.one(
                str(self.folder), name, "no such table", "tables: " + ", ".join(TABLES)
            )
        return self.tables[name]


def _restored(
    folder: Path, manifest: dict[str, Any], tables: dict[str, pd.DataFrame]
) -> Saved:
    return Saved(folder, manifest, MappingProxyType(tables))


def folder_name(data: Dataset, case: Case, world: World) -> str:
    """Return the name of the folder of a result.

    Case and world, then eight digits of the hash of everything it depends on.
    """
    return f"{slug(case.name)}--{world.name}--{result_id(data, case, world)[:8]}"


def slug(name: str) -> str:
    """Return the name of a case with only characters that are safe in file names."""
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
    verified : mapping, optional
        What other methods found of it, for the manifest.

    Returns
    -------
    Path
        The folder of the result.

    Raises
    ------
    InputError
        If the folder cannot be written, or holds files chipmodel did not write.
    """
    content = {CASE: case_text(solution.case, solution.world).encode()}
    for name in TABLES:
        content[f"{name}.csv"] = result_csv(solution.table(name)).encode()
    manifest = build_manifest(solution, digests(content), timings or {}, verified)
    name = folder_name(solution.parameters.data, solution.case, solution.world)
    folder = prepare(out) / name
    write_result(folder, content, manifest)
    return folder


def refuse_unsaved(out: str | Path, data: Dataset, case: Case, world: World) -> None:
    """Refuse a folder in which `save` could not write, or would lose other files.

    Raises
    ------
    InputError
        Before anything is solved.
    """
    refuse_to_lose(Path(out) / folder_name(data, case, world), FILES)


def case_text(case: Case, world: World | None = None) -> str:
    """Return a resolved case as a case file without baseline."""
    as_of = case.as_of
    # A case file needs a date; a case made in Python may have none.
    if not as_of:
        as_of = world.information_date if world else "2000-01-01"
    body = {
        "title": case.title,
        "status": case.status,
        "as_of": as_of,
        "summary": case.summary,
        "policy": [policy_dict(policy) for policy in case.policies],
    }
    return toml_text(body)


def load(path: str | Path, any_version: bool = False) -> Saved:
    """Read a result and check that it is untouched.

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
    content, problems = read_outputs(folder, FILES, manifest["outputs"])
    if problems:
        raise InputError(problems)
    tables = {}
    for name in TABLES:
        file = f"{name}.csv"
        tables[name] = read_result_csv(content[file], str(folder / file))
    return Saved(folder, manifest, MappingProxyType(tables))


def read_manifest(path: str | Path) -> tuple[Path, dict[str, Any]]:
    """Read a manifest by its path or that of its folder; return folder and manifest.

    Raises
    ------
    InputError
        If there is none, or it was edited.
    """
    given = Path(path)
    file = given / MANIFEST if given.is_dir() else given
    manifest = _parsed(file)
    if not isinstance(manifest, dict) or not FIELDS.keys() & manifest.keys():
        raise _no_manifest(file, "is not a manifest of chipmodel")
    problems = []
    for name in _damaged(manifest):
        what = "is missing or was edited"
        problems.append(Problem(str(file), name, what, "run the case again"))
    if problems:
        raise InputError(problems)
    # Another version may seal in another way, or not at all: the fault to report then
    # is the version.
    if manifest["chipmodel"] == __version__ and not is_untouched(manifest):
        raise InputError.one(
            str(file),
            "seal",
            "was edited: its hash is not the one it was written with",
            "restore it, or run the case again",
        )
    return file.parent, manifest


FIELDS = {
    "chipmodel": str,
    "dataset": dict,
    "case": dict,
    "world": dict,
    "outputs": dict,
}
"""Fields without which a file is no manifest of a solution."""

WITHIN = {
    "dataset": {"name": str, "digest": str, "files": dict},
    "case": {"name": str, "policies": list},
}
"""Fields of those fields that every version has written."""


def _damaged(manifest: Mapping[str, Any]) -> list[str]:
    """Return the fields that a manifest lacks, or has in another form."""
    names = lacking(manifest, FIELDS)
    if names:
        return names
    for field_name, fields in WITHIN.items():
        within = lacking(manifest[field_name], fields)
        names += [f"{field_name}.{name}" for name in within]
    if not names:
        for k, policy in enumerate(manifest["case"]["policies"], start=1):
            if not isinstance(policy, dict):
                names.append(f"case.policies, number {k}")
    return names


def _parsed(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise _no_manifest(file, what) from None
    except (ValueError, RecursionError):
        # Only a file of the right name is taken for a manifest that was damaged.
        if file.name != MANIFEST:
            raise _no_manifest(file, "is not a manifest of chipmodel") from None
        raise InputError.one(
            str(file), "JSON", "was edited or is cut short", "run the case again"
        ) from None


def _no_manifest(file: Path, what: str) -> InputError:
    fix = "name a folder or manifest written by `chipmodel run`"
    return InputError.one(str(file), "file", what, fix)


def is_fresh(folder: str | Path) -> bool:
    """Whether a folder holds a whole, untouched result of this very code."""
    try:
        where, manifest = read_manifest(folder)
    except InputError:
        return False
    if manifest["chipmodel"] != __version__ or manifest.get("code") != code_digest():
        return False
    _, problems = read_outputs(where, FILES, manifest["outputs"])
    return not problems
