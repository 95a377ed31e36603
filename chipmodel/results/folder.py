"""Folders of results: a sealed manifest beside the files whose SHA-256 it lists.

A folder is written whole or not at all. Whether it is untouched is seen from the seal
of the manifest and the hashes in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chipmodel.common.errors import Problem
from chipmodel.common.fingerprint import is_untouched, sealed
from chipmodel.common.folders import refuse_foreign, write_folder

MANIFEST = "manifest.json"


def digests(content: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each file, in hexadecimal."""
    return {name: hashlib.sha256(raw).hexdigest() for name, raw in content.items()}


def refuse_to_lose(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which a result of these files cannot be written.

    Raises
    ------
    InputError
        If it holds files that chipmodel did not write; before anything is solved.
    """
    is_result = (folder / MANIFEST).is_file()
    refuse_foreign(folder, {MANIFEST, *names} if is_result else ())


def write_result(
    folder: Path,
    content: Mapping[str, bytes],
    manifest: Mapping[str, Any],
    replaced: Iterable[str] = (),
) -> None:
    """Write files and their manifest as a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
    content : mapping
        Files by name.
    manifest : mapping
        Plain data; its `outputs` are the `digests` of the files.
    replaced : iterable of str
        Files of an earlier result that may be lost, besides those of the same names.

    Raises
    ------
    InputError
        If the folder cannot be written, or holds files chipmodel did not write.
    """
    write_folder(folder, {**content, MANIFEST: sealed(manifest)}, replaced)


def read_outputs(
    folder: Path, names: Iterable[str], outputs: Mapping[str, Any]
) -> tuple[dict[str, bytes], list[Problem]]:
    """Read files of a result and compare them with the hashes in its manifest.

    Returns
    -------
    dict
        Files by name, as far as they can be read.
    list of Problem
        Files that are missing, cannot be read, were edited or are cut short.
    """
    content: dict[str, bytes] = {}
    problems: list[Problem] = []
    fix = "restore it, or run the case again"
    for name in names:
        file = folder / name
        try:
            raw = file.read_bytes()
        except FileNotFoundError:
            problems.append(Problem(str(file), "file", "is missing", fix))
            continue
        except OSError as error:
            what = f"cannot be read ({error.strerror})"
            problems.append(Problem(str(file), "file", what, fix))
            continue
        content[name] = raw
        if hashlib.sha256(raw).hexdigest() != outputs.get(name):
            what = (
                "was edited or is cut short: its SHA-256 is not the one in the manifest"
            )
            problems.append(Problem(str(file), "file", what, fix))
    return content, problems


def is_intact(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether neither the manifest nor any file it lists was changed or removed."""
    # The seal first: without it, the list of files cannot be trusted.
    if not is_untouched(manifest):
        return False
    outputs = manifest["outputs"]
    _, problems = read_outputs(folder, outputs, outputs)
    return not problems


def lacking(manifest: Mapping[str, Any], fields: Mapping[str, type]) -> list[str]:
    """Return the fields that a manifest lacks or has with another type."""
    names = []
    for name, kind in fields.items():
        if not isinstance(manifest.get(name), kind):
            names.append(name)
    return names
