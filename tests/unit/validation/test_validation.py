"""Published results: cost of place, targets, calibration, near-optimal solutions."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import case_of, change, copy_two, near, world_of

import chipmodel as cm
from chipmodel.analysis.near_optimal import near_optimal
from chipmodel.analysis.response import PointResponse
from chipmodel.cli.main import main
from chipmodel.dataset.rows import TargetRow
from chipmodel.model.parameters.build import build_parameters
from chipmodel.model.parameters.place_cost import gap, incentive_part, place_costs
from chipmodel.model.parameters.scaled_facts import Facts
from chipmodel.policies.capex_grant import CapexGrant
from chipmodel.policies.support import Support
from chipmodel.validation import ladder
from chipmodel.validation.free_parameters import Free, read_free
from chipmodel.validation.placebo import NEXT, reassigned_support
from chipmodel.validation.shared import ModelResult
from chipmodel.validation.validate import Validation, check_targets, validate, verdict

TARGET = {
    "target": "T01",
    "metric": "gap.AAA.BBB.2020",
    "role": "input",
    "result": "made up",
    "on_support": "false",
    "experiment": "place_cost",
    "reason": "",
    "value": 0.3,
    "unit": "share",
    "year_of_money": "",
    "low": 0.2,
    "high": 0.4,
    "source": "test",
    "grade": "A",
    "note": "",
}
FREE = "quantity,table,column,row,prior,low,high,fitted,unit,source,note\n"


@pytest.fixture(scope="module")
def shipped() -> cm.Dataset:
    return cm.load_dataset()


# -- cost of place


def test_the_model_uses_the_cost_of_place(shipped):
    numbers = build_parameters(shipped, cm.load_world("central", shipped))
    costs = place_costs(Facts(shipped, numbers.world))
    for (_, region, segment), place in numbers.sites.places.items():
        assert place.capex == costs[region, segment].capex
        assert numbers.running[region, segment] == costs[region, segment].running
        assert place.work.interest == costs[region, segment].interest


def test_ten_year_cost_by_hand(variant):
    """AAA: capex 100 (shell 0.2 at 1.5), running 1000 (at 1.1), inputs 500 USD/wafer.

    All at 0.5 of capacity.
    """
    data = variant(
        change("costs", {"item": "capex"}, value=100),
        change("costs", {"item": "running"}, value=1000),
        change("costs", {"item": "inputs"}, value=500),
        change("parameters", {"parameter": "building_share"}, value=0.2),
        change("cost_factors", {"region": "AAA", "item": "building"}, value=1.5),
        change("cost_factors", {"region": "AAA", "item": "running"}, value=1.1),
    )
    cost = place_costs(Facts(data, cm.load_world("central", data)))["AAA", "chip"]
    assert near(cost.capex, 100 * 1.1)
    assert near(cost.ten_years(0.5), 110 + 10 * 0.5 * 12_000 * (1100 + 500) / 1e6)
    assert cost.ten_years(0.5, interest=True) > cost.ten_years(0.5)


def test_published_gaps_hold_by_construction(shipped):
    facts = Facts(shipped, cm.load_world("central", shipped))
    for row in shipped.rows(TargetRow):
        if row.target in ("T01", "T02"):
            _, here, there, year = row.metric.split(".")
            assert abs(gap(facts, here, there, int(year)) - row.value) < 1e-3
    assert 0.4 <= incentive_part(facts, "USA", "TWN", 2020) <= 0.7
    assert 0.4 <= incentive_part(facts, "USA", "CHN", 2020) <= 0.7


def test_incentives_of_an_unknown_year_are_refused(shipped):
    with pytest.raises(
        cm.InputError, match=r"incentives\.csv: USA, 1999: row is missing"
    ):
        gap(Facts(shipped, cm.load_world("central", shipped)), "USA", "TWN", 1999)


def test_expansion_weights_follow_the_base_year(shipped):
    then, now = (
        build_parameters(shipped, cm.load_world(w, shipped))
        for w in ("hindcast_2022", "central")
    )
    group = ("tsmc", "USA", "logic_lt10")
    t = 2028
    share = [
        n.sites.places[group].widths[t]
        * len(n.sites.places[group].multipliers)
        / sum(v for (r, s), v in n.capacity.items() if s == "logic_lt10")
        / n.index["logic_lt10", t]
        for n in (then, now)
    ]
    assert abs(share[0] - share[1]) > 0.01 * max(share)


# -- targets


def target(**cells: object) -> object:
    def edit(folder: Path) -> None:
        path = folder / "targets.csv"
        header = path.read_text().splitlines()[0]
        row = {**TARGET, **cells}
        path.write_text(
            path.read_text() + ",".join(str(row[c]) for c in header.split(",")) + "\n"
        )

    return edit


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            {"metric": "gap.AAA.XXX.2020"},
            "unknown metric 'gap.AAA.XXX.2020' of place_cost",
        ),
        ({"metric": "nonsense"}, "unknown metric 'nonsense'"),
        ({"experiment": "crystal_ball"}, "unknown experiment 'crystal_ball'"),
        ({"low": ""}, "has no band"),
    ],
)
def test_bad_targets_are_reported(variant, tmp_path, capsys, cells, message):
    with pytest.raises(cm.InputError, match=r"targets\.csv") as caught:
        check_targets(variant(target(**cells)))
    assert message in str(caught.value)
    folder = copy_two(tmp_path / "bad", target(**cells))
    assert (
        main(["validate", "--data", str(folder), "--out", str(tmp_path / "out")]) == 2
    )
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_targets_need_a_role(tmp_path, capsys):
    folder = copy_two(tmp_path / "bad", target(role="guess"))
    assert main(["check", str(folder)]) == 2
    assert "role" in capsys.readouterr().err


def test_missing_targets_are_reported(two):
    with pytest.raises(cm.InputError, match="holds no target"):
        validate(two)


def test_validate_writes_its_table(tmp_path, capsys):
    edits = (
        target(),
        target(
            target="T02", metric="place.AAA.BBB", role="test", value=9, low=8, high=10
        ),
        target(
            target="T03",
            metric="no_such_thing",
            experiment="",
            role="test",
            reason="not there",
        ),
    )
    folder = copy_two(tmp_path / "two", *edits)
    assert (
        main(
            [
                "validate",
                "--data",
                str(folder),
                "--out",
                str(tmp_path / "out"),
                "--json",
            ]
        )
        == 0
    )
    answer = json.loads(capsys.readouterr().out)
    table = pd.read_csv(
        tmp_path / "out" / "validation" / "targets.csv", keep_default_na=False
    )
    assert {"id", "role", "ours", "theirs", "low", "high", "verdict", "reason"} <= set(
        table.columns
    )
    assert table["verdict"].tolist()[1:] == ["miss", "not in the model"]
    assert table["reason"].tolist()[1:3][0].startswith("unexplained")
    assert table["reason"].tolist()[2] == "not there"
    assert answer["tests"] == 2
    assert answer["share_met"] == 0.0
    data = cm.load_dataset(folder)
    expected = gap(Facts(data, cm.load_world("central", data)), "AAA", "BBB", 2020)
    assert near(float(table["ours"].iloc[0]), expected, rel=1e-8)


def test_verdict_counts_a_bracket():
    row = TargetRow.model_validate(
        {**TARGET, "year_of_money": None, "low": 0.2, "high": 0.4}
    )
    assert verdict(row, ModelResult(0.2)) == "hit"
    assert verdict(row, ModelResult(0.5)) == "miss"
    assert verdict(row, ModelResult(0.5, other=0.1)) == "hit"
    assert verdict(row, None) == "not in the model"


def test_share_met_and_median_error_count_tests_only():
    rows = [
        ("test", 1.0, 2.0, "hit", "share"),
        ("test", 3.0, 2.0, "miss", "share"),
        ("input", 9.0, 1.0, "hit", "share"),
        ("test", float("nan"), 2.0, "not in the model", "share"),
        ("test", 1.0, 1.0, "hit", "truth"),
    ]
    table = pd.DataFrame(
        [
            {
                "role": r,
                "ours": o,
                "theirs": t,
                "verdict": v,
                "unit": u,
                "placebo": "miss",
            }
            for r, o, t, v, u in rows
        ]
    )
    found = Validation(table)
    assert found.share_met == 0.5
    assert found.median_error == 0.5
    assert found.placebo == (5, 5)


def test_every_shipped_target_is_sound(shipped):
    check_targets(shipped)
    assert {row.target for row in shipped.rows(TargetRow)} == {
        f"T{k:02d}" for k in range(1, 21)
    }


def test_the_placebo_reassigns_every_support_to_another_region(shipped):
    world = cm.load_world("hindcast_2022", shipped)
    before = cm.load_case("chips_2024", shipped)
    after = reassigned_support(before, shipped, world)
    by_id = {p.id: p for p in after.policies}
    for old in before.policies:
        if old.id not in by_id:  # an award for which the other region has no project
            continue
        new = by_id[old.id]
        if not isinstance(old, Support):
            assert new == old
        else:
            assert new.region == NEXT[old.region]
            assert not (
                isinstance(new, CapexGrant)
                and new.form == "award"
                and new.region != "ROW"
            )


# -- calibration


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("", "no quantity is free"),
        (
            "slope,parameters,parameter,slope,1.67,3.3,0.8,1.67,factor,assumption,x\n",
            "bounds cross",
        ),
        (
            "slope,parameters,parameter,slope,5,0.8,3.3,1.67,factor,assumption,x\n",
            "prior 5 is outside",
        ),
        (
            "slope,parameters,parameter,no_such,1.67,0.8,3.3,1.67,factor,assumption,x\n",
            "no fact of parameters.csv",
        ),
    ],
)
def test_bad_calibrations_are_reported(shipped, tmp_path, rows, message):
    path = tmp_path / "calibration.csv"
    path.write_text(FREE + rows)
    with pytest.raises(cm.InputError, match=r"calibration\.csv") as caught:
        read_free(path, shipped)
    assert message in str(caught.value)


def test_a_factor_leads_from_the_data_to_the_value_whatever_the_data_hold():
    for now in (1.67, 2.5):
        one = Free("slope", "parameters[parameter=slope]", 1.67, 0.8, 3.3, now)
        assert near(one.factor(math.log(3.0 / 1.67)) * now, 3.0)


def test_shipped_calibration_is_the_one_in_the_data(shipped):
    path = Path(cm.load_dataset().root) / "raw" / "calibration.csv"
    table = pd.read_csv(path)
    for one, fitted in zip(read_free(path, shipped), table["fitted"], strict=True):
        assert near(one.now, fitted)
        assert one.low <= fitted <= one.high


def test_a_response_gives_what_a_run_gives(two):
    """Warm and cold solves agree, whatever number is moved."""
    case, world = case_of(), world_of(two)
    response = PointResponse(two, case, world)
    for item, factor in (("capex", 1.2), ("capex", 0.7), ("running", 2.0)):
        hot = response.at({f"costs[item={item}]": factor})
        scaled = {"table": "costs", "where": {"item": item}, "factor": factor}
        cold = cm.run(two, case, world.with_(scale=(scaled,)))
        assert near(hot.objective, cold.objective)


def test_rungs_lie_between_those_solved():
    class Fake:
        def money_of(self, year: int) -> float:
            return 1.0

        def parameter(self, name: str) -> float:
            return 1.0

    rungs = [
        ladder.Rung(0.0, 0.0, 10.0, 100.0),
        ladder.Rung(0.1, 40_000.0, 20.0, 200.0),
        ladder.Rung(0.3, 80_000.0, 26.0, 260.0),
    ]
    found = ladder.at_budgets(rungs, Fake())  # type: ignore[arg-type]
    assert [found[b].built for b in (0, 20, 50)] == [10.0, 15.0, 21.5]


# -- what carries the answer


@pytest.fixture(scope="module")
def solved(two) -> cm.Solution:
    return cm.run(two, case_of(), "central")


def test_near_optimal_ranges_widen_around_the_optimum(solved):
    found = near_optimal(solved, "AAA", "chip", 2033, (0.005, 0.01, 0.05)).set_index(
        ["end", "slack"]
    )["share"]
    best = found["optimum", 0.0]
    lowest = found["least"].to_numpy()
    highest = found["most"].to_numpy()
    assert (lowest <= best + 1e-9).all()
    assert (highest >= best - 1e-9).all()
    assert (np.diff(lowest) <= 1e-9).all()
    assert (np.diff(highest) >= -1e-9).all()
    assert highest[-1] - lowest[-1] > 0.01


def test_near_optimal_refuses_a_place_without_builds(solved):
    with pytest.raises(cm.InputError, match="nothing can be built there"):
        near_optimal(solved, "XXX", "chip", 2033)
