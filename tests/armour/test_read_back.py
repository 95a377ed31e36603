"""What a study reads back is its own; what an earlier one left is removed or named."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers import TWO
from kill import Killer

from chipmodel.cli.main import main
from chipmodel.common.fingerprint import is_untouched
from chipmodel.common.locks import folder_lock
from chipmodel.results.folder import is_intact
from chipmodel.studies.checkpoint import Store

SWEEP = """
title = "A sweep"
cases = ["tariff"]
metrics = ["objective", "revenue.AAA"]
chunk = 2
[grid]
"duty.rate" = [{rates}]
"""
RATES = "0.1, 0.2, 0.3, 0.4"
MANY = """
title = "Cases"
cases = ["no_policy", "{case}"]
{more}
metrics = ["objective", "revenue.AAA"]
"""
REFERENCE = 'reference = "no_policy"'


def study_file(folder: Path, text: str, name: str = "s") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def arguments(file: Path, out: Path, *more: str) -> list[str]:
    return ["study", str(file), "--data", str(TWO), "--out", str(out), *more]


def content(folder: Path) -> dict[str, bytes]:
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files[str(path.relative_to(folder))] = path.read_bytes()
    return files


# -- chunks


@pytest.fixture
def swept(tmp_path):
    """A sweep that is done: its file, its folder and what is in it."""
    file = study_file(tmp_path, SWEEP.format(rates=RATES))
    assert main(arguments(file, tmp_path / "o")) == 0
    return file, tmp_path / "o", content(tmp_path / "o")


def edited(path: Path) -> None:
    text = path.read_text()
    number = re.search(r"(\d),\n", text)
    assert number
    digit = "1" if number[1] != "1" else "2"
    path.write_text(text[: number.start(1)] + digit + text[number.end(1) :])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def removed(path: Path) -> None:
    path.unlink()


def of_another(path: Path) -> None:
    path.write_bytes(path.with_name("chunk_00000.csv").read_bytes())


def binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize("harm", [edited, cut_short, removed, of_another, binary])
@pytest.mark.parametrize("kind", ["csv", "sha256"])
def test_a_chunk_that_was_changed_is_solved_again(harm, kind, swept, capsys):
    file, out, whole = swept
    if harm is of_another and kind == "sha256":
        pytest.skip("the hash of another chunk is a wrong one, as when edited")
    chunk = out / "s" / "chunks" / f"chunk_00001.{kind}"
    if kind == "sha256" and harm is edited:
        chunk.write_text("0" * 64 + "\n")
    else:
        harm(chunk)
    assert main(arguments(file, out)) == 0
    printed = capsys.readouterr()
    assert content(out) == whole
    assert printed.err.count("was done already") == 1
    if harm is not removed:
        assert "chunk_00001.csv was changed after it was written" in printed.out


def test_a_chunk_of_another_study_of_the_same_form_is_solved_again(swept, tmp_path):
    file, out, whole = swept
    (tmp_path / "b").mkdir()
    other = study_file(tmp_path / "b", SWEEP.format(rates="0.1, 0.2, 0.3, 0.5"))
    assert main(arguments(other, tmp_path / "p")) == 0
    for path in (tmp_path / "p" / "s" / "chunks").glob("chunk_00001.*"):
        (out / "s" / "chunks" / path.name).write_bytes(path.read_bytes())
    assert main(arguments(file, out)) == 0
    assert content(out) == whole


def test_chunks_of_other_code_are_refused_before_anything_is_solved(
    swept, capsys, monkeypatch
):
    file, out, whole = swept
    (out / "s" / "chunks" / "chunk_00001.csv").unlink()
    monkeypatch.setattr("chipmodel.studies.checkpoint.code_digest", lambda: "other")
    monkeypatch.setattr(
        "chipmodel.studies.run._solve_cells", lambda *_: pytest.fail("solved")
    )
    assert main(arguments(file, out)) == 2
    assert "another version or code" in capsys.readouterr().err
    assert content(out).items() < whole.items()


def test_of_two_sweeps_that_mark_a_folder_at_once_one_is_refused(tmp_path, monkeypatch):
    """Another process marks the folder just after this one has looked."""
    looked = Path.is_file

    def and_then_the_other(path):
        found = looked(path)
        if path.name == "sweep.json":
            monkeypatch.setattr(Path, "is_file", looked)
            Store(tmp_path / "chunks", "theirs")
        return found

    monkeypatch.setattr(Path, "is_file", and_then_the_other)
    with pytest.raises(Exception, match="belong to another study"):
        Store(tmp_path / "chunks", "mine")
    Store(tmp_path / "chunks", "theirs")


# -- what an earlier run left


@pytest.mark.parametrize("earlier", ["tables", "figures", "verified", "finding"])
def test_what_an_earlier_run_left_is_removed_or_named(earlier, tmp_path, capsys):
    """Whatever it was, the folder is that of a first run but for result folders."""
    before = {
        "tables": (REFERENCE + '\nkeep = "tables"', ()),
        "figures": (REFERENCE + '\nfigures = ["leading_edge_share"]', ()),
        "verified": (REFERENCE, ("--verify",)),
        "finding": (REFERENCE, ()),
    }
    more, options = before[earlier]
    file = study_file(tmp_path, MANY.format(case="tariff", more=more))
    assert main(arguments(file, tmp_path / "o", *options)) == 0
    first = set(content(tmp_path / "o"))
    # Of the same name, from another place.
    now = study_file(tmp_path / "b", MANY.format(case="floor", more=""))
    assert main(arguments(now, tmp_path / "alone")) == 0
    capsys.readouterr()
    assert main(arguments(now, tmp_path / "o")) == 0
    left = content(tmp_path / "o")
    expected = content(tmp_path / "alone")
    assert first - set(expected), "the earlier run left nothing that could stay"
    folders = {name.split("/")[1] for name in set(left) - set(expected)}
    assert {name: left[name] for name in expected} == expected
    if earlier != "tables":
        assert not folders
        return
    assert len(folders) == 2
    printed = capsys.readouterr().out
    assert "an earlier run left" in printed
    assert all(folder in printed for folder in folders)


def test_chunks_of_an_earlier_sweep_are_named(swept, capsys, tmp_path):
    _, out, _ = swept
    now = study_file(tmp_path / "b", MANY.format(case="floor", more=""))
    assert main(arguments(now, out)) == 0
    assert "an earlier run left chunks" in capsys.readouterr().out


def test_a_study_lists_its_files_with_their_hashes(tmp_path):
    file = study_file(tmp_path, MANY.format(case="tariff", more=REFERENCE))
    assert main(arguments(file, tmp_path)) == 0
    folder = tmp_path / "s"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert is_untouched(manifest)
    assert is_intact(folder, manifest)
    listed = {*manifest["outputs"], "manifest.json"}
    assert listed == {path.name for path in folder.iterdir()}
    assert str(tmp_path) not in json.dumps(manifest)


def test_a_manifest_received_from_others_removes_no_file_of_another_folder(tmp_path):
    from chipmodel.common.fingerprint import sealed

    file = study_file(tmp_path, MANY.format(case="tariff", more=""))
    assert main(arguments(file, tmp_path)) == 0
    thesis = tmp_path / "thesis"
    thesis.write_text("mine")
    path = tmp_path / "s" / "manifest.json"
    manifest = json.loads(path.read_text())
    outputs = {**manifest["outputs"], "../thesis": "0", str(thesis): "0"}
    path.write_bytes(sealed({**manifest, "outputs": outputs, "digest": "0"}))
    assert main(arguments(file, tmp_path)) == 0
    assert thesis.read_text() == "mine"


# -- two at once


@pytest.mark.parametrize("kind", ["sweep", "cases"])
def test_of_two_studies_of_one_name_at_once_one_is_refused(kind, tmp_path, capsys):
    """The other one is at work, held at its first solve."""
    if kind == "sweep":
        texts = [SWEEP.format(rates=rates) for rates in (RATES, "0.1, 0.15, 0.2, 0.25")]
    else:
        texts = [MANY.format(case=case, more="") for case in ("tariff", "floor")]
    first, second = (
        study_file(tmp_path / name, text)
        for name, text in zip("ab", texts, strict=True)
    )
    assert main(arguments(first, tmp_path / "alone")) == 0
    script = tmp_path / "held.py"
    script.write_text(HELD)
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments(first, tmp_path / "o")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    capsys.readouterr()
    assert main(arguments(second, tmp_path / "o")) == 2
    assert "another study is writing here just now" in capsys.readouterr().err
    process.communicate("go on\n")
    assert process.returncode == 0
    assert content(tmp_path / "o") == content(tmp_path / "alone")


HELD = """
import sys
from chipmodel.cli.main import main
from chipmodel.common.progress import Clock

begin = Clock.begin

def held(clock):
    print("at work", flush=True)
    sys.stdin.readline()
    begin(clock)

Clock.begin = held
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="needs /proc to name the files written"
)
def test_four_pairs_of_studies_started_at_once_lose_no_table(tmp_path):
    """Each process that ends with 0 finds its own table in the folder."""
    killers = []
    alone = []
    for name, rates in (("a", "0.1, 0.2"), ("b", "0.3, 0.4")):
        file = study_file(tmp_path / name, SWEEP.format(rates=rates))
        killers.append(Killer(["study", str(file), "--data", str(TWO)]))
        assert main(arguments(file, tmp_path / f"alone_{name}")) == 0
        alone.append((tmp_path / f"alone_{name}/s/comparison.csv").read_bytes())
    for k in range(4):
        out = tmp_path / f"out_{k}"
        pair = [killer.start(out, tmp_path / "events") for killer in killers]
        for process in pair:
            process.join()
        codes = [process.exitcode for process in pair]
        assert sorted(codes) == [0, 2]
        table = (out / "s/comparison.csv").read_bytes()
        assert table == alone[codes.index(0)]


def test_a_lock_is_shared_by_many_or_held_by_one(tmp_path):
    with folder_lock(tmp_path) as one, folder_lock(tmp_path) as two:
        assert one.is_alone()
        assert not two.is_alone()
        one.share()
        two.share()
        assert not one.is_alone()
    with folder_lock(tmp_path) as three:
        assert three.is_alone()
    with folder_lock(tmp_path / "nothing") as none:
        assert none.is_alone()
        none.share()


def test_a_lock_waits_for_one_that_is_alone(tmp_path):
    order = []
    with folder_lock(tmp_path) as one, folder_lock(tmp_path) as two:
        assert one.is_alone()
        other = threading.Thread(target=lambda: (two.share(), order.append("two")))
        other.start()
        order.append("one")
        one.share()
        other.join()
    assert order == ["one", "two"]
