"""What is known without solving is reported without solving."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import helpers
import pytest
from helpers import add, drop

import chipmodel as cm
from chipmodel.analysis import grants
from chipmodel.cli import main
from chipmodel.dataset.descriptor import write_descriptor
from chipmodel.model.lp.compile import compile_program
from chipmodel.model.lp.program import write
from chipmodel.model.parameters.build import build_parameters

Call = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line; return exit code, output and error lines."""

    def run(*arguments: object) -> tuple[int, str, list[str]]:
        code = main.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return run


@pytest.fixture
def _nothing_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(*_: Any) -> None:
        raise AssertionError("something was solved")

    monkeypatch.setattr(grants, "solve_from_nearest", solve)


def test_a_missing_budget_is_a_problem_of_the_data(call: Call, tmp_path: Path) -> None:
    folder = helpers.copy_two(tmp_path / "two", drop("budgets", holder="pool_bbb"))
    code, _, lines = call("check", folder)
    assert code == 2
    assert len(lines) == 1
    assert "budgets.csv: pool_bbb, 2025: row is missing" in lines[0]


def test_a_firm_with_a_new_home_needs_a_budget_there(
    call: Call, tmp_path: Path
) -> None:
    """A firm without a budget of its own shares the pool of its home."""
    folder = helpers.copy_two(
        tmp_path / "two",
        drop("budgets", holder="alpha"),
        drop("budgets", holder="pool_bbb"),
        helpers.change("firms", {"firm": "alpha"}, home="BBB"),
    )
    code, _, lines = call("check", folder)
    assert code == 2
    assert "pool_bbb" in lines[0]


@pytest.mark.parametrize(("folder", "what"), [("worlds", "world"), ("cases", "case")])
def test_a_package_without_worlds_or_cases(
    call: Call, tmp_path: Path, folder: str, what: str
) -> None:
    root = helpers.copy_two(tmp_path / "two")
    shutil.rmtree(root / folder)
    code, _, lines = call("check", root)
    assert code == 2
    assert f"error: {folder}: folder: holds no {what}" in lines[0]


def row_numbers() -> list[tuple[str, int]]:
    """Return every row of every table of the two-region data set."""
    numbers = []
    for path in sorted(helpers.TWO.glob("*.csv")):
        _, rows = helpers.read(path)
        numbers += [(path.name, number) for number in range(len(rows))]
    return numbers


def test_what_the_check_passes_can_be_solved(call: Call, tmp_path: Path) -> None:
    """Without any one row, a package is refused by the check or its cases run."""
    root = helpers.copy_two(tmp_path / "two")
    passed = 0
    for file, number in row_numbers():
        whole = (root / file).read_bytes()
        header, rows = helpers.read(root / file)
        helpers.write(root / file, header, rows[:number] + rows[number + 1 :])
        if call("check", root)[0] == 0:
            passed += 1
            data = cm.load_dataset(root)
            parameters = build_parameters(data, helpers.world_of(data))
            case = cm.load_case("grant", data)
            compile_program(write(parameters, case.policies))
        (root / file).write_bytes(whole)
    assert passed


POOL = """
[[policy]]
kind = "capex_grant"
id = "{id}"
form = "open"
region = "AAA"
{fields}
years = [2026, 2030]
source = "own"
"""

CREDIT = """
[[policy]]
kind = "investment_tax_credit"
id = "credit"
region = "AAA"
rate = 0.95
years = [2026, 2030]
source = "own"
"""

LATE = """
[[policy]]
kind = "tariff"
id = "duty"
importer = "AAA"
rate = 0.1
on = "chips"
years = [2029, 2030]
known_from = 2029
source = "own"
"""

UNSEARCHABLE = {
    "two that seek a rate": (
        POOL.format(id="one", fields="budget = 100")
        + POOL.format(id="other", fields="budget = 100"),
        "more than one open grant seeks its rate",
    ),
    "nobody can have it": (
        POOL.format(id="one", fields='budget = 100\nfirms = ["beta"]'),
        "no build is eligible",
    ),
    "all is paid already": (
        POOL.format(id="one", fields="budget = 100") + CREDIT,
        "other support already pays the whole cost of a build",
    ),
    "beside a surprise": (
        POOL.format(id="one", fields="budget = 100") + LATE,
        "cannot be combined with known_from",
    ),
}


@pytest.mark.usefixtures("_nothing_is_solved")
@pytest.mark.parametrize("name", list(UNSEARCHABLE))
def test_grants_that_cannot_be_searched_are_refused_before_a_solve(
    call: Call, tmp_path: Path, name: str
) -> None:
    """By `check`, by `show`, and by a study before its other cases are solved."""
    policies, message = UNSEARCHABLE[name]
    root = helpers.copy_two(tmp_path / "two")
    (root / "cases" / "pools.toml").write_text(
        'title = "Pools"\nstatus = "hypothetical"\nas_of = "2026-06-30"\n'
        f'summary = "Pools."\n{policies}'
    )
    (root / "studies").mkdir()
    (root / "studies" / "pools.toml").write_text(
        'title = "Pools"\ncases = ["no_policy", "pools"]\n'
        'metrics = ["share.capacity.AAA.all.2028"]\n'
    )
    out = tmp_path / "out"
    for command in (
        ("check", root),
        ("--data", root, "show", "pools"),
        ("--data", root, "study", "pools", "--out", out),
        ("--data", root, "run", "pools", "--out", out),
    ):
        code, _, lines = call(*command)
        assert code == 2
        assert message in "\n".join(lines)


def test_an_edited_table_that_no_case_reads_is_noted(
    call: Call, tmp_path: Path
) -> None:
    """A duty added to tariffs.csv moves no result: a case has its own tariffs."""
    root = helpers.copy_two(tmp_path / "two")
    write_descriptor(root)
    assert "note:" not in call("check", root)[1]
    for table in ("tariffs", "macro", "alliance", "targets"):
        with (root / f"{table}.csv").open("a") as stream:
            stream.write("\n")
        assert f"note: {table}.csv is not read" in call("check", root)[1]


def test_projects_that_no_world_knows_are_noted(call: Call, tmp_path: Path) -> None:
    row = {"site": "alpha_one"}
    root = helpers.copy_two(
        tmp_path / "two",
        add("projects", row, site="alpha_two", as_of="2026-07-01"),
    )
    code, text, _ = call("check", root)
    assert code == 0
    assert "note: projects.csv, alpha_two, 2026-07-01: no world reads this row" in text
    assert "alpha_one" not in text


@pytest.mark.usefixtures("_nothing_is_solved")
@pytest.mark.parametrize(
    ("policies", "metric", "message"),
    [
        (POOL.format(id="one", fields="budget = 100"), "revenue.AAA", "several solves"),
        (LATE.replace("duty", "late"), "revenue.AAA", "several solves"),
        ("", "share.capacity.AAA.all.2099", "2099"),
        ("", "revenue.CCC", "CCC"),
        (POOL.format(id="one", fields="rate = 0.99"), "revenue.AAA", "of the cost of"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused_before_a_solve(
    two: cm.Dataset, tmp_path: Path, policies: str, metric: str, message: str
) -> None:
    path = tmp_path / "search.toml"
    path.write_text(
        'title = "Search"\nbaseline = "tariff"\nstatus = "hypothetical"\n'
        f'as_of = "2026-06-30"\nsummary = "Search."\n{policies}'
    )
    with pytest.raises(cm.InputError, match=message):
        cm.solve_for(two, path, "duty.rate", metric, 1.0, 0.01, 0.5)


@pytest.mark.parametrize("target", ["nowhere", "gone.toml", "/dev/zero"])
@pytest.mark.parametrize("folder", ["cases", "worlds", "studies"])
def test_a_link_that_leads_to_no_file_is_reported(
    call: Call, tmp_path: Path, folder: str, target: str
) -> None:
    """It is passed over when names are listed: a case would be lost unnoticed."""
    root = helpers.copy_two(tmp_path / "two")
    (root / folder).mkdir(exist_ok=True)
    (root / folder / "gone.toml").symlink_to(target)
    code, _, lines = call("check", root)
    assert code == 2
    assert lines == [
        f"error: gone.toml: {folder}: is no file: a link that leads nowhere, or a"
        " device; put the file in its place, or remove it"
    ]


@pytest.mark.parametrize(
    ("folder", "baseline", "load"),
    [
        ("cases", "no_policy", lambda data: cm.load_case("tariff", data)),
        ("worlds", "central", lambda data: cm.load_world("slow", data)),
    ],
)
def test_a_baseline_that_is_no_file_is_named_itself(
    tmp_path: Path, folder: str, baseline: str, load: Callable[[cm.Dataset], object]
) -> None:
    """Not the file that has it: nothing is to be changed there."""
    root = helpers.copy_two(tmp_path / "two")
    (root / "worlds/slow.toml").write_text(
        'baseline = "central"\ntitle = "Slow"\nsummary = "Slow growth."\n'
    )
    data = cm.load_dataset(root)
    load(data)
    (root / folder / f"{baseline}.toml").unlink()
    (root / folder / f"{baseline}.toml").symlink_to("/dev/zero")
    with pytest.raises(cm.InputError, match=f"^{baseline}.toml: file: is not a plain"):
        load(data)
