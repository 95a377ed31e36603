"""Locks on folders, which the system releases when a process ends, however it ends."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """A lock on a folder, shared or exclusive.

    Nothing is written for it. Where the system has no locks, or the disk does not
    support them, every lock is granted.

    Parameters
    ----------
    handle : int or None
        Descriptor of the open folder; None where there are no locks.
    """

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    def is_alone(self) -> bool:
        """Take the lock exclusively; false if another process has it."""
        if self._handle is None:
            return True
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
        return True

    def share(self) -> None:
        """Share the lock; wait while another process has it exclusively."""
        if self._handle is None:
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_SH)
        except OSError:  # not supported here
            return


@contextmanager
def folder_lock(folder: Path) -> Iterator[FolderLock]:
    """Open a lock on a folder; it is released after the block."""
    handle = None
    if fcntl is not None:
        try:
            handle = os.open(folder, os.O_RDONLY)
        except OSError:
            handle = None
    try:
        yield FolderLock(handle)
    finally:
        if handle is not None:
            os.close(handle)
