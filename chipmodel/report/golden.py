"""Golden tables: the accepted tables of the short form of every question.

A table that differs from its golden one is reported cell by cell, until somebody has
looked at the difference and writes the golden tables again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from chipmodel.common.errors import InputError
from chipmodel.common.files import visible_files, write_whole
from chipmodel.questions.folder import Part

RELATIVE = 1e-6
"""Largest difference from a golden number, as a part of the largest of its column."""


FEW = 3
"""Cells reported for each table that differs."""


KEY_CELLS = 4
"""Cells of text by which a row is named."""


Rows = list[list[str]]


def folder_of(named: str | None) -> Path:
    """Return the folder of golden tables: the named one, or that of the checkout.

    Raises
    ------
    InputError
        If none is named and chipmodel does not run from a checkout.
    """
    if named is not None:
        return Path(named)
    # The folder of the package is the checkout, unless chipmodel is installed.
    root = Path(__file__).resolve().parents[2]
    if not (root / "tests").is_dir():
        raise InputError.one(
            "command line",
            "--golden",
            "golden tables are in the repository, not in the installed package",
            "run it from a checkout, or give their folder with --golden",
        )
    return root / "tests" / "golden"


def refuse_without(golden: Path) -> None:
    """Refuse a folder that holds no golden tables.

    Raises
    ------
    InputError
        Before anything is solved that would be compared with them.
    """
    if not visible_files(golden, "*.csv"):
        raise InputError.one(
            str(golden),
            "folder",
            "it holds no golden tables",
            "write them with chipmodel report --update",
        )


def update(parts: Sequence[Part], golden: Path) -> list[Path]:
    """Write the tables of parts as golden ones; golden tables of other parts stay."""
    written = []
    for part in parts:
        for path in visible_files(golden, f"{part.name}.*.csv"):
            # A table that the part no longer has must not stay behind.
            path.unlink()
        for name, path in _tables(part).items():
            write_whole(golden / name, path.read_bytes())
            written.append(golden / name)
    return written


def compare(parts: Sequence[Part], golden: Path) -> list[str]:
    """Return the differences between the tables of parts and the golden ones.

    Raises
    ------
    InputError
        If there are no golden tables.
    """
    refuse_without(golden)
    expected: set[str] = set()
    written: dict[str, Path] = {}
    for part in parts:
        expected.update(
            path.name for path in visible_files(golden, f"{part.name}.*.csv")
        )
        written.update(_tables(part))
    lines = []
    for name in sorted(expected - written.keys()):
        lines.append(f"{name}: the report has no such table any more")
    for name in sorted(written.keys() - expected):
        lines.append(f"{name}: it is not among the golden tables")
    for name in sorted(expected & written.keys()):
        lines += differences(name, read(golden / name), read(written[name]))
    return lines


def differences(name: str, golden: Rows, rows: Rows) -> list[str]:
    """Return the first differences of a table from the golden one, a line each."""
    head, *accepted = golden
    # Other columns or rows: no cell can be compared with its golden one.
    if rows[0] != head:
        return [f"{name}: columns are {', '.join(rows[0])}; golden: {', '.join(head)}"]
    body = rows[1:]
    if len(body) != len(accepted):
        return [f"{name}: has {len(body)} rows; golden: {len(accepted)}"]
    # A small number next to large ones may differ by the rounding of the large ones.
    scales = [_scale(cells) for cells in zip(*accepted, strict=True)]
    lines = []
    pairs = zip(accepted, body, strict=True)
    for row_number, (old_row, new_row) in enumerate(pairs, start=1):
        for place, (old, new) in enumerate(zip(old_row, new_row, strict=True)):
            if not _same(old, new, scales[place]):
                lines.append(
                    f"{name}: row {row_number} ({_row_name(new_row)}), {head[place]}:"
                    f" {new}; golden: {old}"
                )
    if len(lines) > FEW:
        return [*lines[:FEW], f"{name}: {len(lines) - FEW} more cells differ"]
    return lines


def read(path: Path) -> Rows:
    """Read a table as text."""
    text = path.read_text(encoding="utf-8")
    return list(csv.reader(io.StringIO(text, newline="")))


def _tables(part: Part) -> dict[str, Path]:
    """Return the tables of a part by the name of their golden file."""
    files = {}
    for table in part.about["tables"]:
        name = f"{table['name']}.csv"
        files[f"{part.name}.{name}"] = part.folder / name
    return files


def _scale(cells: Sequence[str]) -> float:
    """Return the largest number of a column."""
    largest = 0.0
    for cell in cells:
        value = _number(cell)
        if value is not None:
            largest = max(largest, abs(value))
    return largest


def _same(old: str, new: str, scale: float) -> bool:
    old_number, new_number = _number(old), _number(new)
    if old_number is None or new_number is None:
        return old == new
    return abs(old_number - new_number) <= RELATIVE * scale


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _row_name(row: list[str]) -> str:
    """Return the first cells of a row that are text, or its first cell."""
    words = [cell for cell in row if cell and _number(cell) is None]
    return ", ".join(words[:KEY_CELLS]) or row[0]
