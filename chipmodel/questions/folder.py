"""Questions answered into folders: findings, tables and figures, reused as long as nothing they hang on changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from chipmodel.common.errors import InputError
from chipmodel.common.files import prepare, refuse_foreign, write_folder
from chipmodel.common.fingerprint import (
    PACKAGES,
    code_digest,
    is_untouched,
    sealed,
    version_of,
)
from chipmodel.common.progress import OnProgress
from chipmodel.common.tables import table_csv
from chipmodel.common.version import __version__
from chipmodel.common.workers import Pool
from chipmodel.dataset import derived
from chipmodel.dataset.dataset import Dataset
from chipmodel.display import canvas
from chipmodel.display.latex import latex
from chipmodel.questions import question
from chipmodel.questions.answer import Answer, Question
from chipmodel.results.store import MANIFEST
from chipmodel.studies.case_cache import CaseCache

FINDING = "finding.txt"


@dataclass(frozen=True)
class Part:
    """A question answered, as it lies in its folder.

    Attributes
    ----------
    folder : Path
    about : dict
        What the manifest says: name, title, asks, method, finding, tables, figures,
        digest, outputs.
    fresh : bool
        Whether it lay there already and nothing was solved.
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
        from chipmodel.display.tables import wrapped

        return "\n\n".join(
            [str(self.about["title"]), *(wrapped(one) for one in self.about["finding"])]
        )


def run_question(
    name: str,
    data: Dataset,
    out: str | Path,
    short: bool = False,
    pool: Pool | None = None,
    on_progress: OnProgress | None = None,
) -> Part:
    """Answer a question into ``out/<name>/``, or take what lies there if nothing has changed.

    Parameters
    ----------
    name : str
        Its name or number, such as ``q04``.
    data : Dataset
    out : str or Path
    short : bool
        The fewest cases that still answer it.
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
    folder, digest = prepare(out), digest_of(name_of(module), data, short)
    before = fresh_part(folder / name_of(module), digest)
    if before is not None:
        return before
    cache = CaseCache(data, pool, on_progress)
    cache.solve(module.cells(cache, short))
    return write_part(module, cache, folder, short, digest)


def fresh_part(folder: Path, digest: str) -> Part | None:
    """Return what lies in the folder of a question, if it hangs on what has that digest and nobody touched it.

    Raises
    ------
    InputError
        If it has to be answered and its folder holds files of somebody.
    """
    before = read_part(folder)
    if before is not None and fresh(before, digest):
        return before
    refuse_foreign(folder, _known(before))
    return None


def write_part(
    module: Question, cache: CaseCache, out: Path, short: bool, digest: str
) -> Part:
    """Answer the question of a module from what its desk has solved, into a folder of its own."""
    name, data = name_of(module), cache.data
    folder = out / name
    answer = module.answer(cache, short)
    content = contents(answer)
    about = {
        "chipmodel": __version__,
        "name": name,
        "title": module.TITLE,
        "asks": module.ASKS,
        "method": module.METHOD,
        "short": short,
        "digest": digest,
        **_hangs_on(data),
        "finding": list(answer.finding),
        "tables": [{"name": one.name, "title": one.title} for one in answer.tables],
        "figures": [
            {"name": one.name, "title": one.title, "table": one.table, "alt": one.alt}
            for one in answer.figures
        ],
        "outputs": {
            file: hashlib.sha256(raw).hexdigest() for file, raw in content.items()
        },
    }
    content[MANIFEST] = sealed(about)
    write_folder(folder, content, _known(read_part(folder)))
    return Part(folder, about, fresh=False)


def name_of(module: Question) -> str:
    """Return the name of the question a module answers."""
    return str(getattr(module, "__name__", "")).rpartition(".")[2]


def contents(answer: Answer) -> dict[str, bytes]:
    """Return the files of an answer: the finding, tables as CSV and LaTeX, figures as PDF, PNG and SVG."""
    files = {FINDING: ("\n\n".join(answer.finding) + "\n").encode()}
    frames = {}
    for table in answer.tables:
        frames[table.name] = table.frame
        files[f"{table.name}.csv"] = table_csv(table.written).encode()
        files[f"{table.name}.tex"] = latex(
            table.written, table.title, table.name
        ).encode()
    if canvas.drawable():
        for figure in answer.figures:
            for kind, raw in canvas.rendered(figure.draw, frames[figure.table]).items():
                files[f"{figure.name}.{kind}"] = raw
    return files


def digest_of(name: str, data: Dataset, short: bool) -> str:
    """Return the SHA-256 over everything an answer hangs on.

    Every case, world and study of the package counts, whichever of them the question
    asks for.
    """
    told = {"name": name, "short": short, **_hangs_on(data)}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _hangs_on(data: Dataset) -> dict[str, Any]:
    files = sorted(
        path
        for kind in ("cases", "worlds", "studies")
        for path in (data.root / kind).glob("*.toml")
    )
    files += sorted((data.root / derived.FOLDER).glob("*.csv"))
    choices = hashlib.sha256()
    for path in files:
        choices.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return {
        "dataset": {
            "name": data.name,
            "digest": data.digest,
            "files": dict(sorted(data.hashes.items())),
        },
        "cases_worlds_studies": choices.hexdigest(),
        "code": code_digest(),
        "packages": {
            package: version_of(package) for package in (*PACKAGES, "matplotlib")
        },
    }


def read_part(folder: Path) -> Part | None:
    """Return what lies in a folder, if its manifest is that of an answer."""
    try:
        about = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    wanted = {
        "name": str,
        "digest": str,
        "outputs": dict,
        "tables": list,
        "figures": list,
        "finding": list,
    }
    whole = isinstance(about, dict) and all(
        isinstance(about.get(key), kind) for key, kind in wanted.items()
    )
    return Part(folder, about, fresh=True) if whole else None


def fresh(part: Part, digest: str) -> bool:
    """Whether an answer hangs on the same things still and nobody touched its files."""
    try:
        return (
            is_untouched(part.about)
            and part.about["digest"] == digest
            and all(
                hashlib.sha256((part.folder / file).read_bytes()).hexdigest() == known
                for file, known in part.about["outputs"].items()
            )
        )
    except OSError:
        return False


def _known(before: Part | None) -> set[str]:
    return {MANIFEST, *before.about["outputs"]} if before else set()


def full_name(name: str) -> str | None:
    """Return the whole name of a question given by name or number; none if it is no question."""
    try:
        return name_of(question(name))
    except InputError:
        return None
