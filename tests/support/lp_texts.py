"""Compare the LP text of shipped cases with golden digests.

    python tests/support/lp_texts.py [CASE ...] [--update]

`golden/lp_texts.csv` holds the SHA-256 of the text written by ``chipmodel export CASE
--world WORLD --format lp`` for every shipped case in the central world, and for current
law in every other world. Without names all are compared, which takes some minutes.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import chipmodel as cm
from chipmodel.analysis.run import program_of
from chipmodel.cases.case import list_cases
from chipmodel.solver.export import export

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "lp_texts.csv"


def golden_digests() -> dict[tuple[str, str], str]:
    """Return the golden digest of each case and world."""
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return {
            (row["case"], row["world"]): row["sha256"] for row in csv.DictReader(file)
        }


def digest_of(data: cm.Dataset, case: str, world: str) -> str:
    """Return the SHA-256 of the LP text of a case in a world."""
    program = program_of(data, cm.load_case(case, data), cm.load_world(world, data))
    with TemporaryDirectory() as folder:
        path = export(program, Path(folder) / "model.lp", "lp")
        return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str]) -> int:
    """Compare or update digests; the exit code is 1 if one differs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("cases", nargs="*", metavar="CASE")
    options.add_argument("--update", action="store_true", help="rewrite the digests")
    asked = options.parse_args(arguments)
    data = cm.load_dataset()
    golden = golden_digests()
    if asked.update:
        new = [(case, "central") for case in list_cases(data)]
        golden = dict.fromkeys(sorted({*golden, *new}), "") | golden
    differing = 0
    for (case, world), digest in golden.items():
        if asked.cases and case not in asked.cases:
            continue
        now = digest_of(data, case, world)
        differing += now != digest
        verdict = "same" if now == digest else "differs"
        sys.stdout.write(f"{verdict}: {case} in {world}\n")
        sys.stdout.flush()
        golden[case, world] = now
    if asked.update:
        rows = [
            f"{case},{world},{digest}\n" for (case, world), digest in golden.items()
        ]
        GOLDEN.write_text("case,world,sha256\n" + "".join(rows), encoding="utf-8")
        return 0
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
