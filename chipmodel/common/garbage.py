"""Collection of garbage, which takes a fifth of a short command if left as it is."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = (50_000, 10, 5)
"""Thresholds of `gc`: new objects until the young are collected, and so on.

Most objects live long. Linear programs are webs of references and large: who drops one
collects it (`chipmodel.analysis.structure`).
"""


def collect_rarely() -> None:
    """Collect garbage rarely from now on; for processes of our own."""
    gc.set_threshold(*RARELY)


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Collect garbage rarely in the block."""
    before = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)


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
