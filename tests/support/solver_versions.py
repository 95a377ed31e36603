"""Compare what two environments, with other versions of the solver, make of a case.

``python tests/support/solver_versions.py OLD NEW`` solves ``current_law`` with two
executables of Python and prints what differs as docs/promises.md has it;
``--write`` puts it there. Every difference must be one that ``--verify`` of the first
lists as not unique, or the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]

PAGE = ROOT / "docs" / "promises.md"

START, END = "<!-- solver versions -->", "<!-- end of solver versions -->"

SAME = 1e-6
"""Largest difference of numbers that count as the same; relative above one."""

TABLES = ("capacity", "builds", "output", "trade", "prices", "accounts", "policies")

PACKAGES = ("highspy", "numpy", "scipy")


def solved(python: str, case: str, out: Path, *options: str) -> Path:
    """Solve a case with an executable of Python and return the folder of the result."""
    words = [python, "-m", "chipmodel", "run", case, "--out", str(out), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    (folder,) = out.iterdir()
    return folder


def versions(python: str) -> str:
    """Return the versions of the packages that solve."""
    code = (
        "from importlib.metadata import version\n"
        f"print(', '.join(n + ' ' + version(n) for n in {PACKAGES!r}))"
    )
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def differences(old: Path, new: Path, table: str) -> pd.DataFrame:
    """Return the rows of a table that differ, with both values."""
    frames = []
    for folder in (old, new):
        frame = pd.read_csv(folder / f"{table}.csv", keep_default_na=False)
        keys = [name for name in frame.columns if name != "value"]
        frames.append(frame.set_index(keys)["value"].astype(float))
    both = pd.concat(frames, axis=1, keys=["old", "new"]).fillna(0.0)
    both["by"] = (both["old"] - both["new"]).abs()
    size = both[["old", "new"]].abs().max(axis=1).clip(lower=1.0)
    both["total"] = len(both)
    return both[both["by"] > SAME * size].reset_index()


def key_of(table: str, row: Any) -> tuple[str, ...] | None:
    """Return the key of a row as `chipmodel run --verify` gives it."""
    if table == "builds":
        return (row.site, str(row.year))
    if table == "prices":
        return (row.stage, row.segment, row.region, str(row.year))
    if table == "trade":
        places = [row.origin, row.assembled, row.destination]
        return (row.flow, row.segment, *(p for p in places if p), str(row.year))
    return None


def compare(old: Path, new: Path) -> tuple[list[str], list[str]]:
    """Return the lines of the page, and differences that are not explained."""
    verified = json.loads((old / "manifest.json").read_text())["verified"]
    loose = set()
    for entry in verified["uniqueness"]["loose"]:
        key = tuple(str(part) for part in entry["key"])
        loose.add((entry["table"], *key))
    lines = []
    unexplained = []
    for table in TABLES:
        found = differences(old, new, table)
        keys = [key_of(table, row) for row in found.itertuples()]
        if not len(found):
            lines.append(f"- {table}: no row differs")
            continue
        worst = found.loc[found["by"].idxmax()]
        line = (
            f"- {table}: {len(found):,} of {worst['total']:,} rows differ, by up to"
            f" {worst['by']:.3g} {worst['unit']}"
        )
        if None not in keys:
            listed = sum((table, *key) in loose for key in keys if key)
            line += f"; `--verify` lists {listed:,} of them"
        lines.append(line)
        for key in keys:
            if key and (table, *key) not in loose:
                unexplained.append(f"{table}: {' '.join(key)}")
    return lines, unexplained


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("old", help="executable of Python with the pinned packages")
    parser.add_argument("new", help="executable of Python with other versions")
    parser.add_argument("--case", default="current_law")
    parser.add_argument("--write", action="store_true", help="into docs/promises.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old = solved(given.old, given.case, Path(folder) / "old", "--verify")
        new = solved(given.new, given.case, Path(folder) / "new")
        table, unexplained = compare(old, new)
        objectives = []
        for result in (old, new):
            manifest = json.loads((result / "manifest.json").read_text())
            objectives.append(manifest["objective"])
        verified = json.loads((old / "manifest.json").read_text())["verified"]
    gap = abs(objectives[0] / objectives[1] - 1.0)
    objective = "is the same"
    if gap > 1e-12:
        objective = f"differs by {gap:.0e}, relative"
    totals = verified["uniqueness"]["totals"]
    counts = []
    for name, total in totals.items():
        count = sum(e["table"] == name for e in verified["uniqueness"]["loose"])
        what = "flows" if name == "trade" else name
        counts.append(f"{count:,} of {total:,} {what}")
    lines = [
        f"`{given.case}` with {versions(given.old)} and with {versions(given.new)}:"
        f" the objective {objective}. `--verify` finds"
        f" {', '.join(counts)} not unique.",
        "",
        *table,
    ]
    text = "\n".join(lines)
    sys.stdout.write(text + "\n")
    for line in unexplained:
        sys.stdout.write(f"not listed as not unique: {line}\n")
    if given.write:
        page = PAGE.read_text()
        before, rest = page.split(START)
        _, after = rest.split(END)
        PAGE.write_text(f"{before}{START}\n{text}\n{END}{after}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
