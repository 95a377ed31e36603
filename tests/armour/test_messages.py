"""Messages say what to do, in an order people read, with hints that can be pasted."""

from __future__ import annotations

import random
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helpers
import pytest
from fitted import KINDS, fitted
from pydantic import BaseModel, ValidationError

import chipmodel as cm
from chipmodel import InputError, Problem
from chipmodel.cases.case import CaseFile
from chipmodel.cases.instruments import read_instruments
from chipmodel.cli import main
from chipmodel.common.text import lower
from chipmodel.common.toml import from_file, problems_of
from chipmodel.dataset.cite import cite
from chipmodel.dataset.reading import read_table
from chipmodel.dataset.rows import TABLES, columns
from chipmodel.model.world import Event, Scale, World
from chipmodel.policies.base import Policy
from chipmodel.studies.definition import Design, Span, Study, Variant

HEAD = 'title = "T"\nstatus = "hypothetical"\nsummary = "S"\n'


def table(name: str, *rows: dict[str, str]) -> bytes:
    header = columns(TABLES[name])
    lines = [",".join(header)]
    lines += [",".join(row.get(column, "") for column in header) for row in rows]
    return "\n".join([*lines, ""]).encode()


# -- what to do


def fields() -> Iterator[tuple[type[BaseModel], str]]:
    """Return every field of everything that is read from a file."""
    models: list[type[BaseModel]] = [CaseFile, World, Event, Scale, Study, Variant]
    models += [Design, Span, *(Policy.kinds[kind] for kind in KINDS), *TABLES.values()]
    for model in models:
        for field in model.model_fields:
            yield model, field


@pytest.mark.parametrize(
    ("model", "field"), list(fields()), ids=lambda part: getattr(part, "__name__", part)
)
def test_no_message_is_a_regular_expression(model: type[BaseModel], field: str) -> None:
    for wrong in ("31/12/2025", "aaa!", "", 5, -1.5, [], ["x y"], {}, None, True):
        try:
            from_file(model, {field: wrong})
        except ValidationError as error:
            for problem in problems_of(error, "file.toml"):
                text = f"{problem.what} {problem.fix}"
                assert problem.what
                assert problem.fix
                assert not re.search(r"\^|\[a-z|\[A-Z|\[0-9|pattern", text), text


@pytest.mark.parametrize(
    ("name", "row", "what", "fix"),
    [
        ("projects", {"as_of": "31/12/2025"}, "is not a date", "such as 2026-06-30"),
        ("projects", {"region": "aaa"}, "is not a region", "three capital letters"),
        ("segments", {"segment": "A b"}, "is not an id", "small letters"),
        ("segments", {"leading": "ja"}, "boolean", "true or false"),
        ("targets", {"target": "1"}, "is not the id of a target", "such as T01"),
    ],
)
def test_a_cell_of_another_form(
    name: str, row: dict[str, str], what: str, fix: str
) -> None:
    _, problems = read_table(f"{name}.csv", table(name, row), TABLES[name])
    (column,) = row
    (problem,) = [p for p in problems if p.place == f"line 2, {column}"]
    assert what in problem.what
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        ("as_of = 2026-06-30", "string", "put it in quotes"),
        ('as_of = "30.6.2026"', "'30.6.2026' is not a date", "such as 2026-06-30"),
        ("as_of = 2026", "string", "put it in quotes"),
    ],
)
def test_a_date_of_a_case(
    two: cm.Dataset, tmp_path: Path, line: str, what: str, fix: str
) -> None:
    path = tmp_path / "case.toml"
    path.write_text(f"{HEAD}{line}\n")
    with pytest.raises(InputError) as caught:
        cm.load_case(path, two)
    (problem,) = caught.value.problems
    assert what in problem.what
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("rate", "0.1", "write it without quotes"),
        ("rate", -1, "give 0.0 or more"),
        ("on", "chip", "use 'chips' or 'use'"),
        ("importer", "aaa", "use one of AAA, BBB"),
        ("origins", ["all", "BBB"], "write either 'all' or the names"),
        ("origins", [], "leave it out for all"),
        ("origins", "BBB", "give a list, in brackets"),
    ],
)
def test_a_field_of_an_instrument(
    two: cm.Dataset, field: str, value: Any, fix: str
) -> None:
    body = {**fitted("tariff"), field: value}
    _, (problem,) = read_instruments("case.toml", [body], two)
    assert problem.place == f"policy duty.{field}"
    assert fix in problem.fix


def test_the_file_of_another_table_is_one_problem() -> None:
    raw = (helpers.TWO / "fleets.csv").read_bytes()
    _, problems = read_table("sources.csv", raw, TABLES["sources"])
    (problem,) = problems
    assert problem.what.startswith("these are not the columns of sources.csv")
    assert problem.fix == f"the columns are {','.join(columns(TABLES['sources']))}"


def test_several_columns_are_one_problem() -> None:
    header = [name for name in columns(TABLES["fleets"]) if name not in ("low", "high")]
    raw = ",".join([*header, "extra", "more"]).encode()
    _, (missing, unknown) = read_table("fleets.csv", raw, TABLES["fleets"])
    assert missing.what == "columns 'low' and 'high' are missing"
    assert unknown.what == "unknown columns 'extra' and 'more'"


def test_a_goal_within_a_hump_is_not_reported_as_missed(two: cm.Dataset) -> None:
    """Only the ends of the bracket are looked at."""
    with pytest.raises(InputError) as caught:
        cm.solve_for(two, "tariff", "duty.rate", "revenue.AAA", 1e9, 0.01, 0.5)
    (problem,) = caught.value.problems
    assert "does not lie between" in problem.what
    assert "does not meet" not in problem.what
    assert "both sides of the goal" in problem.fix


# -- in which order


def test_lines_are_in_order_of_number() -> None:
    numbers = [1, 2, 9, 10, 11, 99, 100, 10**30]
    problems = [
        Problem("a.csv", f"line {n}, value", "is odd", "fix it") for n in numbers
    ]
    problems += [Problem("b.csv", "header", "is odd", "fix it")]
    mixed = random.Random(1).sample(problems, len(problems))
    assert list(InputError(mixed).problems) == problems


@pytest.mark.parametrize("text", ["２", "2０", "²", "1２3 lines", "٣", "a１"])
def test_digits_of_other_alphabets_are_text(text: str) -> None:
    problems = [Problem("f", f"line {n}", text, "fix it") for n in (10, 2)]
    places = [problem.place for problem in InputError(problems).problems]
    assert places == ["line 2", "line 10"]


# -- how a name reads, and what can be pasted


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("ArF immersion scanners", "ArF immersion scanners"),
        ("Logic below 10 nm", "logic below 10 nm"),
        ("DRAM", "DRAM"),
        ("EUV scanners", "EUV scanners"),
        ("Photoresist", "photoresist"),
        ("", ""),
    ],
)
def test_a_name_inside_a_sentence(name: str, inside: str) -> None:
    assert lower(name) == inside


ODD_NAMES = ("a{b%c", "my data", "it's", "a}b", "x&y_z#1", 'q"uote', "per\\cent")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_citation_is_balanced(tmp_path: Path, name: str) -> None:
    data = cm.load_dataset(helpers.copy_two(tmp_path / name))
    bibtex = cite(data)["bibtex"]
    depth = 0
    for char in bibtex:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    note = bibtex.split("note    = {")[1].split("}\n")[0]
    assert not re.search(r"(?<!\\)[%&#_$]", note)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_the_command_of_a_hint_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """With blanks and quotes in the names of the folder and of the case."""
    root = helpers.copy_two(tmp_path / name)
    case = root / f"too {name}.toml"
    floors = [
        f'[[policy]]\nkind = "origin_floor"\nid = "{region.lower()}_own"\n'
        f'market = "{region}"\ntrusted = ["{region}"]\nshare = 1.0\non = "use"\n'
        'min_served = 1.0\nyears = [2025, 2030]\nsource = "own"\n'
        for region in ("AAA", "BBB")
    ]
    case.write_text(f'{HEAD}as_of = "2026-06-30"\n{"".join(floors)}')
    arguments = ["--data", str(root), "run", str(case), "--out", str(tmp_path / "out")]
    assert main.main(arguments) == 1
    hint = re.findall(r"run `(chipmodel .*)`", capsys.readouterr().err)[-1]
    program, *pasted = shlex.split(hint)
    assert program == "chipmodel"
    assert main.main(pasted) == 0
    assert "aaa_own" in capsys.readouterr().out


# -- how it is called


def test_a_path_is_taken_for_a_name(two: cm.Dataset) -> None:
    path = helpers.TWO / "cases" / "tariff.toml"
    world = helpers.TWO / "worlds" / "central.toml"
    expected = cm.run(two, "tariff").objective
    assert cm.run(two, path, world).objective == expected
    assert cm.load_case(path, two) == cm.load_case("tariff", two)
    assert cm.explain_infeasible(two, path, world).status == "optimal"


def test_a_wheel_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    package = Path(cm.__file__).parent
    shutil.copytree(package, tmp_path / "in" / "chipmodel")
    archive = shutil.make_archive(str(tmp_path / "the wheel"), "zip", tmp_path / "in")
    code = f"import sys; sys.path.insert(0, {archive!r}); import chipmodel"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert f"python -m pip install '{archive}'" in done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "chipmodel", "list"],
        env={"PYTHONPATH": archive},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
