"""Golden tables: what the short form of every question gave when somebody last looked at it and said yes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.questions.folder import Part

RELATIVE = 1e-6
"""How far a number may be from the golden one, of the largest of its column."""


FEW = 3
"""Cells told for each table that differs."""


Rows = list[list[str]]


def folder_of(named: str | None) -> Path:
    """Return the folder of golden tables; that of the checkout chipmodel runs from unless another is named.

    Raises
    ------
    InputError
        If chipmodel does not run from a checkout and none is named.
    """
    if named is not None:
        return Path(named)
    root = Path(__file__).resolve().parents[2]
    if not (root / "tests").is_dir():
        raise InputError.one(
            "command line",
            "--golden",
            "golden tables are in the repository, not in the package",
            "run it from a checkout, or name their folder",
        )
    return root / "tests" / "golden"


def update(parts: Sequence[Part], golden: Path) -> list[Path]:
    """Write the tables of parts as golden ones; golden tables of other parts stay."""
    written = []
    for part in parts:
        for old in golden.glob(f"{part.name}.*.csv"):
            old.unlink()
        for name in _tables(part):
            path = golden / f"{part.name}.{name}.csv"
            write_whole(path, (part.folder / f"{name}.csv").read_bytes())
            written.append(path)
    return written


def compare(parts: Sequence[Part], golden: Path) -> list[str]:
    """Return what differs between the tables of parts and the golden ones, a line each.

    Raises
    ------
    InputError
        If there are no golden tables.
    """
    if not any(golden.glob("*.csv")):
        raise InputError.one(
            str(golden), "folder", "holds no golden tables", "write them with --update"
        )
    expected = {
        path.name for part in parts for path in golden.glob(f"{part.name}.*.csv")
    }
    found = {
        f"{part.name}.{name}.csv": part.folder / f"{name}.csv"
        for part in parts
        for name in _tables(part)
    }
    told = [
        f"{name}: there is no such table any more"
        for name in sorted(expected - found.keys())
    ]
    told += [
        f"{name}: is not among the golden tables"
        for name in sorted(found.keys() - expected)
    ]
    for name in sorted(expected & found.keys()):
        told += differences(name, read(golden / name), read(found[name]))
    return told


def differences(name: str, old: Rows, new: Rows) -> list[str]:
    """Return in what a table differs from the golden one."""
    if old[0] != new[0]:
        return [f"{name}: columns are {', '.join(new[0])}; golden: {', '.join(old[0])}"]
    if len(old) != len(new):
        return [f"{name}: has {len(new) - 1} rows; golden: {len(old) - 1}"]
    scales = [
        max(
            (abs(x) for row in old[1:] if (x := _number(row[k])) is not None),
            default=0.0,
        )
        for k in range(len(old[0]))
    ]
    wrong = [
        f"{name}: row {i} ({_key(mine)}), {column}: {mine[k]}; golden: {known[k]}"
        for i, (known, mine) in enumerate(zip(old[1:], new[1:], strict=True), start=1)
        for k, column in enumerate(old[0])
        if not _same(known[k], mine[k], scales[k])
    ]
    more = [f"{name}: {len(wrong) - FEW} more cells differ"] if len(wrong) > FEW else []
    return [*wrong[:FEW], *more]


def read(path: Path) -> Rows:
    """Read a table as text."""
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def _tables(part: Part) -> list[str]:
    return [one["name"] for one in part.about["tables"]]


def _same(old: str, new: str, scale: float) -> bool:
    a, b = _number(old), _number(new)
    if a is None or b is None:
        return old == new
    return abs(a - b) <= RELATIVE * scale


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _key(row: list[str]) -> str:
    return (
        ", ".join([cell for cell in row if cell and _number(cell) is None][:4])
        or row[0]
    )
