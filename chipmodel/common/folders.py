"""Write folders of files so that each is there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from chipmodel.common.errors import InputError
from chipmodel.common.files import draft_name, remove_abandoned, unwritable

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
    _refuse_dangling(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        raise unwritable(folder, error) from None
    return folder


def _refuse_dangling(folder: Path) -> None:
    """Refuse a folder behind a link that leads nowhere.

    What the link led to may be a disk that is not there just now.

    Raises
    ------
    InputError
        With what the link leads to.
    """
    with suppress(OSError, ValueError):
        for path in (folder, *folder.parents):
            if path.is_symlink() and not path.exists():
                what = f"is a link to {path.readlink()}, which does not exist"
                fix = "make that folder, or choose another folder with --out"
                raise InputError.one(str(path), "output", what, fix)


def write_folder(
    target: Path, content: Mapping[str, bytes], mine: Iterable[str] = ()
) -> None:
    """Write a folder of files whole, in the place of an earlier one.

    Where the earlier one is a link, the link stays and the folder behind it is
    replaced.

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
        _write_folder(Path(os.path.realpath(target)), content)
    except OSError as error:
        raise unwritable(target, error) from None


NOBODYS = (".DS_Store", "._", ".nfs")
"""Starts of the names of hidden files that a system makes by itself."""


def refuse_foreign(target: Path, mine: Collection[str]) -> None:
    """Refuse to replace what is no folder, or one that holds other files than `mine`.

    Raises
    ------
    InputError
        With their names.
    """
    _refuse_dangling(target)
    foreign = []
    try:
        for path in target.iterdir():
            is_mine = path.name in mine and not path.is_dir()
            if not is_mine and not path.name.startswith(NOBODYS):
                foreign.append(path.name)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        what = "is a file, where a folder is to be written"
        fix = "move it away, or choose another folder with --out"
        raise InputError.one(str(target), "output", what, fix) from None
    except (OSError, ValueError) as error:
        raise unwritable(target, error) from None
    if foreign:
        raise InputError.one(
            str(target),
            ", ".join(sorted(foreign)),
            "was not written by chipmodel and would be lost",
            "move it away, or choose another folder with --out",
        )


def _write_folder(target: Path, content: Mapping[str, bytes]) -> None:
    # Another process that failed may have removed the parent in the meantime.
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target)
    draft = draft_name(target)
    draft.mkdir()
    try:
        for name, raw in content.items():
            with (draft / name).open("wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
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
            old = draft_name(target)
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
