"""Rebuild a result from its manifest and report the differences."""

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

FEW_FILES = 5
"""Files that differ are named up to this many; with more it is another data set."""

NO_PLACE = ("case", "world", "unit", "meaning")
"""Columns that do not help to find a row."""


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
        ending = "s" if self.rows > 1 else ""
        return (
            f"{self.table}: {self.rows} row{ending}, at most {self.largest:.6g}"
            f" {self.unit} ({self.where})"
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
        edited.
    """
    saved = load(manifest, any_version=True)
    file = str(saved.folder / "manifest.json")
    _check_data(saved.manifest, data, file)
    case = rebuild_case(dict(saved.manifest["case"]), data, file)
    try:
        world = World.model_validate(saved.manifest["world"])
    except ValidationError as error:
        raise InputError(problems_of(error, file, "world")) from None
    solution = run(data, case, world)
    differences = []
    for name in TABLES:
        # Read back from its text: the saved table has nine digits as well.
        text = result_csv(solution.table(name))
        rebuilt = read_result_csv(text.encode(), f"{name}.csv")
        difference = compare_tables(name, saved.table(name), rebuilt)
        if difference is not None:
            differences.append(difference)
    return [*_other_tools(saved.manifest, bool(differences)), *differences]


def _other_tools(manifest: Mapping[str, Any], differs: bool) -> list[Difference]:
    """Return the versions that are not those of the manifest.

    Only that of chipmodel is reported if no table differs.
    """
    then: dict[str, Any] = {"chipmodel": manifest["chipmodel"]}
    now: dict[str, Any] = {"chipmodel": __version__}
    if differs:
        then["python"] = manifest.get("python")
        now["python"] = platform.python_version()
        packages = manifest.get("packages")
        if isinstance(packages, dict):
            then |= packages
        now |= {name: version_of(name) for name in PACKAGES}
    changes = []
    for name, version in now.items():
        if then.get(name) != version:
            changes.append(f"written by {name} {then.get(name)}, rebuilt by {version}")
    if differs and not changes and manifest.get("code") != code_digest():
        changes = ["written by other code of the same version"]
    return [Difference("manifest", 0, 0.0, "", change) for change in changes]


def compare_tables(
    name: str, old: pd.DataFrame, new: pd.DataFrame
) -> Difference | None:
    """Compare two tables row by row, matched by all columns but the value."""
    old_values = _by_key(old)
    new_values = _by_key(new)
    differences = {}
    for key in dict.fromkeys([*old_values, *new_values]):
        in_both = key in old_values and key in new_values
        if not in_both or old_values[key] != new_values[key]:
            change = old_values.get(key, 0.0) - new_values.get(key, 0.0)
            differences[key] = abs(change)
    if not differences:
        return None
    worst = max(differences, key=lambda key: differences[key])
    labels = dict(worst[:-1])
    places = []
    for column, label in labels.items():
        if column not in NO_PLACE and label != "":
            places.append(str(label))
    unit = str(labels.get("unit", ""))
    return Difference(
        name, len(differences), differences[worst], unit, " ".join(places)
    )


def _by_key(frame: pd.DataFrame) -> dict[tuple[Any, ...], float]:
    """Return the values of a table by all other columns and a count of repetitions."""
    columns = [column for column in frame.columns if column != "value"]
    keys = frame[columns].itertuples(index=False, name=None)
    values: dict[tuple[Any, ...], float] = {}
    for key, value in zip(keys, frame["value"].tolist(), strict=True):
        label = tuple(zip(columns, key, strict=True))
        # Nothing makes the other columns unique: equal rows are matched in order.
        count = 0
        while (*label, count) in values:
            count += 1
        values[(*label, count)] = float(value)
    return values


def _check_data(manifest: Any, data: Dataset, file: str) -> None:
    """Refuse data that is not the data of the manifest."""
    then = manifest["dataset"]
    if then.get("digest") == data.digest:
        return
    hashes = then.get("files", {})
    changed = []
    for name in sorted({*hashes, *data.hashes}):
        if hashes.get(name) != data.hashes.get(name):
            changed.append(name)
    what = f"was computed from data set {then.get('name')}"
    if 0 < len(changed) <= FEW_FILES:
        ending = "s" if len(changed) == 1 else ""
        what += f", of which {', '.join(changed)} differ{ending} here"
    elif then.get("name") == data.name:
        what += " as it was before it was changed"
    raise InputError.one(
        file, "dataset", what, "give its folder with --data, or restore the files"
    )
