"""The manifest of a solution: what was solved, from what, with which versions."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chipmodel.cases.case import Case, policy_dict
from chipmodel.common.fingerprint import PACKAGES, code_digest, git_commit, version_of
from chipmodel.common.version import __version__
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.world import World
from chipmodel.results.solution import Solution


def result_id(data: Dataset, case: Case, world: World) -> str:
    """Return the SHA-256 over version, data, instruments and world of a result."""
    parts = (__version__, data.digest, case.digest, world.digest)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def build_manifest(
    solution: Solution,
    outputs: Mapping[str, str],
    timings: Mapping[str, float],
    verified: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the manifest of a solution: enough to rebuild and to verify it.

    Parameters
    ----------
    solution : Solution
    outputs : mapping
        SHA-256 of each file written beside the manifest.
    timings : mapping
        Seconds by step, without the solver's own.
    verified : mapping, optional
        What other methods found of the solution, as plain data.

    Returns
    -------
    dict
        Plain data. It names no host, no user and no absolute path.
    """
    data = solution.parameters.data
    certificate = solution.optimum.certificate
    seconds = {"solver": solution.optimum.seconds, **timings}
    return {
        "chipmodel": __version__,
        "id": result_id(data, solution.case, solution.world),
        # A commit does not cover files edited since; the digest of the code does.
        "commit": git_commit(),
        "code": code_digest(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: version_of(name) for name in PACKAGES},
        "created_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dataset": {
            "name": data.name,
            "digest": data.digest,
            "files": dict(sorted(data.hashes.items())),
        },
        "case": case_dict(solution.case),
        "world": solution.world.model_dump(mode="json"),
        "foresight": solution.foresight,
        "lp": _lp(solution),
        "status": "optimal",
        "objective": solution.objective,
        "unit": "MUSD present value",
        "certificate": {
            "primal": certificate.primal,
            "dual": certificate.dual,
            "complementarity": certificate.complementarity,
            "gap": certificate.gap,
            "worst": certificate.worst,
        },
        "verified": None if verified is None else dict(verified),
        "iterations": solution.optimum.iterations,
        "start": solution.optimum.start,
        "timings": {step: round(value, 3) for step, value in seconds.items()},
        "found": dict(solution.found),
        "outputs": dict(sorted(outputs.items())),
    }


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
    program = solution.program
    rows, columns = program.matrix.shape
    return {
        "rows": int(rows),
        "columns": int(columns),
        "nonzeros": int(program.matrix.nnz),
        "ranges": {name: list(ends) for name, ends in program.ranges().items()},
    }
