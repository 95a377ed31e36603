"""What ran, on what, with what: the manifest of a result."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import chipmodel
from chipmodel.case import Case, policy_dict
from chipmodel.dataset import Dataset
from chipmodel.world import World

if TYPE_CHECKING:
    from chipmodel.solution import Solution
    from chipmodel.verification import Verification

PACKAGES = ("pyomo", "highspy", "numpy", "scipy", "pandas", "pydantic")
"""Packages whose version can change a digit of a result."""


def result_id(data: Dataset, case: Case, world: World) -> str:
    """Return the SHA-256 over everything a result depends on: version, data, instruments, world."""
    parts = (chipmodel.__version__, data.digest, case.digest, world.digest)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def build_manifest(solution: Solution, outputs: Mapping[str, str], timings: Mapping[str, float],
                   verified: Verification | None = None) -> dict[str, Any]:
    """Return the manifest of a solution: enough to rebuild it and to see that it was not touched.

    Parameters
    ----------
    solution : Solution
    outputs : mapping
        SHA-256 of each file written beside the manifest.
    timings : mapping
        Seconds by step, besides the solver's own.
    verified : Verification, optional
        What other methods said of the solution, if they were asked.

    Returns
    -------
    dict
        Plain data. It names no host, no user and no absolute path.
    """
    data, certificate = solution.numbers.data, solution.optimum.certificate
    return {
        "chipmodel": chipmodel.__version__,
        "id": result_id(data, solution.case, solution.world),
        "commit": git_commit(),
        "code": code_digest(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: version_of(name) for name in PACKAGES},
        "created_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dataset": {"name": data.name, "digest": data.digest, "files": dict(sorted(data.hashes.items()))},
        "case": case_dict(solution.case),
        "world": solution.world.model_dump(mode="json"),
        "foresight": solution.foresight,
        "lp": _lp(solution),
        "status": "optimal",
        "objective": solution.objective,
        "unit": "MUSD present value",
        "certificate": {
            "primal": certificate.primal, "dual": certificate.dual, "complementarity": certificate.complementarity,
            "gap": certificate.gap, "worst": certificate.worst,
        },
        "verified": None if verified is None else verified.plain(),
        "iterations": solution.optimum.iterations,
        "timings": {"solver": round(solution.optimum.seconds, 3), **{k: round(v, 3) for k, v in timings.items()}},
        "found": dict(solution.found),
        "outputs": dict(sorted(outputs.items())),
    }


def sealed(about: Mapping[str, Any]) -> bytes:
    """Return a manifest as it is written, with a hash over all of it, so that a changed one is told."""
    whole = {**about, "seal": _seal(about)}
    return (json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def untouched(about: Mapping[str, Any]) -> bool:
    """Whether a manifest that was read is as it was written."""
    return about.get("seal") == _seal(about)


def _seal(about: Mapping[str, Any]) -> str:
    body = json.loads(json.dumps({key: value for key, value in about.items() if key != "seal"}))
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def case_dict(case: Case) -> dict[str, Any]:
    """Return a resolved case as plain data."""
    return {
        "name": case.name,
        "title": case.title,
        "status": case.status,
        "as_of": case.as_of,
        "summary": case.summary,
        "digest": case.digest,
        "policies": [policy_dict(policy) for policy in case.policies],
    }


def _lp(solution: Solution) -> dict[str, Any]:
    arrays = solution.arrays
    rows, columns = arrays.matrix.shape
    return {
        "rows": int(rows),
        "columns": int(columns),
        "nonzeros": int(arrays.matrix.nnz),
        "ranges": {name: list(ends) for name, ends in arrays.ranges().items()},
    }


def version_of(package: str) -> str | None:
    """Return the version of a package that is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def code_digest() -> str:
    """SHA-256 over the source of chipmodel, so that a result of changed code is not taken for fresh."""
    root = Path(chipmodel.__file__).resolve().parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


@cache
def git_commit() -> str | None:
    """Return the commit of the checkout chipmodel runs from, ``-dirty`` if it was changed; None outside of one."""
    root = Path(chipmodel.__file__).resolve().parent.parent
    if not ((root / ".git").exists() and (root / "pyproject.toml").is_file()):
        return None
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("-dirty" if _git(root, "status", "--porcelain", "--", "chipmodel", "data") else "")


def _git(root: Path, *arguments: str) -> str | None:
    # No optional locks: asking must not write to the index of the checkout.
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
