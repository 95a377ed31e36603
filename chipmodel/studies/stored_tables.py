"""Results that take long to solve, stored with the data under ``data/derived/``.

Each table carries a stamp of what its numbers depend on. A table with another stamp
than the present one counts as absent, so that no page shows numbers of other data.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from chipmodel.cases.case import load_case
from chipmodel.common.errors import InputError
from chipmodel.common.files import read_file, visible_files, write_whole
from chipmodel.common.tables import table_csv
from chipmodel.common.toml import read_toml
from chipmodel.dataset.dataset import Dataset
from chipmodel.dataset.derived import FOLDER
from chipmodel.model.world import load_world

STAMP = "made_with"
"""Column of the stamp."""

PROSE = ("title", "summary")
"""Keys of a study that no number depends on."""


def stamp(data: Dataset) -> str:
    """Return a digest of all that the numbers of a package's results depend on.

    These are the rows of its tables, the instruments of its cases, the numbers of its
    worlds and the definitions of its studies: titles and summaries do not count.
    """
    digest = hashlib.sha256(data.digest.encode())
    for kind in ("cases", "worlds", "studies"):
        for path in visible_files(data.root / kind, "*.toml"):
            digest.update(
                f"{kind}/{path.stem} {_digest_of(kind, path, data)}\n".encode()
            )
    return digest.hexdigest()[:16]


def _digest_of(kind: str, path: Path, data: Dataset) -> str:
    try:
        if kind == "cases":
            return load_case(path.stem, data).digest
        if kind == "worlds":
            return load_world(path.stem, data).digest
        content = read_toml(path)
    except InputError:
        # A file with a fault is reported where it is used; here it only has to differ.
        return hashlib.sha256(path.read_bytes()).hexdigest()
    definition = {key: value for key, value in content.items() if key not in PROSE}
    text = json.dumps(definition, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def stored_tables(data: Dataset, *names: str) -> list[pd.DataFrame] | None:
    """Return tables stored with the data.

    Returns
    -------
    list of pandas.DataFrame, or None
        None if one of them is absent, or belongs to other data, cases or worlds.

    Raises
    ------
    InputError
        If a file is present and is no table.
    """
    paths = [data.root / FOLDER / f"{name}.csv" for name in names]
    if not all(path.is_file() for path in paths):
        return None
    frames = [_read(path) for path in paths]
    expected = stamp(data)
    for frame in frames:
        if STAMP not in frame or set(frame[STAMP]) != {expected}:
            return None
    return [frame.drop(columns=STAMP) for frame in frames]


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise InputError.one(
            f"{FOLDER}/{path.name}",
            "file",
            f"is no table ({error})",
            "write it again with experiments/keep.py, or remove it",
        ) from None


def store_tables(
    data: Dataset, folder: str | Path, frames: Mapping[str, pd.DataFrame]
) -> list[Path]:
    """Write tables with the stamp of the data and return their paths."""
    present = stamp(data)
    written = []
    for name, frame in frames.items():
        path = Path(folder) / f"{name}.csv"
        write_whole(path, table_csv(frame.assign(**{STAMP: present})))
        written.append(path)
    return written


def restamp(data: Dataset, name: str) -> Path:
    """Write the present stamp into a stored table, whose numbers stay as they are.

    This is for a change of the package that moves no number, such as a reworded note or
    a column that the model does not read. The caller answers for that.

    Raises
    ------
    InputError
        If the table is absent or has no stamp.
    """
    path = data.root / FOLDER / f"{name}.csv"
    # Cells are copied as text, so that no digit of a number can change.
    header, *rows = csv.reader(io.StringIO(read_file(path).decode(), newline=""))
    if STAMP not in header:
        raise InputError.one(
            f"{FOLDER}/{path.name}",
            STAMP,
            "is not a column of it",
            "write the table with experiments/keep.py",
        )
    place = header.index(STAMP)
    present = stamp(data)
    for row in rows:
        row[place] = present
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    write_whole(path, stream.getvalue())
    return path
