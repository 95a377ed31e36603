"""Processes that share the work of a study, and what becomes of them on Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import active_children


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def deaf_children() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C even while they still import; this one hears it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # not on every system
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def ended_on_interrupt() -> Iterator[None]:
    """End the processes started inside when this one is interrupted; what they were at is lost anyway."""
    others = set(active_children())
    try:
        yield
    except KeyboardInterrupt:
        for child in set(active_children()) - others:
            child.terminate()
        raise
