"""Pyomo's modelling interface, loaded when it is first used.

Pyomo and what it loads take a second; a case whose structure is cached needs neither.
"""

from __future__ import annotations

import typing


def __getattr__(name: str) -> typing.Any:
    import pyomo.environ

    found = getattr(pyomo.environ, name)
    globals()[name] = found  # not looked for again
    return found
