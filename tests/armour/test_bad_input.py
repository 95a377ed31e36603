"""Bad input: exit code 2, and one line per fault with file, place and fix."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import helpers
import pydantic
import pytest
from helpers import add, change, drop

import chipmodel as cm
from chipmodel.cli import main
from chipmodel.policies.base import Policy

Call = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Call the command line in an empty folder; return exit code and error lines."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, list[str]]:
        code = main.main(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.err.splitlines()

    return run


@pytest.fixture
def two_at(tmp_path: Path) -> Callable[..., Path]:
    """Make a changed copy of the two-region data in the folder ``two``."""

    def make(*edits: helpers.Edit, world: dict[str, object] | None = None) -> Path:
        return helpers.copy_two(tmp_path / "two", *edits, world=world)

    return make


def assert_one(found: tuple[int, list[str]], *parts: str) -> None:
    """Check that there is exactly one line, of the right form, that names the parts."""
    code, lines = found
    assert code == 2
    assert len(lines) == 1, lines
    file, _, rest = lines[0].removeprefix("error: ").partition(": ")
    assert lines[0].startswith("error: ")
    assert file
    assert ": " in rest
    assert "; " in rest
    for part in parts:
        assert part in lines[0]


def text_edit(file: str, old: str, new: str) -> helpers.Edit:
    """Replace a text in a file of the copy."""

    def edit(folder: Path) -> None:
        path = folder / file
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new, 1).encode())

    return edit


def without_column(table: str, column: str) -> helpers.Edit:
    """Drop a column of a table."""

    def edit(folder: Path) -> None:
        path = folder / f"{table}.csv"
        header, rows = helpers.read(path)
        remaining = [name for name in header if name != column]
        helpers.write(path, remaining, [{k: row[k] for k in remaining} for row in rows])

    return edit


# -- the data

FLEET = {"region": "AAA", "segment": "chip"}

TABLE_FAULTS: dict[str, tuple[helpers.Edit, tuple[str, ...]]] = {
    "missing column": (
        without_column("fleets", "grade"),
        ("fleets.csv: header", "column 'grade' is missing"),
    ),
    "unknown column": (
        text_edit("regions.csv", "note\n", "note,extra\n"),
        ("regions.csv: header", "unknown column 'extra'"),
    ),
    "unknown region": (
        add("macro", {}, region="XXX"),
        ("macro.csv", "'XXX' is not in regions.csv"),
    ),
    "unknown segment": (
        add("fleets", FLEET, segment="soup"),
        ("fleets.csv", "'soup' is not in segments.csv"),
    ),
    "unknown source": (
        change("fleets", FLEET, source="hearsay"),
        ("fleets.csv", "'hearsay' is not in sources.csv"),
    ),
    "negative capacity": (
        change("fleets", FLEET, value=-5),
        ("fleets.csv: line 2", "-5 is below 0"),
    ),
    "duplicate key": (
        add("fleets", FLEET),
        ("fleets.csv: line 6", "repeats the key", "line 2"),
    ),
    "text in a number": (
        change("fleets", FLEET, value="many"),
        ("fleets.csv: line 2, value", "'many'", "plain number"),
    ),
    "decimal comma": (
        change("fleets", FLEET, value="1,5"),
        ("fleets.csv: line 2, value", "'1,5'"),
    ),
    "NaN": (
        change("costs", {"segment": "chip", "item": "capex"}, value="nan"),
        ("costs.csv", "'nan'", "plain number"),
    ),
    "infinity": (
        change("fleets", FLEET, value="1e999"),
        ("fleets.csv: line 2, value", "finite"),
    ),
    "thousands set apart": (
        change("fleets", FLEET, value="1,500"),
        ("fleets.csv: line 2, value", "thousands"),
    ),
    "far too large": (
        change("fleets", FLEET, value="4e9"),
        ("fleets.csv: line 2", "4e+09 is above 100000"),
    ),
    "a range that is far too large": (
        change("fleets", FLEET, value=40, low=30, high="1e9"),
        ("fleets.csv: line 2", "high 1e+09 is above 100000"),
    ),
    "a value outside its range": (
        change("fleets", FLEET, value=40, low=50, high=60),
        ("fleets.csv: line 2", "40 is below its low 50"),
    ),
    "a full-width digit": (
        change("fleets", FLEET, value="４0"),
        ("fleets.csv: line 2", "U+FF14 FULLWIDTH DIGIT FOUR"),
    ),
    "multipliers that fall": (
        change("parameters", {"parameter": "multiplier_start"}, value=1.6),
        ("parameters.csv: multiplier_start", "above multiplier_end"),
    ),
    "no number": (change("fleets", FLEET, value=""), ("fleets.csv: line 2, value",)),
    "wrong unit": (
        change("fleets", FLEET, unit="wafers"),
        ("fleets.csv: line 2", "unit is 'wafers', must be 'kwpm'"),
    ),
    "shares do not sum": (
        change("demand_location", {"criterion": "user", "region": "AAA"}, value=0.9),
        ("demand_location.csv: criterion=user", "shares sum to"),
    ),
    "missing row": (
        drop("construction", region="BBB", item="build"),
        ("construction.csv: BBB, build", "row is missing"),
    ),
    "semicolons": (
        lambda folder: _translate(folder / "fleets.csv", ",", ";"),
        ("fleets.csv: header", "semicolons", "commas"),
    ),
    "too many cells": (
        text_edit("regions.csv", "AAA,Aland,true,1,", "AAA,Aland,true,1,,,"),
        ("regions.csv: line 2", "cells"),
    ),
    "an open quote": (
        text_edit("regions.csv", "Aland", '"Aland'),
        ("regions.csv", "CSV"),
    ),
    "not UTF-8": (
        lambda folder: _bytes(folder / "regions.csv", b"Aland", b"\xc5land"),
        ("regions.csv: byte", "UTF-8"),
    ),
    "a table that is not there": (
        lambda folder: (folder / "fleets.csv").unlink(),
        ("fleets.csv: file", "cannot be read"),
    ),
    "a folder for a table": (
        lambda folder: _folder(folder / "fleets.csv"),
        ("fleets.csv: file", "directory"),
    ),
    "an empty table": (
        lambda folder: (folder / "fleets.csv").write_text("") and None,
        ("fleets.csv: header", "is missing"),
    ),
    "a table with no rows": (drop("segments"), ("segments.csv: file", "has no rows")),
    "no leading segment": (
        change("segments", {"segment": "chip"}, leading="false"),
        ("segments.csv: leading", "is true for no segment", "one segment"),
    ),
    "two leading segments": (
        change("segments", {"segment": "memo"}, leading="true"),
        ("segments.csv: leading", "is true for chip, memo", "one segment"),
    ),
    "no leading column": (
        without_column("segments", "leading"),
        ("segments.csv: header", "column 'leading' is missing"),
    ),
    "no sources": (drop("sources"), ("sources.csv: file", "has no rows")),
}


def _translate(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def _bytes(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("fault", list(TABLE_FAULTS))
def test_one_fault_of_a_table_is_one_line(
    call: Call, two_at: Callable[..., Path], fault: str
) -> None:
    edit, parts = TABLE_FAULTS[fault]
    assert_one(call("check", str(two_at(edit))), *parts)


def test_faults_of_three_tables_are_three_lines(
    call: Call, two_at: Callable[..., Path]
) -> None:
    names = ("negative capacity", "shares do not sum", "unknown region")
    folder = two_at(*(TABLE_FAULTS[name][0] for name in names))
    for verb in (
        ["check", str(folder)],
        ["run", "grant", "--data", str(folder)],
        ["list", "--data", str(folder)],
    ):
        code, lines = call(*verb)
        assert code == 2
        assert len(lines) == 3
        for name in names:
            assert (
                sum(
                    all(part in line for part in TABLE_FAULTS[name][1])
                    for line in lines
                )
                == 1
            )


def test_faults_of_one_table_are_reported_together(
    call: Call, two_at: Callable[..., Path]
) -> None:
    code, lines = call(
        "check", str(two_at(change("fleets", {"region": "AAA"}, value="many")))
    )
    assert code == 2
    assert [line.split(", value")[0] for line in lines] == [
        "error: fleets.csv: line 2",
        "error: fleets.csv: line 3",
    ]


def test_byte_order_marks_and_windows_line_ends_are_accepted(
    call: Call, two_at: Callable[..., Path], two: cm.Dataset
) -> None:
    folder = two_at()
    for path in [*folder.glob("*.csv"), *folder.glob("*/*.toml")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert call("check", str(folder)) == (0, [])
    data = cm.load_dataset(folder)
    assert data.digest == two.digest
    assert cm.load_case("grant", data) == cm.load_case("grant", two)


def test_no_such_data(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for name, what in (
        ("nowhere", "no such folder"),
        ("file", "is a file"),
        ("folder", "is not a data package"),
    ):
        assert_one(call("check", name), name, what, "copy-data")


def test_an_unknown_name_is_answered_with_the_known_ones(
    call: Call, tmp_path: Path, two_at: Callable[..., Path]
) -> None:
    folder = str(two_at())
    (tmp_path / "mine.toml").write_text(HEAD)
    assert_one(
        call("show", "mine", "--data", folder),
        "no such case; the file here is ./mine.toml",
    )
    assert_one(
        call("show", "tarif", "--data", folder),
        "did you mean tariff? others: ",
        "no_policy",
    )
    (tmp_path / "mine.toml").write_text(
        HEAD + TARIFF.replace('kind = "tariff"', 'kind = "tarif"')
    )
    assert_one(
        call("show", "./mine.toml", "--data", folder),
        "did you mean tariff? others: capacity_linked_quota",
    )
    (tmp_path / "mine.toml").write_text(HEAD + TARIFF.replace('"AAA"', '"aland"'))
    assert_one(
        call("show", "./mine.toml", "--data", folder),
        "'aland' is not a region; use one of AAA, BBB",
    )


@pytest.mark.parametrize("years", ["[2026]", "2026", "[2026, 2027, 2028]", "[]"])
def test_years_that_are_not_two(
    call: Call, tmp_path: Path, two_at: Callable[..., Path], years: str
) -> None:
    text = re.sub("years = .*", f"years = {years}", TARIFF)
    (tmp_path / "mine.toml").write_text(HEAD + text)
    assert_one(
        call("show", "./mine.toml", "--data", str(two_at())),
        "years: is not two years; give two years, [first",
    )


# -- worlds


def with_world(text: str) -> helpers.Edit:
    """Add the world ``mine``: the central one with some lines replaced."""

    def edit(folder: Path) -> None:
        lines = (folder / "worlds" / "central.toml").read_text().splitlines()
        keys = {line.split(" = ")[0] for line in text.splitlines()}
        remaining = [line for line in lines if line.split(" = ")[0] not in keys]
        dropped = [line for line in text.splitlines() if not line.endswith(" = ")]
        (folder / "worlds" / "mine.toml").write_text(
            "\n".join([*remaining, *dropped]) + "\n"
        )

    return edit


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("discount_rate = ", ("mine.toml: discount_rate", "is missing", "add it")),
        ("discount_rat = 0.08", ("mine.toml: discount_rat", "unknown key")),
        ("discount_rate = 'high'", ("mine.toml: discount_rate", "number")),
        ("discount_rate = nan", ("mine.toml: discount_rate",)),
        ("horizon = 2026", ("mine.toml", "years must be in order")),
        ("budgets = 'none at all'", ("mine.toml: budgets",)),
        ("horizon = 2060", ("demand.csv", "no growth is given")),
        (
            (
                "[[event]]\nid = 'storm'\nregion = 'ZZZ'\nsegments = ['all']\nyears ="
                " [2026, 2027]\ndepth = 0.5\nsource = 'own'"
            ),
            ("mine: event storm", "unknown region 'ZZZ'"),
        ),
        (
            "[[scale]]\ntable = 'costs'\nwhere = { segment = 'soup' }\nfactor = 2.0",
            ("mine: scale 1", "no row matches"),
        ),
        (
            (
                "[[scale]]\ntable = 'operation'\nwhere = { segment = 'chip', item ="
                " 'u_max' }\nfactor = 2.0"
            ),
            (
                "mine: scale 1",
                "operation.csv, chip, u_max: 1.9 is above 1",
                "factor nearer to 1",
            ),
        ),
        (
            (
                "[[event]]\nid = 'storm'\nregion = 'BBB'\nsegments = ['all']\nyears ="
                " [2026, 2027]\ndepth = 0.5\nsource = 'hearsay'"
            ),
            ("mine.toml: event storm.source", "'hearsay' is not in sources.csv"),
        ),
        ("discount_rate = 1e-300", ("mine.toml: discount_rate", "0.0001")),
        ("discount_rate = true", ("mine.toml: discount_rate", "number")),
        (
            "information_date = '2026-02-30'",
            ("mine.toml: information_date", "not a day of the calendar"),
        ),
        ("title = ", ("mine.toml: title", "is missing")),
        ("this is not toml", ("mine.toml: TOML", "line")),
    ],
)
def test_worlds(
    call: Call, two_at: Callable[..., Path], text: str, parts: tuple[str, ...]
) -> None:
    folder = two_at(with_world(text))
    assert_one(
        call("run", "no_policy", "--world", "mine", "--data", str(folder)), *parts
    )
    assert_one(call("check", str(folder)), *parts)


def test_a_folder_for_a_world(call: Call, two_at: Callable[..., Path]) -> None:
    folder = two_at()
    (folder / "worlds" / "deep.toml").mkdir()
    assert_one(
        call(
            "run",
            "no_policy",
            "--world",
            f"{folder}/worlds/deep.toml",
            "--data",
            str(folder),
        ),
        "deep.toml",
        "cannot be read",
    )


# -- cases

HEAD = 'title = "T"\nstatus = "hypothetical"\nas_of = "2026-06-30"\nsummary = "S"\n'
TARIFF = (
    '[[policy]]\nkind = "tariff"\nid = "t"\nimporter = "AAA"\nrate = 0.1\non ='
    ' "chips"\nyears = [2026, 2030]\nsource = "own"\n'
)
FLOOR = (
    '[[policy]]\nkind = "origin_floor"\nid = "f"\nmarket = "AAA"\ntrusted ='
    ' ["AAA"]\nshare = 0.5\non = "use"\nprice_cap = 100\nyears = [2026, 2030]\nsource ='
    ' "own"\n'
)
CREDIT = (
    '[[policy]]\nkind = "investment_tax_credit"\nid = "c"\nregion = "AAA"\nrate ='
    ' 0.6\nyears = [2026, 2030]\nsource = "own"\n'
)
QUOTA = (
    '[[policy]]\nkind = "import_quota"\nid = "q"\nimporter = "AAA"\nquota = 5\non ='
    ' "chips"\nrent_to = "exporter"\nyears = [2026, 2030]\nsource = "own"\n'
)
GRANT = (
    '[[policy]]\nkind = "capex_grant"\nid = "g"\nform = "open"\nregion = "AAA"\nrate ='
    ' 0.5\nyears = [2026, 2030]\nsource = "own"\n'
)

CASE_FAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "unknown key": (
        HEAD + "surprise = 1\n",
        ("mine.toml: surprise", "unknown key", "remove it"),
    ),
    "unknown key of an instrument": (
        HEAD + TARIFF + "colour = 1\n",
        ("mine.toml: policy t.colour", "unknown key"),
    ),
    "unknown instrument": (
        HEAD + TARIFF.replace('"tariff"', '"tarif"'),
        ("policy t", "unknown kind 'tarif'", "tariff"),
    ),
    "no kind": (
        HEAD + TARIFF.replace('kind = "tariff"\n', ""),
        ("policy t", "kind is missing"),
    ),
    "a kind with a letter of another alphabet": (
        HEAD + TARIFF.replace("kind =", '"k\u0456nd" ='),
        ("policy t", "kind is missing", "U+0456"),
    ),
    "a region with a letter of another alphabet in a rule on several values": (
        HEAD + FLOOR.replace('trusted = ["AAA"', 'trusted = ["\u0410AA"'),
        ("policy f", "own region AAA", "given: \u0410AA", "U+0410"),
    ),
    "a baseline in another folder": (
        HEAD + 'baseline = "../../etc/passwd"\n',
        ("mine.toml: '../../etc/passwd'", "is not the name of a file beside it"),
    ),
    "a baseline that is not beside it": (
        HEAD + 'baseline = "parent.toml"\n',
        ("mine.toml: baseline", "there is no file 'parent.toml' beside it"),
    ),
    "unknown source": (
        HEAD + TARIFF.replace('"own"', '"hearsay"'),
        ("policy t", "'hearsay' is not in sources.csv"),
    ),
    "no rate": (
        HEAD + TARIFF.replace("rate = 0.1\n", ""),
        ("policy t.rate", "is missing"),
    ),
    "negative rate": (
        HEAD + TARIFF.replace("0.1", "-0.1"),
        ("policy t.rate", "greater than or equal to 0"),
    ),
    "text for a rate": (
        HEAD + TARIFF.replace("0.1", '"a tenth"'),
        ("policy t.rate", "number"),
    ),
    "a truth value for a rate": (
        HEAD + TARIFF.replace("0.1", "true"),
        ("policy t.rate", "number"),
    ),
    "a number in quotes": (
        HEAD + TARIFF.replace("0.1", '"0.1"'),
        ("policy t.rate", "number"),
    ),
    "a minus that is none": (
        HEAD + TARIFF.replace("0.1", "\u22120.1"),
        ("mine.toml: TOML", "U+2212 MINUS SIGN"),
    ),
    "a letter that looks like another": (
        HEAD + TARIFF.replace('"AAA"', '"АAA"'),
        ("policy t.importer", "U+0410 CYRILLIC CAPITAL LETTER A"),
    ),
    "a blank that does not break": (
        HEAD + TARIFF.replace("= 0.1", "=\u00a00.1"),
        ("line 9", "U+00A0", "plain space"),
    ),
    "rate is not a number": (
        HEAD + TARIFF.replace("0.1", "nan"),
        ("policy t.rate", "finite"),
    ),
    "unknown region": (
        HEAD + TARIFF.replace('"AAA"', '"ZZZ"'),
        ("policy t, importer", "'ZZZ' is not known"),
    ),
    "years the wrong way": (
        HEAD + TARIFF.replace("[2026, 2030]", "[2030, 2026]"),
        ("policy t", "the first is after"),
    ),
    "years outside": (
        HEAD + TARIFF.replace("[2026, 2030]", "[2050, 2060]"),
        ("policy t, years", "outside the years solved"),
    ),
    "ids overlap": (HEAD + TARIFF + TARIFF, ("policy t", "appears twice")),
    "id is in the baseline": (
        'baseline = "tariff"\n' + HEAD + TARIFF.replace('"t"', '"duty"'),
        ("policy duty", "is already in the baseline"),
    ),
    "removes what is not there": (
        'baseline = "tariff"\n' + HEAD + 'remove = ["duties"]\n',
        ("remove: duties", "is not in the baseline", "duty"),
    ),
    "sets what is not there": (
        'baseline = "tariff"\n' + HEAD + '[set]\n"duty.rte" = 1\n',
        ("set duty.rte", "no field 'rte'", "rate"),
    ),
    "no such baseline": (
        'baseline = "grnt"\n' + HEAD,
        ("mine.toml: baseline", "no such case 'grnt'", "grant"),
    ),
    "trusted without the market": (
        HEAD + FLOOR.replace('trusted = ["AAA"]', 'trusted = ["BBB"]'),
        ("policy f", "market's own region AAA"),
    ),
    "a bare share": (
        HEAD + FLOOR.replace("price_cap = 100\n", ""),
        ("policy f", "price_cap or min_served"),
    ),
    "support above its cost": (
        HEAD + CREDIT + GRANT,
        ("c and g", "together pay 110%", "keep support below"),
    ),
    "credit above one": (
        HEAD + CREDIT.replace("0.6", "1.2"),
        ("policy c.rate", "less than or equal to 1"),
    ),
    "a credit whose deadline is after its end": (
        HEAD + CREDIT + "begin_by = 2060\n",
        ("policy c", "begin_by: 2060 is after", "move the second of years"),
    ),
    "a credit that ends before it starts": (
        HEAD + CREDIT + '[set]\n"c.years" = [2030, 2026]\n',
        ("set c", "the first is after the last"),
    ),
    "a bare pool": (
        HEAD + GRANT.replace('"open"', '"marginal"'),
        ("policy g", "bare pool"),
    ),
    "two baselines": (
        'baseline = ["tariff", "grant"]\n' + HEAD,
        ("mine.toml: baseline", "string"),
    ),
    "baseline twice": (
        'baseline = "tariff"\nbaseline = "grant"\n' + HEAD,
        ("mine.toml: TOML",),
    ),
    "a quota without an owner of its rent": (
        HEAD + QUOTA.replace('rent_to = "exporter"\n', ""),
        ("policy q.rent_to", "is missing"),
    ),
    "a quota on chips of nowhere": (
        HEAD + QUOTA.replace("on =", 'origins = ["CCC"]\non ='),
        ("policy q, origins", "'CCC' is not known", "use AAA, BBB"),
    ),
    "a quota on its own chips": (
        HEAD + QUOTA.replace("on =", 'origins = ["AAA"]\non ='),
        ("policy q, origins", "the importer itself", "leave it out"),
    ),
    "no status": (
        HEAD.replace('status = "hypothetical"\n', ""),
        ("mine.toml: status", "is missing"),
    ),
    "not TOML": ("title = \n", ("mine.toml: TOML", "line 1")),
}


@pytest.mark.parametrize("fault", list(CASE_FAULTS))
def test_one_fault_of_a_case_is_one_line(
    call: Call, two_at: Callable[..., Path], fault: str
) -> None:
    text, parts = CASE_FAULTS[fault]
    folder = two_at()
    (folder / "cases" / "mine.toml").write_text(text)
    named = ["--data", str(folder)]
    for verb in (["run", "mine", *named], ["show", "mine", *named], ["check", *named]):
        assert_one(call(*verb), *parts)
    assert not (folder.parent / "results" / "mine").exists()


def test_a_quota_on_a_route_that_does_not_exist(
    call: Call, two_at: Callable[..., Path]
) -> None:
    folder = two_at(
        drop("fleets", region="BBB", segment="memo"),
        drop("expansion", region="BBB", segment="memo"),
        change("expansion", {"region": "AAA", "segment": "memo"}, value=1),
    )
    text = HEAD + QUOTA.replace("on =", 'origins = ["BBB"]\nsegments = ["memo"]\non =')
    (folder / "cases" / "mine.toml").write_text(text)
    assert_one(
        call("show", "mine", "--data", str(folder)),
        "mine",
        "policy q, origins",
        "no chips of BBB can reach AAA",
        "name origins that make the segments",
    )


def test_faults_of_a_case_are_reported_together(
    call: Call, two_at: Callable[..., Path]
) -> None:
    folder = two_at()
    text = (
        HEAD
        + TARIFF
        + "colour = 1\n"
        + CREDIT.replace("0.6", "1.2")
        + GRANT.replace('"capex_grant"', '"gift"')
    )
    (folder / "cases" / "mine.toml").write_text(text)
    code, lines = call("run", "mine+nope", "--data", str(folder))
    assert code == 2
    assert len(lines) == 4


def test_a_cycle_of_baselines(call: Call, two_at: Callable[..., Path]) -> None:
    folder = two_at()
    for name, parent in (("one", "three"), ("two", "one"), ("three", "two")):
        (folder / "cases" / f"{name}.toml").write_text(
            f'baseline = "{parent}"\n' + HEAD
        )
    found = call("run", "one", "--data", str(folder))
    assert_one(
        found,
        "baselines form a cycle (one -> three -> two -> one)",
        "remove the baseline of one of them",
    )


def test_a_clash(call: Call, two_at: Callable[..., Path]) -> None:
    folder = two_at()
    (folder / "cases" / "a.toml").write_text(HEAD + TARIFF)
    (folder / "cases" / "b.toml").write_text(HEAD + TARIFF.replace("0.1", "0.2"))
    assert_one(
        call("run", "a+b", "--data", str(folder)), "a+b: t", "means different things"
    )
    (folder / "cases" / "c.toml").write_text(HEAD + TARIFF)
    assert (
        call("run", "a+c", "--data", str(folder), "--out", "out")[0] == 0
    )  # the same thing twice is no clash
    assert_one(
        call("run", "a+a", "--data", str(folder)),
        "a+a: a: the same case appears twice in it",
    )
    assert_one(call("run", "a+", "--data", str(folder)), "empty name in a+")


def test_names_that_are_too_long(call: Call, two_at: Callable[..., Path]) -> None:
    folder = two_at()
    names = [f"case_{number}" for number in range(40)]
    for name in names:
        (folder / "cases" / f"{name}.toml").write_text(HEAD)
    assert_one(
        call("show", "+".join(names), "--data", str(folder)), "at most 200 characters"
    )


# -- instruments written by others


@pytest.fixture
def kinds() -> Any:
    """Forget the instruments a test defines."""
    before = dict(Policy.kinds)
    yield
    Policy.kinds.clear()
    Policy.kinds.update(before)


@pytest.mark.parametrize("owner", [None, "", lambda *_: ""])
def test_a_rent_without_an_owner(two: cm.Dataset, kinds: Any, owner: Any) -> None:
    class Quota(Policy):
        """At most ten kwpm of bare chips a year."""

        kind: ClassVar[str] = "toy_quota"
        law: ClassVar[str] = "A quota."

        def add(self, builder: Any) -> None:
            flow = sum(
                f.term
                for f in builder.imports("AAA", ("chip",), (2027,))
                if "BBB" in f.origins
            )
            builder.limit(
                "quota",
                [(2027,)],
                lambda t: 10.0 - flow,
                owner=owner,
                unit="kwpm",
                meaning="rent",
                policy=self,
            )

    with pytest.raises(cm.InputError) as caught:
        cm.run(
            two,
            cm.Case(
                name="toy", policies=(Quota(id="q", years=(2027, 2027), source="own"),)
            ),
        )
    (problem,) = caught.value.problems
    assert problem.file == "policy q"
    assert "quota" in problem.place
    assert "nobody owns" in problem.what
    assert "owner" in problem.fix


def test_a_limit_disguised_as_a_balance(two: cm.Dataset, kinds: Any) -> None:
    class Hidden(Policy):
        """The same, written as a balance."""

        kind: ClassVar[str] = "toy_hidden"
        law: ClassVar[str] = "A quota."

        def add(self, builder: Any) -> None:
            flow = sum(
                f.term
                for f in builder.imports("AAA", ("chip",), (2027,))
                if "BBB" in f.origins
            )
            builder.balance(
                "quota",
                [(2027,)],
                lambda t: 10.0 - flow,
                unit="kwpm",
                meaning="rent",
                equal=False,
                policy=self,
            )

    with pytest.raises(cm.InputError) as caught:
        cm.run(
            two,
            cm.Case(
                name="toy", policies=(Hidden(id="h", years=(2027, 2027), source="own"),)
            ),
        )
    (problem,) = caught.value.problems
    assert problem.file == "policy h"
    assert "nobody owns" in problem.what


# -- places to write


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "no_policy", "--out", "file/below"],
        ["run", "no_policy", "--out", "file"],
        ["export", "no_policy", "--format", "mps", "--out", "file/below.mps"],
        ["copy-data", "file"],
        ["copy-data", "file/below"],
        ["new", "file/mine.toml", "--from", "no_policy"],
    ],
)
def test_places_that_cannot_be_written(
    call: Call, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert_one(call(*arguments, "--data", str(helpers.TWO)), "file")
    assert (tmp_path / "file").read_text() == "x"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_result_that_was_touched(call: Call, tmp_path: Path) -> None:
    assert call("run", "no_policy", "--data", str(helpers.TWO), "--out", "out")[0] == 0
    (folder,) = (tmp_path / "out").iterdir()
    (folder / "prices.csv").write_text("mine")
    assert_one(
        call("rerun", str(folder), "--data", str(helpers.TWO)),
        "prices.csv",
        "was edited or is cut short",
    )
    shutil.rmtree(folder)
    assert_one(call("rerun", str(folder), "--data", str(helpers.TWO)), "cannot be read")


def test_a_case_of_more_than_200_policies_is_refused_with_the_number(two, tmp_path):
    entry = (
        '[[policy]]\nkind = "tariff"\nid = "t{0}"\nimporter = "AAA"\nrate = 0.1\non ='
        ' "chips"\nyears = [2026, 2030]\nsource = "own"\n'
    )
    path = tmp_path / "many.toml"
    path.write_text(
        'title = "t"\nstatus = "law"\nas_of = "2026-06-30"\nsummary = "s"\n'
        + "".join(entry.format(k) for k in range(201))
    )
    with pytest.raises(cm.InputError, match="holds 201 policies"):
        cm.load_case(str(path), two)
    with pytest.raises(pydantic.ValidationError, match="200 at most"):
        helpers.case_of(*cm.load_case("tariff", two).policies * 201)


def test_a_file_of_more_than_50_megabytes_is_refused_with_its_size(two, tmp_path):
    path = tmp_path / "large.toml"
    with path.open("wb") as stream:
        stream.truncate(51_000_000)
    with pytest.raises(cm.InputError, match="has 51 MB"):
        cm.load_case(str(path), two)
    with pytest.raises(cm.InputError, match="cannot be read"):
        cm.load_case(str(tmp_path / ".toml"), two)
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    link = tmp_path / "link.toml"
    link.symlink_to(tmp_path / "nowhere.toml")
    for wrong in (folder, link):
        with pytest.raises(cm.InputError, match="cannot be read"):
            cm.load_case(str(wrong), two)
