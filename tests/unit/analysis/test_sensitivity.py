"""Ranges, tornado, draws and intervals: sensitivity of results to the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import Edit, case_of, change, copy_two, near, world_of

import chipmodel as cm
from chipmodel.analysis.sensitivity import (
    Range,
    affordable,
    intervals,
    most_influential,
    one_at_a_time,
    ranges,
    spread,
    tornado,
)
from chipmodel.common import units
from chipmodel.common.tables import table_csv
from chipmodel.common.workers import Here
from chipmodel.dataset.derived import (
    CHANGE,
    FILE,
    FOLDER,
    PROGRAM,
    VALUES,
    Intervals,
    load_intervals,
)
from chipmodel.display.intervals import sure, written
from chipmodel.policies.capex_grant import CapexGrant
from chipmodel.policies.investment_tax_credit import InvestmentTaxCredit
from chipmodel.studies.definition import Study
from chipmodel.studies.plan import load_study
from chipmodel.studies.run import run_study
from chipmodel.studies.stored_intervals import stamped

SHARE = "share.capacity.AAA.all.2028"


@pytest.fixture(scope="module")
def shipped() -> cm.Dataset:
    return cm.load_dataset()


def test_a_tornado_finds_the_number_that_matters(two):
    found = [
        Range("costs[item=capex]", 0.8, 1.25, 2, 0),
        Range("freight[]", 0.999, 1.001, 2, 0),
    ]
    study = Study(
        name="t",
        title="t",
        cases=("no_policy",),
        metrics=("objective",),
        point=tuple(one_at_a_time(found)),
    )
    table = tornado(run_study(study, two).table, found)
    assert table["number"].iloc[0] == "costs[item=capex]"
    assert table["swing"].iloc[0] > 10 * table["swing"].iloc[1]
    assert near(table["centre"].iloc[0], cm.run(two, case_of(), "central").objective)
    for end, factor in (("at_low", 0.8), ("at_high", 1.25)):
        scale = ({"table": "costs", "where": {"item": "capex"}, "factor": factor},)
        assert near(
            table[end].iloc[0],
            cm.run(two, case_of(), world_of(two, scale=scale)).objective,
            rel=1e-7,
        )


def test_ranges_cover_every_item_with_a_range(shipped):
    found = {one.number: one for one in ranges(shipped)}
    assert "targets[]" not in found
    assert found["costs[item=capex]"].facts == 6
    assert all(one.low < one.high for one in found.values())
    assert near(found["elasticities[item=substitution]"].low, 0.5)


def test_numbers_are_ranked_by_swings_relative_to_the_widest():
    table = pd.DataFrame(
        [
            ("share", "law", "a", 0.10),
            ("share", "law", "b", 0.01),
            ("share", "law", "c", 0.0),
            ("money", "law", "a", 1.0),
            ("money", "law", "b", 1000.0),
            ("money", "law", "c", 0.0),
            ("still", "law", "a", 0.0),
            ("still", "law", "b", 0.0),
            ("still", "law", "c", 0.0),
        ],
        columns=["metric", "case", "number", "swing"],
    )
    assert most_influential(table, 2) == ["b", "a"]


def test_draws_are_even_in_the_logarithm_and_stay_inside():
    points = spread(
        [Range("x[]", 0.25, 4.0, 1, 0), Range("y[]", 1.0, 2.0, 1, 0)],
        np.array([[0.0, 1.0], [0.5, 0.5]]),
    )
    assert [list(point.values()) for point in points] == [
        [0.25, 2.0],
        pytest.approx([1.0, 2.0**0.5]),
    ]


def test_an_award_is_lowered_where_it_would_pay_more_than_the_fab(two):
    award = CapexGrant(
        id="award", form="award", region="AAA", years=(2026, 2033), source="own"
    )
    credit = InvestmentTaxCredit(
        id="credit", region="AAA", rate=0.3, years=(2026, 2033), source="own"
    )
    case, world = case_of(award, credit), world_of(two)
    cheap = next(f for f in (0.8, 0.6, 0.45, 0.35, 0.25, 0.2) if _refused(two, case, f))
    centre, low = affordable(
        [{"costs[item=capex]": 1.0}, {"costs[item=capex]": cheap}], [case], two, world
    )
    name = "project_facts[item=award,site=alpha_one]"
    assert centre == {"costs[item=capex]": 1.0, name: 1.0}
    assert 0.01 < low[name] < 1.0
    study = Study(
        name="t",
        title="t",
        cases=("no_policy",),
        metrics=("objective",),
        point=(centre, low),
    )
    assert len(run_study(study, two).table) == 2


def _refused(data, case, factor: float) -> bool:
    scale = ({"table": "costs", "where": {"item": "capex"}, "factor": factor},)
    try:
        cm.run(data, case, world_of(data, scale=scale))
    except cm.InputError as error:
        return "together pay" in str(error)
    return False


def test_a_factor_leaves_every_fact_what_it_can_be(shipped):
    """A share of one cannot rise, whatever the ranges of others of its name."""
    found = {one.number: one for one in ranges(shipped)}
    for number in ("project_facts[item=committed]", "assembly_recipes[]"):
        assert found[number].high == 1.0
        assert found[number].low < 0.7
    points = one_at_a_time(list(found.values()))
    assert len({tuple(point.values()) for point in points}) == len(points)


# -- intervals


CENTRAL = Study(
    name="t",
    title="t",
    cases=("no_policy", "tariff"),
    reference="no_policy",
    metrics=(SHARE, "cost.buyers.AAA", "objective"),
)


@pytest.fixture(scope="module")
def drawn(two) -> pd.DataFrame:
    """Intervals of a study over three draws and the data themselves."""
    points = tuple({"costs[item=capex]": factor} for factor in (1.0, 0.8, 0.9, 1.3))
    study = CENTRAL.model_copy(update={"point": points})
    table = intervals(run_study(study, two).table)
    return stamped(table, CENTRAL, two, Here())


def package(folder: Path, drawn: pd.DataFrame, *edits: Edit) -> cm.Dataset:
    """Copy the two-region data with intervals and a study that shows them."""
    copy_two(folder, *edits)
    (folder / FOLDER).mkdir()
    (folder / FOLDER / FILE).write_text(table_csv(drawn))
    (folder / "studies").mkdir(exist_ok=True)
    (folder / "studies" / "sure.toml").write_text(
        'title = "t"\ncases = ["no_policy", "tariff"]\nreference ='
        f' "no_policy"\nmetrics = ["{SHARE}", "cost.buyers.AAA", "cost.buyers.BBB"]\n'
    )
    return cm.load_dataset(folder)


def shown(data: cm.Dataset) -> set[tuple[str, str]]:
    """Return the metrics and cases beside which a study shows an interval."""
    table = run_study(load_study("sure", data), data).table
    if "low" not in table:
        return set()
    known = table[table["low"].notna()]
    return set(zip(known["metric"], known["case"], strict=True))


def test_an_interval_holds_the_ends_of_the_draws(two, drawn):
    rows = drawn.set_index(["metric", "case"])
    scales = [
        ({"table": "costs", "where": {"item": "capex"}, "factor": factor},)
        for factor in (1.0, 0.8, 0.9, 1.3)
    ]
    objective = [
        cm.run(two, case_of(), world_of(two, scale=scale)).objective for scale in scales
    ]
    row = rows.loc[("objective", "no_policy")]
    assert near(row["centre"], objective[0], rel=1e-7)
    assert near(row["low"], min(objective), rel=1e-7)
    assert near(row["high"], max(objective), rel=1e-7)
    assert row["draws"] == 3
    assert (f"{CHANGE}objective", "tariff") in rows.index
    assert (f"{CHANGE}cost.buyers.AAA", "tariff") not in rows.index
    assert set(drawn["world"]) == {"central"}


def test_an_interval_is_reported_only_beside_the_value_it_was_drawn_around():
    known = Intervals({("law", "central", SHARE): (0.10, 0.08, 0.13, "lp")}, 12)
    assert known.of("law", "central", SHARE, 0.1000001, "lp") == (0.08, 0.13)
    assert known.of("law", "central", SHARE, 0.102, "lp") is None
    assert known.of("law", "central", SHARE, 0.1000001, "other") is None
    assert known.of("law", "other", SHARE, 0.10, "lp") is None
    assert "12 draws" in known.description


def _text_of_case(case: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / "cases" / f"{case}.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return edit


ADDED = (
    'policy = [{ kind = "tariff", id = "own", importer = "BBB", rate = 1e-5,'
    ' on = "chips", years = [2026, 2030], source = "own" }]'
)
"""A rule for the case without any, by which no result moves much."""

EVERYWHERE = {
    (SHARE, "no_policy"),
    (SHARE, "tariff"),
    ("cost.buyers.AAA", "no_policy"),
    ("cost.buyers.AAA", "tariff"),
}
"""Where the intervals drawn from the two-region data are shown."""


@pytest.mark.parametrize(
    "edit",
    [
        change("freight", {"leg": "international"}, note="another note"),
        change("regions", {"region": "AAA"}, name="Another name"),
        _text_of_case("tariff", 'source = "test"', 'source = "test"\nnote = "n"'),
        _text_of_case("tariff", "Aland taxes", "Aland charges"),
    ],
    ids=["note", "name", "note of a case", "title of a case"],
)
def test_prose_voids_no_interval(edit, drawn, tmp_path):
    assert shown(package(tmp_path / "two", drawn, edit)) == EVERYWHERE


@pytest.mark.parametrize(
    ("edit", "left"),
    [
        # No result moves: only the width of an interval would.
        (change("freight", {"leg": "domestic"}, low=0.0009, high=0.0011), set()),
        # The share moves by less than a hundredth of the width of its interval.
        (change("freight", {"leg": "international"}, value=0.00501), set()),
        # A rate at which nothing is imported: every value stays.
        (
            _text_of_case("tariff", "rate = 0.25", "rate = 0.2500001"),
            {(SHARE, "no_policy"), ("cost.buyers.AAA", "no_policy")},
        ),
        (_text_of_case("no_policy", "status = ", f"{ADDED}\nstatus = "), set()),
    ],
    ids=["range", "value", "rate of the case", "rule of the reference"],
)
def test_another_number_or_rule_shows_no_interval(edit, left, drawn, tmp_path):
    assert shown(package(tmp_path / "two", drawn, edit)) == left


def test_another_linear_program_shows_no_interval(drawn, tmp_path, monkeypatch):
    """As after a change of the code that moves no result by much."""
    data = package(tmp_path / "two", drawn)
    assert shown(data) == EVERYWHERE
    monkeypatch.setattr(units, "MUSD_PER_KWPM_YEAR", 0.0120001)
    assert shown(data) == set()


def test_digests_are_written_only_beside_the_values_of_the_data(drawn, two, variant):
    assert stamped(drawn, CENTRAL, two, Here()).equals(drawn)
    moved = variant(change("freight", {"leg": "international"}, value=0.2))
    with pytest.raises(cm.InputError, match="was drawn around"):
        stamped(drawn, CENTRAL, moved, Here())
    one = CENTRAL.model_copy(update={"cases": ("no_policy",)})
    with pytest.raises(cm.InputError, match="is not solved by the study"):
        stamped(drawn, one, two, Here())


def test_intervals_of_an_earlier_version_belong_to_no_data(drawn, tmp_path):
    old = drawn.drop(columns=[VALUES, PROGRAM])
    assert shown(package(tmp_path / "two", old)) == set()


def test_a_study_carries_its_intervals_in_table_finding_and_text(two, drawn, tmp_path):
    data = package(tmp_path / "two", drawn)
    result = run_study(load_study("sure", data), data)
    rows = result.table.set_index(["metric", "case"])
    drawn_values = drawn.set_index(["metric", "case"])
    for key in ((SHARE, "tariff"), ("cost.buyers.AAA", "tariff")):
        mine, theirs = (
            frame.loc[key, ["low", "high"]].tolist() for frame in (rows, drawn_values)
        )
        assert mine == pytest.approx(theirs, rel=1e-8)
    assert rows.loc[("cost.buyers.BBB", "tariff"), ["low", "high"]].isna().all()
    finding = " ".join(result.finding)
    assert "How sure: the central values of the data and 3 draws" in finding
    low, high = (
        drawn_values.loc[("cost.buyers.AAA", "tariff"), end] for end in ("low", "high")
    )
    assert written((low, high), "MUSD") in finding
    assert f"low of {SHARE}" in set(result.finding_table["quantity"])
    assert "below a number: its interval" in " ".join(result.text().split())
    # Without the file, or with other data, no interval is known.
    assert "low" not in run_study(load_study("sure", data), two).table
    other = copy_two(tmp_path / "other", world={"discount_rate": 0.05})
    (other / FOLDER).mkdir()
    (other / FOLDER / FILE).write_text(table_csv(drawn))
    moved = run_study(load_study("sure", data), cm.load_dataset(other)).table
    assert "low" not in moved or moved[moved["metric"] == SHARE]["low"].isna().all()


def test_without_intervals_nothing_is_stated(two):
    from chipmodel.results.summary import Summary

    own = Summary.of(cm.run(two, case_of()))
    assert sure([(own, own, SHARE)], Intervals({})) == ""


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "case,world,metric,centre,low,high,draws\nx,y,z,one,2,3,4\n"]
)
def test_a_file_that_holds_no_intervals_is_refused(text, tmp_path):
    folder = copy_two(tmp_path / "two")
    (folder / FOLDER).mkdir()
    (folder / FOLDER / FILE).write_text(text)
    with pytest.raises(cm.InputError, match=r"derived/intervals\.csv"):
        load_intervals(cm.load_dataset(folder))
