"""Chunks of a sweep on disk: written as they are done, read when a study continues."""

from __future__ import annotations

import hashlib
import io
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole
from chipmodel.common.fingerprint import SOLVES
from chipmodel.common.progress import Clock
from chipmodel.common.tables import table_csv
from chipmodel.common.workers import Pool
from chipmodel.results.summary import Summary
from chipmodel.studies.definition import Study, table_columns
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell
from chipmodel.studies.sweep import Row, prepare, solve_chunk

OTHER = "choose another folder with --out, or remove this one"
"""What to do about a folder of another study."""

PROSE = {"title", "summary", "figures", "table"}
"""Fields of a study that change no chunk; the points of its table are in the cells."""


def digest_of(study: Study, cells: list[Cell], inputs: Inputs) -> str:
    """Return what the chunks of a sweep depend on: study, cells, data and versions."""
    identities = []
    for cell in cells:
        digests = (cell.case.digest, cell.world.digest)
        identities.append((cell.name, *digests, cell.reference))
    content = {
        "study": study.model_dump(mode="json", exclude=PROSE),
        "cells": identities,
        "data": dict(inputs.data.hashes),
        "versions": {name: version(name) for name in SOLVES},
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def run_chunks(
    study: Study,
    cells: list[Cell],
    names: tuple[str, ...],
    references: dict[str, Summary],
    inputs: Inputs,
    folder: Path | None,
    pool: Pool,
    clock: Clock,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Solve the chunks of a sweep that are not done yet.

    Parameters
    ----------
    study : Study
    cells : list of Cell
    names : tuple of str
        Metrics.
    references : dict
        Summaries of cells that others are compared with and that are no points.
    inputs : Inputs
    folder : Path, optional
        Folder of the study's results; without one nothing is stored.
    pool : Pool
    clock : Clock

    Returns
    -------
    DataFrame, tuple of str
        The table of all cells, and notes for the user.

    Raises
    ------
    InputError
        If the folder holds the chunks of another study, or cannot be written.
    """
    columns = table_columns(study)
    chunk_folder = None if folder is None else folder / "chunks"
    store = Store(chunk_folder, digest_of(study, cells, inputs))
    sweep = prepare(cells, inputs.data, names, references, study.chunk, inputs=inputs)
    total = len(sweep.chunks)
    texts: dict[int, str] = {}
    unsolved = []
    for chunk in sweep.chunks:
        text = store.read(chunk.number)
        if text is None:
            unsolved.append(chunk)
            continue
        texts[chunk.number] = text
        done_already = f"chunk {chunk.number + 1} of {total} was done already"
        clock.step(done_already, len(chunk.tasks))
    for k, work in pool.each(solve_chunk, sweep.shared, unsolved):
        chunk = unsolved[k]
        texts[chunk.number] = chunk_text(work.rows, columns)
        store.write(chunk.number, texts[chunk.number])
        clock.step(f"chunk {chunk.number + 1} of {total}", len(chunk.tasks))
    # In the order of the study, whatever the order in which chunks were done.
    tables = [read_chunk(texts[chunk.number]) for chunk in sweep.chunks]
    return pd.concat(tables, ignore_index=True), sweep.refused


def chunk_text(rows: list[Row], columns: list[str]) -> str:
    """Return the rows of a chunk as CSV."""
    return table_csv(pd.DataFrame(rows, columns=columns))


def read_chunk(text: str) -> pd.DataFrame:
    """Read a chunk back from its text.

    Chunks that were just solved are read back too, so that a study gives the same
    numbers whether or not it was interrupted.
    """
    return pd.read_csv(
        io.StringIO(text),
        keep_default_na=False,
        na_values=[""],
        dtype={"case": str, "world": str},
    )


class Store:
    """The folder of the chunks of one study; without a folder nothing is stored.

    Parameters
    ----------
    folder : Path, optional
    digest : str
        What the chunks depend on.

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
        # The files are listed before the mark is looked for, because a process that
        # starts at the same time writes the mark first. A process killed while it
        # writes the mark leaves a hidden file, which is not foreign.
        hidden_mark = f".{mark.name}."
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        foreign = not all(name.startswith(hidden_mark) for name in names)
        if mark.is_file():
            if _digest_in(mark) != digest:
                what = (
                    "the chunks here belong to another study, to other data or to"
                    " another version"
                )
                raise InputError.one(str(folder), "sweep.json", what, OTHER)
        elif foreign:
            what = "holds files that are no chunks of this study"
            raise InputError.one(str(folder), "folder", what, OTHER)
        else:
            write_whole(mark, json.dumps({"digest": digest}) + "\n")

    def read(self, number: int) -> str | None:
        """Return the text of a chunk, or None if it is not done."""
        path = self._path(number)
        if path is None or not path.is_file():
            return None
        return path.read_text(encoding="utf-8")

    def write(self, number: int, text: str) -> None:
        """Store the text of a chunk."""
        path = self._path(number)
        if path is not None:
            write_whole(path, text)

    def _path(self, number: int) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"chunk_{number:05d}.csv"


def _digest_in(mark: Path) -> Any:
    try:
        return json.loads(mark.read_bytes()).get("digest")
    except (ValueError, AttributeError):
        return None
