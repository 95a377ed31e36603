"""Chunks of a sweep on disk: written as they are done, read when a study continues."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chipmodel.common import folders
from chipmodel.common.errors import InputError
from chipmodel.common.files import create_whole, write_whole
from chipmodel.common.fingerprint import SOLVES, code_digest
from chipmodel.common.progress import Clock
from chipmodel.common.tables import table_csv
from chipmodel.common.workers import Pool
from chipmodel.results.summary import Summary
from chipmodel.solver.parametric import PREVIOUS
from chipmodel.studies.definition import Study, table_columns
from chipmodel.studies.inputs import Inputs
from chipmodel.studies.plan import Cell
from chipmodel.studies.sweep import Row, prepare, solve_chunk

OTHER = "choose another folder with --out, or remove this one"
"""What to do about a folder of another study."""

PROSE = {"title", "summary", "figures", "table"}
"""Fields of a study that change no chunk; the points of its table are in the cells."""


def digest_of(study: Study, cells: Sequence[Cell], inputs: Inputs) -> str:
    """Return what the chunks of a sweep depend on.

    These are the study, its cells, the data, and the versions and code that solve them.
    """
    identities = []
    for cell in cells:
        digests = (cell.case.digest, cell.world.digest)
        identities.append((cell.name, *digests, cell.reference))
    content = {
        "study": study.model_dump(mode="json", exclude=PROSE),
        "cells": identities,
        "data": dict(inputs.data.hashes),
        "versions": {name: version(name) for name in SOLVES},
        "code": code_digest(),
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def run_chunks(
    study: Study,
    cells: list[Cell],
    names: tuple[str, ...],
    references: dict[str, Summary],
    inputs: Inputs,
    store: Store | None,
    pool: Pool,
    clock: Clock,
) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, Any]]:
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
    store : Store, optional
        Chunks that are done; without one nothing is stored.
    pool : Pool
    clock : Clock

    Returns
    -------
    DataFrame, tuple of str, dict
        The table of all cells, notes for the user, and what the solves took.

    Raises
    ------
    InputError
        If a chunk cannot be written.
    """
    columns = table_columns(study)
    sweep = prepare(cells, inputs.data, names, references, study.chunk, inputs=inputs)
    total = len(sweep.chunks)
    texts: dict[int, str] = {}
    unsolved = []
    for chunk in sweep.chunks:
        text = None if store is None else store.read(chunk.number)
        if text is None:
            unsolved.append(chunk)
            continue
        texts[chunk.number] = text
        done_already = f"chunk {chunk.number + 1} of {total} was done already"
        clock.step(done_already, len(chunk.tasks))
    taken: dict[str, Any] = {
        "start": PREVIOUS,
        "solved": 0,
        "pivots": 0,
        "seconds": 0.0,
    }
    for k, work in pool.each(solve_chunk, sweep.shared, unsolved):
        chunk = unsolved[k]
        texts[chunk.number] = chunk_text(work.rows, columns)
        if store is not None:
            store.write(chunk.number, texts[chunk.number])
        taken["solved"] += len(chunk.tasks)
        taken["pivots"] += work.pivots
        taken["seconds"] = round(taken["seconds"] + work.seconds_inside, 3)
        clock.step(f"chunk {chunk.number + 1} of {total}", len(chunk.tasks))
    table = pd.concat(
        [read_chunk(texts[chunk.number]) for chunk in sweep.chunks], ignore_index=True
    )
    notes = [*sweep.refused]
    if store is not None:
        notes += store.notes
    return in_order(table, cells), tuple(notes), taken


def in_order(table: pd.DataFrame, cells: Sequence[Cell]) -> pd.DataFrame:
    """Return a table with its rows in the order of cells."""
    places = {(cell.case.name, cell.world.name): k for k, cell in enumerate(cells)}
    names = zip(table["case"], table["world"], strict=True)
    order = np.argsort([places[name] for name in names], kind="stable")
    return table.iloc[order].reset_index(drop=True)


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
    """The folder of the chunks of one study.

    Beside each chunk lies the hash of its text, so that a chunk that was changed is
    solved again.

    Parameters
    ----------
    folder : Path
    digest : str
        What the chunks depend on.

    Attributes
    ----------
    notes : list of str
        What the user should know of chunks that were not as they were written.

    Raises
    ------
    InputError
        If it cannot be a folder, or holds chunks of another study.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        # Not made here: an empty one would be left by a run that is stopped.
        if os.path.lexists(folder):
            folders.prepare(folder)
        self._folder = folder
        self._digest = digest
        self.notes: list[str] = []
        self._is_marked = False
        mark = folder / "sweep.json"
        # The files are listed before the mark is looked for, because a process that
        # starts at the same time writes the mark first. A process killed while it
        # writes the mark leaves a hidden file, which is not foreign.
        hidden_mark = f".{mark.name}."
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        foreign = not all(name.startswith(hidden_mark) for name in names)
        if foreign and not mark.is_file():
            what = "holds files that are no chunks of this study"
            raise InputError.one(str(folder), "folder", what, OTHER)
        if mark.is_file():
            self._refuse_other(mark)

    def _make_mark(self) -> None:
        """Write the mark, unless there is one.

        Of two studies that do so at the same time, one is refused.
        """
        mark = self._folder / "sweep.json"
        if not create_whole(mark, json.dumps({"digest": self._digest}) + "\n"):
            self._refuse_other(mark)
        self._is_marked = True

    def _refuse_other(self, mark: Path) -> None:
        if _digest_in(mark) != self._digest:
            what = (
                "the chunks here belong to another study, to other data or to"
                " another version or code"
            )
            raise InputError.one(str(self._folder), "sweep.json", what, OTHER)

    def read(self, number: int) -> str | None:
        """Return the text of a chunk, or None if it is not done or was changed."""
        path = self._path(number)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.notes.append(f"{path.name} cannot be read ({error.strerror})")
            return None
        if not self._is_as_written(path, raw):
            self.notes.append(
                f"{path.name} was changed after it was written: it was solved again"
            )
            return None
        return raw.decode()

    def write(self, number: int, text: str) -> None:
        """Store the text of a chunk."""
        if not self._is_marked:
            self._make_mark()
        path = self._path(number)
        # The hash first: a chunk that is there has one.
        write_whole(_hash_of(path), self._hash(text.encode()) + "\n")
        write_whole(path, text)

    def _path(self, number: int) -> Path:
        return self._folder / f"chunk_{number:05d}.csv"

    def _is_as_written(self, path: Path, raw: bytes) -> bool:
        try:
            stored = _hash_of(path).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return False
        return stored == self._hash(raw)

    def _hash(self, raw: bytes) -> str:
        """Return the hash of a chunk of this study; that of another differs."""
        return hashlib.sha256(self._digest.encode() + raw).hexdigest()


def _hash_of(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _digest_in(mark: Path) -> Any:
    try:
        return json.loads(mark.read_bytes()).get("digest")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
