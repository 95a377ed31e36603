"""Cases, worlds and parameters of a data package, each loaded or built once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from chipmodel.cases.case import Case, load_case
from chipmodel.dataset.dataset import Dataset
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.parameters import Parameters
from chipmodel.model.world import World, load_world

RECENT = 8
"""Worlds whose parameters are in memory; a design of many points has one world each."""


class Inputs:
    """What is read from a data package to solve many cells.

    A file is read at most once, so all cells see the same one. What was loaded is not
    sent to other processes: each loads what it needs.

    Parameters
    ----------
    data : Dataset
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self._before_events: dict[str, Parameters] = {}
        self._with_events: dict[str, Parameters] = {}
        self.case: Callable[[str], Case] = lru_cache(lambda name: load_case(name, data))
        self.world: Callable[[str], World] = lru_cache(
            lambda name: load_world(name, data)
        )

    def __reduce__(self) -> tuple[type[Inputs], tuple[Dataset]]:
        return Inputs, (self.data,)

    def parameters(self, world: World) -> Parameters:
        """Return the parameters of a world with all of its events.

        Raises
        ------
        InputError
            If the data and the world do not fit.
        """
        key = world.model_dump_json()
        if key not in self._with_events:
            before = self.parameters_before_events(world)
            _store(self._with_events, key, before.with_events(world.event))
        return self._with_events[key]

    def parameters_before_events(self, world: World) -> Parameters:
        """Return the parameters of a world in which nothing has happened yet.

        Raises
        ------
        InputError
            If the data and the world do not fit.
        """
        key = world.model_dump_json()
        if key not in self._before_events:
            _store(self._before_events, key, build_parameters(self.data, world))
        return self._before_events[key]


def _store(recent: dict[str, Parameters], key: str, parameters: Parameters) -> None:
    """Add parameters; drop the oldest if there are many."""
    recent[key] = parameters
    if len(recent) > RECENT:
        del recent[next(iter(recent))]
