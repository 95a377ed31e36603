"""Variants of the two-region data set: copies with cells, rows or fields changed."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chipmodel import (
    Case,
    Dataset,
    Policy,
    Solution,
    World,
    load_case,
    load_dataset,
    load_world,
)
from chipmodel.analysis.run import solve_in_passes
from chipmodel.cases.check import check_case
from chipmodel.common.toml import read_toml, toml_text
from chipmodel.model.parameters.build import build_parameters

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
"""The checkout."""

TWO = TESTS / "data" / "two"

Rows = list[dict[str, str]]
Edit = Callable[[Path], None]


def change(table: str, where: dict[str, object] | None = None, **cells: object) -> Edit:
    """Change cells of every row that has the values of `where`; at least one must."""

    def edit(rows: Rows) -> Rows:
        hit = [row for row in rows if _is(row, where or {})]
        assert hit, f"no row of {table} has {where}"
        for row in hit:
            row.update({k: _text(v) for k, v in cells.items()})
            if "value" in cells and "low" not in cells:
                row.update(low="", high="", grade="A", source="test")
        return rows

    return _on(table, edit)


def drop(table: str, **where: object) -> Edit:
    """Drop every row that has the values of `where`."""
    return _on(table, lambda rows: [row for row in rows if not _is(row, where)])


def keep(table: str, **where: object) -> Edit:
    """Keep only the rows that have the values of `where`."""
    return _on(table, lambda rows: [row for row in rows if _is(row, where)])


def add(table: str, like: dict[str, object] | None = None, **cells: object) -> Edit:
    """Add a copy of the first row that has the values of `like`, with cells changed."""

    def edit(rows: Rows) -> Rows:
        model = next((row for row in rows if _is(row, like or {})), {})
        return [*rows, {**model, **{k: _text(v) for k, v in cells.items()}}]

    return _on(table, edit)


def rows(table: str, *cells: dict[str, object]) -> Edit:
    """Replace the rows of a table by copies of its first row with cells changed.

    Without `cells` the table becomes empty.
    """

    def edit(old: Rows) -> Rows:
        return [{**old[0], **{k: _text(v) for k, v in new.items()}} for new in cells]

    return _on(table, edit)


def parameters(**values: float) -> Edit:
    """Change scalars of parameters.csv."""

    def edit(folder: Path) -> None:
        for name, value in values.items():
            change("parameters", {"parameter": name}, value=value)(folder)

    return edit


QUESTION = "q04_subsidy_ledger"
"""The question that can be asked of the two-region data set."""
ODD = "Aland <i>& Sons"
"""A name that is markup unless it is escaped."""


def report_data(folder: Path) -> Dataset:
    """Copy the two-region data set and add what a report needs.

    That is two studies and a case of current law.
    """
    copy_two(folder, change("regions", {"region": "AAA"}, name=ODD))
    (folder / "cases" / "current_law.toml").write_text(
        (folder / "cases" / "grant.toml").read_text()
    )
    (folder / "cases" / "dials.toml").write_text(
        'title = "A duty and a credit"\nbaseline = "tariff"\nstatus ='
        ' "hypothetical"\nas_of = "2026-06-30"\nsummary = "Both."\n[[policy]]\nkind ='
        ' "investment_tax_credit"\nid = "credit"\nregion = "AAA"\nrate = 0.25\nyears ='
        ' [2026, 2030]\nsource = "test"\n'
    )
    (folder / "studies").mkdir()
    (folder / "studies" / "headline.toml").write_text(
        'title = "Small"\ncases = ["no_policy", "tariff", "current_law"]\nreference ='
        ' "no_policy"\nmetrics = ["share.capacity.*.all.LAST", "cost.buyers.*",'
        ' "outlay.*", "welfare.all"]\nfigures = ["leading_edge_share", "who_pays"]\n'
    )
    (folder / "studies" / "what_if.toml").write_text(
        'title = "Two dials"\ncases = ["dials", "tariff"]\nreference ='
        ' "tariff"\nmetrics = ["share.capacity.AAA.all.2028", "cost.buyers.AAA",'
        ' "revenue.AAA"]\n[grid]\n"duty.rate" = [0.0, 0.05, 0.1, 0.25]\n"credit.rate" ='
        " [0.0, 0.1, 0.25]\n"
    )
    return load_dataset(folder)


def shuffled(folder: Path, order: Callable[[Rows], None]) -> None:
    """Reorder the rows of every table of a folder."""
    for path in sorted(folder.glob("*.csv")):
        header, rows = read(path)
        order(rows)
        write(path, header, rows)


def copy_two(
    folder: Path, *edits: Edit, world: dict[str, object] | None = None
) -> Path:
    """Copy the two-region data set into a new folder and change the copy."""
    shutil.copytree(TWO, folder)
    for edit in edits:
        edit(folder)
    if world:
        path = folder / "worlds" / "central.toml"
        path.write_text(toml_text({**read_toml(path), **world}))
    return folder


def variant(
    folder: Path, *edits: Edit, world: dict[str, object] | None = None
) -> Dataset:
    """Load a changed copy of the two-region data set.

    `world` changes fields of its central world.
    """
    return load_dataset(copy_two(folder, *edits, world=world))


def world_of(data: Dataset, **changes: object) -> World:
    """Return the central world of a data set with fields changed."""
    return load_world("central", data).with_(**changes)


def case_of(*policies: Policy, name: str = "test_case") -> Case:
    """Return a case of some instruments."""
    return Case(name=name, policies=policies)


def near(found: float, expected: float, rel: float = 1e-9) -> bool:
    """Whether two numbers agree relative to the larger, or to one if both are small."""
    return abs(found - expected) <= rel * max(1.0, abs(found), abs(expected))


def booked_and_ledger(solution: Solution) -> tuple[dict[str, float], dict[str, float]]:
    """Return the net present value of each treasury, computed in two ways.

    First by the accounts, then by the lines of the policies table.
    """
    accounts = solution.accounts[
        (solution.accounts["account"] == "treasury")
        & (solution.accounts["agent"] == "ownership")
    ]
    booked = {
        f"treasury:{region}": value
        for region, value in zip(accounts["region"], accounts["value"], strict=True)
    }
    table = solution.policies
    table = table[
        table["agent"].str.startswith("treasury:")
        & (table["unit"] == "MUSD")
        & ~table["item"].str.endswith("_cash")
    ]
    ledger = dict.fromkeys(booked, 0.0)
    for agent, year, value in zip(
        table["agent"], table["year"], table["value"], strict=True
    ):
        ledger[agent] += value * solution.parameters.discount[year]
    return booked, ledger


def read(path: Path) -> tuple[list[str], Rows]:
    """Read a CSV file as its header and its rows."""
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        return list(reader.fieldnames or []), list(reader)


def write(path: Path, header: list[str], rows: Rows) -> None:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _on(table: str, edit: Callable[[Rows], Rows]) -> Edit:
    def change_file(folder: Path) -> None:
        path = folder / f"{table}.csv"
        header, rows = read(path)
        write(path, header, edit(rows))

    return change_file


def _is(row: dict[str, str], where: dict[str, object]) -> bool:
    return all(row[k] == _text(v) for k, v in where.items())


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A disk of some kilobytes, where the system lets one be mounted."""
    folder.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
            capture_output=True,
        ).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def remount(folder: Path, option: str) -> None:
    """Mount a small disk again with an option: ``size=1m``, ``ro``."""
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


def run_without(
    data: Dataset,
    case: Case | str,
    groups: tuple[str, ...],
    world: World | str = "central",
) -> Solution:
    """Solve a case with some groups of rows left out, to see what they do."""
    case = load_case(case, data) if isinstance(case, str) else case
    world = load_world(world, data) if isinstance(world, str) else world
    numbers = build_parameters(data, world)
    check_case(case, numbers)
    return solve_in_passes(case, numbers, groups)
