"""The benchmark: what is fast, against what.

    python benchmarks/run.py [--only PART]... [--short] [--out bench.json]

Prints a table and writes JSON; README.md beside this file describes what is compared,
and how.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

# As in the command line: threads of NumPy would count as processor time and do nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The modules beside this file are no package; scale.py also runs as a script.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import scale
import solves
import sweeps
import whole
from common import Figures, machine, report

REPEATS = 5
"""Times that whole processes are measured; medians are reported."""

GOALS = {
    "sweep.i.ratio_to_bare": "at most 1.1",
    "sweep.ii.ratio_to_bare": "at most 1.1",
    "sweep.iii.ratio_to_bare": "at most 1.1",
    "sweep.outside_ratio": "at most 0.3",
    "report.full.seconds_per_solve_ratio": "at most 0.35",
    "run.warm.again_s": "at most 6",
    "run.warm.one_number_changed_s": "at most 4",
    "single.ratio_to_bare": "at most 3",
    "scale.20r.build_to_solve": "at most 1.5",
    "scale.20r.memory_gb": "at most 1",
    "parallel.speedup_2": "at least 1.7",
}


def parts(short: bool) -> dict[str, Callable[[], Figures]]:
    """Return the parts by name, in the order in which they run."""
    measured: dict[str, Callable[[], Figures]] = {}
    for name in ("i", "ii", "iii"):
        measured[f"sweep.{name}"] = partial(sweeps.measure, [name], short)
    measured["single"] = partial(whole.single, REPEATS)
    measured["warm"] = partial(whole.warm, REPEATS)
    measured["report"] = partial(solves.measure, short)
    measured["parallel"] = partial(whole.parallel, REPEATS, short)
    for size in scale.SIZES:
        measured[f"scale.{size}"] = partial(scale.measure, [size])
    return measured


def parts_asked_for(asked: list[str], known: list[str]) -> tuple[list[str], list[str]]:
    """Return the parts asked for by name or first word, and names that fit none."""
    chosen = []
    used = set()
    for part in known:
        names = {part, part.partition(".")[0]}.intersection(asked)
        used |= names
        if names:
            chosen.append(part)
    return chosen, [name for name in asked if name not in used]


def main() -> None:
    """Run from the command line."""
    known = parts(False)
    parser = argparse.ArgumentParser(description="Benchmarks of chipmodel.")
    parser.add_argument(
        "--only",
        action="append",
        metavar="PART",
        help="a part, or the first word of several; may be given again. Parts: "
        + ", ".join(known),
    )
    parser.add_argument(
        "--short", action="store_true", help=f"of the sweeps only {sweeps.SHORT}"
    )
    parser.add_argument("--out", type=Path, help="JSON file")
    args = parser.parse_args()
    chosen, unknown = parts_asked_for(args.only or list(known), list(known))
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; parts: {', '.join(known)}")
    results: Figures = {}
    for name in chosen:
        report(f"== {name}")
        before = machine()
        figures = parts(args.short)[name]()
        # Each sweep has its own ratio; the goal is for the worst of them.
        worst = results.get("sweep.outside_ratio")
        if worst is not None and "sweep.outside_ratio" in figures:
            figures["sweep.outside_ratio"] = max(worst, figures["sweep.outside_ratio"])
        results |= figures
        results[f"machine.{name}"] = {**before, "load_after": machine()["load"]}
        if args.out:
            # After each part, so that an interrupted run leaves what it has.
            args.out.write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))


def table(results: Figures) -> str:
    """Return the figures as text, with the goals beside those that have one."""
    rows = []
    for key, value in results.items():
        if not isinstance(value, dict):
            rows.append((key, _as_text(value), GOALS.get(key, "")))
    key_width = max(len(key) for key, _, _ in rows)
    value_width = max(len(value) for _, value, _ in rows)
    lines = []
    for key, value, goal in rows:
        lines.append(f"{key:<{key_width}}  {value:>{value_width}}  {goal}".rstrip())
    return "\n".join(lines)


def _as_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    # A truth value is an int too, and no number to be formatted.
    if type(value) is int:
        return f"{value:,}"
    return str(value)


if __name__ == "__main__":
    main()
