"""Questions: the contract, cases that fit the data, findings that follow the tables."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from chipmodel import Dataset, InputError, load_dataset
from chipmodel.analysis.structure import StructureReader
from chipmodel.cases.check import check_case
from chipmodel.display import charts
from chipmodel.model.parameters.build import build_parameters
from chipmodel.questions import chokepoints, coalitions, names, question, shared, titles
from chipmodel.questions import q01_tariffs as q01
from chipmodel.questions import q02_exposure as q02
from chipmodel.questions import q03_japan_domestic_first as q03
from chipmodel.questions import q06_korean_awards as q06
from chipmodel.questions import q07_china as q07
from chipmodel.questions import q11_taiwan as q11
from chipmodel.questions import q12_friendshoring as q12
from chipmodel.questions.answer import Column, Table, rounded
from chipmodel.questions.folder import read_part
from chipmodel.report import golden
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

ROOT = Path(__file__).resolve().parents[3]
EVERY = bool(os.environ.get("CHIPMODEL_EVERY_CASE"))
MINE = [name for name in names() if not name.startswith(("q04", "q10"))]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset()


@pytest.fixture(scope="module")
def cache(data: Dataset) -> CaseCache:
    """A cache that is asked for cases only."""
    return CaseCache(data)


@pytest.fixture(scope="module")
def law() -> Summary:
    """Current law of the two-region data set, for labels and discount factors."""
    import helpers

    two = load_dataset(helpers.TWO)
    cache = CaseCache(two)
    return cache.summary(helpers.case_of(name="law"), helpers.world_of(two))


@pytest.mark.parametrize("name", MINE)
def test_contract(name: str, cache: CaseCache) -> None:
    q = question(name)
    assert q.TITLE
    assert q.METHOD.endswith(".")
    assert q.ASKS.endswith("?")
    assert question(name.partition("_")[0]) is q
    few, all_of_them = q.cells(cache, True), q.cells(cache, False)
    assert few
    assert len(few) <= len(all_of_them)
    keys = [(cell.case.digest, cell.world.digest) for cell in all_of_them]
    labels: dict[str, set[tuple[str, str]]] = {}
    for cell, key in zip(all_of_them, keys, strict=True):
        labels.setdefault(cell.name, set()).add(key)
    assert all(len(digests) == 1 for digests in labels.values()), (
        "two different cells have one name"
    )


@pytest.mark.parametrize("short", [True, False])
def test_cases_fit_the_data(short: bool, cache: CaseCache) -> None:
    """Every cell of every question loads and passes the checks made before a solve."""
    cells: dict[tuple[str, str], Cell] = {}
    for name in MINE:
        cells |= {
            (cell.world.digest, cell.case.digest): cell
            for cell in question(name).cells(cache, short)
        }
    numbers = None
    for (world, _), cell in sorted(cells.items()):
        if numbers is None or numbers[0] != world:
            numbers = (world, build_parameters(cache.data, cell.world))
        check_case(cell.case, numbers[1])


def test_families_share_a_shape(cache: CaseCache) -> None:
    """What differs in numbers only is compiled once: coalitions, decoupling."""
    numbers = build_parameters(cache.data, cache.cell("current_law").world)
    reader = StructureReader()
    members = chokepoints.MEMBERS
    withheld = [
        coalitions.withheld_between(side, members)
        for side in coalitions.splits(members)
    ]
    withheld += chokepoints.GAMES.values()
    cases = [chokepoints.withholding(cache, pairs) for pairs in withheld]
    assert len({reader.read(case, numbers).shape for case in cases}) == 1
    steps = [q07._decoupled(cache, q07.TOGETHER, share) for share in (0.3, 0.1, 0.0)]
    assert len({reader.read(case, numbers).shape for case in steps}) == 1


def test_unknown_question() -> None:
    with pytest.raises(InputError, match="q12_friendshoring"):
        question("q12_freindshoring")


def test_titles_are_read_without_importing_questions() -> None:
    """The list of questions has the title of each and imports no question."""
    assert titles() == {name: question(name).TITLE for name in names()}
    code = (
        "import sys; from chipmodel import questions; questions.titles();"
        "print([m for m in sys.modules if m.startswith('chipmodel.questions.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_table_is_written_with_headings_and_read_by_key() -> None:
    """Numbers are rounded, -0.0 is 0.0, and only columns in the list are written."""
    columns = (
        Column("case", "case"),
        Column("cost", "World", "USD bn", 3),
        Column("ratio", "ratio"),
    )
    rows = [
        {"case": "duty", "id": "x", "cost": 1.23456, "ratio": 1.23456},
        {"case": "none", "id": "y", "cost": -0.0001, "ratio": float("nan")},
    ]
    frame = rounded(rows, columns)
    assert list(frame["cost"]) == [1.235, 0.0]
    assert math.copysign(1.0, frame["cost"].iloc[1]) == 1.0
    assert frame["ratio"].iloc[0] == 1.23456
    written = Table("t", "title", frame, columns).written
    assert list(written.columns) == ["case", "World, USD bn", "ratio"]
    assert list(rounded([], columns).columns) == ["case", "cost", "ratio"]
    assert Table("t", "title", frame).written is frame


def test_gains_add_up(law: Summary) -> None:
    """Surplus, rents and treasury make up a gain; a yearly sum keeps its value."""
    own = replace(
        law,
        surplus={"AAA": law.surplus["AAA"] + 5.0, "BBB": law.surplus["BBB"] - 3.0},
        rents={**law.rents, "AAA": law.rents.get("AAA", 0.0) - 1.0},
        treasury={**law.treasury, "BBB": law.treasury.get("BBB", 0.0) + 2.0},
    )
    assert shared.gain(own, law, "AAA") == pytest.approx(4.0)
    assert shared.gain(own, law, "all") == pytest.approx(3.0)
    each = [f(own, law, "BBB") for f in (shared.users, shared.firms, shared.treasury)]
    assert each == pytest.approx([-3.0, 0.0, 2.0])
    assert sum(
        shared.yearly(own, 7.0) * d for d in own.discount.values()
    ) == pytest.approx(7.0)


def test_spending_and_support_of_firms(law: Summary) -> None:
    """Cash spent on fabs is counted by place and firm, subsidies by recipient."""
    import helpers

    from chipmodel.policies.capex_grant import CapexGrant

    two = load_dataset(helpers.TWO)
    grant = CapexGrant(
        id="grant",
        form="open",
        region="AAA",
        rate=0.2,
        years=(2025, 2040),
        source="own",
    )
    own = CaseCache(two).summary(
        helpers.case_of(grant, name="grant"), helpers.world_of(two)
    )
    assert shared.spent(own, "AAA") > shared.spent(law, "AAA") > 0
    firms = {f for f, r, _ in own.invested if r == "AAA"}
    assert shared.spent(own, "AAA") == pytest.approx(
        sum(shared.spent(own, "AAA", (f,)) for f in firms)
    )
    assert sum(own.received.values()) == pytest.approx(shared.outlay(own, "AAA"))
    assert not law.received


def test_shapley_of_a_game_solved_by_hand() -> None:
    """Two of three, the first always needed: v(1,2) = v(1,3) = v(N) = 6, so 4, 1, 1."""
    worth = {frozenset(s): 0.0 for k in range(4) for s in combinations("abc", k)}
    for winning in ("ab", "ac", "abc"):
        worth[frozenset(winning)] = 6.0
    assert coalitions.shapley("abc", worth) == pytest.approx(
        {"a": 4.0, "b": 1.0, "c": 1.0}
    )


def test_a_split_values_both_sides(law: Summary) -> None:
    """All together are the reference; a side of a split is worth its members' gains."""
    own = replace(
        law,
        surplus={
            **law.surplus,
            "AAA": law.surplus["AAA"] - 4.0,
            "BBB": law.surplus["BBB"] - 1.0,
        },
    )
    worth = coalitions.coalition_values(("AAA", "BBB"), {frozenset({"AAA"}): own}, law)
    assert worth == pytest.approx(
        {
            frozenset(): 0.0,
            frozenset({"AAA"}): -4.0,
            frozenset({"BBB"}): -1.0,
            frozenset({"AAA", "BBB"}): 0.0,
        }
    )
    share = coalitions.shapley(("AAA", "BBB"), worth)
    assert share == pytest.approx({"AAA": -1.5, "BBB": 1.5})
    members = chokepoints.MEMBERS
    assert len(coalitions.splits(members)) == 2 ** (len(members) - 1) - 1
    assert coalitions.withheld_between(frozenset({"USA"}), members) == {
        (a, b) for a in members for b in members if a != b and "USA" in (a, b)
    }


@pytest.mark.parametrize(
    ("premium", "saved", "chance"),
    [(1.0, 20.0, 0.05), (-1.0, 5.0, 0.0), (0.0, 0.0, 0.0)],
)
def test_break_even(premium: float, saved: float, chance: float) -> None:
    assert q11.break_even(premium, saved) == chance


def test_insurance_that_never_pays() -> None:
    assert math.isnan(q11.break_even(3.0, 2.0))
    assert math.isnan(q11.break_even(3.0, -1.0))


def _who(users: float, treasury: float) -> pd.DataFrame:
    row = {
        "case": "test duty",
        "status": "threatened",
        **dict.fromkeys(q01.AMOUNTS, 0.0),
    }
    row |= {
        "users_home": users,
        "treasury_home": treasury,
        "home": users + treasury,
        "world": users,
    }
    return pd.DataFrame([row])


def test_tariff_finding_follows_its_signs() -> None:
    where = pd.DataFrame(
        [
            {
                "case": "test duty",
                "all_change": 0.0,
                "leading_change": -2.5,
            }
        ]
    )
    text = " ".join(q01.finding(_who(-4.0, 8.0), where))
    assert "US users lose USD 4.0 bn (50% of what the treasury gains)" in text
    assert "United States as a whole gains USD 4.0 bn" in text
    assert "-2.5 kwpm" in text
    text = " ".join(q01.finding(_who(3.0, -8.0), where))
    assert "US users gain USD 3.0 bn," in text
    assert "the US treasury loses USD 8.0 bn" in text
    assert "has no effect" in " ".join(q01.finding(_who(0.0, 0.0), where))


def _exposure(losses: dict[str, float]) -> pd.DataFrame:
    surplus = {"A": 10.0, "B": 20.0}
    table = pd.DataFrame(
        [
            {
                "case": "duty",
                "ally": a,
                "loss": v,
                "loss_over_gdp": 10.0 * v * (1 if a == "A" else 3),
                "surplus": surplus[a],
            }
            for a, v in losses.items()
        ]
    )
    for measure, rank in q02.RANKS.items():
        table[rank.key] = table[measure].rank(ascending=False).astype(int)
    return table


def test_exposure_finding_ranks() -> None:
    text = " ".join(q02.finding(_exposure({"A": 2.0, "B": 1.0})))
    assert "A loses USD 2.0 bn and B loses USD 1.0 bn" in text
    assert "In dollars, A loses most; relative" in text
    assert "relative to GDP, B loses most" in text
    assert "in none of 1 cases" in text
    assert "in every case" in " ".join(q02.finding(_exposure({"A": 1.0, "B": 2.0})))
    assert q02.finding(_exposure({"A": 0.0, "B": 0.0}))[0].startswith(
        "None of these cases"
    )


def test_japan_finding_reports_both_signs() -> None:
    def row(how: str, abroad: float) -> dict[str, object]:
        return {
            "world": how,
            "case_id": q03.MORE,
            "case": "Japan domestic first",
            "paid": 10.0,
            "paid_yen": 1.5,
            "spent_home": 20.0,
            "spent_abroad": abroad,
            "spent_elsewhere": 0.0,
            "lost_per_dollar": -abroad / 10.0,
            "lost_per_yen": -abroad,
        }

    firms = pd.DataFrame(
        [("gross", "Japan domestic first", "tsmc", 5.0, -1.0)],
        columns=[column.key for column in q03.BY_FIRM],
    )
    text = " ".join(
        q03.finding(pd.DataFrame([row("gross", -2.0), row("net", 1.0)]), firms)
    )
    assert "+0.20 with gross and -0.10 with net" in text
    assert "-1.0 to +2.0 kwpm" in text
    assert "tsmc" in text


def test_awards_finding() -> None:
    def row(case: str, kwpm: float, support: float) -> dict[str, object]:
        return {
            "case": case,
            "world": shared.COMMITTED,
            "taylor": kwpm,
            "announced": 67.0,
            "support": support,
            "hynix": 6.0,
            "leading_change": kwpm - 17.0,
            "gain_home": 1.0,
            "gain_korea": -2.0,
        }

    text = " ".join(
        q06.finding(
            pd.DataFrame(
                [row("current law", 17.0, 5.0), row("awards withdrawn", 15.0, 1.0)]
            )
        )
    )
    assert "17.0 of the 67 kwpm announced in Taylor" in text
    assert "15.0 with awards withdrawn" in text
    assert "saves the treasury USD 4.0 bn" in text
    assert "-2.0 kwpm" in text
    assert "South Korea loses USD 2.0 bn" in text


def test_friendshoring_on_real_data() -> None:
    """A short run: costs rise with the share, and narrower sets cost more."""
    data = load_dataset()
    cache = CaseCache(data)
    cache.solve(q12.cells(cache, True))
    answer = q12.answer(cache, True)
    costs = next(t.frame for t in answer.tables if t.name == "q12_cost")
    by = {
        rule: part.set_index("share")["world"]
        for rule, part in costs.groupby("rule_id")
    }
    for curve in by.values():
        assert list(curve) == sorted(curve)
        assert curve.iloc[-1] > 1.0
    both = sorted(set(by[q12.NARROW].index) & set(by[q12.WIDE].index))
    assert len(both) > 1
    assert (by[q12.NARROW].loc[both] >= by[q12.WIDE].loc[both] - 1e-3).all()
    prices = next(t.frame for t in answer.tables if t.name == "q12_price_of_trust")
    segments = list(cache.summary("current_law").labels.segments)
    assert prices[segments].to_numpy().min() >= 0.0
    assert f"{by[q12.WIDE].loc[1.0]:,.1f}" in " ".join(answer.finding)
    for table in answer.tables:
        assert re.fullmatch(r"q12_[a-z_]+", table.name)
        assert not table.frame.empty
    assert {f.table for f in answer.figures} <= {t.name for t in answer.tables}


@pytest.mark.parametrize("kind", ["curves", "stacked", "matrix", "side_by_side"])
def test_figures_keep_their_labels(kind: str) -> None:
    """No text of a figure reaches over its edge, whatever the length of names."""
    pytest.importorskip("matplotlib")
    long = "A long name of a case in many words"
    table = pd.DataFrame(
        {
            "x": [0.1, 0.5, 0.1, 0.5],
            "name": [long, long, "B", "B"],
            "first, USD bn": [1.0, -2.0, 3, 4],
            "second, USD bn": [0.0, 12345.6, -1.0, 2.0],
            "panel": ["p"] * 4,
        }
    )
    rows = table.drop_duplicates("name")
    columns = {"first, USD bn": "#0072B2", "second, USD bn": "#D55E00"}
    made = {
        "curves": lambda: charts.curves(
            table,
            x="x",
            by="name",
            panels={"first, USD bn": "One", "second, USD bn": "Two"},
            title="T",
            note="n",
            xlabel="x",
            ylabel="y",
            percent=True,
        ),
        "stacked": lambda: charts.stacked_support(
            rows, label="name", parts=columns, title="T", note="n"
        ),
        "matrix": lambda: charts.matrix(
            rows, label="name", columns=list(columns), title="T", note="n"
        ),
        "side_by_side": lambda: charts.side_by_side(
            rows, label="name", panel="panel", columns=columns, title="T", note="n"
        ),
    }[kind]
    import matplotlib as mpl

    from chipmodel.display import style

    with mpl.rc_context({**mpl.rcParamsDefault, **style.RC}):
        fig, _ = made()
        fig.canvas.draw()
        box = fig.get_tightbbox(fig.canvas.get_renderer())
    wide, tall = fig.get_size_inches()
    assert min(box.x0, box.y0) >= -0.01, kind
    assert box.x1 <= wide + 0.01, kind
    assert box.y1 <= tall + 0.01, kind


@pytest.mark.parametrize(
    "name", [name for name in names() if EVERY or name == "q08_alliance_ledger"]
)
def test_an_experiment_runs_alone(name: str, tmp_path: Path) -> None:
    """As a user runs it, on the shipped data; all with CHIPMODEL_EVERY_CASE=1."""
    script = ROOT / "experiments" / f"{name}.py"
    done = subprocess.run(
        [sys.executable, str(script), "--short", "--out", str(tmp_path), "--jobs", "2"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert question(name).TITLE in done.stdout
    assert (tmp_path / name / "finding.txt").read_text().strip()
    part = read_part(tmp_path / name)
    assert part is not None
    assert golden.compare([part], ROOT / "tests" / "golden") == []
