"""World files as differences from a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import chipmodel as cm
from chipmodel.cli import schemas
from chipmodel.common.files import names_in
from chipmodel.common.toml import read_toml

SHIPPED = {
    "central": "9ae2ae9b6c4e232a969cc09b27b5530d99e3b3de6b145773e2f0acbb69398d81",
    "high_demand": "099f95f095305e25a01d56e44af7277d12c17f76002ab600102f5242d5579cbf",
    "hindcast_2022": "7c59bf115d535ef18635000ab97578b15541f7b75af1a63431f10012511ad484",
    "low_demand": "1b960d5a8e9b046d0e943f91196701a354061a33b5bd56e1183a6792a2a5d1a3",
    "taiwan_blockade": (
        "0275ee1eea6875dcee1a13f1ae34d088cc19a71121a32154fed2ac2cac54efb3"
    ),
    "taiwan_blockade_foreseen": (
        "323cfca9358dc6af41994418742c7903afd95804e4335e3d5568d55bc4f303d2"
    ),
    "taiwan_disruption": (
        "ff65f8fe2c5884a9c7c8e30364d86d48b92edf2a981c146ac52d7656233cf0f5"
    ),
    "taiwan_disruption_foreseen": (
        "83a9db65557429e426ee870fbdb0328b43020816312552cd98f0e37d8cfbd1c2"
    ),
}
"""Digests of the shipped worlds with every number, baselines included.

Renewed when a number of a world changes, or a field is added to all.
"""

EVENT = """
[[event]]
id = "storm"
region = "BBB"
segments = ["all"]
years = [2026, 2027]
depth = {depth}
source = "{source}"
"""

HEAD = 'title = "{name}"\nsummary = "A world of this test."\n'


@pytest.fixture
def data(variant: Any) -> cm.Dataset:
    """A copy of the two-region data set, to which a test may add worlds."""
    copy: cm.Dataset = variant()
    return copy


def write_world(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(HEAD.format(name=name) + text)
    return path


def refused(data: cm.Dataset, name: str) -> str:
    with pytest.raises(cm.InputError) as caught:
        cm.load_world(name, data)
    assert all(problem.fix for problem in caught.value.problems)
    return str(caught.value)


def test_the_shipped_worlds_are_those_of_their_complete_files() -> None:
    shipped = cm.load_dataset()
    names = names_in(shipped.root / "worlds")
    digests = {name: cm.load_world(name, shipped).digest for name in names}
    assert digests == SHIPPED


def test_no_shipped_world_repeats_a_value_of_its_baseline() -> None:
    shipped = cm.load_dataset()
    central = cm.load_world("central", shipped).model_dump()
    for name in SHIPPED:
        content = read_toml(shipped.root / "worlds" / f"{name}.toml")
        if content.pop("baseline", None) is None:
            assert name == "central"
            continue
        repeated = [key for key, value in content.items() if value == central[key]]
        assert repeated == [], name


def test_a_world_takes_from_its_baseline_what_it_does_not_give(data) -> None:
    worlds = data.root / "worlds"
    write_world(worlds, "boom", 'baseline = "central"\ndemand_shift = 0.01\n')
    boom, central = cm.load_world("boom", data), cm.load_world("central", data)
    assert boom == central.with_(
        name="boom", title="boom", summary="A world of this test.", demand_shift=0.01
    )


def test_differences_add_up_along_a_chain(data) -> None:
    worlds = data.root / "worlds"
    write_world(
        worlds,
        "first",
        'baseline = "central"\nchoke = 3.0\n' + EVENT.format(depth=0.2, source="own"),
    )
    write_world(worlds, "second", 'baseline = "first"\ncommitted = 0.5\n')
    write_world(worlds, "third", 'baseline = "second"\nchoke = 5.0\nevent = []\n')
    second, third = cm.load_world("second", data), cm.load_world("third", data)
    assert (second.choke, second.committed, len(second.event)) == (3.0, 0.5, 1)
    assert (third.choke, third.committed, third.event) == (5.0, 0.5, ())
    assert (second.name, second.title) == ("second", "second")


def test_a_list_replaces_that_of_the_baseline(data) -> None:
    worlds = data.root / "worlds"
    write_world(
        worlds, "mild", 'baseline = "central"\n' + EVENT.format(depth=0.2, source="own")
    )
    write_world(
        worlds, "severe", 'baseline = "mild"\n' + EVENT.format(depth=0.9, source="own")
    )
    (event,) = cm.load_world("severe", data).event
    assert event.depth == 0.9


def test_a_baseline_may_be_a_file_beside_the_world(data, tmp_path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    write_world(folder, "central", 'baseline = "central"\nchoke = 3.0\n')
    mine = write_world(folder, "mine", 'baseline = "central.toml"\ncommitted = 0.0\n')
    world = cm.load_world(str(mine), data)
    assert (world.choke, world.committed, world.horizon) == (3.0, 0.0, 2030)
    # A bare name is a world of the data package, whatever lies beside the file.
    mine = write_world(folder, "mine", 'baseline = "central"\ncommitted = 0.0\n')
    assert cm.load_world(str(mine), data).choke == 4.0


def test_a_case_solves_alike_in_a_complete_world_and_in_its_differences(data) -> None:
    write_world(
        data.root / "worlds", "boom", 'baseline = "central"\ndemand_shift = 0.01\n'
    )
    complete = cm.load_world("central", data).with_(demand_shift=0.01)
    by_differences = cm.run(data, "no_policy", "boom")
    assert by_differences.objective == cm.run(data, "no_policy", complete).objective


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            'baseline = "centrl"',
            ("mine.toml: baseline", "no such world 'centrl'", "did you mean central"),
        ),
        (
            'baseline = "away.toml"',
            ("mine.toml: baseline", "no file 'away.toml' beside it", "name a world"),
        ),
        (
            'baseline = "../worlds/central.toml"',
            ("mine.toml: '../worlds/central.toml'", "not the name of a file beside it"),
        ),
        ("baseline = 3", ("mine.toml: baseline", "not the name of a world")),
        ('baseline = "mine"', ("mine.toml: baseline", "cycle (mine -> mine)")),
        (
            'baseline = "central"\ndiscount_rat = 0.1',
            ("mine.toml: discount_rat", "unknown key"),
        ),
        (
            'baseline = "central"\ndiscount_rate = "high"',
            ("mine.toml: discount_rate", "number"),
        ),
        (
            'baseline = "central"\nhorizon = 2026',
            ("mine.toml", "years must be in order"),
        ),
        (
            'baseline = "central"\n' + EVENT.format(depth=0.1, source="hearsay"),
            ("mine.toml: event storm.source", "'hearsay' is not in sources.csv"),
        ),
        ("choke = 3.0", ("mine.toml: horizon", "is missing")),
    ],
)
def test_a_world_file_that_is_wrong(data, text: str, parts: tuple[str, ...]) -> None:
    write_world(data.root / "worlds", "mine", text + "\n")
    message = refused(data, "mine")
    assert all(part in message for part in parts), message


def test_a_world_needs_a_title_and_a_summary_of_its_own(data) -> None:
    (data.root / "worlds" / "mine.toml").write_text('baseline = "central"\n')
    message = refused(data, "mine")
    assert "mine.toml: title: is missing" in message
    assert "mine.toml: summary: is missing" in message


def test_a_cycle_names_the_files_on_it(data) -> None:
    worlds = data.root / "worlds"
    write_world(worlds, "first", 'baseline = "second"\n')
    write_world(worlds, "second", 'baseline = "third.toml"\n')
    write_world(worlds, "third", 'baseline = "first"\n')
    message = refused(data, "first")
    assert message.startswith("third.toml: baseline: baselines form a cycle")
    assert "first -> second -> third -> first" in message


def test_a_fault_of_a_baseline_names_the_file_of_the_baseline(data) -> None:
    worlds = data.root / "worlds"
    write_world(worlds, "first", 'baseline = "central"\nchoke = "high"\n')
    write_world(worlds, "second", 'baseline = "first"\nchoke = 3.0\n')
    assert refused(data, "second").startswith("first.toml: choke")


def test_the_schema_asks_for_every_number_or_a_baseline() -> None:
    schema = schemas.world_schema()
    assert "baseline" in schema["properties"]
    assert schema["required"] == ["title", "summary"]
    by_baseline, complete = schema["anyOf"]
    assert by_baseline == {"required": ["baseline"]}
    numbers = set(cm.World.model_fields) - {"name", "title", "summary"}
    assert set(complete["required"]) == numbers - {"scale", "event", "retire"}
