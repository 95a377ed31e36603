"""The data grown for the benchmarks are sound and solvable and keep the totals."""

from __future__ import annotations

import importlib.util
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from helpers import TWO, near, read

import chipmodel as cm

HERE = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def grow():
    spec = importlib.util.spec_from_file_location("benchmarks_grow", HERE / "grow.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.grow


@pytest.fixture(scope="module")
def five(grow, tmp_path_factory):
    return grow(tmp_path_factory.mktemp("grown") / "five", 5, 2, str(TWO))


def total(folder, table, *keys):
    found = defaultdict(float)
    for row in read(folder / f"{table}.csv")[1]:
        found[tuple(row[k] for k in keys)] += float(row["value"])
    return found


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("fleets", ("base_year", "segment", "firm")),
        ("expansion", ("segment", "firm")),
        ("demand_location", ("criterion",)),
        ("budgets", ("base_year",)),
    ],
)
def test_totals_stay(five, table, keys):
    before, after = total(TWO, table, *keys), total(five, table, *keys)
    assert before.keys() == after.keys()
    assert all(near(before[key], after[key]) for key in before)


def test_members_share_what_their_region_had_and_are_no_twins(five):
    share = {
        (c, r): v
        for (c, r), v in total(five, "demand_location", "criterion", "region").items()
    }
    before = total(TWO, "demand_location", "criterion", "region")
    family = ["AAA", "AAC", "AAD"]
    assert near(sum(share["maker", r] for r in family), before["maker", "AAA"])
    assert len({share["maker", r] for r in family}) == 3
    assert share["user", "AAD"] == 0.0


def test_it_is_checked_and_solved(five):
    data = cm.load_dataset(str(five))
    solution = cm.run(data, "tariff")
    assert set(solution.capacity["region"]) >= {"AAA", "BBB"}
    assert len(solution.parameters.regions) == 5
    made = solution.output.groupby("region")["value"].sum()
    assert (made > 0).sum() > 2


def test_it_is_the_same_every_time(grow, five, tmp_path):
    again = grow(tmp_path / "again", 5, 2, str(TWO))
    assert {p.name: p.read_bytes() for p in again.glob("*.csv")} == {
        p.name: p.read_bytes() for p in five.glob("*.csv")
    }


def test_fewer_regions_than_there_are_is_refused(grow, tmp_path):
    with pytest.raises(SystemExit, match="fewer"):
        grow(tmp_path / "one", 1, 1, str(TWO))
