"""Retirement: what a surprise fixes, what counts as capacity, what is refused."""

from __future__ import annotations

import pytest
from helpers import case_of, change, world_of

from chipmodel import CapacityMandate, InputError, run
from chipmodel.analysis.verify import verify
from chipmodel.model.parameters.build import build_parameters

FLEET = "fleet_aaa_chip_alpha"
STORM = {
    "id": "storm",
    "region": "BBB",
    "segments": ("all",),
    "years": (2028, 2030),
    "depth": 0.5,
    "known_from": 2028,
    "source": "own",
}


def announced(**changes):
    """An announced retirement of a fleet."""
    stated = {"site": FLEET, "year": 2027, "share": 0.5, "source": "own"}
    return {"retire": [{**stated, **changes}]}


@pytest.fixture
def slump(variant):
    """Data in which demand falls for three years and an expensive fleet is idle."""
    return variant(
        change("demand", {"segment": "chip", "year_from": 2026}, value=-0.2),
        change("demand", {"segment": "chip", "year_from": 2029}, value=0.5),
        change("cost_factors", {"region": "AAA", "item": "running"}, value=3),
        world={"retirement": 1.0},
    )


def test_what_retired_before_a_surprise_stays_retired(slump):
    foreseen_nothing = run(slump, "no_policy").columns("retired")
    surprised = run(slump, "no_policy", world_of(slump, event=[STORM]))
    before = {key: v for key, v in foreseen_nothing.items() if key[1] < 2028}
    assert sum(before.values()) > 1.0
    after = surprised.columns("retired")
    assert {key: after[key] for key in before} == pytest.approx(before, abs=1e-9)
    assert surprised.foresight == "surprise"


def test_capacity_is_what_is_in_service(slump):
    solution = run(slump, "no_policy")
    sites = solution.parameters.sites.sites
    table = solution.capacity.set_index(["site", "year"]).value
    for (site, year), kwpm in solution.columns("retired").items():
        if year <= solution.world.report_until:
            left = sites[site].size - kwpm
            assert table.get((site, year), 0.0) == pytest.approx(left, abs=1e-8)
    # The check of the headline numbers computes the same shares from the columns.
    for number in verify(solution).ranges:
        assert number.low - 1e-6 <= number.value <= number.high + 1e-6, number


def test_a_mandate_counts_what_has_not_retired(two):
    mandate = CapacityMandate(
        id="target",
        segment="chip",
        region="AAA",
        kwpm=60,
        borne_by="makers",
        years=(2029, 2030),
        source="own",
    )
    solution = run(two, case_of(mandate), world_of(two, **announced()))
    here = solution.parameters.sites.of("AAA", "chip")
    for year in (2029, 2030):
        share_of = solution.parameters.share_of_capacity
        total = sum(site.size for site in here if site.kind == "fleet")
        for column in ("build", "retired"):
            for index, kwpm in solution.columns(column).items():
                if index[0] in {site.id for site in here}:
                    total += share_of(column, index, year) * kwpm
        assert total >= 60 - 1e-6


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_an_announced_retirement_holds_in_every_year(two, share):
    solution = run(two, "no_policy", world_of(two, **announced(share=share)))
    size = solution.parameters.sites.sites[FLEET].size
    for (site, year), kwpm in solution.columns("retired").items():
        if site == FLEET and year >= 2027:
            assert kwpm >= share * size - 1e-7


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"site": "alpha_one"}, ("alpha_one", "under construction", "cancelled")),
        ({"site": "fleet_aaa_chip_beta"}, ("there is no site", FLEET)),
        ({"site": "new_aaa_chip_alpha"}, ("place for new fabs", FLEET)),
        ({"year": 2025}, ("year 2025", "2026 to 2030")),
        ({"year": 2031}, ("year 2031", "2026 to 2030")),
    ],
)
def test_a_retirement_of_no_fleet_is_refused(two, changes, parts):
    with pytest.raises(InputError) as caught:
        build_parameters(two, world_of(two, **announced(**changes)))
    message = str(caught.value)
    assert message.startswith("central: retire 1 (")
    assert all(part in message for part in parts), message
    assert all(problem.fix for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("share = 1.5", ("mine.toml: retire.0.share", "less than or equal to 1")),
        ("share = 0", ("mine.toml: retire.0.share", "greater than 0")),
        ('share = 0.5\nsource = "nobody"', ("retire 1.source", "sources.csv")),
    ],
)
def test_a_retirement_that_is_wrong_in_itself_is_refused(variant, text, parts):
    data = variant()
    source = "" if "source" in text else '\nsource = "own"'
    (data.root / "worlds" / "mine.toml").write_text(
        'title = "Mine"\nsummary = "A world."\nbaseline = "central"\n[[retire]]\n'
        f'site = "{FLEET}"\nyear = 2027\n{text}{source}\n'
    )
    with pytest.raises(InputError) as caught:
        run(data, "no_policy", "mine")
    assert all(part in str(caught.value) for part in parts), str(caught.value)
