"""The world around a process: how it is started and connected, and what it inherits."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import TWO, copy_two

from chipmodel.cli.main import main
from chipmodel.common.errors import InputError, OutOfMemory
from chipmodel.common.progress import Progress, Step
from chipmodel.dataset.dataset import load_dataset

pytestmark = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a shell and devices of Linux"
)

CHIP = f"{sys.executable} -m chipmodel"
LIST = f"{CHIP} list --data {TWO}"
RUN = f"{CHIP} run tariff --data {TWO} --out out"
WRONG = f"{CHIP} run nothing --data {TWO} --out out"


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of bash in a folder."""
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=folder, timeout=300
    )


SURROUNDINGS = {
    "closed input": (f"{LIST} <&-", 0, ""),
    "closed output": (f"{LIST} >&-", 0, ""),
    "nothing open": (f"{RUN} <&- >&- 2>&-", 0, ""),
    "nothing open to report an error": (f"{WRONG} <&- >&- 2>&-", 2, ""),
    "full output": (f"{LIST} > /dev/full", 2, "No space left"),
    "full output of JSON": (f"{LIST} --json > /dev/full", 2, "No space left"),
    "nowhere to report an error": (f"{WRONG} --json > /dev/full 2> /dev/full", 2, ""),
    "a reader that leaves": (f"{LIST} | head -n 1", 0, ""),
    "few open files": (f"ulimit -n 16; {RUN}", 0, ""),
    "small files only": (f"ulimit -f 4; {RUN}", 2, "File too large"),
    "no folder": (f"mkdir d; cd d; rmdir ../d; {LIST}", 0, ""),
    "no folder for results": (f"mkdir d; cd d; rmdir ../d; {RUN}", 2, "--out"),
    "no environment": (f"env -i {RUN}", 0, ""),
    "no folder for drafts": (f"TMPDIR=/nowhere {RUN}", 0, ""),
    "ASCII only": (f"LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=ascii {LIST}", 0, ""),
    "interrupts ignored": (f"trap '' INT; {LIST}", 0, ""),
    "no docstrings": (f"PYTHONOPTIMIZE=2 {LIST}", 2, "unset PYTHONOPTIMIZE"),
}
"""Commands in odd surroundings, their exit code and a part of their message."""


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_odd_surroundings_end_in_an_answer_or_a_message(name, tmp_path):
    command, code, message = SURROUNDINGS[name]
    ended = shell(command, tmp_path)
    assert ended.returncode == code
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_nothing_is_written_into_a_result_in_place_of_a_closed_output(tmp_path):
    assert shell(RUN, tmp_path).returncode == 0
    (tmp_path / "out").rename(tmp_path / "first")
    assert shell(f"{RUN} <&- >&- 2>&-", tmp_path).returncode == 0
    for path in (tmp_path / "first").rglob("*.csv"):
        again = tmp_path / "out" / path.relative_to(tmp_path / "first")
        assert again.read_bytes() == path.read_bytes()


# -- what libraries print


NOISY = """
import os, sys
import highspy

class Noisy(highspy.Highs):
    def __init__(self):
        os.write(1, b"Running HiGHS 1.16.0 (git hash: f3f113d)\\n")
        super().__init__()

highspy.Highs = Noisy
from chipmodel.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_banner_of_the_solver_stays_out_of_the_answer(tmp_path):
    """HiGHS 1.16 prints one when it is made, past Python's standard output."""
    script = tmp_path / "noisy.py"
    script.write_text(NOISY)
    given = f"--json --data {TWO} run tariff --out out"
    ended = shell(f"{sys.executable} {script} {given}", tmp_path)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["case"] == "tariff"
    closed = shell(f"{sys.executable} {script} {given} >&-", tmp_path)
    assert closed.returncode == 0


class Gone(io.StringIO):
    """A terminal that is gone."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_does_not_end_the_work():
    with Progress(Gone()) as show:
        show(Step(1, 4, "some", 61.0))


# -- processes started by a script

SCRIPT = """
import chipmodel as cm

data = cm.load_dataset({data!r})
study = cm.Study(
    name="s", title="t", cases=("no_policy", "tariff"), metrics=("objective",)
)
{call}
"""
AT_TOP = "print(len(cm.run_study(study, data, jobs=2).table))"
BELOW = f'if __name__ == "__main__":\n    {AT_TOP}'


@pytest.mark.parametrize(
    ("call", "start", "code", "message"),
    [
        (AT_TOP, "script.py", 1, 'below `if __name__ == "__main__":`'),
        (AT_TOP, "- < script.py", 1, "save it as a file, or use one process"),
        (BELOW, "script.py", 0, ""),
        (BELOW, "-c 'import script'", 0, ""),
    ],
    ids=["at the top", "standard input", "guarded", "imported"],
)
def test_a_script_learns_how_to_use_more_processes(
    call, start, code, message, tmp_path
):
    (tmp_path / "script.py").write_text(SCRIPT.format(data=str(TWO), call=call))
    ended = shell(f"{sys.executable} {start}", tmp_path)
    assert ended.returncode == code
    assert message in ended.stderr
    assert "killed, or out of memory" not in ended.stderr
    assert ended.stderr.count("Traceback") == code


# -- little memory


@pytest.mark.parametrize("megabytes", [100, 250, 410, 440])
def test_too_little_memory_is_a_message(megabytes, tmp_path):
    """Limits at which imports, arrays or the solver fail."""
    ended = shell(f"ulimit -v {megabytes}000; {RUN}", tmp_path)
    if ended.returncode:
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        printed = ("there is too little memory", "OpenBLAS error", "MemoryError")
        assert any(words in ended.stderr for words in printed)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libhighs.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        OSError(12, "Cannot allocate memory"),
        BlockingIOError(11, "Resource temporarily unavailable"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("hidden", [False, True])
def test_every_form_of_too_little_memory_is_one_message(
    error, hidden, capsys, monkeypatch, tmp_path
):
    def fails(*_: object) -> None:
        if not hidden:
            raise error
        raise ImportError("a library could not be loaded") from error

    monkeypatch.setattr("chipmodel.cli.case_commands.run", fails)
    given = ["run", "tariff", "--data", str(TWO), "--out", str(tmp_path), "--json"]
    assert main(given) == 1
    printed = capsys.readouterr()
    assert printed.err == f"error: {OutOfMemory()}\n"
    assert json.loads(printed.out)["error"][0]["status"] == "out of memory"


# -- what files may be called, and what may lie beside them


@pytest.mark.parametrize(
    "name", ["a b", "ü", "a'b\"c", "$HOME", "-x", "a;b", "x" * 200, "100%", "[a]*"]
)
def test_folders_may_have_any_name(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = tmp_path / name / "data"
    data.parent.mkdir()
    copy_two(data)
    out = tmp_path / name / "out"
    assert main(["check", str(data)]) == 0
    given = ["--data", str(data), "--out", str(out)]
    assert main(["run", "tariff", *given]) == 0
    study = tmp_path / name / "s.toml"
    study.write_text('title = "t"\ncases = ["tariff"]\nmetrics = ["objective"]\n')
    assert main(["study", str(study), *given]) == 0
    capsys.readouterr()


def leave_files_of_others(data: Path) -> None:
    for kind in ("cases", "worlds", "studies"):
        folder = data / kind
        (folder / ".#tariff.toml").symlink_to("user@host.1234:5678")
        (folder / "._tariff.toml").write_bytes(b"\x00\x05\x16\x07")
        (folder / ".tariff.toml.swp").write_bytes(b"b0VIM")
        (folder / "folder.toml").mkdir()
        (folder / "README.md").write_text("notes")
    (data / ".DS_Store").write_bytes(b"\x00")
    (data / "._costs.csv").write_bytes(b"\x00")
    (data / "notes.csv").write_text("a,b\n1\n")


def test_what_editors_and_systems_leave_beside_the_data_changes_nothing(
    tmp_path, capsys
):
    data = copy_two(tmp_path / "data")
    (data / "studies").mkdir()
    (data / "studies" / "s.toml").write_text(
        'title = "t"\ncases = ["tariff"]\nmetrics = ["objective"]\n'
    )
    given = ["--data", str(data)]
    printed = []
    for dirty in (False, True):
        if dirty:
            leave_files_of_others(data)
        for command in (["list"], ["check"], ["study", "s", "--out", str(tmp_path)]):
            assert main([*command, *given]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert load_dataset(data).digest == load_dataset(TWO).digest


def test_a_file_of_no_size_and_no_end_is_not_read_for_ever(tmp_path):
    data = copy_two(tmp_path / "data")
    (data / "notes.toml").symlink_to("/dev/zero")
    (data / "costs.csv").unlink()
    (data / "costs.csv").symlink_to("/dev/null")
    with pytest.raises(InputError, match=r"costs\.csv"):
        load_dataset(data)
