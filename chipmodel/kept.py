"""Results kept with the data because they take long: the short form of the report shows them.

They lie under ``data/derived/``, each row with the stamp of the data, cases, worlds and studies they were made
with (`experiments/keep.py`). Where anything of these has changed they are not shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from chipmodel.dataset import Dataset
from chipmodel.errors import InputError
from chipmodel.files import write_whole
from chipmodel.intervals import FOLDER
from chipmodel.study import table_csv

STAMP = "made_with"


def stamp(data: Dataset) -> str:
    """Return a digest of all rows of the data and all cases, worlds and studies."""
    digest = hashlib.sha256(data.digest.encode())
    for kind in ("cases", "worlds", "studies"):
        for path in sorted((data.root / kind).glob("*.toml")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:16]


def kept(data: Dataset, *names: str) -> list[pd.DataFrame] | None:
    """Return tables kept with the data; none if one is not there or was made with something else.

    Raises
    ------
    InputError
        If one is there and is no table.
    """
    paths = [data.root / FOLDER / f"{name}.csv" for name in names]
    if not all(path.is_file() for path in paths):
        return None
    frames = [_read(path) for path in paths]
    if any(STAMP not in frame or set(frame[STAMP]) != {stamp(data)} for frame in frames):
        return None
    return [frame.drop(columns=STAMP) for frame in frames]


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise InputError.one(f"{FOLDER}/{path.name}", "file", f"is no table ({error})",
                             "write it anew with experiments/keep.py, or remove it") from None


def keep(data: Dataset, folder: str | Path, frames: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write tables with the stamp of the data."""
    written = []
    for name, frame in frames.items():
        path = Path(folder) / f"{name}.csv"
        write_whole(path, table_csv(frame.assign(**{STAMP: stamp(data)})))
        written.append(path)
    return written
