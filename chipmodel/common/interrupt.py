"""Ctrl-C, remembered: a library may swallow the interrupt, or make another error of it.

Python raises it wherever the program happens to be, a destructor or a class body among
them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_came: list[int] = []


@contextmanager
def remember_interrupts() -> Iterator[list[int]]:
    """Remember interrupts while inside, and forget them afterwards; the list is empty as long as none came."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield _came
        return
    signal.signal(signal.SIGINT, _hear)
    try:
        yield _came
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _came.clear()


def check() -> None:
    """Raise an interrupt that came and was swallowed.

    Raises
    ------
    KeyboardInterrupt
    """
    if _came:
        raise KeyboardInterrupt


def _hear(number: int, _: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt
