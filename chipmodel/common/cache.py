"""Files that make a later run faster and never give it another answer.

They lie in the user's cache directory, or in the folder that the environment variable
``CHIPMODEL_CACHE`` names; if it is empty, nothing is cached. All of them may be deleted
at any time.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from chipmodel.common.errors import InputError
from chipmodel.common.files import write_whole

VARIABLE = "CHIPMODEL_CACHE"

MOST_BYTES = 1_000_000_000
"""Size of the cache; files not used for longest go first."""

DIGEST_SIZE = 32


def folder() -> Path | None:
    """Return the folder of the cache; None if nothing is to be cached."""
    given = os.environ.get(VARIABLE)
    if given is None:
        return user_cache_path("chipmodel")
    return Path(given) if given else None


def newest(prefix: str) -> str | None:
    """Return the name that begins with a prefix and was used last, if there is one."""
    place = folder()
    found = []
    with suppress(OSError, ValueError):
        for path in () if place is None else place.glob(f"{prefix}*"):
            found.append((path.stat().st_mtime, path.name))
    return max(found)[1] if found else None


def cached(name: str | None) -> bytes | None:
    """Return what was cached under a name; None if it is absent or damaged."""
    place = folder()
    if place is None or name is None:
        return None
    path = place / name
    try:
        raw = path.read_bytes()
        os.utime(path)
    except (OSError, ValueError):
        return None
    seal, content = raw[:DIGEST_SIZE], raw[DIGEST_SIZE:]
    return content if hashlib.sha256(content).digest() == seal else None


def cache(name: str, content: bytes) -> None:
    """Cache content under a name, if the cache can be written."""
    place = folder()
    if place is None:
        return
    with suppress(OSError, ValueError, InputError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place / name, hashlib.sha256(content).digest() + content)
        _drop_oldest(place)


def _drop_oldest(place: Path) -> None:
    found = []
    for path in place.iterdir():
        if not path.name.startswith("."):
            facts = path.stat()
            found.append((facts.st_mtime, facts.st_size, path))
    size = sum(size for _, size, _ in found)
    for _, of_file, path in sorted(found):
        if size <= MOST_BYTES:
            return
        # Another process may drop the same file.
        path.unlink(missing_ok=True)
        size -= of_file
