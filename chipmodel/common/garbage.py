"""Collection of garbage, which takes a fifth of a short command if left as it is."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def collect_rarely() -> None:
    """Collect garbage after many new objects only; for processes of our own.

    Most objects live as long as the process. Linear programs are webs of references and
    large: who drops one collects it (`chipmodel.analysis.structure`).
    """
    gc.set_threshold(50_000, 10, 5)


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage in the block, which makes many objects and drops few."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
