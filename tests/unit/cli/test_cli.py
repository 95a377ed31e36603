"""The command line: every verb, its exit codes, its errors and its JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helpers
import pytest

import chipmodel as cm
from chipmodel.cli import case_commands, main, schemas
from chipmodel.common.progress import Clock
from chipmodel.display import formulation
from chipmodel.policies.base import Policy

TWO = str(helpers.TWO)
ROOT = Path(__file__).resolve().parents[3]


class Result:
    """Exit code and output of a call of the command line."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def plain(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Call the command line in an empty folder, by default on the two-region data."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, data: str | None = TWO) -> Result:
        code = main.main([*arguments, *(["--data", data] if data else [])])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def test_list(call: Any) -> None:
    result = call("list")
    assert result.code == 0
    for word in (
        "datasets",
        "worlds",
        "cases",
        "studies",
        "central",
        "Aland pays awards and 15% of new fabs",
    ):
        assert word in result.out
    found = call("list", "--json").plain
    assert {"name": "central", "title": "Central: the world of the tests"} in found[
        "worlds"
    ]
    assert {c["name"] for c in found["cases"]} >= {
        "no_policy",
        "grant",
        "tariff",
        "floor",
        "credit",
    }


def test_list_of_the_shipped_data(call: Any) -> None:
    for data in (None, "chipmodel-data"):
        result = call("list", data=data)
        assert result.code == 0
        assert "current_law" in result.out
        assert max(map(len, result.out.splitlines())) <= 100


def test_list_reports_a_broken_file_and_continues(call: Any, tmp_path: Path) -> None:
    folder = helpers.copy_two(tmp_path / "two")
    (folder / "cases" / "broken.toml").write_text("title = ")
    result = call("list", data=str(folder))
    assert result.code == 0
    assert "broken" in result.out
    assert "grant" in result.out


def test_check(call: Any) -> None:
    result = call("check")
    assert result.code == 0
    assert result.out.startswith("ok: ")
    assert "tables" in result.out
    assert "grades A " in result.out
    assert "grades: A read in the source, B quoted" in result.out
    assert f"data: two, {TWO}" in result.out
    assert "shipped with chipmodel" in call("list", data=None).out
    assert call("check", TWO, data=None).out == result.out
    assert call("check", TWO, "--json", data=None).plain["ok"] is True
    both = call("check", "elsewhere")
    assert both.code == 2
    assert "name it once" in both.err


def test_check_looks_at_worlds_and_cases_too(call: Any, tmp_path: Path) -> None:
    folder = helpers.copy_two(tmp_path / "two")
    (folder / "cases" / "odd.toml").write_text('title = "x"\nsurprise = 1\n')
    (folder / "worlds" / "flat.toml").write_text('title = "x"\n')
    result = call("check", data=str(folder))
    assert result.code == 2
    assert "odd.toml: surprise: unknown key" in result.err
    assert "flat.toml: discount_rate: is missing" in result.err


def test_show(call: Any) -> None:
    result = call("show", "grant+tariff")
    assert result.code == 0
    for word in (
        "[capex_grant]",
        "A customs duty",
        "0.25 share",
        "2026 to 2030",
        "https://example.org/test",
        "support of alpha_one",
        "40",
        "duty on chip",
        "1,200",
        "one dollar of capital costs 0.149 a year",
    ):
        assert word in result.out
    found = call("show", "grant", "--json").plain
    assert found["annuity_factor"] == pytest.approx(0.149029, rel=1e-5)
    award = found["instruments"][0]
    assert award["computed"][0]["what"] == "support of alpha_one"
    assert award["computed"][0]["value"] == pytest.approx(40.0)
    assert "No instrument." in call("show", "no_policy").out


def test_show_starts_with_what_the_case_changes(call: Any, tmp_path: Path) -> None:
    head = (
        'title = "T"\nstatus = "hypothetical"\nas_of = "2026-06-30"\nsummary ='
        ' "S"\nbaseline = "grant"\n'
    )
    (tmp_path / "mine.toml").write_text(
        head + 'remove = ["awards"]\n[set]\n"programme.rate" = 0.2\n'
    )
    result = call("show", "mine.toml")
    assert "baseline: grant; what this case changes:" in result.out
    assert "removed:" in result.out
    assert (
        "awards  Aland pays the awards recorded for projects of any firm, if they come"
        " on line" in result.out
    )
    assert (
        "programme  rate 0.15 -> 0.2. Aland pays 20% of the cost of fabs" in result.out
    )
    assert "kind of law" in result.out
    assert "in this data, 2026 to 2030:" in result.out
    found = call("show", "mine.toml", "--json").plain
    assert (found["baseline"], len(found["changes"])) == ("grant", 2)
    assert call("show", "grant+tariff", "--json").plain["baseline"] is None


def test_diff(call: Any) -> None:
    result = call("diff", "no_policy", "tariff")
    assert result.code == 0
    assert "duty" in result.out
    rows = call("diff", "no_policy", "tariff", "--json").plain["differences"]
    assert [row["policy"] for row in rows] == ["duty"]
    assert rows[0]["right"].startswith(
        "Aland levies 25% on bare chips made in Beland, from 2026 to 2030"
    )
    assert "the same instruments" in call("diff", "grant", "grant").out


def test_diff_of_shipped_cases_reads_like_the_law(call: Any) -> None:
    output = call("diff", "current_law", "section232_100", data=None).out
    flat = " ".join(output.split())
    assert "removed: s232_narrow" in flat
    assert (
        "The United States levies 100% under Section 232 on bare chips made in any"
        " other region" in flat
    )
    assert "all duties together at most 15% on those of Europe and Japan" in flat
    assert (
        "2.5 kwpm of chips from Taiwan are free of it during construction and 1.5 in"
        " service" in flat
    )
    assert max(map(len, output.splitlines())) <= 100
    moved = " ".join(
        call("diff", "current_law", "credit_extended", data=None).out.split()
    )
    assert "us_credit begin_by 2026 -> 2030; years 2026 2036 -> 2026 2040" in moved


def test_source(call: Any) -> None:
    """A number's citation with its address, and a source by its id."""
    output = call("source", "capex", "segment=logic_lt10", data=None).out
    flat = " ".join(output.split())
    assert "costs: logic_lt10, capex value 428 MUSD/kwpm, money of 2025" in flat
    assert "https://www.semimedia.cc/15910.html" in flat
    assert max(map(len, output.splitlines())) <= 100
    found = call("source", "award", "site=intel_ohio_1", "--json", data=None).plain
    assert found["facts"][0]["url"].startswith("https://")
    law = call("source", "law_48d", data=None).out
    assert "https://www.law.cornell.edu/uscode/text/26/48D" in law
    assert "address" in call("source", "slope", data=None).out  # there is none


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["capx"], "did you mean capex"),
        (["capex", "segment"], "write KEY=VALUE, such as segment=dram"),
        (["capex", "segment=dran"], "no fact has segment=dran"),
    ],
)
def test_source_reports_what_it_does_not_know(
    call: Any, arguments: list[str], reported: str
) -> None:
    result = call("source", *arguments, data=None)
    assert result.code == 2
    assert reported in result.err


def test_new(call: Any, tmp_path: Path) -> None:
    result = call("new", "mine", "--from", "grant", data=None)
    assert result.code == 2  # the shipped data has no such case
    folder = helpers.copy_two(tmp_path / "two")
    result = call("new", "mine", "--from", "grant", data=str(folder))
    assert result.code == 0
    path = folder / "cases" / "mine.toml"
    text = path.read_text()
    assert '# "programme.rate" = 0.15    # share' in text
    data = cm.load_dataset(folder)
    assert cm.load_case("mine", data).digest == cm.load_case("grant", data).digest
    again = call("new", "mine", "--from", "tariff", data=str(folder))
    assert again.code == 2
    assert "exists already" in again.err
    assert path.read_text() == text


def test_the_comments_of_a_new_file_are_right(call: Any, tmp_path: Path) -> None:
    folder = helpers.copy_two(tmp_path / "two")
    call("new", "mine", "--from", "grant", data=str(folder))
    path = folder / "cases" / "mine.toml"
    lines = path.read_text().splitlines()
    start = lines.index("# [set]")
    end = next(i for i in range(start, len(lines)) if not lines[i].strip())
    lines[start:end] = [line.removeprefix("# ") for line in lines[start:end]]
    path.write_text("\n".join(lines))
    assert tomllib.loads(path.read_text())["set"]["programme.rate"] == 0.15
    cm.load_case("mine", cm.load_dataset(folder))


@pytest.mark.parametrize("name", ["Mine", "1st", "a-b", "x" * 42, "bad/Name.toml"])
def test_new_refuses_odd_names(call: Any, tmp_path: Path, name: str) -> None:
    result = call("new", name, "--from", "no_policy")
    assert result.code == 2
    assert "is not a name for a case" in result.err


def test_new_writes_into_this_folder_without_data(call: Any, tmp_path: Path) -> None:
    assert call("new", "mine", "--from", "no_policy", data=None).code == 0
    assert (tmp_path / "mine.toml").is_file()
    assert call("show", "mine.toml", data=None).code == 0


def test_copy_data(call: Any, tmp_path: Path) -> None:
    assert call("copy-data", "mine").code == 0
    assert cm.load_dataset(tmp_path / "mine").digest == cm.load_dataset(TWO).digest
    assert (tmp_path / "mine" / "cases" / "grant.toml").is_file()
    again = call("copy-data", "mine")
    assert again.code == 2
    assert "is not empty" in again.err
    (tmp_path / "empty").mkdir()
    assert call("copy-data", "empty").code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "mine"]
    inside = call(
        "copy-data", str(tmp_path / "mine" / "deep"), data=str(tmp_path / "mine")
    )
    assert inside.code == 2


def test_copy_of_the_shipped_data(call: Any, tmp_path: Path) -> None:
    assert call("copy-data", "mine", data=None).code == 0
    for folder in ("cases", "worlds", "studies"):
        assert (tmp_path / "mine" / folder).is_dir()
    assert cm.load_dataset(tmp_path / "mine").digest == cm.load_dataset().digest


def test_run_and_rerun(call: Any, tmp_path: Path) -> None:
    result = call("run", "grant+tariff", "--world", "central", "--out", "out")
    assert result.code == 0
    for word in (
        "Share of capacity, %",
        "world 2028",
        "Logic chips 2028",
        "Price at users in AAA",
        "Treasuries",
    ):
        assert word in result.out
    folder = tmp_path / result.out.split("written: ")[1].strip()
    assert (folder / "manifest.json").is_file()
    again = call("rerun", str(folder / "manifest.json"))
    assert (again.code, again.out) == (0, "same: every table, to nine digits\n")
    assert call("rerun", str(folder), "--json").plain == {
        "same": True,
        "differences": [],
    }
    elsewhere = call("rerun", str(folder), data=None)
    assert elsewhere.code == 2
    assert (
        "was computed from data set two; give its folder with --data" in elsewhere.err
    )
    (tmp_path / "other.json").write_text("{}")
    for name in ("other.json", str(folder / "case.toml")):
        assert "is not a manifest of chipmodel" in call("rerun", name).err


def test_numbers_of_the_summary(call: Any, two: cm.Dataset) -> None:
    found = call("run", "tariff", "--json").plain
    solution = cm.run(two, "tariff")
    assert found["objective"] == pytest.approx(solution.objective, rel=1e-12)
    assert sum(
        shares[1] for shares in found["capacity_share"].values()
    ) == pytest.approx(1.0)
    total = solution.capacity.query("year == 2028").groupby("region")["value"].sum()
    assert found["capacity_share"]["AAA"][1] == pytest.approx(
        total["AAA"] / total.sum()
    )
    duty = solution.accounts.query(
        "account == 'tariff' and agent == 'treasury:AAA' and year <= 2028"
    )["value"].sum()
    assert found["treasuries"]["AAA"]["revenue"] == pytest.approx(duty / 1000)


def test_summary_reports_each_instrument(call: Any, two: cm.Dataset) -> None:
    result = call("run", "tariff+floor")
    assert "brings in" in result.out
    assert "USD/wafer (chip 20" in result.out
    found = {
        row["policy"]: row
        for row in call("run", "tariff+floor", "--json").plain["instruments"]
    }
    frame = cm.run(two, "tariff+floor").policies.query("year <= 2028")
    assert found["duty"]["treasury"] == pytest.approx(
        frame.query("item == 'tariff'")["value"].sum()
    )
    assert found["trust"]["dual"]["value"] == pytest.approx(
        frame.query("item == 'dual_floor'")["value"].max()
    )


def test_short_forms(two: cm.Dataset) -> None:
    for thing, start in (
        (two, "<Dataset two: 39 tables, "),
        (cm.load_case("grant", two), "<Case grant: 2 instruments"),
        (cm.load_world("central", two), "<World central: 2025 to 2028, solved to "),
        (cm.run(two, "grant"), "<Solution grant in central: objective -"),
    ):
        assert repr(thing).startswith(start)
        assert len(repr(thing)) < 120


def test_run_writes_nothing_when_the_case_is_wrong(call: Any, tmp_path: Path) -> None:
    assert call("run", "nope", "--world", "neither").code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["mps", "lp"])
def test_export(call: Any, tmp_path: Path, form: str) -> None:
    assert call("export", "tariff", "--format", form).code == 0
    assert (tmp_path / f"tariff--central.{form}").is_file()
    result = call(
        "export", "tariff", "--format", form, "--out", "deep/model.txt", "--json"
    )
    assert result.plain["written"] == "deep/model.txt"
    assert call("export", "tariff", "--format", form, "--out", "deep").code == 2


STUDY = """
title = "Two cases"
cases = ["no_policy", "grant"]
reference = "no_policy"
metrics = ["share.capacity.AAA.chip.2028"]
"""


def test_study(call: Any, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(STUDY)
    result = call("study", "small.toml", "--out", "out", "--jobs", "1")
    assert result.code == 0
    assert "written: out/small/comparison.csv" in result.out
    found = call("study", "./small.toml", "--out", "out", "--json").plain
    assert [row["case"] for row in found["table"]] == ["no_policy", "grant"]
    assert call("study", "nothing").code == 2


def test_formulation(call: Any) -> None:
    result = call("formulation")
    assert result.code == 0
    for word in (
        "1. Sites",
        "build[i,t]",
        "regions r",
        "AAA BBB",
        "capex_grant",
        "firm_budget",
    ):
        assert word in result.out
    for markup in ("``", ":math:", ".. math", ":sub:", "\\cdot", "\\sum"):
        assert markup not in result.out
    parts = call("formulation", "--json").plain["parts"]
    assert [part["part"] for part in parts][-1] == "finance"
    assert all(part[step] for part in parts for step in formulation.STEPS)


def test_cite(call: Any) -> None:
    result = call("cite")
    assert result.code == 0
    assert "@software{chipmodel," in result.out
    assert "CC-BY-4.0" in result.out
    assert call("cite", "--json").plain["digest"] == cm.load_dataset(TWO).digest


def test_options_may_come_before_or_after_the_verb(call: Any) -> None:
    before = call("--json", "--data", TWO, "check", data=None)
    assert before.plain["dataset"] == "two"
    assert before.out == call("check", "--json").out


def test_version_and_help(call: Any) -> None:
    assert call("--version", data=None).out == f"chipmodel {cm.__version__}\n"
    for arguments in (["--help"], ["run", "--help"]):
        result = call(*arguments, data=None)
        assert result.code == 0
        assert "--data" in result.out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["runn"],
        ["run"],
        ["run", "grant", "--jobs", "2"],
        ["run", "grant", "--wor", "central"],
        ["list", "more"],
        ["study", "x", "--jobs", "0"],
        ["study", "x", "--jobs", "two"],
        ["export", "grant", "--format", "xlsx"],
        ["export", "grant"],
        ["new", "mine"],
        ["diff", "grant"],
        ["run", "grant", "--world"],
        ["new", "x", "--from", "a+b"],
    ],
)
def test_wrong_use(call: Any, arguments: list[str]) -> None:
    result = call(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: command line: ")
    assert len(result.err.splitlines()) == 1
    found = call(*arguments, "--json")
    assert found.code == 2
    if found.out:  # a flag that lacks its value takes the next word for it
        assert set(found.plain["error"][0]) == {"file", "place", "what", "fix"}


def test_errors_in_json(call: Any) -> None:
    result = call("run", "nope", "--world", "neither", "--json")
    assert result.code == 2
    assert {e["file"] for e in result.plain["error"]} == {"nope", "neither"}


def test_no_optimum(call: Any, tmp_path: Path) -> None:
    case = cm.Case(
        name="hard",
        policies=(
            cm.OriginFloor(
                id="all_ours",
                market="BBB",
                trusted=("BBB",),
                share=1.0,
                on="use",
                min_served=1.0,
                years=(2025, 2030),
                source="own",
            ),
            cm.OriginFloor(
                id="all_theirs",
                market="AAA",
                trusted=("AAA",),
                share=1.0,
                on="use",
                min_served=1.0,
                years=(2025, 2030),
                source="own",
            ),
        ),
    )
    from chipmodel.results.store import case_text

    (tmp_path / "hard.toml").write_text(case_text(case))
    result = call("run", "hard.toml")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: ")
    assert "infeasible" in result.err
    assert len(result.err.splitlines()) == 1
    assert call("run", "hard.toml", "--json").plain["error"][0]["status"]
    assert (
        call("export", "hard.toml", "--format", "mps").code == 0
    )  # another solver may explain it


def test_failed_certificate(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise cm.CertificateError("gap is 3")

    monkeypatch.setattr(case_commands, "run", fail)
    result = call("run", "grant")
    assert (result.code, result.err) == (1, "error: gap is 3\n")


@pytest.mark.parametrize(
    ("raised", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)]
)
def test_interruptions(
    call: Any, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int
) -> None:
    def stop(*_: object) -> None:
        raise raised

    monkeypatch.setattr(case_commands, "run", stop)
    result = call("run", "grant", "--out", "deep/results")
    assert result.code == code
    assert "Traceback" not in result.err
    assert not Path("deep").exists()


@pytest.fixture
def hears() -> Iterator[None]:
    """Receive Ctrl-C in this process and in those it starts.

    A shell that starts the tests in the background has it ignored otherwise.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears")
@pytest.mark.parametrize("what", ["swallows it", "makes another error of it"])
def test_ctrl_c_that_a_library_intercepts_ends_the_work_at_its_next_step(
    call: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def work(*_: object) -> None:
        clock = Clock(2, None)
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)  # ends as soon as the signal is handled
        except KeyboardInterrupt:
            if what != "swallows it":
                raise RuntimeError("an attribute cannot be set") from None
        clock.step("next")
        raise AssertionError("the work went on")

    monkeypatch.setattr(case_commands, "run", work)
    result = call("run", "grant")
    assert (result.code, result.err) == (130, "interrupted\n")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    Clock(1, None).step("other work in this process goes on")


@pytest.mark.usefixtures("hears")
def test_ctrl_c_ends_the_processes_of_a_study_without_a_traceback(
    tmp_path: Path,
) -> None:
    grid = '[grid]\n"programme.rate" = { from = 0.01, to = 0.4, steps = 400 }\n'
    (tmp_path / "small.toml").write_text(STUDY + grid)
    command = [
        sys.executable,
        "-m",
        "chipmodel",
        "--data",
        TWO,
        "study",
        "small.toml",
        "--jobs",
        "2",
    ]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()  # once a line is written, the work has started
        os.killpg(process.pid, signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert errors.endswith("interrupted\n")
    assert "Traceback" not in errors
    assert not (tmp_path / "results").exists()


def test_other_errors_of_the_operating_system(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "some/file")

    monkeypatch.setattr(case_commands, "run", refuse)
    result = call("run", "grant")
    assert result.code == 2
    assert (
        result.err
        == "error: some/file: file: cannot be used (Permission denied); check the path"
        " and who may use it\n"
    )


def test_as_a_process(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "chipmodel", "--data", TWO]
    done = subprocess.run(
        [*command, "run", "floor"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "results").iterdir())) == 1
    with subprocess.Popen(
        [*command, "formulation"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_schemas_are_current(tmp_path: Path) -> None:
    """The schemas in the folder are those of the code.

    ``python docs/make.py`` writes them again.
    """
    written = schemas.write_schemas(tmp_path)
    assert [p.name for p in written] == [
        "case.schema.json",
        "study.schema.json",
        "world.schema.json",
    ]
    for path in written:
        assert path.read_text() == (ROOT / "schema" / path.name).read_text(), path.name


def test_schema_of_a_case_holds_every_instrument() -> None:
    schema = schemas.case_schema()
    kinds = {
        schema["$defs"][ref["$ref"].rsplit("/", 1)[1]]["properties"]["kind"]["const"]
        for ref in schema["properties"]["policy"]["items"]["oneOf"]
    }
    assert kinds == {
        kind
        for kind, policy in Policy.kinds.items()
        if policy.__module__.startswith("chipmodel.")
    }
    assert {"tariff", "import_quota", "capacity_mandate"} <= kinds
