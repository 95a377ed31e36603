"""Write folders of files so that each is there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from chipmodel.common.errors import InputError
from chipmodel.common.files import remove_abandoned, unwritable

MOST_TRIES = 100
"""Times a folder in the way is renamed before writing gives up."""


def prepare(out: str | Path) -> Path:
    """Make a folder for results and check that it can be written, before long work.

    Raises
    ------
    InputError
        If it cannot.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from None
    return folder


def write_folder(
    target: Path, content: Mapping[str, bytes], mine: Iterable[str] = ()
) -> None:
    """Write a folder of files whole, in the place of an earlier one.

    Parameters
    ----------
    target : Path
    content : mapping of str to bytes
        The files by name.
    mine : iterable of str
        Other names that the earlier folder may hold.

    Raises
    ------
    InputError
        If it cannot be written, or holds other files.
    """
    refuse_foreign(target, {*content, *mine})
    try:
        _write_folder(target, content)
    except OSError as error:
        raise unwritable(target, error) from None


def refuse_foreign(target: Path, mine: set[str]) -> None:
    """Refuse a folder that holds other files than `mine`, which would be lost.

    Raises
    ------
    InputError
        With their names.
    """
    names: set[str] = set()
    with suppress(OSError):
        names = {path.name for path in target.iterdir()}
    foreign = sorted(name for name in names - mine if not name.startswith("."))
    if foreign:
        raise InputError.one(
            str(target),
            ", ".join(foreign),
            "was not written by chipmodel and would be lost",
            "move it away, or choose another folder with --out",
        )


def _write_folder(target: Path, content: Mapping[str, bytes]) -> None:
    # Another process that failed may have removed the parent in the meantime.
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, raw in content.items():
            with (draft / name).open("wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
        draft.chmod(0o755)
        _sync(draft)
        _swap_in(draft, target)
        _sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _swap_in(new: Path, target: Path) -> None:
    """Rename `new` to `target`; a folder in the way is renamed first, and deleted last.

    Another process may do the same at the same time: each renames what it finds at the
    target, so that there is a whole folder there in the end.
    """
    away: list[Path] = []
    try:
        while True:
            try:
                new.rename(target)
                return
            except OSError as error:
                is_taken = error.errno in (errno.ENOTEMPTY, errno.EEXIST)
                if not is_taken or len(away) > MOST_TRIES:
                    raise
            old = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            with suppress(FileNotFoundError):
                target.rename(old)
                away.append(old)
    except OSError:
        if away and not target.exists():
            away.pop().rename(target)
        raise
    finally:
        for old in away:
            shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Let the system write a folder's entries to the disk."""
    with suppress(OSError):  # some systems cannot open a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
