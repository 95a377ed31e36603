"""The packages whose files are corrupted, what they hold and what they give."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import helpers
from mutations import File

import chipmodel as cm
from chipmodel.cases.case import baseline_of, list_cases
from chipmodel.common.files import names_in
from chipmodel.common.tables import result_csv
from chipmodel.dataset import descriptor
from chipmodel.dataset.dataset import shipped_root
from chipmodel.results.manifest import case_dict
from chipmodel.results.solution import TABLES as RESULTS
from chipmodel.studies.plan import list_studies, load_study
from chipmodel.studies.run import run_study


def two_regions(folder: Path) -> Path:
    """Copy the two-region package and add to it.

    A descriptor, a case with changes, a world with a storm, and studies.
    """
    helpers.copy_two(folder)
    (folder / "cases" / "child.toml").write_text(
        'title = "A lower duty, and a credit"\nbaseline = "tariff"\nstatus ='
        ' "threatened"\nas_of = "2026-06-30"\nsummary = "One number of the parent is'
        ' changed, one instrument added."\n\n[set]\n"duty.rate" ='
        ' 0.15\n\n[[policy]]\nkind = "investment_tax_credit"\nid = "credit"\nregion ='
        ' "AAA"\nrate = 0.2\nyears = [2026, 2030]\nsource = "own"\n'
    )
    (folder / "cases" / "quota.toml").write_text(
        'title = "A quota and a rule"\nstatus = "hypothetical"\nas_of ='
        ' "2026-06-30"\nsummary = "Quantities."\n\n[[policy]]\nkind ='
        ' "import_quota"\nid = "quota"\nimporter = "AAA"\norigins = ["BBB"]\nquota ='
        ' 30\non = "chips"\nrent_to = "exporter"\nyears = [2027, 2029]\nsource ='
        ' "test"\n'
    )
    (folder / "worlds" / "storm.toml").write_text(
        (folder / "worlds" / "central.toml").read_text().replace("Central", "Storm")
        + '\n[[scale]]\ntable = "costs"\nwhere = { item = "capex" }\nfactor ='
        ' 1.1\n\n[[event]]\nid = "storm"\nregion = "BBB"\nsegments = ["chip"]\nyears'
        ' = [2027, 2027]\ndepth = 0.3\nknown_from = 2027\nsource = "own"\n'
    )
    (folder / "studies").mkdir()
    head = (
        'cases = ["child", "tariff"]\nworlds = ["central"]\nreference = "tariff"\n'
        'metrics = ["share.capacity.AAA.all.2028", "cost.buyers.*", "welfare.all"]\n'
    )
    (folder / "studies" / "dials.toml").write_text(
        f'title = "Two dials"\n{head}chunk = 10\n\n[grid]\n"duty.rate" = [0.05, 0.25]\n'
        '"credit.rate" = { from = 0.0, to = 0.2, steps = 2 }\n'
    )
    (folder / "studies" / "rows.toml").write_text(
        f'title = "Rows of a table"\n{head}table = "points.csv"\n'
    )
    (folder / "studies" / "points.csv").write_text(
        "duty.rate,world.demand_shift\n0.05,0.0\n0.2,0.01\n"
    )
    descriptor.write_descriptor(folder)
    return folder


def shipped(folder: Path) -> Path:
    """Copy the shipped package without stored results, which have their own stamps."""
    shutil.copytree(
        shipped_root(),
        folder,
        ignore=shutil.ignore_patterns("raw", "derived", "*.py", "__pycache__"),
    )
    return folder


# -- what a package holds and gives


def record(root: Path) -> dict[str, Any]:
    """Return what was read, as manifests and ``chipmodel check`` record it."""
    data = cm.load_dataset(root)
    found: dict[str, Any] = {"data": data.digest, "edited": descriptor.edited(data)}
    for name in list_cases(data):
        parent = baseline_of(name, data)
        found[f"case {name}"] = (
            case_dict(cm.load_case(name, data)),
            parent and parent.name,
        )
    for name in names_in(root / "worlds"):
        found[f"world {name}"] = cm.load_world(name, data).model_dump(mode="json")
    for name in list_studies(data):
        study = load_study(name, data)
        found[f"study {name}"] = (study.model_dump(mode="json"), study.points())
    return found


def solved(root: Path, case: str, world: str) -> tuple[str, float]:
    """Solve a case and return its tables, to the byte, and its objective."""
    solution = cm.run(cm.load_dataset(root), case, world)
    return (
        "".join(result_csv(solution.table(name)) for name in RESULTS),
        solution.objective,
    )


def compared(root: Path, study: str) -> tuple[str, float]:
    """Run a study and return its comparison."""
    return run_study(study, cm.load_dataset(root)).table.to_csv(index=False), 0.0


@dataclass
class Package:
    """A package, what it holds, and what it gives intact."""

    root: Path
    solves: bool
    recorded: dict[str, Any] = field(default_factory=dict)
    given: dict[tuple[str, ...], tuple[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recorded = record(self.root)
        paths = sorted(
            p for p in self.root.rglob("*") if p.suffix in (".csv", ".toml", ".json")
        )
        self.files = [File(p, p.read_bytes()) for p in paths]

    def intact(self, *job: str) -> tuple[str, float]:
        """Return what a job gives before anything is corrupted; call it then."""
        if job not in self.given:
            self.given[job] = self.give(*job)
        return self.given[job]

    def give(self, *job: str) -> tuple[str, float]:
        """Solve a case in a world, or run a study."""
        return (
            compared(self.root, job[1])
            if job[0] == "study"
            else solved(self.root, job[1], job[2])
        )

    def job(self, rng: Random, file: File) -> tuple[str, ...] | None:
        """Return what to solve to see the effect of a file."""
        if not self.solves:
            return None
        if file.kind in ("study", "points"):
            return ("study", "rows" if file.kind == "points" else file.path.stem)
        case = rng.choice(["grant", "child", "floor", "quota", "tariff"])
        case, world = (file.path.stem if file.kind == "case" else case), "central"
        return ("run", case, file.path.stem if file.kind == "world" else world)


# -- putting something in the place of a file


@contextlib.contextmanager
def put(file: File, content: bytes | str) -> Iterator[None]:
    """Put content, or something that is no plain file, in the place of a file."""
    path, aside = file.path, contextlib.ExitStack()
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "directory":
        path.mkdir()
    elif content == "dangling link":
        path.symlink_to(path.parent / "nowhere")
    elif content == "link to itself":
        path.symlink_to(path)
    elif content == "endless device":
        path.symlink_to("/dev/zero")
    elif content == "huge file":
        with path.open("wb") as stream:
            stream.truncate(60_000_000)
    else:
        assert content == "file that vanishes"
        path.write_bytes(file.raw)
        opened = Path.open

        def gone(self: Path, *given: Any, **named: Any) -> Any:
            if self == path:
                path.unlink(missing_ok=True)
            return opened(self, *given, **named)

        aside.enter_context(mock.patch.object(Path, "open", gone))
    try:
        with aside:
            yield
    finally:
        (
            path.rmdir()
            if path.is_dir() and not path.is_symlink()
            else path.unlink(missing_ok=True)
        )
        path.write_bytes(file.raw)
