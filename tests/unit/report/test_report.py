"""Questions answered into folders, the report and its golden tables."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import helpers
import pandas as pd
import pytest

from chipmodel import InputError, load_dataset
from chipmodel.cases import case
from chipmodel.cli.main import main, script
from chipmodel.dataset.derived import load_intervals
from chipmodel.display.latex import latex
from chipmodel.questions import names, q04_subsidy_ledger, question
from chipmodel.questions.folder import (
    contents,
    full_name,
    name_of,
    read_part,
    run_question,
)
from chipmodel.report import golden
from chipmodel.report.build import build_report, modules
from chipmodel.report.sections import published, what_if
from chipmodel.studies.case_cache import CaseCache
from chipmodel.studies.stored_tables import restamp, store_tables, stored_tables
from chipmodel.validation.validate import COLUMNS

ROOT = Path(__file__).resolve().parents[3]
KINDS = ("pdf", "png", "svg")


@pytest.fixture
def copied(reported, tmp_path):
    """The report in a folder that may be changed."""
    data, report = reported
    shutil.copytree(report.page.parent, tmp_path / "out")
    return data, tmp_path / "out"


@pytest.fixture
def no_solve(monkeypatch):
    """Fail as soon as anything is solved."""

    def refuse(*_: object) -> None:
        raise AssertionError("a case was solved")

    monkeypatch.setattr(CaseCache, "solve", refuse)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_every_question_has_a_script_and_the_contract():
    for name in names():
        module = question(name)
        assert all(
            isinstance(text, str) and text
            for text in (module.TITLE, module.ASKS, module.METHOD)
        )
        text = (ROOT / "experiments" / f"{name}.py").read_text()
        assert f'script("{name}")' in text
        assert full_name(name[:3]) == name


def test_an_answer_lies_in_its_folder_with_every_kind_of_file(reported):
    part = next(part for part in reported[1].parts if part.name == helpers.QUESTION)
    there = {path.name for path in part.folder.iterdir()}
    assert there == {
        "manifest.json",
        "finding.txt",
        "ledger.csv",
        "ledger.tex",
        *(f"ledger.{kind}" for kind in KINDS),
    }
    about = json.loads((part.folder / "manifest.json").read_text())
    assert about["short"] is True
    assert set(about["outputs"]) == there - {"manifest.json"}
    assert about["dataset"]["digest"] == reported[0].digest
    row = part.table("ledger").iloc[0]
    assert row["kwpm per USD bn, average"] == pytest.approx(
        row["capacity added at home, kwpm"] / row["outlay, USD bn"]
    )
    assert row["outlay, % of GDP"] == pytest.approx(
        100 * row["outlay, USD bn"] / row["GDP, USD bn"]
    )


def test_the_ledger_is_what_the_solved_cases_differ_by(reported):
    data, report = reported
    cache = CaseCache(data)
    base = case.load_case("current_law", data)
    full = cache.summary(base)
    none = cache.summary(q04_subsidy_ledger.without(base, "AAA"))
    row = report.parts[1].table("ledger").iloc[0]
    added = sum(v for (r, _, t), v in full.capacity.items() if r == "AAA" and t == 2028)
    added -= sum(
        v for (r, _, t), v in none.capacity.items() if r == "AAA" and t == 2028
    )
    assert added > 0
    assert row["capacity added at home, kwpm"] == pytest.approx(added)
    assert row["outlay, USD bn"] == pytest.approx(sum(full.cash.values()) / 1000)
    cut = q04_subsidy_ledger.less(base, "AAA")
    assert [(p.share, p.rate) for p in cut.policies] == [
        (0.8, None),
        (0.8, pytest.approx(0.12)),
    ]


@pytest.mark.usefixtures("no_solve")
def test_a_second_run_solves_nothing_and_changes_no_byte(copied):
    data, out = copied
    before = bytes_of(out)
    again = build_report(data, out, short=True)
    assert all(part.fresh for part in again.parts)
    assert bytes_of(out) == before


@pytest.mark.usefixtures("no_solve")
@pytest.mark.parametrize("change", ["edit", "remove", "edit the manifest", "full form"])
def test_what_was_touched_is_solved_again(copied, change):
    data, out = copied
    folder = out / helpers.QUESTION
    if change == "edit":
        (folder / "ledger.csv").write_text("x\n1\n")
    elif change == "remove":
        (folder / "ledger.svg").unlink()
    elif change == "edit the manifest":
        path = folder / "manifest.json"
        path.write_text(
            path.read_text().replace(
                '"finding": [', '"finding": ["It pays for itself.",', 1
            )
        )
    with pytest.raises(AssertionError, match="was solved"):
        run_question("q04", data, out, short=change != "full form")


@pytest.mark.usefixtures("no_solve")
def test_a_changed_case_makes_an_answer_stale(copied, tmp_path):
    _, out = copied
    data = helpers.report_data(tmp_path / "other" / "data")
    assert run_question("q04", data, out, short=True).fresh
    path = data.root / "cases" / "grant.toml"
    path.write_text(path.read_text().replace("0.15", "0.16"))
    with pytest.raises(AssertionError, match="was solved"):
        run_question("q04", data, out, short=True)


@pytest.mark.usefixtures("no_solve")
@pytest.mark.parametrize("change", ["a file of somebody", "a manifest cut short"])
def test_files_of_others_are_refused_before_anything_is_solved(copied, change):
    data, out = copied
    folder = out / helpers.QUESTION
    if change == "a file of somebody":
        (folder / "notes.txt").write_text("mine")
        (folder / "ledger.csv").unlink()
    else:
        (folder / "manifest.json").write_text("{")
    before = bytes_of(folder)
    with pytest.raises(InputError, match="would be lost"):
        run_question("q04", data, out, short=True)
    assert bytes_of(folder) == before


def test_the_same_answer_has_the_same_bytes_also_alone_and_with_what_others_solved(
    copied, tmp_path
):
    """The report solved Q4 beside other parts; solved alone, it has the same bytes."""
    data, out = copied
    alone = run_question(helpers.QUESTION, data, tmp_path / "alone", short=True)
    assert not alone.fresh
    assert bytes_of(alone.folder) == bytes_of(out / helpers.QUESTION)


def test_a_script_answers_a_question_and_names_the_nearest_known_one(copied, capsys):
    data, out = copied
    assert script("q04", ["--short", "--data", str(data.root), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "nothing has changed" in printed
    assert str(out / helpers.QUESTION / "ledger.csv") in printed
    assert main(["study", "q04_subsidy_leger", "--data", str(data.root)]) == 2
    assert "q04_subsidy_ledger" in capsys.readouterr().err
    assert main(["study", "headline", "--short", "--data", str(data.root)]) == 2
    assert "--short" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_an_error(reported, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert (
        main(
            ["report", "--data", str(reported[0].root), "--out", str(tmp_path / "file")]
        )
        == 2
    )
    assert "cannot be written" in capsys.readouterr().err


def test_the_report_ends_by_naming_its_page(copied, capsys):
    data, out = copied
    assert main(["report", "--short", "--data", str(data.root), "--out", str(out)]) == 0
    assert (
        capsys.readouterr()
        .out.rstrip()
        .endswith(f"open the page: {out / 'report.html'}")
    )


def test_golden_tables_hold_until_a_number_moves(copied, tmp_path, capsys):
    data, out = copied
    asked = [
        "report",
        "--data",
        str(data.root),
        "--out",
        str(out),
        "--golden",
        str(tmp_path / "golden"),
    ]
    assert main([*asked, "--check"]) == 2
    assert "no golden tables" in capsys.readouterr().err
    assert main([*asked, "--update"]) == 0
    assert main([*asked, "--check"]) == 0
    path = tmp_path / "golden" / f"{helpers.QUESTION}.ledger.csv"
    frame = pd.read_csv(path)
    frame["outlay, USD bn"] *= 1 + 1e-4
    frame.to_csv(path, index=False)
    capsys.readouterr()
    assert main([*asked, "--check"]) == 1
    printed = capsys.readouterr().out
    assert f"{helpers.QUESTION}.ledger.csv: row 1" in printed
    assert "outlay, USD bn" in printed
    assert "golden:" in printed


def test_differences_are_listed_cell_by_cell_and_rounding_is_none():
    old = [["case", "value"], ["a", "1.0"], ["b", "1000"]]
    assert (
        golden.differences(
            "t", old, [["case", "value"], ["a", "1.0000001"], ["b", "1000"]]
        )
        == []
    )
    assert golden.differences(
        "t", old, [["case", "value"], ["a", "1.01"], ["b", "1000"]]
    ) == ["t: row 1 (a), value: 1.01; golden: 1.0"]
    assert "columns" in golden.differences("t", old, [["case"], ["a"]])[0]
    assert "rows" in golden.differences("t", old, old[:2])[0]
    assert golden.differences(
        "t", old, [["case", "value"], ["c", "1.0"], ["b", "1000"]]
    )[0].endswith("c; golden: a")
    assert (
        golden.differences("t", old, [["case", "value"], ["a", ""], ["b", "1000"]])
        != []
    )


def test_latex_escapes_and_aligns():
    frame = pd.DataFrame(
        {
            "case_name": ["50% & more", None],
            "year": [2030, 2035],
            "USD bn": [1234.567, float("nan")],
        }
    )
    text = latex(frame, "A $ title", "t")
    assert r"\begin{tabular}{lrr}" in text
    assert r"case\_name & year & USD bn \\" in text
    assert r"50\% \& more & 2030 & 1,235 \\" in text
    assert r"\caption{A \$ title}" in text
    assert text.splitlines()[-4].endswith(r"2035 &  \\")


def test_figures_have_no_date_in_them(reported):
    for part in reported[1].parts:
        for figure in part.about["figures"]:
            assert (
                b"CreationDate"
                not in (part.folder / f"{figure['name']}.pdf").read_bytes()
            )
            assert (
                b"<dc:date>" not in (part.folder / f"{figure['name']}.svg").read_bytes()
            )


def test_tables_are_written_without_matplotlib(reported, monkeypatch):
    monkeypatch.setattr("chipmodel.display.canvas.drawable", lambda: False)
    cache = CaseCache(reported[0])
    found = contents(q04_subsidy_ledger.answer(cache, True))
    assert set(found) == {"finding.txt", "ledger.csv", "ledger.tex"}


@pytest.fixture
def moved(reported, tmp_path):
    """The data package of the report in a folder that may be changed."""
    shutil.copytree(reported[0].root, tmp_path / "data")
    return replace(reported[0], root=tmp_path / "data")


def test_the_short_form_shows_the_validation_stored_for_these_very_data(moved):
    assert "published" not in [name_of(part) for part in modules(moved, True)]
    assert "published" in [name_of(part) for part in modules(moved, False)]
    rows = [
        (
            "T01",
            "input",
            "x",
            "a",
            1.0,
            1.0,
            0.5,
            1.5,
            "ratio",
            "hit",
            "",
            "",
            "P",
            False,
            "A",
        ),
        (
            "T02",
            "test",
            "y",
            "b",
            2.0,
            1.0,
            0.5,
            1.5,
            "ratio",
            "miss",
            "unexplained",
            "miss",
            "P",
            True,
            "B",
        ),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    ladder = pd.DataFrame(
        [("open", b, 0.0, 10.0, float(b) / 4, 1.0, 9.0) for b in (0, 20, 50)],
        columns=[
            "form",
            "budget",
            "rate",
            "anyway",
            "additional",
            "investment",
            "published",
        ],
    )
    store_tables(
        moved,
        moved.root / "derived",
        dict(zip(published.STORED, (table, ladder), strict=True)),
    )
    assert "published" in [name_of(part) for part in modules(moved, True)]
    answer = published.answer(CaseCache(moved), True)
    finding = " ".join(answer.finding)
    assert (
        "Of 1 published results withheld for testing, the model meets 0%; the median"
        " distance is 100%" in finding
    )
    assert "1 of 1 subsidy-sensitive tests fail" in finding
    assert "add 5 fabs and the next USD 30 billion 7.5; 10 are built anyway" in finding
    assert [figure.table for figure in answer.figures] == ["targets", "ladder"]
    assert all(
        figure.draw(frame)
        for figure, frame in zip(answer.figures, (table, ladder), strict=True)
    )
    case = moved.root / "cases" / "credit.toml"
    text = case.read_text()
    assert "rate = 0.25" in text
    case.write_text(text.replace('title = "', 'title = "Reworded: '))
    assert "published" in [name_of(part) for part in modules(moved, True)]
    case.write_text(text.replace("rate = 0.25", "rate = 0.26"))
    assert "published" not in [name_of(part) for part in modules(moved, True)]
    for name in published.STORED:
        restamp(moved, name)
    found = stored_tables(moved, *published.STORED)
    pd.testing.assert_frame_equal(found[1], ladder, check_dtype=False)
    case.write_text("no case any more")
    assert stored_tables(moved, *published.STORED) is None


def test_the_dials_read_the_grid_stored_with_the_data(moved, reported, no_solve):
    part = next(part for part in reported[1].parts if part.name == "what_if")
    tables = [part.table(name) for name in (what_if.GRID, what_if.REFERENCE)]
    assert what_if.cells(CaseCache(moved), True)
    store_tables(
        moved, moved.root / "derived", dict(zip(what_if.STORED, tables, strict=True))
    )
    assert what_if.cells(CaseCache(moved), True) == []
    assert len(what_if.cells(CaseCache(moved), False)) > 1
    answer = what_if.answer(CaseCache(moved), True)
    pd.testing.assert_frame_equal(answer.tables[0].frame, tables[0])
    assert list(answer.finding) == part.about["finding"]


@pytest.mark.parametrize("raw", [b"", b"a,b\n1,2,3,4\n", b"\xff\xfe\x00"])
def test_a_stored_file_that_is_no_table_is_an_error(raw, moved):
    (moved.root / "derived").mkdir()
    for name in published.STORED:
        (moved.root / "derived" / f"{name}.csv").write_bytes(raw)
    if raw.startswith(b"a"):  # a table, of something else
        assert stored_tables(moved, *published.STORED) is None
        return
    with pytest.raises(InputError, match=r"derived/validation\.csv"):
        stored_tables(moved, *published.STORED)


def test_tables_stored_with_the_shipped_data_belong_to_them():
    data = load_dataset()
    assert stored_tables(data, *published.STORED) is not None
    assert stored_tables(data, *what_if.STORED) is not None
    known = load_intervals(data)
    assert known.draws >= 12
    assert ("current_law", "central", "share.capacity.USA.all.2035") in known.known


def test_a_manifest_of_something_else_is_no_answer(tmp_path):
    (tmp_path / "manifest.json").write_text("[]")
    assert read_part(tmp_path) is None


def test_the_tour_runs_in_ten_cells():
    text = (ROOT / "experiments" / "tour.py").read_text()
    cells = [
        line.split()[2]
        for line in text.splitlines()
        if line.startswith("# %% ") and "[" not in line
    ]
    assert cells == [f"{k}." for k in range(1, 11)]
    space: dict[str, object] = {}
    exec(compile(text, "tour.py", "exec"), space)
    assert space["price"].max() > 10.0
    assert space["who"]["users lose"]["USA"] > 0.0
