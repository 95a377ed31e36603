"""Fingerprints of code, packages and files: versions, digests and seals."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SOLVES = ("chipmodel", "highspy", "numpy", "pyomo", "scipy")
"""Packages that a chunk's numbers may hang on."""


PACKAGES = ("pyomo", "highspy", "numpy", "scipy", "pandas", "pydantic")
"""Packages whose version can change a digit of a result."""


def sealed(about: Mapping[str, Any]) -> bytes:
    """Return a manifest as it is written, with a hash over all of it, so that a changed one is told."""
    whole = {**about, "seal": _seal(about)}
    return (
        json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def is_untouched(about: Mapping[str, Any]) -> bool:
    """Whether a manifest that was read is as it was written."""
    return about.get("seal") == _seal(about)


def _seal(about: Mapping[str, Any]) -> str:
    body = json.loads(
        json.dumps({key: value for key, value in about.items() if key != "seal"})
    )
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def version_of(package: str) -> str | None:
    """Return the version of a package that is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def code_digest() -> str:
    """SHA-256 over the source of chipmodel, so that a result of changed code is not taken for fresh."""
    root = Path(__file__).resolve().parent.parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(
            path.relative_to(root).as_posix().encode()
            + b"\0"
            + path.read_bytes()
            + b"\0"
        )
    return total.hexdigest()


@cache
def git_commit() -> str | None:
    """Return the commit of the checkout chipmodel runs from, ``-dirty`` if it was changed; None outside of one."""
    root = Path(__file__).resolve().parent.parent.parent
    if not ((root / ".git").exists() and (root / "pyproject.toml").is_file()):
        return None
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return None
    return commit + (
        "-dirty"
        if _git(root, "status", "--porcelain", "--", "chipmodel", "data")
        else ""
    )


def _git(root: Path, *arguments: str) -> str | None:
    # No optional locks: asking must not write to the index of the checkout.
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
