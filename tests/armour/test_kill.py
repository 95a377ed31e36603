"""Kill -9 at counted events, then the same command again: the same bytes."""

from __future__ import annotations

from pathlib import Path

import helpers
import pytest
from kill import Killer

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="needs /proc to name the files written"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data of a small report; its study keeps tables and draws one figure."""
    folder = tmp_path_factory.mktemp("kill") / "data"
    helpers.report_data(folder)
    path = folder / "studies" / "headline.toml"
    path.write_text(
        path.read_text().replace(
            'figures = ["leading_edge_share", "who_pays"]',
            'keep = "tables"\nfigures = ["leading_edge_share"]',
        )
    )
    return folder


def test_a_study_killed_at_twenty_moments_and_run_again_gives_the_same_bytes(
    data, tmp_path
):
    killer = Killer(["study", "headline", "--data", str(data)])
    assert killer.trial(tmp_path, kills=20, every=5, seed=1) == 20


def test_a_report_killed_at_five_moments_and_run_again_gives_the_same_bytes(
    data, tmp_path
):
    killer = Killer(["report", "--short", "--data", str(data)], [helpers.QUESTION])
    assert killer.trial(tmp_path, kills=5, every=5, seed=2) == 5
