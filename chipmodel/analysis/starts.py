"""Where a solve starts: bases of earlier solves, of the data package and of the user.

A start decides how long a solve takes, never what it finds.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from chipmodel.cases.case import Case
from chipmodel.common.cache import cache, cached, newest
from chipmodel.common.files import is_file
from chipmodel.dataset.derived import FOLDER
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.solver.basis_file import BasisFile
from chipmodel.solver.highs import Optimum
from chipmodel.solver.linear_program import LinearProgram
from chipmodel.solver.solve import solve_program, warm_start_from
from chipmodel.solver.warm_start import WarmStart

FILE = "bases.npz"
"""Bases of the cases of a data package, in its folder of derived tables."""

LARGE = 5_000
"""Columns from which a basis is worth a file."""

FAR = 400
"""Pivots from which the basis of a solve is worth a new file."""

PROSE = ("name", "title", "summary", "note", "source", "kind", "id")
"""Fields that change no number of a linear program, or are in every line."""


def solve_from_nearest(
    case: Case, parameters: Parameters, label: str, program: LinearProgram
) -> Optimum:
    """Solve a linear program from the nearest basis that is known."""
    if program.matrix.shape[1] < LARGE:
        return solve_program(program)
    name = name_of(case, parameters, label)
    optimum = solve_program(program, _nearest(name, parameters))
    if optimum.iterations > FAR:
        basis = BasisFile.of({name: warm_start_from(program, optimum)})
        cache(_file_of(name), basis.to_bytes())
    return optimum


def name_of(case: Case, parameters: Parameters, label: str) -> str:
    """Return what a solve depends on beside the data: a line each, sorted.

    Two solves are as near as they have lines in common.
    """
    lines = [label]
    for field, value in parameters.world:
        if field not in PROSE:
            lines.append(f"world, {field}: {value!r}")
    for policy in case.policies:
        if not policy.inactive:
            instrument = f"{type(policy).__name__} {policy.id}"
            lines.append(instrument)
            for field, value in policy:
                if field not in PROSE:
                    lines.append(f"{instrument}, {field}: {value!r}")
    return "\n".join(sorted(lines))


def _nearest(name: str, parameters: Parameters) -> WarmStart | None:
    """Return the basis of the same solve, or of the one that differs least.

    Of the user's cache only solves with the same instruments are considered.
    """
    shipped = of_package(parameters.data.root)
    known = {} if shipped is None else shipped.places
    content = cached(_file_of(name))
    if content is None and name not in known:
        content = cached(newest(f"basis-{_family(name)}-"))
    own = None if content is None else BasisFile.from_bytes(content)
    if own is not None and own.places:
        return own.start(next(iter(own.places)))
    if shipped is None or not known:
        return None
    lines = set(name.splitlines())
    differences = {
        other: len(lines.symmetric_difference(other.splitlines())) for other in known
    }
    return shipped.start(min(differences, key=differences.__getitem__))


def _file_of(name: str) -> str:
    return f"basis-{_family(name)}-{_short_hash(name)}.npz"


def _family(name: str) -> str:
    """Return what the solves have in common that differ in numbers only."""
    without_values = [line.partition(": ")[0] for line in name.splitlines()]
    return _short_hash("\n".join(without_values))


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def scatter(bases: BasisFile, folder: Path) -> None:
    """Put bases into a cache folder, as files that were not used yet."""
    for name in bases.places:
        start = bases.start(name)
        assert start is not None
        file = _file_of(name)
        cache(file, BasisFile.of({name: start}).to_bytes())
        os.utime(folder / file, (0, 0))


def gather(folder: Path) -> BasisFile:
    """Return the bases of a cache folder that were used."""
    found = {}
    for path in sorted(folder.glob("basis-*.npz")):
        content = cached(path.name) if path.stat().st_mtime > 0 else None
        bases = None if content is None else BasisFile.from_bytes(content)
        if bases is not None:
            for name in bases.places:
                start = bases.start(name)
                assert start is not None
                found[name] = start
    return BasisFile.of(found)


@lru_cache(maxsize=2)
def of_package(root: Path) -> BasisFile | None:
    """Return the bases of a data package."""
    path = root / FOLDER / FILE
    return BasisFile.from_bytes(path.read_bytes()) if is_file(path) else None
