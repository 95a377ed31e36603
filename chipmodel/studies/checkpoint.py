"""Chunks of a sweep on disk: written as they are done, found again when a study goes on."""

from __future__ import annotations

import hashlib
import io
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.common.fingerprint import SOLVES
from chipmodel.common.progress import Clock
from chipmodel.common.workers import Pool
from chipmodel.dataset.dataset import Dataset
from chipmodel.results.summary import Summary
from chipmodel.studies.plan import Cell
from chipmodel.studies.sweep import Row, prepare, solve_chunk

if TYPE_CHECKING:
    from chipmodel.studies.definition import Study

OTHER = "choose another folder with --out, or remove this one"


def digest_of(study: Study, cells: list[Cell], data: Dataset) -> str:
    """Return what the chunks of a sweep belong to: study, cells, data and versions."""
    told = {
        "study": study.model_dump(
            mode="json", exclude={"title", "summary", "figures", "table"}
        ),
        "cells": [
            (cell.name, cell.case.digest, cell.world.digest, cell.reference)
            for cell in cells
        ],
        "data": dict(data.hashes),
        "versions": {name: version(name) for name in SOLVES},
    }
    return hashlib.sha256(
        json.dumps(told, sort_keys=True, default=str).encode()
    ).hexdigest()


def run_chunks(
    study: Study,
    cells: list[Cell],
    names: tuple[str, ...],
    references: dict[str, Summary],
    data: Dataset,
    folder: Path | None,
    pool: Pool,
    clock: Clock,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Solve the chunks of a sweep that are not done yet and return the table of all, and notes.

    Raises
    ------
    InputError
        If the folder holds the chunks of another study, or cannot be written.
    """
    from chipmodel.studies.definition import table_columns

    columns = table_columns(study)
    store = Store(
        None if folder is None else folder / "chunks", digest_of(study, cells, data)
    )
    sweep = prepare(cells, data, names, references, study.chunk)
    texts = {
        chunk.number: text
        for chunk in sweep.chunks
        if (text := store.read(chunk.number)) is not None
    }
    left = [chunk for chunk in sweep.chunks if chunk.number not in texts]
    for chunk in sweep.chunks:
        if chunk.number in texts:
            clock.step(
                f"chunk {chunk.number + 1} of {len(sweep.chunks)} was done already",
                len(chunk.tasks),
            )
    for k, work in pool.each(solve_chunk, sweep.shared, left):
        chunk = left[k]
        texts[chunk.number] = chunk_text(work.rows, columns)
        store.write(chunk.number, texts[chunk.number])
        clock.step(f"chunk {chunk.number + 1} of {len(sweep.chunks)}", len(chunk.tasks))
    tables = [read_chunk(texts[chunk.number]) for chunk in sweep.chunks]
    return pd.concat(tables, ignore_index=True), sweep.refused


def chunk_text(rows: list[Row], columns: list[str]) -> str:
    """Return the rows of a chunk as CSV."""
    from chipmodel.common.tables import table_csv

    return table_csv(pd.DataFrame(rows, columns=columns))


def read_chunk(text: str) -> pd.DataFrame:
    """Read a chunk back; also what was just solved goes this way, so that no result hangs on it."""
    return pd.read_csv(
        io.StringIO(text),
        keep_default_na=False,
        na_values=[""],
        dtype={"case": str, "world": str},
    )


class Store:
    """The folder of the chunks of one study; without a folder nothing is kept.

    Raises
    ------
    InputError
        If the folder holds chunks of another study.
    """

    def __init__(self, folder: Path | None, digest: str) -> None:
        self._folder = folder
        if folder is None:
            return
        mark = folder / "sweep.json"
        # The files are listed before the mark is looked for: who starts at the same
        # time writes the mark first. A process killed just here leaves it half written
        # under a name of its own.
        others = folder.is_dir() and any(
            not path.name.startswith(f".{mark.name}.") for path in folder.iterdir()
        )
        if mark.is_file():
            if _digest_in(mark) != digest:
                what = (
                    "the chunks here belong to another study, to other data or to"
                    " another version"
                )
                raise InputError.one(str(folder), "sweep.json", what, OTHER)
        elif others:
            raise InputError.one(
                str(folder),
                "folder",
                "holds files that are no chunks of this study",
                OTHER,
            )
        else:
            write_whole(mark, json.dumps({"digest": digest}) + "\n")

    def read(self, number: int) -> str | None:
        """Return a chunk that is done."""
        path = self._path(number)
        return (
            path.read_text(encoding="utf-8")
            if path is not None and path.is_file()
            else None
        )

    def write(self, number: int, text: str) -> None:
        """Keep a chunk."""
        path = self._path(number)
        if path is not None:
            write_whole(path, text)

    def _path(self, number: int) -> Path | None:
        return (
            None if self._folder is None else self._folder / f"chunk_{number:05d}.csv"
        )


def _digest_in(mark: Path) -> Any:
    try:
        return json.loads(mark.read_bytes()).get("digest")
    except (ValueError, AttributeError):
        return None
