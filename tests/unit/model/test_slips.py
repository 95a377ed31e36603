"""Slips: what moves with them, and the estimate from the dated rows of projects."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest
from helpers import ROOT, change, world_of

from chipmodel import load_dataset
from chipmodel.model.parameters.build import build_parameters

SLIPS = (0.0, 0.25, 1.0, 2.5)


def first_ready(data, slip):
    """Time at which the first build of each project comes on line."""
    numbers = build_parameters(data, world_of(data, slip=slip))
    return {
        site.id: (site.ready[site.builds[0]], site.given)
        for site in numbers.sites.sites.values()
        if site.kind == "project"
    }


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("earliest", [2026, 2027, 2028])
@pytest.mark.parametrize("status", ["operating", "construction", "planned"])
def test_a_slip_moves_what_does_not_run_yet(variant, slip, earliest, status):
    data = variant(
        change("projects", {"site": "alpha_one"}, earliest=earliest, status=status),
        world={"horizon": 2034},
    )
    announced, given = first_ready(data, 0.0)["alpha_one"]
    ready, still_given = first_ready(data, slip)["alpha_one"]
    late = 0.0 if status == "operating" else slip
    # What is history stays history: its construction takes longer.
    assert still_given == given
    if earliest > 2026 or given:
        assert ready == pytest.approx(announced + late, abs=1e-12)
    else:
        # Announced for a year it can no longer reach: the slip counts from there.
        assert announced <= ready <= announced + late + 1e-12


def test_a_project_that_slips_past_the_horizon_is_left_out(two):
    assert set(first_ready(two, 0.0)) == {"alpha_one", "beta_one"}
    assert set(first_ready(two, 3.0)) == {"alpha_one"}


def changes_of_earliest():
    """Change of `earliest` from May 2024 to June 2026, and whether a plan was seen."""
    rows_of = defaultdict(dict)
    with (ROOT / "data" / "projects.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            rows_of[row["site"]][row["as_of"]] = row
    changes = []
    for rows in rows_of.values():
        if set(rows) != {"2024-05-01", "2026-06-30"}:
            continue
        then, now = rows["2024-05-01"], rows["2026-06-30"]
        if then["status"] == "operating" or now["status"] == "cancelled":
            continue
        seen = "plan of May 2024 not seen" not in then["note"]
        changes.append((int(now["earliest"]) - int(then["earliest"]), seen))
    return changes


def test_the_slip_is_the_mean_of_the_dated_rows():
    rows = load_dataset().tables["parameters"]
    slip = next(row for row in rows if row.parameter == "slip")
    every = [change for change, _ in changes_of_earliest()]
    seen = [change for change, was_seen in changes_of_earliest() if was_seen]
    assert (len(every), len(seen)) == (32, 20)
    assert slip.value == pytest.approx(sum(seen) / len(seen), abs=0.005)
    assert slip.low == pytest.approx(sum(every) / len(every), abs=0.01)
    assert slip.high <= max(every)
