"""What is written never destroys what it is not, and this is decided before solving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import helpers
import pytest

import chipmodel as cm
from chipmodel.cli.main import main
from chipmodel.results.store import folder_name

MINE = "years of work"
"""Content of files that are not chipmodel's."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A package whose study stores tables and draws a figure, and a sweep."""
    folder = tmp_path_factory.mktemp("mine") / "data"
    helpers.report_data(folder)
    path = folder / "studies" / "headline.toml"
    text = path.read_text()
    (folder / "studies" / "sweep.toml").write_text(
        text.replace('figures = ["leading_edge_share", "who_pays"]', "chunk = 1")
        + '[grid]\n"duty.rate" = [0.1, 0.2]\n'
    )
    path.write_text(text + 'keep = "tables"\n')
    return folder


@pytest.fixture
def solves_nothing(monkeypatch):
    """Let the test fail if anything is solved."""
    for place in (
        "chipmodel.cli.case_commands.run",
        "chipmodel.cli.case_commands.program_of",
        "chipmodel.studies.run.solve_in_passes",
        "chipmodel.studies.sweep.solve_in_passes",
        "chipmodel.studies.case_cache.solve_in_passes",
        "chipmodel.validation.validate.validate",
    ):
        monkeypatch.setattr(place, lambda *_, **__: pytest.fail("something was solved"))
    monkeypatch.setattr("chipmodel.report.build.names", lambda: [helpers.QUESTION])


def result_of(data: Path, case: str) -> str:
    package = cm.load_dataset(data)
    return folder_name(
        package, cm.load_case(case, package), cm.load_world("central", package)
    )


COMMANDS: dict[str, tuple[list[str], Callable[[Path], list[str]]]] = {
    "run": (["run", "grant"], lambda data: [result_of(data, "grant")]),
    "study": (
        ["study", "headline"],
        lambda data: ["headline", f"headline/{result_of(data, 'tariff')}"],
    ),
    "sweep": (["study", "sweep"], lambda _: ["sweep", "sweep/chunks"]),
    "question": (["study", "q04"], lambda _: [helpers.QUESTION]),
    "report": (["report", "--short"], lambda _: [helpers.QUESTION, "opening"]),
    "validate": (["validate"], lambda _: ["validation"]),
}
"""Commands, and the folders below --out in which each writes."""

FILES = {
    "run": ["capacity.csv", "notes.md", ".git"],
    "study": ["comparison.csv", "finding.txt", "leading_edge_share.svg", "ranges.csv"],
    "sweep": ["comparison_wide.csv", "manifest.json"],
    "question": ["ledger.csv", "manifest.json", "notes.md", ".git"],
    "report": ["ledger.csv", "notes.md"],
    "validate": ["targets.csv", "notes.md"],
}
"""Names that would be replaced, or lost with the folder, in the first of them."""


def assert_refused(arguments, data, out, capsys) -> str:
    """Run a command that must be refused, and return its message."""
    assert main([*arguments, "--data", str(data), "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "choose another folder with --out" in message
    return message


@pytest.mark.parametrize(
    ("verb", "name"), [(verb, name) for verb in FILES for name in FILES[verb]]
)
def test_a_file_of_another_is_named_before_anything_is_solved(
    verb, name, data, tmp_path, capsys, solves_nothing
):
    arguments, folders = COMMANDS[verb]
    file = tmp_path / folders(data)[0] / name
    file.parent.mkdir(parents=True)
    file.write_text(MINE)
    message = assert_refused(arguments, data, tmp_path, capsys)
    assert name in message
    assert file.read_text() == MINE


@pytest.mark.parametrize(
    ("verb", "place"),
    [
        *(("run", 0), ("study", 0), ("study", 1), ("sweep", 0), ("sweep", 1)),
        *(("question", 0), ("report", 0), ("report", 1), ("validate", 0)),
    ],
)
@pytest.mark.parametrize("obstacle", ["file", "dangling link", "link to a device"])
def test_a_place_that_is_no_folder_is_named_before_anything_is_solved(
    verb, place, obstacle, data, tmp_path, capsys, solves_nothing
):
    arguments, folders = COMMANDS[verb]
    path = tmp_path / folders(data)[place]
    path.parent.mkdir(parents=True, exist_ok=True)
    if obstacle == "file":
        path.write_text(MINE)
    else:
        target = tmp_path / "nowhere" if obstacle == "dangling link" else "/dev/null"
        path.symlink_to(target)
    assert_refused(arguments, data, tmp_path, capsys)
    assert path.is_symlink() or path.read_text() == MINE
    assert not (tmp_path / "nowhere").exists()


def test_a_page_that_is_no_report_is_not_replaced(
    data, tmp_path, capsys, solves_nothing
):
    page = tmp_path / "report.html"
    page.write_text(MINE)
    message = assert_refused(["report", "--short"], data, tmp_path, capsys)
    assert "report.html" in message
    assert page.read_text() == MINE


@pytest.mark.parametrize("verb", ["run", "question"])
def test_a_result_that_was_moved_and_linked_is_written_where_it_is(
    verb, data, tmp_path, capsys
):
    arguments, folders = COMMANDS[verb]
    given = [*arguments, "--data", str(data), "--out", str(tmp_path / "out")]
    assert main(given) == 0
    folder = tmp_path / "out" / folders(data)[0]
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    folder.symlink_to(moved)
    before = sorted(path.name for path in moved.iterdir())
    (moved / "manifest.json").unlink()
    (moved / before[0]).unlink()
    for path in moved.iterdir():
        path.unlink()
    assert main(given) == 0
    assert folder.is_symlink()
    assert sorted(path.name for path in moved.iterdir()) == before


@pytest.mark.parametrize("form", ["mps", "lp"])
def test_an_export_replaces_an_export_and_nothing_else(
    form, data, tmp_path, capsys, monkeypatch
):
    out = tmp_path / f"model.{form}"
    given = ["export", "no_policy", "--data", str(data), "--format", form, "--out"]
    assert main([*given, str(out)]) == 0
    exported = out.read_bytes()
    link = tmp_path / "link"
    link.symlink_to(out)
    assert main([*given, str(link)]) == 0
    assert link.is_symlink()
    assert out.read_bytes() == exported
    monkeypatch.setattr(
        "chipmodel.cli.case_commands.program_of", lambda *_: pytest.fail("solved")
    )
    thesis = tmp_path / "thesis.tex"
    thesis.write_text(MINE)
    places = [str(thesis), str(data / "fleets.csv"), "/dev/null"]
    before = [Path(place).stat().st_mode for place in places]
    for place in places:
        capsys.readouterr()
        assert main([*given, place]) == 2
        assert place in capsys.readouterr().err
    assert thesis.read_text() == MINE
    assert [Path(place).stat().st_mode for place in places] == before


def test_golden_tables_that_are_missing_are_named_before_anything_is_solved(
    data, tmp_path, capsys, solves_nothing
):
    given = ["report", "--check", "--data", str(data), "--out", str(tmp_path / "out")]
    for golden in ("/nowhere", str(tmp_path)):
        assert main([*given, "--golden", golden]) == 2
        assert "holds no golden tables" in capsys.readouterr().err
    file = tmp_path / "file"
    file.write_text(MINE)
    update = [*given[:1], "--update", *given[2:], "--golden", str(file)]
    assert main(update) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
