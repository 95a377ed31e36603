"""Shared fixtures: the two-region data set and changed copies of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import helpers
import pytest

from chipmodel import Dataset, load_dataset
from chipmodel.report.build import Report, build_report


@pytest.fixture(scope="session")
def two() -> Dataset:
    """The two-region data set."""
    return load_dataset(helpers.TWO)


@pytest.fixture(scope="session")
def reported(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Dataset, Report]]:
    """A short report of one question on the two-region data set; tests only read it."""
    root = tmp_path_factory.mktemp("report")
    data = helpers.report_data(root / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chipmodel.report.build.names", lambda: [helpers.QUESTION])
        yield data, build_report(data, root / "out", short=True)


@pytest.fixture
def variant(tmp_path: Path) -> Callable[..., Dataset]:
    """Make changed copies of the two-region data set.

    For example ``variant(change(...), drop(...), world={...})``.
    """
    numbers: Iterator[int] = count(1)

    def make(*edits: helpers.Edit, world: dict[str, object] | None = None) -> Dataset:
        return helpers.variant(tmp_path / f"two_{next(numbers)}", *edits, world=world)

    return make
