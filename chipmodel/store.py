"""Results on disk: one folder a result, whole or absent, that tells when it was touched."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

import chipmodel
from chipmodel.case import Case, policy_dict
from chipmodel.dataset import Dataset
from chipmodel.errors import InputError, Problem
from chipmodel.files import clear_litter, toml_text
from chipmodel.manifest import build_manifest, code_digest, result_id, sealed, untouched
from chipmodel.solution import TABLES, Solution
from chipmodel.text import inert
from chipmodel.world import World

if TYPE_CHECKING:
    from chipmodel.verification import Verification

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
            raise InputError.one(str(self.folder), name, "no such table", "tables: " + ", ".join(TABLES))
        return self.tables[name]


# -- writing ----------------------------------------------------------------------------------------


def folder_name(data: Dataset, case: Case, world: World) -> str:
    """Return the name of the folder of a result: case, world and eight digits of what it depends on."""
    return f"{slug(case.name)}--{world.name}--{result_id(data, case, world)[:8]}"


def slug(name: str) -> str:
    """Return the name of a case as it is safe in the name of a file."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:80] or "case"


def save(solution: Solution, out: str | Path, timings: Mapping[str, float] | None = None,
         verified: Verification | None = None) -> Path:
    """Write a solution as ``out/<case>--<world>--<hash8>/``.

    The folder appears whole or not at all; one of the same name is replaced. All files but the
    manifest are equal to the byte whenever version, data, case and world are.

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
    files |= {f"{name}.csv": table_text(solution.table(name)) for name in TABLES}
    content = {name: text.encode() for name, text in files.items()}
    outputs = {name: hashlib.sha256(raw).hexdigest() for name, raw in content.items()}
    content[MANIFEST] = sealed(build_manifest(solution, outputs, timings or {}, verified))
    target = prepare(out) / folder_name(solution.numbers.data, solution.case, solution.world)
    write_folder(target, content)
    return target


def write_folder(target: Path, content: Mapping[str, bytes], mine: Iterable[str] = ()) -> None:
    """Write a folder of files whole, in the place of one that holds nothing but these files and `mine`.

    Raises
    ------
    InputError
        If it cannot be written, or holds other files.
    """
    refuse_foreign(target, {*content, *mine})
    try:
        _write_folder(target, content)
    except OSError as error:
        raise _unwritable(target, error) from None


def prepare(out: str | Path) -> Path:
    """Make a folder for results and see that it can be written, before long work starts."""
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from None
    return folder


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


def table_text(frame: pd.DataFrame) -> str:
    """Return a table as CSV: rows ordered by all keys, nine significant digits."""
    columns = list(frame.columns)
    value = columns.index("value")
    keys = [i for i in range(len(columns)) if i != value]
    rows = sorted(
        frame.itertuples(index=False, name=None), key=lambda row: (*(row[i] for i in keys), float(row[value]))
    )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = [inert(x) for x in row]
        cells[value] = f"{float(row[value]) + 0.0:.9g}"
        writer.writerow(cells)
    return stream.getvalue()


def _unwritable(path: Path, error: OSError) -> InputError:
    what = f"cannot be written ({error.strerror or error})"
    return InputError.one(str(path), "output", what, "choose another folder with --out")


def refuse_foreign(target: Path, mine: set[str]) -> None:
    """Refuse a folder that holds other files than `mine`, which would be lost."""
    with suppress(OSError):
        foreign = sorted({p.name for p in target.iterdir() if not p.name.startswith(".")} - mine)
        if foreign:
            raise InputError.one(
                str(target), ", ".join(foreign), "was not written by chipmodel and would be lost",
                "move it away, or choose another folder with --out",
            )


def _write_folder(target: Path, content: Mapping[str, bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)  # another process that failed may have tidied it away
    clear_litter(target)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, raw in content.items():
            with (temporary / name).open("wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
        temporary.chmod(0o755)
        _sync(temporary)
        _swap_in(temporary, target)
        _sync(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap_in(new: Path, target: Path) -> None:
    """Rename `new` to `target`; a folder that stands there is renamed away first, and deleted last.

    Somebody else may do the same at the same time: whoever finds the place taken moves that away in
    its turn, so that a whole folder stands there in the end.
    """
    away: list[Path] = []
    try:
        while True:
            try:
                new.rename(target)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or len(away) > 100:
                    raise
            old = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            with suppress(FileNotFoundError):
                target.rename(old)
                away.append(old)
    except OSError:
        if away and not target.exists():
            away.pop().rename(target)
        raise
    finally:
        for old in away:
            shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    with suppress(OSError):  # some systems cannot open a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# -- reading ----------------------------------------------------------------------------------------


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
        Naming every file that is missing, was edited or is cut short, or the other version.
    """
    folder, manifest = read_manifest(path)
    version = manifest["chipmodel"]
    if version != chipmodel.__version__ and not any_version:
        raise InputError.one(
            str(folder / MANIFEST), "chipmodel", f"was written by version {version}, this is {chipmodel.__version__}",
            f"rebuild it with `chipmodel rerun`, or install chipmodel {version}",
        )
    content, problems = _read_outputs(folder, manifest)
    if problems:
        raise InputError(problems)
    tables = {name: read_table(content[f"{name}.csv"], str(folder / f"{name}.csv")) for name in TABLES}
    return Saved(folder, manifest, MappingProxyType(tables))


def read_manifest(path: str | Path) -> tuple[Path, dict[str, Any]]:
    """Read a manifest by its path or that of its folder; return the folder and the manifest."""
    given = Path(path)
    file = given / MANIFEST if given.is_dir() else given
    other = InputError.one(str(file), "file", "is not a manifest of chipmodel",
                           "name a folder or manifest written by `chipmodel run`")
    try:
        manifest = json.loads(file.read_bytes())
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise InputError.one(str(file), "file", what, "name a folder or manifest written by `chipmodel run`") from None
    except (ValueError, RecursionError):
        if file.name != MANIFEST:
            raise other from None
        raise InputError.one(str(file), "JSON", "was edited or is cut short", "run the case again") from None
    wanted = {"chipmodel": str, "dataset": dict, "case": dict, "world": dict, "outputs": dict}
    if not isinstance(manifest, dict) or not wanted.keys() & manifest.keys():
        raise other
    problems = [
        Problem(str(file), key, "is missing or was edited", "run the case again")
        for key, kind in wanted.items()
        if not isinstance(manifest.get(key), kind)
    ]
    if problems:
        raise InputError(problems)
    # One of another version may be sealed in another way, or not at all: what is told then is the version.
    if manifest["chipmodel"] == chipmodel.__version__ and not untouched(manifest):
        raise InputError.one(str(file), "seal", "was edited: its hash is not the one it was written with",
                             "restore it, or run the case again")
    return file.parent, manifest


def is_fresh(folder: str | Path) -> bool:
    """Whether a folder holds a whole, untouched result of this very code."""
    try:
        where, manifest = read_manifest(folder)
    except InputError:
        return False
    if manifest["chipmodel"] != chipmodel.__version__ or manifest.get("code") != code_digest():
        return False
    return not _read_outputs(where, manifest)[1]


def _read_outputs(folder: Path, manifest: Mapping[str, Any]) -> tuple[dict[str, bytes], list[Problem]]:
    content: dict[str, bytes] = {}
    problems = []
    for name in FILES:
        file = folder / name
        try:
            content[name] = file.read_bytes()
        except OSError as error:
            what = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            problems.append(Problem(str(file), "file", what, "restore it, or run the case again"))
            continue
        if hashlib.sha256(content[name]).hexdigest() != manifest["outputs"].get(name):
            what = "was edited or is cut short: its SHA-256 is not the one in the manifest"
            problems.append(Problem(str(file), "file", what, "restore it, or run the case again"))
    return content, problems


def read_table(raw: bytes, file: str) -> pd.DataFrame:
    """Read a table as it was written: years whole numbers, values numbers, all else text."""
    try:
        header, *rows = csv.reader(io.StringIO(raw.decode(), newline=""))
        frame = pd.DataFrame(rows, columns=header, dtype="str")
        return frame.astype({"year": "int64", "value": "float64"})
    except (ValueError, KeyError, csv.Error) as error:
        raise InputError.one(file, "table", f"cannot be read ({error})", "run the case again") from None
