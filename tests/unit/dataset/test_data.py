"""The shipped data package: described, sourced, graded, complete."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import chipmodel as cm
from chipmodel.cases.case import list_cases
from chipmodel.cases.check import check_case
from chipmodel.cli import main
from chipmodel.common.files import names_in
from chipmodel.dataset import descriptor
from chipmodel.dataset.rows import TABLES, FleetRow, ProjectRow, SourceRow, TariffRow
from chipmodel.model.parameters.build import build_parameters
from chipmodel.policies.tariff import Tariff

DATA = Path(__file__).resolve().parents[3] / "data"


@pytest.fixture(scope="module")
def data() -> cm.Dataset:
    return cm.load_dataset(DATA)


def test_descriptor_is_current(data):
    assert (DATA / descriptor.FILE).read_text(
        encoding="utf-8"
    ) == descriptor.descriptor_text(data)


def test_descriptor_covers_every_table_and_column(data):
    found = {
        r["name"]: [f["name"] for f in r["schema"]["fields"]]
        for r in descriptor.describe(data)["resources"]
    }
    assert list(found) == list(TABLES)
    for name in TABLES:
        assert (DATA / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0].split(
            ","
        ) == found[name]


def test_every_table_in_the_folder_is_known():
    assert {path.stem for path in DATA.glob("*.csv")} == set(TABLES)


def test_frictionless_validates():
    frictionless = pytest.importorskip("frictionless")
    report = frictionless.validate(str(DATA / descriptor.FILE))
    assert report.valid, report.flatten(["path", "rowNumber", "fieldName", "message"])[
        :10
    ]


def test_frictionless_sees_a_dangling_region_and_a_repeated_key(tmp_path):
    """The check by another library fails when it should, and hashes show the edits."""
    frictionless = pytest.importorskip("frictionless")
    for path in (*DATA.glob("*.csv"), DATA / descriptor.FILE):
        shutil.copy(path, tmp_path / path.name)
    freight = tmp_path / "freight.csv"
    freight.write_text(freight.read_text() + freight.read_text().splitlines()[1] + "\n")
    routes = tmp_path / "assembly_routes.csv"
    routes.write_text(routes.read_text() + "CHN,XXX\n")
    report = frictionless.validate(str(tmp_path / descriptor.FILE))
    found = {
        task.name: {error.type for error in task.errors}
        for task in report.tasks
        if task.errors
    }
    assert found == {
        "freight": {"primary-key", "hash-count"},
        "assembly_routes": {"foreign-key", "hash-count"},
    }


def test_check_reports_which_tables_are_not_as_recorded(tmp_path, capsys):
    """A project that was dropped is no fault anything could see, but it is reported."""
    folder = tmp_path / "data"
    shutil.copytree(DATA.parent / "tests" / "data" / "two", folder)
    descriptor.write_descriptor(folder)
    assert descriptor.edited(cm.load_dataset(folder)) == []
    lines = (folder / "projects.csv").read_text().splitlines()
    (folder / "projects.csv").write_text("\n".join(lines[:-1]) + "\n")
    facts = (folder / "project_facts.csv").read_text().splitlines()
    (folder / "project_facts.csv").write_text(
        "\n".join(line for line in facts if "beta_one" not in line) + "\n"
    )
    assert descriptor.edited(cm.load_dataset(folder)) == [
        "projects.csv",
        "project_facts.csv",
    ]
    assert main.main(["check", str(folder)]) == 0
    assert (
        "not as datapackage.json records: projects.csv, project_facts.csv"
        in capsys.readouterr().out
    )
    (folder / descriptor.FILE).write_text("[]")
    assert main.main(["check", str(folder)]) == 2
    assert "datapackage.json: resources" in capsys.readouterr().err


def test_write_descriptor_is_deterministic(tmp_path):
    for path in DATA.glob("*.csv"):
        shutil.copy(path, tmp_path / path.name)
    first = descriptor.write_descriptor(tmp_path).read_bytes()
    assert (
        descriptor.write_descriptor(tmp_path).read_bytes()
        == first
        == (DATA / descriptor.FILE).read_bytes()
    )
    assert json.loads(first)["licenses"][0]["name"] == "CC-BY-4.0"


def test_every_fact_has_a_source_that_exists(data):
    known = {row.source for row in data.rows(SourceRow)}
    assert all(fact.source in known for _, fact in data.facts())


@pytest.mark.parametrize("grade", "ABC")
def test_a_fact_that_is_read_or_quoted_has_an_address(data, grade):
    """Without one the grade is C, and the source or the note states what is missing."""
    sources = {row.source: row for row in data.rows(SourceRow)}
    for table, fact in data.facts():
        source = sources[fact.source]
        if fact.grade != grade or source.url:
            continue
        assert grade == "C", (table, fact)
        assert "citation missing" in source.note + fact.note, (table, fact)


@pytest.mark.parametrize(
    "table", sorted((DATA / "raw").glob("*.csv")), ids=lambda path: path.stem
)
def test_a_raw_input_that_is_read_or_quoted_has_an_address(data, table):
    sources = {row.source: row for row in data.rows(SourceRow)}
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()):
        if row.get("grade") in ("A", "B"):
            assert sources[row["source"]].url, row


@pytest.mark.parametrize("name", list_cases(cm.load_dataset()))
def test_the_source_of_every_instrument_has_an_address(data, name):
    sources = {row.source: row for row in data.rows(SourceRow)}
    for policy in cm.load_case(name, data).policies:
        if policy.source != "own":
            assert sources[policy.source].url, policy.id


def test_every_address_is_whole(data):
    for row in data.rows(SourceRow):
        if row.url:
            assert re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", row.url), (
                row.source
            )


def test_every_source_is_used_or_cited_by_a_case(data):
    """A source that nobody cites is a leftover.

    Raw inputs, projects left out and cases count as citations.
    """
    used = {fact.source for _, fact in data.facts()} | {
        row.source for row in data.tables["undisclosed"]
    }
    policies = [
        p for name in list_cases(data) for p in cm.load_case(name, data).policies
    ]
    used |= {p.source for p in policies}
    used |= {
        word.strip("();,.")
        for p in policies
        for word in p.note.split()
        if "source" in p.note
    }
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((DATA / "raw").glob("*.csv"))
    )
    unused = [
        s.source
        for s in data.rows(SourceRow)
        if s.source not in used and f",{s.source}," not in text
    ]
    assert not unused


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in (DATA / "raw").glob("*.csv"))
)
def test_raw_inputs_have_sources_that_exist(data, name):
    import pandas as pd

    table = pd.read_csv(DATA / "raw" / f"{name}.csv", keep_default_na=False)
    if "value" in table:
        assert set(table["source"]) <= {row.source for row in data.rows(SourceRow)}


def test_assumptions_have_range_and_reason(data):
    for table, fact in data.facts():
        if fact.grade == "E":
            assert fact.low is not None, (table, fact)
            assert fact.high is not None, (table, fact)
            assert fact.low <= fact.value <= fact.high, (table, fact)
            assert fact.low < fact.high, (table, fact)
            assert len(fact.note) >= 10, (table, fact)


def test_assumptions_and_derived_rows_name_it_in_their_source(data):
    for table, fact in data.facts():
        assert (fact.source == "assumption") == (fact.grade == "E"), (table, fact)
        assert fact.source != "derived" or fact.grade == "D", (table, fact)
        assert fact.grade != "D" or fact.note, (table, fact)


def test_counts_by_grade(data):
    count = Counter(fact.grade for _, fact in data.facts())
    assert set(count) == set("ABCDE")
    assert count["E"] < 0.4 * count.total()


def test_source_of_answers_for_every_fact(data):
    sources = {row.source: row for row in data.rows(SourceRow)}
    for table, fact in data.facts():
        item = table if fact.item_name == "*" else fact.item_name
        where = {key: getattr(fact, key) for key in type(fact).key if key != "item"}
        found = data.source_of(item, **where)
        row = found[found["table"] == table]
        assert len(row) == 1, (table, where)
        assert row["value"].iloc[0] == fact.value
        assert row["citation"].iloc[0]
        source = sources[row["source"].iloc[0]]
        assert row["url"].iloc[0] == source.url
        assert source.url in row["citation"].iloc[0]


def test_both_base_years_are_there(data):
    assert {row.base_year for row in data.rows(FleetRow)} == {2022, 2025}


def test_number_of_projects(data):
    latest = {
        row.site: row
        for row in sorted(data.rows(ProjectRow), key=lambda row: row.as_of)
    }
    coming = [row for row in latest.values() if row.status != "cancelled"]
    assert 45 <= len(coming) <= 60
    assert 40 <= sum(row.earliest > 2025 for row in coming) <= 55


def test_derived_tables_are_current():
    command = [sys.executable, str(DATA / "derive.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_case_loads_and_cites_sources_that_exist(data):
    known = {row.source for row in data.rows(SourceRow)} | {"own"}
    names = list_cases(data)
    assert {
        "no_policy",
        "current_law",
        "chips_withdrawn_all",
        "section232_25_flat",
        "friendshore_80",
    } <= set(names)
    for name in names:
        case = cm.load_case(name, data)
        assert case.title, name
        assert case.summary, name
        assert case.as_of, name
        assert all(policy.source in known for policy in case.policies), name


def test_every_world_loads_and_every_case_fits_it(data):
    worlds = names_in(DATA / "worlds")
    assert {"central", "high_demand", "hindcast_2022"} <= set(worlds)
    for world in worlds:
        numbers = build_parameters(data, cm.load_world(world, data))
        for case in list_cases(data):
            check_case(cm.load_case(case, data), numbers)


def test_china_301_in_the_cases_agrees_with_the_tariff_table(data):
    """tariffs.csv records what is in force; the cases levy it.

    They must not drift apart.
    """
    table = {
        (row.importer, row.origin, year): row.value
        for row in data.rows(TariffRow)
        for year in range(row.year_from, row.year_to + 1)
        if row.law == "section_301"
    }
    duty = next(
        p for p in cm.load_case("current_law", data).policies if p.id == "s301_china"
    )
    assert isinstance(duty, Tariff)
    assert duty.origins == ("CHN",)
    for year in range(duty.years[0], duty.years[1] + 1):
        assert duty.rate == table[duty.importer, "CHN", year]


def test_every_tariff_in_force_is_levied_by_current_law(data):
    """A rate above zero in tariffs.csv is in current law from the base year on."""
    duties = [
        p for p in cm.load_case("current_law", data).policies if isinstance(p, Tariff)
    ]
    for row in data.rows(TariffRow):
        if row.value > 0 and row.year_to >= 2025:
            assert any(
                d.importer == row.importer
                and d.rate == row.value
                and row.origin in d.origins
                for d in duties
            ), row


def test_source_of_asks_the_tables_that_have_the_key(data):
    found = data.source_of("capex", segment="logic_lt10")  # the example of the README
    assert list(found["key"]) == ["logic_lt10, capex"]
    assert len(data.source_of("capex", segment="logic_lt10", region="USA")) == 1
    assert set(data.source_of("capex")["table"]) == {"costs", "assembly_costs"}
    assert set(data.source_of("running", segment="dram", region="USA")["table"]) == {
        "costs",
        "cost_factors",
    }
    assert (
        len(data.source_of("fleets", base_year=2025, region="USA", segment="dram")) > 0
    )


@pytest.mark.parametrize(
    ("item", "where", "reported"),
    [
        ("capex", {"segment": "logic_lt11"}, "known: dao, dram"),
        ("capex", {"segmnt": "dram"}, "did you mean segment?"),
        ("capxe", {}, "did you mean capex"),
        ("capex", {"segment": "dram", "region": "UZA"}, "no fact has region=UZA"),
        ("fleets", {"region": "USA", "firm": "smic"}, "together"),
    ],
)
def test_source_of_reports_what_it_does_not_know(data, item, where, reported):
    with pytest.raises(cm.InputError) as caught:
        data.source_of(item, **where)
    assert reported in str(caught.value)
    assert len(caught.value.problems) == 1
