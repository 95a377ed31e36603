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

PACKAGE_ROOT = Path(__file__).resolve().parents[1]
"""Folder of the source of chipmodel."""

SOLVES = ("chipmodel", "highspy", "numpy", "pyomo", "scipy")
"""Packages that the numbers of a chunk may depend on."""

PACKAGES = ("pyomo", "highspy", "numpy", "scipy", "pandas", "pydantic")
"""Packages whose version can change a digit of a result."""


def sealed(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest as it is written: with a hash that shows a later change."""
    with_seal = {**manifest, "seal": _seal(manifest)}
    text = json.dumps(with_seal, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def is_untouched(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest that was read is as it was written."""
    return manifest.get("seal") == _seal(manifest)


def _seal(manifest: Mapping[str, Any]) -> str:
    body = {key: value for key, value in manifest.items() if key != "seal"}
    # Through JSON and back, as a manifest that was read has been: its keys are texts.
    plain = json.loads(json.dumps(body))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def version_of(package: str) -> str | None:
    """Return the version of a package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def code_digest() -> str:
    """Return the SHA-256 of the source of chipmodel.

    It shows that a result was made by other code of the same version.
    """
    digest = hashlib.sha256()
    for path in sorted(PACKAGE_ROOT.rglob("*.py")):
        name = path.relative_to(PACKAGE_ROOT).as_posix()
        # A wheel holds the data package, with the script that derives its tables.
        if name.startswith("data/"):
            continue
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def git_commit() -> str | None:
    """Return the commit of the checkout that chipmodel runs from.

    It ends with ``-dirty`` if code or data were changed since, and is None outside of a
    checkout.
    """
    root = PACKAGE_ROOT.parent
    if not ((root / ".git").exists() and (root / "pyproject.toml").is_file()):
        return None
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return None
    changes = _git(root, "status", "--porcelain", "--", "chipmodel", "data")
    return f"{commit}-dirty" if changes else commit


def _git(root: Path, *arguments: str) -> str | None:
    # No optional locks: asking must not write to the index of the checkout.
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        process = subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.strip() if process.returncode == 0 else None
