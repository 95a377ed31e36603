"""The questions: each keeps the contract, its cases fit the data, and its findings say what its tables hold."""

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
from chipmodel.questions import names, question, shared
from chipmodel.questions import q01_tariffs as q01
from chipmodel.questions import q02_exposure as q02
from chipmodel.questions import q03_japan_domestic_first as q03
from chipmodel.questions import q06_korean_awards as q06
from chipmodel.questions import q07_china as q07
from chipmodel.questions import q09_cards as q09
from chipmodel.questions import q11_taiwan as q11
from chipmodel.questions import q12_friendshoring as q12
from chipmodel.questions.folder import read_part
from chipmodel.report import golden
from chipmodel.results.summary import Summary
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.plan import Cell

ROOT = Path(__file__).resolve().parent.parent
EVERY = bool(os.environ.get("CHIPMODEL_EVERY_CASE"))
MINE = [name for name in names() if not name.startswith(("q04", "q10"))]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset()


@pytest.fixture(scope="module")
def cache(data: Dataset) -> CaseCache:
    """A desk that is asked for cases only."""
    return CaseCache(data)


@pytest.fixture(scope="module")
def law() -> Summary:
    """Current law of the two-region data set, solved, for labels, years and discount factors."""
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
    assert all(len(found) == 1 for found in labels.values()), (
        "two different cells have one name"
    )


@pytest.mark.parametrize("short", [True, False])
def test_cases_fit_the_data(short: bool, cache: CaseCache) -> None:
    """Every cell of every question loads and passes the checks made before anything is solved."""
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
    """What differs in numbers only is compiled once: the coalitions, and the steps of decoupling."""
    numbers = build_parameters(cache.data, cache.cell("current_law").world)
    reader = StructureReader()
    pairs = [q09._between(one) for one in q09._splits()] + list(q09.GAMES.values())
    assert (
        len({reader.read(q09._case(cache, held), numbers).shape for held in pairs}) == 1
    )
    steps = [q07._decoupled(cache, q07.TOGETHER, room) for room in (0.3, 0.1, 0.0)]
    assert len({reader.read(case, numbers).shape for case in steps}) == 1


def test_unknown_question() -> None:
    with pytest.raises(InputError, match="q12_friendshoring"):
        question("q12_freindshoring")


def test_gains_add_up(law: Summary) -> None:
    """Surplus, rents and treasury make up what a region gains; a yearly sum has the same present value."""
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
    """What firms spend in cash on fabs is counted by place and firm, and support by who receives it."""
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
    """Two of three needed, one of them always the first: v(1,2) = v(1,3) = v(N) = 6, so 4, 1, 1."""
    worth = {frozenset(s): 0.0 for k in range(4) for s in combinations("abc", k)}
    for winning in ("ab", "ac", "abc"):
        worth[frozenset(winning)] = 6.0
    assert q09.shapley("abc", worth) == pytest.approx({"a": 4.0, "b": 1.0, "c": 1.0})


def test_a_split_values_both_sides(law: Summary) -> None:
    """Everybody together is the reference; each side of a split is worth what its members gain or lose."""
    own = replace(
        law,
        surplus={
            **law.surplus,
            "AAA": law.surplus["AAA"] - 4.0,
            "BBB": law.surplus["BBB"] - 1.0,
        },
    )
    worth = q09.coalition_values(("AAA", "BBB"), {frozenset({"AAA"}): own}, law)
    assert worth == pytest.approx(
        {
            frozenset(): 0.0,
            frozenset({"AAA"}): -4.0,
            frozenset({"BBB"}): -1.0,
            frozenset({"AAA", "BBB"}): 0.0,
        }
    )
    share = q09.shapley(("AAA", "BBB"), worth)
    assert share == pytest.approx({"AAA": -1.5, "BBB": 1.5})
    assert len(q09._splits()) == 2 ** (len(q09.MEMBERS) - 1) - 1
    assert q09._between(frozenset({"USA"})) == {
        (a, b) for a in q09.MEMBERS for b in q09.MEMBERS if a != b and "USA" in (a, b)
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
    row = {"case": "test duty", "status": "threatened", **dict.fromkeys(q01.PARTS, 0.0)}
    row |= {
        "American users, USD bn": users,
        "American treasury, USD bn": treasury,
        "United States, USD bn": users + treasury,
        "World, USD bn": users,
    }
    return pd.DataFrame([row])


def test_tariff_finding_follows_its_signs() -> None:
    where = pd.DataFrame(
        [
            {
                "case": "test duty",
                "change in all segments, kwpm": 0.0,
                "change in Logic, kwpm": -2.5,
            }
        ]
    )
    text = " ".join(q01.finding(_who(-4.0, 8.0), where))
    assert "American users lose USD 4.0 bn (50% of what the treasury nets)" in text
    assert "United States as a whole gains USD 4.0 bn" in text
    assert "-2.5 kwpm" in text
    text = " ".join(q01.finding(_who(3.0, -8.0), where))
    assert "American users gain USD 3.0 bn," in text
    assert "is short of USD 8.0 bn" in text
    assert "changes nothing" in " ".join(q01.finding(_who(0.0, 0.0), where))


def _exposure(losses: dict[str, float]) -> pd.DataFrame:
    surplus = {"A": 10.0, "B": 20.0}
    table = pd.DataFrame(
        [
            {
                "case": "duty",
                "ally": a,
                q02.LOSS: v,
                q02.PER_GDP: 10.0 * v * (1 if a == "A" else 3),
                q02.SURPLUS: surplus[a],
            }
            for a, v in losses.items()
        ]
    )
    for rank, column in zip(
        q02.RANKS, (q02.LOSS, q02.PER_GDP, q02.SURPLUS), strict=True
    ):
        table[rank] = table[column].rank(ascending=False).astype(int)
    return table


def test_exposure_finding_ranks() -> None:
    text = " ".join(q02.finding(_exposure({"A": 2.0, "B": 1.0})))
    assert "A loses USD 2.0 bn and B loses USD 1.0 bn" in text
    assert "In dollars A loses most in it" in text
    assert "of its economy B loses most" in text
    assert "in none of 1 cases" in text
    assert "in every case" in " ".join(q02.finding(_exposure({"A": 1.0, "B": 2.0})))
    assert q02.finding(_exposure({"A": 0.0, "B": 0.0}))[0].startswith(
        "None of these cases"
    )


def test_japan_finding_reports_both_signs() -> None:
    def row(how: str, abroad: float) -> dict[str, object]:
        return {
            "world": how,
            "case": "Japan domestic first",
            q03.PAID: 10.0,
            q03.YEN: 1.5,
            q03.SPENT_HOME: 20.0,
            q03.SPENT_ABROAD: abroad,
            q03.EVERYWHERE: 0.0,
            q03.RATIO: -abroad / 10.0,
            q03.KWPM: -abroad,
        }

    firms = pd.DataFrame(
        [("gross", "Japan domestic first", "tsmc", 5.0, -1.0)],
        columns=["world", "case", "firm", "in Japan, USD bn", "in the US, USD bn"],
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
            "world": q06.HELD,
            q06.TAYLOR: kwpm,
            q06.SIZE: 67.0,
            q06.SUPPORT: support,
            "SK hynix Indiana packaging, kwpm": 6.0,
            "change in American leading logic, kwpm": kwpm - 17.0,
            "gain of the United States, USD bn": 1.0,
            "gain of South Korea, USD bn": -2.0,
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
    """A short run: costs rise with the share, narrower sets cost more, and figures are drawn whole."""
    data = load_dataset()
    cache = CaseCache(data)
    cache.solve(q12.cells(cache, True))
    answer = q12.answer(cache, True)
    costs = next(t.frame for t in answer.tables if t.name == "q12_cost")
    by = {
        rule: part.set_index("share")[q12.WORLD] for rule, part in costs.groupby("rule")
    }
    for curve in by.values():
        assert list(curve) == sorted(curve)
        assert curve.iloc[-1] > 1.0
    both = sorted(set(by["Allies less Taiwan"].index) & set(by["Allies"].index))
    assert len(both) > 1
    assert (by["Allies less Taiwan"].loc[both] >= by["Allies"].loc[both] - 1e-3).all()
    prices = next(t.frame for t in answer.tables if t.name == "q12_price_of_trust")
    assert prices.drop(columns=["trusted set", "share"]).to_numpy().min() >= 0.0
    said = " ".join(answer.finding)
    assert f"{by['Allies'].loc[1.0]:,.1f}" in said
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
    """As a user runs it, on the shipped data; all of them with CHIPMODEL_EVERY_CASE=1."""
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
