"""Rebuild a result from its manifest and say what differs."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from chipmodel.analysis.run import run
from chipmodel.cases.case import rebuild_case
from chipmodel.common.errors import InputError
from chipmodel.common.fingerprint import PACKAGES, code_digest, version_of
from chipmodel.common.tables import read_result_csv, result_csv
from chipmodel.common.toml import problems_of
from chipmodel.common.version import __version__
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.world import World
from chipmodel.results.solution import TABLES
from chipmodel.results.store import load

FEW = 5
"""Files that differ are named up to this many; data that differs in more is another data set."""


@dataclass(frozen=True)
class Difference:
    """How a table of the rebuilt result differs from the saved one.

    Attributes
    ----------
    table : str
        Name of the table; ``manifest`` for what it was solved with.
    rows : int
        Rows that are not the same.
    largest : float
        Largest difference of a value; a row that only one of the two has counts whole.
    unit : str
        Unit of that value.
    where : str
        Keys of that row.
    """

    table: str
    rows: int
    largest: float
    unit: str
    where: str

    def __str__(self) -> str:
        if self.table == "manifest":
            return f"manifest: {self.where}"
        count = f"{self.rows} row{'s' if self.rows > 1 else ''}"
        return (
            f"{self.table}: {count}, at most {self.largest:.6g} {self.unit}"
            f" ({self.where})"
        )


def rerun(manifest: str | Path, data: Dataset) -> list[Difference]:
    """Rebuild a result and compare its tables with the saved ones, to nine digits.

    Parameters
    ----------
    manifest : str or Path
        The manifest, or the folder of the result.
    data : Dataset
        The data it was computed from.

    Returns
    -------
    list of Difference
        Empty if nothing differs.

    Raises
    ------
    InputError
        If the data is not the same (naming the files that differ), or the result was
        touched.
    """
    saved = load(manifest, any_version=True)
    file = str(saved.folder / "manifest.json")
    _same_data(saved.manifest, data, file)
    case = rebuild_case(dict(saved.manifest["case"]), data, file)
    try:
        world = World.model_validate(saved.manifest["world"])
    except ValidationError as error:
        raise InputError(problems_of(error, file, "world")) from None
    solution = run(data, case, world)
    found = []
    for name in TABLES:
        new = read_result_csv(result_csv(solution.table(name)).encode(), f"{name}.csv")
        difference = compare_tables(name, saved.table(name), new)
        if difference is not None:
            found.append(difference)
    return [*_other_tools(saved.manifest, bool(found)), *found]


def _other_tools(manifest: Mapping[str, Any], differs: bool) -> list[Difference]:
    """Return what solved it then and is another now: versions of chipmodel, and what else may be why tables differ."""
    then = {"chipmodel": manifest["chipmodel"]}
    now: dict[str, Any] = {"chipmodel": __version__}
    if differs:
        packages = manifest.get("packages")
        then |= {
            "python": manifest.get("python"),
            **(packages if isinstance(packages, dict) else {}),
        }
        now |= {
            "python": platform.python_version(),
            **{name: version_of(name) for name in PACKAGES},
        }
    told = [
        f"written by {name} {then.get(name)}, rebuilt by {version}"
        for name, version in now.items()
        if then.get(name) != version
    ]
    if differs and not told and manifest.get("code") != code_digest():
        told = ["written by other code of the same version"]
    return [Difference("manifest", 0, 0.0, "", one) for one in told]


def compare_tables(
    name: str, old: pd.DataFrame, new: pd.DataFrame
) -> Difference | None:
    """Compare two tables row by row, matched by all columns but the value."""
    mine, theirs = _by_key(old), _by_key(new)
    apart = {
        key: abs(mine.get(key, 0.0) - theirs.get(key, 0.0))
        for key in [*mine, *(k for k in theirs if k not in mine)]
        if key not in mine or key not in theirs or mine[key] != theirs[key]
    }
    if not apart:
        return None
    worst = max(apart, key=lambda key: apart[key])
    labels = dict(worst[:-1])
    where = " ".join(
        str(v)
        for k, v in labels.items()
        if k not in ("case", "world", "unit", "meaning") and v != ""
    )
    return Difference(
        name, len(apart), apart[worst], str(labels.get("unit", "")), where
    )


def _by_key(frame: pd.DataFrame) -> dict[tuple[Any, ...], float]:
    columns = [c for c in frame.columns if c != "value"]
    found: dict[tuple[Any, ...], float] = {}
    for keys, value in zip(
        frame[columns].itertuples(index=False, name=None),
        frame["value"].tolist(),
        strict=True,
    ):
        label = tuple(zip(columns, keys, strict=True))
        count = 0
        while (*label, count) in found:
            count += 1
        found[(*label, count)] = float(value)
    return found


def _same_data(manifest: Any, data: Dataset, file: str) -> None:
    then = manifest["dataset"]
    if then.get("digest") == data.digest:
        return
    files = then.get("files", {})
    changed = [
        name
        for name in sorted({*files, *data.hashes})
        if files.get(name) != data.hashes.get(name)
    ]
    what = f"was computed from data set {then.get('name')}"
    if 0 < len(changed) <= FEW:
        what += (
            f", of which {', '.join(changed)} differ{'s' if len(changed) == 1 else ''}"
            " here"
        )
    elif then.get("name") == data.name:
        what += " as it was before it was changed"
    raise InputError.one(
        file, "dataset", what, "give its folder with --data, or restore the files"
    )
