"""Shared fixtures: the two-region data set and changed copies of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import helpers
import pytest

from chipmodel import Dataset, load_dataset


@pytest.fixture(scope="session")
def two() -> Dataset:
    """The two-region data set."""
    return load_dataset(helpers.TWO)


@pytest.fixture
def variant(tmp_path: Path) -> Callable[..., Dataset]:
    """Make changed copies of the two-region data set: ``variant(change(...), drop(...), world={...})``."""
    numbers: Iterator[int] = count(1)

    def make(*edits: helpers.Edit, world: dict[str, object] | None = None) -> Dataset:
        return helpers.variant(tmp_path / f"two_{next(numbers)}", *edits, world=world)

    return make
