"""Output is the same for any hash seed, locale, clock, number of threads, row order."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import helpers
import pytest
from kill import named

from chipmodel.cli.main import main

NAME = "Ålesund – Łódź ½"
"""A name that other encodings cannot write."""
COMMANDS = """
import sys
from chipmodel.cli.main import main
for line in open(sys.argv[1], encoding="utf-8"):
    if main(line.split()):
        sys.exit(f"failed: {line}")
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A data set as it is, with its rows shuffled and with its rows in reverse.

    Each copy has the same name.
    """
    root = tmp_path_factory.mktemp("same")
    helpers.report_data(root / "as_is" / "data")
    helpers.change("regions", {"region": "AAA"}, name=NAME)(root / "as_is" / "data")
    path = root / "as_is" / "data" / "studies" / "headline.toml"
    path.write_text(
        path.read_text().replace(
            'figures = ["leading_edge_share", "who_pays"]',
            'keep = "tables"\nfigures = ["leading_edge_share"]',
        )
    )
    for name, order in (
        ("shuffled", random.Random(7).shuffle),
        ("reversed", list.reverse),
    ):
        shutil.copytree(root / "as_is" / "data", root / name / "data")
        helpers.shuffled(root / name / "data", order)
    return root


def outputs(
    data: Path, out: Path, environment: dict[str, str], python: str = sys.executable
) -> dict[str, bytes]:
    """Return what a fresh process writes.

    A linear program, a result, a study with figures and a sweep.
    """
    out.mkdir()
    sweep = data.parent / "sweep.toml"
    sweep.write_text(
        'title = "t"\ncases = ["tariff"]\nmetrics = ["objective", "outlay.*"]\n[grid]\n'
        '"duty.rate" = [0.1, 0.2, 0.3]\n'
    )
    lines = [
        f"export floor+tariff --format lp --out {out}/model.lp",
        f"export grant --format mps --out {out}/model.mps",
        f"run floor+tariff --out {out}",
        f"study headline --out {out}",
        f"study {sweep} --out {out}",
    ]
    (out.parent / f"{out.name}.txt").write_text(
        "".join(f"{line} --data {data}\n" for line in lines)
    )
    inherited = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("LC_", "LANG", "PYTHON"))
    }
    done = subprocess.run(
        [python, "-c", COMMANDS, f"{out}.txt"],
        env={**inherited, **environment},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    written = named(out)
    check_hashes(written)
    # A manifest lists the hashes of the files of the data, which depend on the order
    # of rows, and the hash of a chunk binds it to them.
    return {
        name: raw
        for name, raw in written.items()
        if not name.endswith(("manifest.json", "sweep.json", ".sha256"))
    }


def check_hashes(written: dict[str, bytes]) -> None:
    """Check that each chunk has the hash of its bytes and what it depends on."""
    digest = json.loads(written["sweep/chunks/sweep.json"])["digest"]
    chunks = [name for name in written if re.fullmatch(r".*/chunk_\d+\.csv", name)]
    assert chunks
    for name in chunks:
        bound = hashlib.sha256(digest.encode() + written[name]).hexdigest()
        assert written[name.replace(".csv", ".sha256")].decode().strip() == bound


@pytest.fixture(scope="module")
def expected(folders):
    return outputs(
        folders / "as_is" / "data",
        folders / "expected",
        {
            "PYTHONHASHSEED": "0",
            "LC_ALL": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
    )


def latin(folder: Path) -> dict[str, str]:
    """Compile a German locale that is not UTF-8; return the variables that set it."""
    made = (
        subprocess.run(
            [
                "localedef",
                "-i",
                "de_DE",
                "-f",
                "ISO-8859-1",
                folder / "de_DE.ISO-8859-1",
            ],
            capture_output=True,
        )
        if shutil.which("localedef")
        else None
    )
    if made is None or made.returncode:
        pytest.skip("no German locale can be made here")
    return {"LOCPATH": str(folder), "LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"}


@pytest.mark.parametrize(
    "what",
    [
        "another seed, no locale, two threads, shuffled rows",
        "any seed, a German locale, another time, reversed rows",
    ],
)
def test_the_linear_program_and_every_table_and_figure_are_the_same_bytes(
    what, folders, expected, tmp_path
):
    assert {
        "model.lp",
        "model.mps",
        "sweep/comparison.csv",
        "headline/leading_edge_share.pdf",
    } <= set(expected)
    if "shuffled" in what:
        rows = "shuffled"
        environment = {
            "PYTHONHASHSEED": "1",
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
            "OMP_NUM_THREADS": "2",
            "OPENBLAS_NUM_THREADS": "2",
        }
    else:
        rows = "reversed"
        environment = {
            "PYTHONHASHSEED": "random",
            "TZ": "Asia/Tokyo",
            **latin(tmp_path),
        }
    found = outputs(folders / rows / "data", tmp_path / "out", environment)
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []
    assert NAME.encode() in found["headline/leading_edge_share.csv"]


def test_another_number_gives_another_linear_program(folders, expected, tmp_path):
    """The comparison of the test above detects a difference."""
    shutil.copytree(folders / "as_is" / "data", tmp_path / "data")
    helpers.change("costs", {"segment": "chip", "item": "running"}, value=999)(
        tmp_path / "data"
    )
    given = [
        "export",
        "floor+tariff",
        "--format",
        "lp",
        "--out",
        str(tmp_path / "model.lp"),
    ]
    for data, same in ((folders / "as_is" / "data", True), (tmp_path / "data", False)):
        assert main([*given, "--data", str(data)]) == 0
        assert ((tmp_path / "model.lp").read_bytes() == expected["model.lp"]) is same
