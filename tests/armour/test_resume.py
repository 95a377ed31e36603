"""A sweep that is interrupted continues from its finished chunks: the same bytes."""

from __future__ import annotations

import os
import random
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import TWO, remount, small_disk
from kill import Killer, Moment

from chipmodel.cli.main import main
from chipmodel.common.errors import InputError
from chipmodel.common.workers import Here
from chipmodel.studies.checkpoint import Store
from chipmodel.studies.run import run_study

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="needs /proc to name the files written"
)
CELLS = 40
CHUNK = 4
SWEEP = """
title = "A sweep"
cases = ["no_policy", "tariff"]
reference = "no_policy"
metrics = ["objective", "revenue.AAA", "welfare.*", "share.capacity.*.chip.LAST"]
chunk = {chunk}
[grid]
{grid}
"""
GRID = f'"duty.rate" = {{ from = 0.01, to = 0.4, steps = {CELLS} }}'


def study_file(folder: Path, grid: str = GRID, chunk: int = CHUNK) -> Path:
    path = folder / "sweep.toml"
    path.write_text(SWEEP.format(chunk=chunk, grid=grid))
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return study_file(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def whole(file, tmp_path_factory):
    """What one undisturbed process writes."""
    out = tmp_path_factory.mktemp("whole")
    assert main(arguments(file, out)) == 0
    return (out / "sweep" / "comparison.csv").read_bytes()


def arguments(file: Path, out: Path, *more: str) -> list[str]:
    return ["study", str(file), "--data", str(TWO), "--out", str(out), *more]


def chunks(out: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in sorted((out / "sweep" / "chunks").glob("chunk_*.csv"))
    }


def test_two_processes_write_the_bytes_of_one(file, whole, tmp_path):
    assert main(arguments(file, tmp_path, "--jobs", "2")) == 0
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == whole


CHUNK_EVENTS = (
    "half sweep/chunks/.chunk_*.csv",
    "before rename to sweep/chunks/chunk_*.csv",
    "after rename to sweep/chunks/chunk_*.csv",
    f"step chunk * of {CELLS // CHUNK}",
)
"""What happens to each chunk that is solved, in the process that writes."""


@needs_proc
def test_kill_9_at_ten_moments_then_resume_gives_the_same_bytes(file, whole, tmp_path):
    """Every kill falls on a counted event of a chunk; the next run continues there."""
    draw = random.Random(20260630)
    killer = Killer(["study", str(file), "--data", str(TWO)])
    finished: dict[str, bytes] = {}
    for count in range(10):
        jobs = ("--jobs", "2") if count % 2 else ()
        moment = Moment(draw.choice(CHUNK_EVENTS), draw.randint(1, 3))
        killer.kill(tmp_path, moment, *jobs)
        now = chunks(tmp_path)
        assert finished.items() <= now.items(), (
            "a finished chunk was lost or done again with other numbers"
        )
        finished = now
        # Three chunks must be left for the next kill to find the sweep at work.
        if len(finished) > CELLS // CHUNK - 3:
            shutil.rmtree(tmp_path / "sweep")
            finished = {}
    stamps = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / "sweep" / "chunks").glob("chunk_*.csv")
    }
    assert main(arguments(file, tmp_path)) == 0
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == whole
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items()), (
        "a finished chunk was done again"
    )


@needs_proc
def test_the_processes_of_a_killed_sweep_end(file, tmp_path):
    killer = Killer(["study", str(file), "--data", str(TWO)])
    session = killer.kill(tmp_path, Moment(CHUNK_EVENTS[0]), "--jobs", "2")
    for process in _of_session(session):
        ended = select.poll()
        ended.register(process, select.POLLIN)
        assert ended.poll(60_000), "a process outlived the sweep it worked for"
        os.close(process)


def _of_session(session: int) -> list[int]:
    """Return handles of the processes of a session that are still there."""
    handles = []
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        try:
            if os.getsid(pid) == session:
                handles.append(os.pidfd_open(pid))
        except ProcessLookupError:
            continue
    return handles


def test_a_resumed_sweep_states_what_was_done(file, whole, two, tmp_path, capsys):
    with pytest.raises(KeyboardInterrupt):
        run_study(str(file), two, tmp_path, on_progress=_stop_after(3))
    done = len(chunks(tmp_path))
    assert done == 3
    assert main(arguments(file, tmp_path)) == 0
    assert capsys.readouterr().err.count("was done already") == done
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == whole


def _stop_after(count):
    seen = []

    def on_progress(step):
        if "chunk" in step.what:
            seen.append(step)
        if len(seen) == count:
            raise KeyboardInterrupt

    return on_progress


def test_a_chunk_cut_short_by_a_crash_is_no_chunk(file, whole, tmp_path, two):
    """What a killed process was writing has a hidden name and is never read."""
    with pytest.raises(KeyboardInterrupt):
        run_study(str(file), two, tmp_path, on_progress=_stop_after(2))
    (tmp_path / "sweep" / "chunks" / ".chunk_00003.csv.abc").write_text(
        "metric,unit\nobj"
    )
    assert main(arguments(file, tmp_path)) == 0
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == whole


DIES = """
import os, signal, sys
from chipmodel.cli.main import main
from chipmodel.studies import sweep

solve_chunk = sweep.solve_chunk

def solve_or_die(shared, chunk):
    if chunk.number == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
    return solve_chunk(shared, chunk)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
else:  # in a process of the sweep, which reads this file first
    sweep.solve_chunk = solve_or_die
"""


def test_a_killed_worker_is_reported_and_what_was_finished_is_preserved(
    file, whole, tmp_path
):
    script = tmp_path / "dies.py"
    # Late enough for some chunks to be finished before.
    script.write_text(DIES.format(number=CELLS // CHUNK - 2))
    ended = subprocess.run(
        [sys.executable, str(script), *arguments(file, tmp_path, "--jobs", "2")],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "ended before its time" in ended.stderr
    assert "run the same command again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert chunks(tmp_path)
    assert main(arguments(file, tmp_path)) == 0
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == whole


# -- a folder that cannot take it


def test_a_full_disk_is_reported_and_finished_chunks_are_preserved(
    file, whole, tmp_path, capsys
):
    disk = tmp_path / "disk"
    with small_disk(disk, "24k"):
        assert main(arguments(file, disk)) == 2
        message = capsys.readouterr().err
        assert "No space left on device" in message
        assert "chunk_" in message
        assert "Traceback" not in message
        finished = chunks(disk)
        assert 0 < len(finished) < CELLS // CHUNK
        assert not list((disk / "sweep" / "chunks").glob(".chunk*")), (
            "half a file was left"
        )
        remount(disk, "size=1m")
        assert main(arguments(file, disk)) == 0
        assert finished.items() <= chunks(disk).items()
        assert (disk / "sweep" / "comparison.csv").read_bytes() == whole


def test_the_folder_of_another_study_is_refused(file, tmp_path, capsys):
    assert main(arguments(file, tmp_path)) == 0
    before = chunks(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    changed = study_file(other, chunk=CHUNK + 1)
    capsys.readouterr()
    assert main(arguments(changed, tmp_path)) == 2
    message = capsys.readouterr().err
    assert "belong to another study" in message
    assert "choose another folder with --out" in message
    assert chunks(tmp_path) == before


@pytest.mark.parametrize("mark", [None, "{", "[]", '{"digest": "x"}'])
def test_a_folder_with_other_files_is_refused(mark, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    if mark is not None:
        (tmp_path / "sweep.json").write_text(mark)
    with pytest.raises(InputError, match="choose another folder"):
        Store(tmp_path, "digest")
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_a_kill_before_the_first_chunk_leaves_nothing_in_the_way(file, whole, tmp_path):
    (tmp_path / "sweep" / "chunks").mkdir(parents=True)
    (tmp_path / "sweep" / "chunks" / ".sweep.json.x1y2").write_text("")
    assert main(arguments(file, tmp_path)) == 0
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == whole


# -- sweeps that are wrong


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ('"duty.rate" = []', "has no points"),
        (
            (
                '"duty.rate" = { from = 0.0, to = 0.5, steps = 100'
                ' }\n"world.demand_shift" = { from = -0.01, to = 0.01, steps = 101 }'
            ),
            "--yes",
        ),
        ('"duti.rate" = [0.1, 0.2]', "ids: duty"),
        ('"duty.rat" = [0.1, 0.2]', "numbers: rate"),
        ('"world.demand_shft" = [0.0, 0.01]', "demand_shift"),
        ('"demnd[]" = [0.9, 1.1]', "is not a table of facts"),
        ('"costs[itm=capex]" = [0.9, 1.1]', "has no column 'itm'"),
    ],
)
def test_a_wrong_grid_is_reported_before_anything_is_solved(
    grid, message, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(Here, "each", lambda *a: pytest.fail("something was solved"))
    out = tmp_path / "out"
    assert main(arguments(study_file(tmp_path, grid), out)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("error: sweep.toml: ")
    assert not out.exists()
