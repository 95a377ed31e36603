"""Shared fixtures: the two-region data set and changed copies of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import helpers
import pytest

from chipmodel import Dataset, load_dataset
from chipmodel.analysis import grants
from chipmodel.analysis.structure import Structures
from chipmodel.common import cache
from chipmodel.report.build import Report, build_report


@pytest.fixture(scope="session", autouse=True)
def cache_of_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what tests cache apart from what their user caches; processes share it."""
    with pytest.MonkeyPatch.context() as patch:
        place = request.config.rootpath / ".pytest_cache" / "chipmodel"
        patch.setenv(cache.VARIABLE, str(place))
        yield


@pytest.fixture(autouse=True)
def structures_of_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep linear programs apart that a test writes by code that it patches."""
    monkeypatch.setattr(grants, "STRUCTURES", Structures())


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
