"""Folders that cannot take a result: full, read-only, or written by several at once."""

from __future__ import annotations

from pathlib import Path

import helpers
import pytest
from helpers import remount, small_disk
from kill import Killer, hidden, named

from chipmodel.cli.main import main
from chipmodel.common.files import write_whole
from chipmodel.studies.checkpoint import Store


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disk") / "data"
    helpers.report_data(folder)
    path = folder / "studies" / "headline.toml"
    path.write_text(
        path.read_text().replace(
            'figures = ["leading_edge_share", "who_pays"]', 'keep = "tables"'
        )
    )
    (folder / "studies" / "sweep.toml").write_text(
        path.read_text().replace('keep = "tables"', "")
        + 'chunk = 1\n[grid]\n"duty.rate" = [0.1, 0.2, 0.3, 0.4]\n'
    )
    return folder


@pytest.fixture(scope="module")
def commands(data):
    return {
        "run": ["run", "grant", "--data", str(data)],
        "study": ["study", "headline", "--data", str(data)],
        "sweep": ["study", "sweep", "--data", str(data)],
    }


@pytest.fixture(scope="module")
def whole(commands, tmp_path_factory):
    """What each command writes when nothing disturbs it."""
    out = tmp_path_factory.mktemp("whole")
    for name, arguments in commands.items():
        assert main([*arguments, "--out", str(out / name)]) == 0
    return {name: named(out / name) for name in commands}


def assert_refused(arguments, out, capsys, reason):
    """Run a command that must fail, and check its error message."""
    capsys.readouterr()
    assert main([*arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert "choose another folder with --out" in error
    assert "Traceback" not in error


@pytest.mark.parametrize(("verb", "size"), [("run", "12k"), ("study", "64k")])
def test_a_full_disk_is_reported_and_every_file_on_it_is_whole(
    verb, size, commands, whole, tmp_path, capsys
):
    disk = tmp_path / "disk"
    with small_disk(disk, size):
        assert_refused(commands[verb], disk, capsys, "No space left on device")
        assert named(disk).items() <= whole[verb].items()
        assert not hidden(disk), "half a file was left"
        remount(disk, "size=4m")
        assert main([*commands[verb], "--out", str(disk)]) == 0
        assert named(disk) == whole[verb]


@pytest.mark.parametrize("verb", ["run", "study", "sweep"])
def test_a_read_only_folder_is_reported_before_anything_is_solved(
    verb, commands, tmp_path, capsys, monkeypatch
):
    for place in (
        "chipmodel.cli.case_commands.run",
        "chipmodel.studies.run.solve_in_passes",
        "chipmodel.studies.sweep.solve_in_passes",
    ):
        monkeypatch.setattr(place, lambda *_: pytest.fail("something was solved"))
    disk = tmp_path / "disk"
    with small_disk(disk, "1m"):
        (disk / "mine.txt").write_text("years of work")
        remount(disk, "ro")
        assert_refused(commands[verb], disk, capsys, "Read-only file system")
        assert [path.name for path in disk.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("verb", "many"), [("run", 2), ("study", 2), ("study", 4), ("sweep", 4)]
)
def test_processes_that_write_one_folder_at_once_do_not_corrupt_it(
    verb, many, commands, whole, tmp_path
):
    killer = Killer(commands[verb])
    out = tmp_path / "out"
    together = [killer.start(out, tmp_path / f"events_{k}") for k in range(many)]
    for process in together:
        process.join()
    assert [process.exitcode for process in together] == [0] * many
    assert named(out) == whole[verb]
    assert not hidden(out)


@pytest.mark.parametrize("look", ["iterdir", "is_file"])
def test_two_processes_that_start_a_sweep_at_the_same_time_share_its_mark(
    look, tmp_path, monkeypatch
):
    """Another process marks the folder just after this one has looked at it.

    What it wrote belongs to the same sweep and is not taken for files of others.
    """
    folder = tmp_path / "chunks"
    folder.mkdir()
    looked = getattr(Path, look)

    def and_then_the_other(path):
        found = looked(path)
        found = iter(list(found)) if look == "iterdir" else found
        monkeypatch.setattr(Path, look, looked)
        write_whole(folder / "sweep.json", '{"digest": "same"}')
        return found

    monkeypatch.setattr(Path, look, and_then_the_other)
    Store(folder, "same").write(0, "a,b\n")
    assert (folder / "chunk_00000.csv").read_text() == "a,b\n"
