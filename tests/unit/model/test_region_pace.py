"""Pace of a region: evidence bounds what is built cheaply; support ignores it."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest
from helpers import ROOT, change, world_of

from chipmodel import InputError, load_case, load_dataset, load_world, run
from chipmodel.model.parameters.build import build_parameters

CROWDED = {
    "congestion": 1.0,
    "scale": [
        {"table": "region_pace", "where": {"item": "share"}, "factor": 0.05},
    ],
}


@pytest.mark.parametrize("name", ["central", "high_demand", "hindcast_2022"])
def test_no_region_builds_cheaply_beyond_twice_its_best_year(name):
    """At multipliers below 1.5 no region-year exceeds twice the best year on record."""
    data = load_dataset()
    numbers = build_parameters(data, load_world(name, data))
    billed = defaultdict(list)
    with (ROOT / "data" / "billings.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            billed[row["region"]].append(float(row["value"]))
    equipment = 1.0 - numbers.parameter["building_share"]
    cheap = [k for k, premium in enumerate(numbers.pace.premiums) if premium < 0.5]
    assert len(cheap) < len(numbers.pace.premiums)
    for region in numbers.pace.works:
        best = max(billed[region]) / equipment
        for t in numbers.years:
            if t > numbers.world.history_until:
                width = sum(numbers.pace.widths[region, k, t] for k in cheap)
                assert 0 < width <= 2 * best + 1e-6, (region, t)


def test_builds_fit_the_bands_and_pay_for_them(two):
    solution = run(two, "no_policy", world_of(two, **CROWDED))
    numbers = solution.parameters
    sites = numbers.sites
    started = defaultdict(float)
    for (i, t), kwpm in solution.columns("build").items():
        site = sites.sites[i]
        capex = sites.places[sites.group_of[i]].capex * (1 + site.premium)
        if t > numbers.world.history_until:
            exempt = solution.columns("exempt").get((i, t), 0.0)
            started[site.region, t] += capex * (kwpm - exempt)
    bands, crowding = defaultdict(float), defaultdict(float)
    for (r, k, t), value in solution.columns("band").items():
        bands[r, t] += value
        crowding[r, t] += numbers.pace.premiums[k] * value
    assert sum(crowding.values()) > 0
    for key, capital in started.items():
        assert capital <= bands[key] + 1e-6
        assert solution.columns("crowding")[key] == pytest.approx(crowding[key])
    paid = solution.accounts.query("account == 'congestion_cash'").value.sum()
    within = [
        crowding[r, t] * share
        for r, t in crowding
        for k, share in enumerate(numbers.pace.works[r].spend)
        if t + k <= numbers.world.horizon
    ]
    assert -paid == pytest.approx(sum(within))


def test_support_does_not_cover_the_pace_of_the_region(two):
    """A grant pays its share of what its builds cost at multiplier 1, and no more."""
    case = load_case("grant", two).without("awards")
    solution = run(two, case, world_of(two, **CROWDED))
    numbers = solution.parameters
    (grant,) = case.policies
    expected = 0.0
    for (i, t), share in grant.support_shares(numbers).items():
        site = numbers.sites.sites[i]
        place = numbers.sites.places[numbers.sites.group_of[i]]
        kwpm = solution.columns("build")[i, t]
        expected += share * place.capex * (1 + site.premium) * kwpm
    paid = sum(
        row.value
        for row in solution.account.rows
        if row.account == "grant_cash" and row.agent == "treasury:AAA"
    )
    crowding = solution.columns("crowding").items()
    assert sum(value for (region, _), value in crowding if region == "AAA") > 0
    assert -paid == pytest.approx(expected)


@pytest.mark.parametrize(
    ("edit", "parts"),
    [
        (
            change("region_pace", {"step": 2, "item": "premium"}, value=0.9),
            ("region_pace.csv", "premium", "falls with the step"),
        ),
        (
            change("region_pace", {"step": 3, "item": "reach"}, value=0.5),
            ("region_pace.csv", "reach", "falls with the step"),
        ),
        (
            change("region_pace", {"step": 1, "item": "premium"}, value=0.1),
            ("region_pace.csv", "premium", "does not start at 0"),
        ),
        (
            change("billings", {"region": "AAA"}, region="BBB", year=2022),
            ("billings.csv", "AAA", "row is missing"),
        ),
    ],
)
def test_bands_that_do_not_fit_are_refused(variant, edit, parts):
    with pytest.raises(InputError) as caught:
        variant(edit)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    assert all(problem.fix for problem in caught.value.problems)
