"""Questions answered into folders: findings, tables and figures.

A folder is reused until something its answer depends on changes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.common.errors import InputError
from chipmodel.common.files import visible_files
from chipmodel.common.fingerprint import PACKAGES, code_digest, version_of
from chipmodel.common.folders import prepare, refuse_foreign
from chipmodel.common.progress import OnProgress
from chipmodel.common.tables import table_csv
from chipmodel.common.version import __version__
from chipmodel.common.workers import Pool
from chipmodel.dataset import derived
from chipmodel.dataset.dataset import Dataset
from chipmodel.display import canvas
from chipmodel.display.latex import latex
from chipmodel.display.tables import wrapped
from chipmodel.questions import question
from chipmodel.questions.answer import Answer, Figure, Question
from chipmodel.results.folder import (
    MANIFEST,
    digests,
    is_intact,
    lacking,
    write_result,
)
from chipmodel.studies.case_cache import CaseCache

FINDING = "finding.txt"


FIELDS = {
    "name": str,
    "digest": str,
    "outputs": dict,
    "tables": list,
    "figures": list,
    "finding": list,
}
"""Fields without which a file is no manifest of an answer."""


@dataclass(frozen=True)
class Part:
    """A question answered, in its folder.

    Attributes
    ----------
    folder : Path
    about : dict
        The manifest: name, title, asks, method, finding, tables, figures, digest,
        outputs.
    fresh : bool
        Whether it was answered before and nothing was solved.
    """

    folder: Path
    about: dict[str, Any]
    fresh: bool

    @property
    def name(self) -> str:
        """Name of the question and of its folder."""
        return str(self.about["name"])

    @property
    def files(self) -> list[Path]:
        """Its files."""
        return [self.folder / name for name in (*self.about["outputs"], MANIFEST)]

    def table(self, name: str) -> pd.DataFrame:
        """Return one of its tables, to nine significant digits."""
        return pd.read_csv(
            self.folder / f"{name}.csv", keep_default_na=False, na_values=[""]
        )

    def text(self) -> str:
        """Return title and finding as text for a terminal."""
        paragraphs = [wrapped(paragraph) for paragraph in self.about["finding"]]
        return "\n\n".join([str(self.about["title"]), *paragraphs])


def run_question(
    name: str,
    data: Dataset,
    out: str | Path,
    short: bool = False,
    pool: Pool | None = None,
    on_progress: OnProgress | None = None,
) -> Part:
    """Answer a question into ``out/<name>/``, or reuse the answer if nothing changed.

    Parameters
    ----------
    name : str
        Its name or number, such as ``q04``.
    data : Dataset
    out : str or Path
    short : bool
        Solve the minimum set of cases that answers it.
    pool : Pool, optional
        Where cases are solved; this process by default.
    on_progress : callable, optional
        Called with a `Step` as cases are done.

    Raises
    ------
    InputError
        If there is no such question, or the folder cannot be written.
    NoOptimum
        If a case has no optimal solution.
    """
    module = question(name)
    folder = prepare(out)
    digest = digest_of(name_of(module), data, short)
    before = fresh_part(folder / name_of(module), digest)
    if before is not None:
        return before
    cache = CaseCache(data, pool, on_progress)
    cache.solve(module.cells(cache, short))
    return write_part(module, cache, folder, short, digest)


def fresh_part(folder: Path, digest: str) -> Part | None:
    """Return the answer in a folder if it is untouched and its digest is the one given.

    Raises
    ------
    InputError
        If the question has to be answered and its folder holds other files.
    """
    before = read_part(folder)
    if before is not None and fresh(before, digest):
        return before
    refuse_foreign(folder, _files_of(before))
    return None


def write_part(
    module: Question, cache: CaseCache, out: Path, short: bool, digest: str
) -> Part:
    """Answer the question of a module from solved cases, into a folder of its own."""
    name = name_of(module)
    folder = out / name
    answer = module.answer(cache, short)
    content = contents(answer)
    tables = [{"name": table.name, "title": table.title} for table in answer.tables]
    figures = [_plain_figure(figure) for figure in answer.figures]
    about = {
        "chipmodel": __version__,
        "name": name,
        "title": module.TITLE,
        "asks": module.ASKS,
        "method": module.METHOD,
        "short": short,
        "digest": digest,
        **_inputs(cache.data),
        "finding": list(answer.finding),
        "tables": tables,
        "figures": figures,
        "outputs": digests(content),
    }
    write_result(folder, content, about, _files_of(read_part(folder)))
    return Part(folder, about, fresh=False)


def _plain_figure(figure: Figure) -> dict[str, str]:
    """Return what a manifest records of a figure."""
    return {
        "name": figure.name,
        "title": figure.title,
        "table": figure.table,
        "alt": figure.alt,
    }


def name_of(module: Question) -> str:
    """Return the name of the question a module answers."""
    return str(getattr(module, "__name__", "")).rpartition(".")[2]


def contents(answer: Answer) -> dict[str, bytes]:
    """Return the files of an answer.

    The finding as text, tables as CSV and LaTeX, figures as PDF, PNG and SVG.
    """
    files = {FINDING: ("\n\n".join(answer.finding) + "\n").encode()}
    frames = {}
    for table in answer.tables:
        frames[table.name] = table.frame
        tex = latex(table.written, table.title, table.name)
        files[f"{table.name}.csv"] = table_csv(table.written).encode()
        files[f"{table.name}.tex"] = tex.encode()
    if canvas.drawable():
        for figure in answer.figures:
            images = canvas.rendered(figure.draw, frames[figure.table])
            for kind, raw in images.items():
                files[f"{figure.name}.{kind}"] = raw
    return files


def digest_of(name: str, data: Dataset, short: bool) -> str:
    """Return the SHA-256 over everything an answer depends on.

    Every case, world and study of the package counts, whichever of them the question
    asks for.
    """
    inputs = {"name": name, "short": short, **_inputs(data)}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _inputs(data: Dataset) -> dict[str, Any]:
    """Return the part of a manifest that states what an answer depends on."""
    # Another version of matplotlib draws other bytes.
    packages = (*PACKAGES, "matplotlib")
    return {
        "dataset": {
            "name": data.name,
            "digest": data.digest,
            "files": dict(sorted(data.hashes.items())),
        },
        "cases_worlds_studies": _choices(data),
        "code": code_digest(),
        "packages": {package: version_of(package) for package in packages},
    }


def _choices(data: Dataset) -> str:
    """Return the SHA-256 over cases, worlds, studies and derived tables."""
    files: list[Path] = []
    for kind in ("cases", "worlds", "studies"):
        files += visible_files(data.root / kind, "*.toml")
    files.sort()
    files += visible_files(data.root / derived.FOLDER, "*.csv")
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_part(folder: Path) -> Part | None:
    """Return the answer in a folder, or None if its manifest is no answer's."""
    # A manifest that cannot be read is no error: the question is answered again.
    try:
        about = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(about, dict) or lacking(about, FIELDS):
        return None
    return Part(folder, about, fresh=True)


def fresh(part: Part, digest: str) -> bool:
    """Whether the inputs of an answer are still the same and its files untouched."""
    return part.about["digest"] == digest and is_intact(part.folder, part.about)


def _files_of(part: Part | None) -> set[str]:
    if part is None:
        return set()
    return {MANIFEST, *part.about["outputs"]}


def full_name(name: str) -> str | None:
    """Return the full name of a question given by name or number, or None."""
    try:
        return name_of(question(name))
    except InputError:
        return None
