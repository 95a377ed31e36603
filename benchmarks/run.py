"""The benchmark: what is fast, against what.

    python benchmarks/run.py [--only PART]... [--short] [--out bench.json]

Prints a table and writes JSON; README.md beside this file says what is compared and
how.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import scale
import sweeps
import whole
from common import Figures, machine, tell

REPEATS = 5
GOALS = {
    "sweep.i.ratio_to_bare": "at most 1.5",
    "sweep.ii.ratio_to_bare": "at most 1.5",
    "sweep.iii.ratio_to_bare": "at most 1.5",
    "sweep.outside_ratio": "at most 0.2",
    "single.ratio_to_bare": "at most 3",
    "scale.20r.build_to_solve": "at most 1.5",
    "scale.20r.memory_gb": "at most 1",
    "parallel.speedup_2": "at least 1.6",
}


def parts(short: bool) -> dict[str, Callable[[], Figures]]:
    """Return the parts by name, in the order in which they run."""
    return {
        **{
            f"sweep.{name}": partial(sweeps.measure, [name], short)
            for name in ("i", "ii", "iii")
        },
        "single": partial(whole.single, REPEATS),
        "parallel": partial(whole.parallel, REPEATS, short),
        **{f"scale.{size}": partial(scale.measure, [size]) for size in scale.SIZES},
    }


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
    asked = args.only or list(known)
    chosen = [
        name
        for name in known
        if any(name == one or name.startswith(f"{one}.") for one in asked)
    ]
    unknown = [
        one
        for one in asked
        if not any(n == one or n.startswith(f"{one}.") for n in known)
    ]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; parts: {', '.join(known)}")
    found: Figures = {}
    for name in chosen:
        tell(f"== {name}")
        before = machine()
        figures = parts(args.short)[name]()
        if "sweep.outside_ratio" in found and "sweep.outside_ratio" in figures:
            figures["sweep.outside_ratio"] = max(
                found["sweep.outside_ratio"], figures["sweep.outside_ratio"]
            )
        found |= figures
        found[f"machine.{name}"] = {**before, "load_after": machine()["load"]}
        if (
            args.out
        ):  # after each part, so that a run that is stopped leaves what it has
            args.out.write_text(json.dumps(found, indent=2) + "\n")
    print(table(found))


def table(found: Figures) -> str:
    """Return the figures as text, with the goals beside those that have one."""
    rows = [
        (key, _told(value), GOALS.get(key, ""))
        for key, value in found.items()
        if not isinstance(value, dict)
    ]
    wide = [max(len(row[k]) for row in rows) for k in range(2)]
    return "\n".join(
        f"{key:<{wide[0]}}  {value:>{wide[1]}}  {goal}".rstrip()
        for key, value, goal in rows
    )


def _told(value: Any) -> str:
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else (
            f"{value:,.0f}"
            if isinstance(value, float)
            else f"{value:,}"
            if type(value) is int
            else str(value)
        )
    )


if __name__ == "__main__":
    main()
