"""Ctrl-C, remembered: a library may swallow the interrupt, or raise another error.

Python raises it wherever the program happens to be, a destructor or a class body among
them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A signal handler belongs to the process, and so do the interrupts it has seen.
_interrupts: list[int] = []


@contextmanager
def remember_interrupts() -> Iterator[list[int]]:
    """Remember interrupts inside the block, and forget them afterwards.

    Yields
    ------
    list of int
        The signals that came; empty as long as none did.
    """
    is_main = threading.current_thread() is threading.main_thread()
    # A handler that the calling program has set stays in place.
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_main or not is_default:
        yield _interrupts
        return
    signal.signal(signal.SIGINT, _remember)
    try:
        yield _interrupts
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _interrupts.clear()


def check() -> None:
    """Raise an interrupt that came and was swallowed.

    Raises
    ------
    KeyboardInterrupt
    """
    if _interrupts:
        raise KeyboardInterrupt


def _remember(number: int, _: FrameType | None) -> None:
    _interrupts.append(number)
    raise KeyboardInterrupt
