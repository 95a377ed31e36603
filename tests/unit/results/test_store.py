"""Results on disk: reproducible to the byte, whole or absent, checked when read."""

from __future__ import annotations

import errno
import getpass
import hashlib
import json
import os
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import helpers
import highspy
import pandas as pd
import pytest

import chipmodel as cm
from chipmodel.analysis.rerun import compare_tables, rerun
from chipmodel.analysis.run import program_of
from chipmodel.common import files, tables
from chipmodel.common.fingerprint import sealed
from chipmodel.results import store
from chipmodel.results.solution import TABLES, Solution
from chipmodel.solver.export import export, safe_names


@pytest.fixture(scope="module")
def solved(two: cm.Dataset) -> Solution:
    return cm.run(two, "grant+tariff")


@pytest.fixture
def saved(solved: Solution, tmp_path: Path) -> Path:
    return store.save(solved, tmp_path / "out")


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "manifest.json"
    }


def test_two_runs_write_the_same_bytes(two: cm.Dataset, tmp_path: Path) -> None:
    for case in ("floor", "grant"):
        first, second = (
            store.save(cm.run(two, case), tmp_path / name) for name in "ab"
        )
        assert first.name == second.name
        assert sorted(hashes(first)) == sorted(store.FILES)
        assert hashes(first) == hashes(second)


def test_order_of_rows_in_the_data_does_not_matter(
    two: cm.Dataset, tmp_path: Path
) -> None:
    folder = helpers.copy_two(tmp_path / "two")
    helpers.shuffled(folder, lambda rows: rows.reverse())
    same = store.save(cm.run(cm.load_dataset(folder), "floor"), tmp_path / "out")
    assert hashes(same) == hashes(store.save(cm.run(two, "floor"), tmp_path / "out2"))


def test_name_of_the_folder(two: cm.Dataset, saved: Path) -> None:
    case, world, digits = saved.name.split("--")
    assert (case, world) == ("grant-tariff", "central")
    assert len(digits) == 8
    world_file = cm.load_world("central", two)
    for name in ("a b/c", "x" * 200, "../../etc", "+"):
        safe = store.folder_name(two, cm.Case(name=name), world_file)
        assert Path(safe).name == safe
        assert set(safe) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
        )
        assert len(safe) < 150


def test_the_hash_knows_case_and_world(two: cm.Dataset) -> None:
    world = cm.load_world("central", two)
    grant = cm.load_case("grant", two)
    names = {
        store.folder_name(two, grant, world)[-8:],
        store.folder_name(two, grant.set(programme__rate=0.16), world)[-8:],
        store.folder_name(two, grant, world.with_(choke=5.0))[-8:],
    }
    assert len(names) == 3


def test_tables_on_disk(saved: Path) -> None:
    for name in TABLES:
        raw = (saved / f"{name}.csv").read_bytes()
        assert raw.endswith(b"\n")
        assert b"\r" not in raw
        lines = raw.decode().splitlines()
        columns = lines[0].split(",")
        assert columns[:2] == ["case", "world"]
        assert {"value", "unit"} <= set(columns)
        frame = tables.read_result_csv(raw, name)
        keys = [c for c in columns if c not in ("value", "unit")]
        assert len(frame) == len(lines) - 1
        assert frame[keys].apply(tuple, axis=1).is_monotonic_increasing


def test_numbers_have_nine_digits_and_no_negative_zero() -> None:
    frame = pd.DataFrame(
        {"year": [2, 1, 3], "value": [-0.0, 1234567.891234, 1 / 3], "unit": "kwpm"}
    )
    assert (
        tables.result_csv(frame)
        == "year,value,unit\n1,1234567.89,kwpm\n2,0,kwpm\n3,0.333333333,kwpm\n"
    )


def test_the_case_can_be_loaded_again(
    two: cm.Dataset, solved: Solution, saved: Path
) -> None:
    again = cm.load_case(str(saved / "case.toml"), two)
    assert again.policies == solved.case.policies
    assert again.digest == solved.case.digest
    assert "baseline" not in (saved / "case.toml").read_text()


def test_a_case_made_in_python_can_be_loaded_again(
    two: cm.Dataset, tmp_path: Path
) -> None:
    odd = 'print "x" \\ in\nlines,\ttabs, \x7f and \x01'
    case = cm.Case(
        name="own+case",
        title=odd,
        policies=(
            cm.Tariff(
                id="t",
                importer="AAA",
                rate=1e-05,
                on="chips",
                years=(2026, 2030),
                source="own",
                note=odd,
            ),
        ),
    )
    path = tmp_path / "case.toml"
    path.write_text(store.case_text(case))
    again = cm.load_case(str(path), two)
    assert (again.title, again.policies) == (odd, case.policies)


def test_manifest(solved: Solution, saved: Path) -> None:
    text = (saved / "manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["chipmodel"] == cm.__version__
    assert set(manifest["packages"]) == {
        "pyomo",
        "highspy",
        "numpy",
        "scipy",
        "pandas",
        "pydantic",
    }
    assert manifest["dataset"]["digest"] == solved.parameters.data.digest
    assert (
        manifest["dataset"]["files"]["fleets.csv"]
        == solved.parameters.data.hashes["fleets.csv"]
    )
    assert manifest["world"]["horizon"] == 2030
    assert manifest["foresight"] == "anticipated"
    assert manifest["objective"] == solved.objective
    assert manifest["certificate"]["worst"] < 1e-6
    assert set(manifest["certificate"]) == {
        "primal",
        "dual",
        "complementarity",
        "gap",
        "worst",
    }
    assert manifest["verified"] is None
    assert manifest["lp"]["rows"] == solved.program.matrix.shape[0]
    assert manifest["outputs"] == hashes(saved)
    for secret in (str(Path.home()), os.fspath(helpers.TWO.parent), str(saved.parent)):
        assert secret not in text
    assert f'"{socket.gethostname()}"' not in text
    assert f'"{getpass.getuser()}"' not in text


def test_load(solved: Solution, saved: Path) -> None:
    for path in (saved, saved / "manifest.json"):
        found = store.load(path)
        for name in TABLES:
            assert list(found.table(name).columns) == list(solved.table(name).columns)
            assert found.table(name)["value"].sum() == pytest.approx(
                solved.table(name)["value"].sum(), rel=1e-7
            )
    assert store.is_fresh(saved)


def test_touched_files_are_reported_together(saved: Path) -> None:
    (saved / "capacity.csv").write_bytes((saved / "capacity.csv").read_bytes()[:-20])
    with (saved / "case.toml").open("a") as stream:
        stream.write("# mine\n")
    (saved / "trade.csv").unlink()
    with pytest.raises(cm.InputError) as caught:
        store.load(saved)
    problems = {Path(p.file).name: p.what for p in caught.value.problems}
    assert set(problems) == {"capacity.csv", "case.toml", "trade.csv"}
    assert "cut short" in problems["capacity.csv"]
    assert "missing" in problems["trade.csv"]
    assert all(p.fix for p in caught.value.problems)
    assert not store.is_fresh(saved)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"chipmodel": "0.1.0"}',
        '{"chipmodel": 3}',
        "\x00\xff",
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_touched_manifest(saved: Path, text: str) -> None:
    (saved / "manifest.json").write_text(text)
    with pytest.raises(cm.InputError):
        store.load(saved)
    assert not store.is_fresh(saved)


def edit_manifest(folder: Path, **changes: object) -> None:
    """Change a manifest as if it had been written so, with a seal that fits."""
    path = folder / "manifest.json"
    path.write_bytes(sealed({**json.loads(path.read_text()), **changes}))


def test_an_edited_manifest_is_reported(two: cm.Dataset, saved: Path) -> None:
    path = saved / "manifest.json"
    whole = path.read_text()
    for old, new in (
        ('"iterations": ', '"iterations": 1'),
        ('"optimal"', '"infeasible"'),
        ('"rate": ', '"rate": 1'),
    ):
        path.write_text(whole.replace(old, new, 1))
        assert path.read_text() != whole
        for read in (store.load, lambda folder: rerun(folder, two)):
            with pytest.raises(cm.InputError, match="seal: was edited"):
                read(saved)
        assert not store.is_fresh(saved)
    path.write_text(json.dumps(json.loads(whole)))  # another form of the same
    assert store.is_fresh(saved)


def test_what_killed_processes_left_is_cleared_and_what_others_write_is_not(
    solved: Solution, saved: Path
) -> None:
    old, young, other = (
        saved.parent / name
        for name in (
            f".{saved.name}.{files.DRAFT}old",
            f".{saved.name}.{files.DRAFT}young",
            f".{saved.name}.swp",  # of an editor
        )
    )
    for folder in (old, young, other):
        shutil.copytree(saved, folder)
    for folder in (old, other):
        os.utime(folder, (0, 0))
    store.save(solved, saved.parent)
    assert {p.name for p in saved.parent.iterdir()} == {
        saved.name,
        young.name,
        other.name,
    }
    table = saved.parent / "table.csv"
    for name, age in (
        (f".table.csv.{files.DRAFT}old", 2 * files.ABANDONED_AFTER),
        (f".table.csv.{files.DRAFT}young", 0.5 * files.ABANDONED_AFTER),
        (".table.csv.swp", 2 * files.ABANDONED_AFTER),
    ):
        (saved.parent / name).write_text("half")
        os.utime(saved.parent / name, (time.time() - age,) * 2)
    files.write_whole(table, "whole")
    assert sorted(p.name for p in saved.parent.glob(".table*")) == [
        f".table.csv.{files.DRAFT}young",
        ".table.csv.swp",
    ]


WRONG = (None, 5, "x", [1], {"x": 1})


def places_of(value: object, place: tuple[object, ...] = ()) -> list[tuple]:
    """Return the place of every value inside plain data; of long tables some."""
    places = [place] if place else []
    if isinstance(value, dict):
        for key in list(value)[:14]:
            places += places_of(value[key], (*place, key))
    if isinstance(value, list):
        for k, entry in enumerate(value):
            places += places_of(entry, (*place, k))
    return places


def test_anything_in_a_manifest_of_another_version_is_no_traceback(
    two: cm.Dataset, solved: Solution, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no seal that could be checked, and its data may be others."""
    monkeypatch.setattr("chipmodel.analysis.rerun.run", lambda *_: solved)
    # The tables of the result are not read: they are as they were written.
    monkeypatch.setattr("chipmodel.analysis.rerun.TABLES", ())
    monkeypatch.setattr("chipmodel.results.store.TABLES", ())
    path = saved / "manifest.json"
    manifest = {**json.loads(path.read_text()), "chipmodel": "0.0.9"}
    # What is looked at after the data, and what only if they are others.
    after = ("case", "world", "outputs", "packages", "python", "code")
    for name in (*after, "dataset", "chipmodel"):
        for place in [(name, *rest) for rest in [(), *places_of(manifest[name])]]:
            for wrong in WRONG:
                changed = json.loads(json.dumps(manifest))
                if name == "dataset":
                    changed["dataset"]["digest"] = "0" * 64
                within = changed
                for key in place[:-1]:
                    within = within[key]
                within[place[-1]] = wrong
                path.write_text(json.dumps(changed))
                with suppress(cm.InputError):
                    rerun(saved, two)


@pytest.mark.parametrize(
    ("place", "wrong", "named"),
    [
        (("case", "policies"), 5, "case.policies"),
        (("case", "policies"), None, "case.policies"),
        (("case", "policies"), [1], "case.policies, number 1"),
        (("dataset", "files"), None, "dataset.files"),
        (("dataset", "files"), ["costs.csv"], "dataset.files"),
    ],
)
def test_a_damaged_manifest_of_another_version_names_the_field(
    place: tuple[str, str], wrong: object, named: str, two: cm.Dataset, saved: Path
) -> None:
    path = saved / "manifest.json"
    manifest = {**json.loads(path.read_text()), "chipmodel": "0.0.9"}
    outer, inner = place
    changed = {**manifest, outer: {**manifest[outer], "digest": "0", inner: wrong}}
    path.write_text(json.dumps(changed))
    with pytest.raises(cm.InputError, match=f"{named}: is missing or was edited"):
        rerun(saved, two)


def test_another_version(two: cm.Dataset, saved: Path) -> None:
    edit_manifest(saved, chipmodel="9.9.9")
    with pytest.raises(cm.InputError) as caught:
        store.load(saved)
    (problem,) = caught.value.problems
    assert "9.9.9" in problem.what
    assert "rerun" in problem.fix
    assert not store.is_fresh(saved)
    (difference,) = rerun(saved, two)
    assert difference.table == "manifest"


def test_changed_code_is_not_fresh(saved: Path) -> None:
    edit_manifest(saved, code="0" * 64)
    assert not store.is_fresh(saved)


def test_not_a_result(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(cm.InputError):
            store.load(path)
        assert not store.is_fresh(path)


def test_an_old_result_is_replaced(solved: Solution, saved: Path) -> None:
    (saved / "trade.csv").write_text("old")
    again = store.save(solved, saved.parent)
    assert again == saved
    assert store.is_fresh(saved)
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_files_of_others_are_not_lost(solved: Solution, saved: Path) -> None:
    (saved / "notes.md").write_text("mine")
    with pytest.raises(cm.InputError, match=r"notes\.md"):
        store.save(solved, saved.parent)
    assert (saved / "notes.md").read_text() == "mine"
    assert store.is_fresh(saved)


def test_a_failed_write_leaves_the_old_result(
    solved: Solution, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = hashes(saved)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(cm.InputError, match="No space left"):
        store.save(solved, saved.parent)
    assert hashes(saved) == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_concurrent_runs_do_not_corrupt_each_other(
    solved: Solution, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(6) as pool:
        folders = set(pool.map(lambda _: store.save(solved, tmp_path), range(18)))
    (folder,) = folders
    assert store.is_fresh(folder)
    assert [p.name for p in tmp_path.iterdir()] == [folder.name]


def test_rerun_finds_no_difference(two: cm.Dataset, saved: Path) -> None:
    assert rerun(saved / "manifest.json", two) == []


def test_rerun_reports_what_differs(two: cm.Dataset, saved: Path) -> None:
    path = saved / "builds.csv"
    lines = path.read_text().splitlines()
    cells = lines[1].split(",")
    cells[-2] = str(float(cells[-2]) + 2.5)
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[3:]]) + "\n")
    manifest = json.loads((saved / "manifest.json").read_text())
    outputs = {
        **manifest["outputs"],
        "builds.csv": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    edit_manifest(saved, outputs=outputs)
    (difference,) = rerun(saved, two)
    assert (difference.table, difference.rows, difference.unit) == ("builds", 2, "kwpm")
    assert difference.largest >= 2.5 - 1e-9
    assert "builds: 2 rows" in str(difference)


def change_builds(folder: Path) -> None:
    """Change a table and its hash, as if another machine had found something else."""
    path = folder / "builds.csv"
    head, first, *rest = path.read_text().splitlines()
    cells = first.split(",")
    cells[-2] = str(float(cells[-2]) + 2.5)
    path.write_text("\n".join([head, ",".join(cells), *rest]) + "\n")
    outputs = json.loads((folder / "manifest.json").read_text())["outputs"]
    edit_manifest(
        folder,
        outputs={
            **outputs,
            "builds.csv": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
    )


def test_rerun_reports_other_possible_reasons(two: cm.Dataset, saved: Path) -> None:
    packages = json.loads((saved / "manifest.json").read_text())["packages"]
    edit_manifest(saved, packages={**packages, "highspy": "0.9"}, code="0" * 64)
    assert rerun(saved, two) == [], (
        "other packages that find the same are no difference"
    )
    change_builds(saved)
    tool, builds = rerun(saved, two)
    assert (
        str(tool)
        == f"manifest: written by highspy 0.9, rebuilt by {packages['highspy']}"
    )
    assert builds.table == "builds"
    edit_manifest(saved, packages=packages)
    assert (
        str(rerun(saved, two)[0])
        == "manifest: written by other code of the same version"
    )


def test_rerun_on_other_data(saved: Path, variant: object) -> None:
    other = variant(
        helpers.change("costs", {"segment": "chip", "item": "running"}, value=999)
    )  # type: ignore[operator]
    with pytest.raises(cm.InputError, match=r"costs\.csv differs"):
        rerun(saved, other)


def test_tables_compare_row_by_row() -> None:
    old = pd.DataFrame({"k": ["a", "a", "b"], "value": [1.0, 1.0, 2.0], "unit": "kwpm"})
    assert compare_tables("t", old, old.iloc[::-1]) is None
    new = pd.DataFrame({"k": ["a", "b", "c"], "value": [1.0, 2.5, 7.0], "unit": "kwpm"})
    found = compare_tables("t", old, new)
    assert found is not None
    assert (found.rows, found.largest, found.where) == (3, 7.0, "c")


@pytest.mark.parametrize("form", ["mps", "lp"])
def test_export_means_the_same(two: cm.Dataset, tmp_path: Path, form: str) -> None:
    world, case = cm.load_world("central", two), cm.load_case("floor+tariff", two)
    arrays = program_of(two, case, world)
    path = export(arrays, tmp_path / "deep" / f"model.{form}", form)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    assert helpers.near(
        highs.getInfo().objective_function_value, cm.run(two, case).objective, 1e-8
    )
    assert "trust__floor__chip__2028" in path.read_text()
    again = export(arrays, tmp_path / f"again.{form}", form)
    assert again.read_bytes() == path.read_bytes()


def test_export_of_a_case_whose_numbers_are_found(two: cm.Dataset) -> None:
    world = cm.load_world("central", two)
    late = cm.Case(
        name="late",
        policies=(
            cm.Tariff(
                id="t",
                importer="AAA",
                rate=0.3,
                on="chips",
                years=(2027, 2030),
                known_from=2027,
                source="own",
            ),
        ),
    )
    arrays = program_of(two, late, world)
    assert any(group == "history" for group, _ in arrays.row_labels)
    assert arrays.matrix.shape == cm.run(two, late).program.matrix.shape


def test_names_are_safe_and_unique(solved: Solution) -> None:
    for labels in (solved.program.row_labels, solved.program.column_labels):
        names = safe_names(labels)
        assert len(set(names)) == len(labels)
        assert all(name.replace("_", "").isalnum() for name in names)
    odd = [
        ("a", ("b c",)),
        ("a", ("b_c",)),
        ("a__b_c", (1,)),
        ("e5", (2,)),
        ("x", (-1,)),
        ("x", ()),
    ]
    assert safe_names(odd) == [
        "a__b_c__2",
        "a__b_c__3",
        "a__b_c__1",
        "_e5__2",
        "x__m1",
        "x",
    ]
