"""Corrupt the files of a data package, one at a time, and judge what comes of it.

``python tests/support/mutate.py --n 2000`` makes 2,000 seeded mutations: most in a copy
of the two-region package, which is read, checked, solved and tabulated; one in eight in
a copy of the shipped package, which is read and checked with its parameters built for
every world; some through the command in a separate process. Every mutation must end as
one of:

refused
    Exit code 2, and every problem names a file, a place, what is wrong and a fix. The
    file is the corrupted one, or one that depends on it (`BELOW`): a case that names a
    region which was dropped, a study of a case that cannot be read.
harmless
    The file has the same content (by `mutations.meaning`, which reads it independently
    of chipmodel), the record of what was read is the same, and so is every byte of the
    tables.
legitimate
    The file has other content of the right kind and within its limits, and the record
    of what was read, which every manifest holds, differs from before. Where the sign of
    the effect is known, the objective moves that way. If the model has no optimum
    then, that is reported with exit code 1.

Anything else is a fault: a traceback, a problem without place or fix, something that
has other content and is read as the same, or a change that is not reported.

A row nobody needs (an announced project, an incentive, an instrument of a case) can be
dropped without harm to any rule: no check can know that it was there. It is judged
legitimate only if the digest of the package changes and ``chipmodel check`` names the
table as not the one its descriptor records.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import mutations_csv  # noqa: F401 (registers its mutations)
import mutations_toml  # noqa: F401
from mutate_package import Package, put, record, shipped, two_regions
from mutations import MUTATIONS, File, Made, Mutation, meaning

import chipmodel as cm
from chipmodel.cli.main import main as command
from chipmodel.common.errors import CertificateError
from chipmodel.dataset import descriptor
from chipmodel.dataset.rows import TABLES

REFUSED, HARMLESS, LEGITIMATE, FAULT = "refused", "harmless", "legitimate", "fault"

BELOW = {
    # Tables refer to each other; all other files refer to tables.
    "csv": ("csv", "case", "world", "study"),
    # Cases have baselines; studies name cases.
    "case": ("case", "study"),
    # Years of a world may lie beyond what a table or an instrument covers.
    "world": ("study", "case", "csv"),
    # A case may not accept a point of a grid.
    "study": ("points", "case"),
    "points": ("study", "case"),
    "json": (),
}
"""For each kind of corrupted file, the kinds that depend on it.

A refusal may name a file of these instead.
"""


# -- judging


@dataclass(frozen=True)
class Verdict:
    outcome: str
    how: str = ""


class Fault(Exception):
    """What must not be."""


def check(root: Path) -> tuple[int, list[dict[str, str]], list[str]]:
    """Run ``chipmodel check`` in this process.

    Returns its exit code, its problems, and the tables reported as edited.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command(["--json", "check", str(root)])
    answer = json.loads(out.getvalue())
    if "Traceback" in err.getvalue() or (code == 0 and err.getvalue()):
        raise Fault(err.getvalue())
    return code, answer.get("error", []), answer.get("edited", [])


def kind_of(name: str, root: Path) -> str:
    """Return the kind of file that a problem names."""
    stem = name.removesuffix(".toml").removesuffix(".csv")
    kinds = {"case": "cases", "world": "worlds", "study": "studies"}
    if stem in TABLES:
        return "csv"
    for kind, folder in kinds.items():
        if (root / folder / f"{stem}.toml").is_file():
            return kind
    return "json" if name == descriptor.FILE else ""


def refusal(
    problems: list[dict[str, str]], file: File, root: Path, mentions: str
) -> Verdict:
    """Judge a refusal.

    Each problem must be complete, and name the corrupted file or one that depends on
    it.
    """
    if not problems:
        raise Fault("exit code 2 without a problem")
    for problem in problems:
        if not all(
            problem.get(k, "").strip() for k in ("file", "place", "what", "fix")
        ):
            raise Fault(f"a problem is not whole: {problem}")
        if problem["file"] not in (file.path.name, file.path.stem):
            other = kind_of(re.split(r"[+\[]", problem["file"])[0], root)
            if other not in BELOW[file.kind]:
                raise Fault(f"names {problem['file']} instead: {problem}")
    text = " ".join(" ".join(p.values()) for p in problems)
    if mentions and mentions not in text:
        raise Fault(f"does not mention '{mentions}': {text[:300]}")
    direct = any(p["file"] in (file.path.name, file.path.stem) for p in problems)
    return Verdict(
        REFUSED,
        (
            "in the file itself"
            if direct
            else f"in a file that depends on it ({file.kind})"
        ),
    )


def judge(
    made: Made, file: File, home: Package, job: tuple[str, ...] | None, expects: str
) -> Verdict:
    """Judge what comes of a mutation, with the corrupted file in its place."""
    code, problems, edited = check(home.root)
    if code == 2:
        verdict = refusal(problems, file, home.root, made.mentions)
        if expects in (HARMLESS, LEGITIMATE):
            raise Fault(f"is {expects} but was refused: {problems[0]}")
        return verdict
    if code != 0:
        raise Fault(f"exit code {code}")
    if expects == REFUSED:
        raise Fault("was accepted")
    assert isinstance(made.content, bytes)
    content = meaning(file, made.content)
    same = content is not None and content == meaning(file, file.raw)
    return accepted(home, job, made, file, expects, same or expects == HARMLESS, edited)


def accepted(
    home: Package,
    job: tuple[str, ...] | None,
    made: Made,
    file: File,
    expects: str,
    same: bool,
    edited: list[str],
) -> Verdict:
    """Judge a mutation that was read."""
    now = record(home.root)
    quiet = {k: v for k, v in now.items() if k != "edited"} == {
        k: v for k, v in home.recorded.items() if k != "edited"
    }
    if file.kind == "json":
        quiet = now == home.recorded
    if same != quiet:
        raise Fault(
            "has the same content and is read as another"
            if same
            else "has other content and is read as the same"
        )
    if file.kind == "csv" and file.path.name not in edited and made.content != file.raw:
        raise Fault("check does not report that the table was edited")
    if same:
        if expects == LEGITIMATE:
            raise Fault("changes nothing")
        if job is not None and home.give(*job)[0] != home.given[job][0]:
            raise Fault("the tables differ")
        return Verdict(HARMLESS)
    return Verdict(LEGITIMATE, moved(home, job, made))


def moved(home: Package, job: tuple[str, ...] | None, made: Made) -> str:
    """Solve under a legitimate change and return what it did."""
    if job is None:
        return "not solved"
    try:
        tables, objective = home.give(*job)
    except cm.NoOptimum:
        return "no optimum, exit code 1"
    except CertificateError as error:
        raise Fault(f"certificate: {error}") from None
    except cm.InputError as error:
        # Cases are checked in the central world; another may lack years of theirs.
        if job[-1] == "central":
            raise Fault(
                f"passes the check and is refused when solved: {error}"
            ) from None
        return f"refused when solved: {error.problems[0].place}"
    before, was = home.given[job]
    if made.moves and made.moves * (objective - was) < -1e-7 * max(1.0, abs(was)):
        raise Fault(f"the objective moves the wrong way: {was:.9g} to {objective:.9g}")
    return "same tables" if tables == before else "other tables"


def through_the_command(root: Path, code: int) -> None:
    """Call the command in a separate process and compare its exit code with `code`."""
    done = subprocess.run(
        [sys.executable, "-m", "chipmodel", "check", str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stderr.splitlines()
    if done.returncode != code or any(not line.startswith("error: ") for line in lines):
        raise Fault(f"the command ends with {done.returncode}, {lines[:3]}")


# -- the run


@dataclass
class Tally:
    """What came of a run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    hows: Counter[str] = field(default_factory=Counter)
    by_mutation: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    commands: int = 0
    shipped: int = 0

    def text(self) -> str:
        """Return the tally as text."""
        lines = [
            f"{sum(self.outcomes.values())} mutations of {len(self.by_mutation)} kinds,"
            f" {self.shipped} in the shipped package, {self.commands} through the"
            " command"
        ]
        lines += [
            f"{name:>11}: {self.outcomes[name]}"
            for name in (REFUSED, HARMLESS, LEGITIMATE, FAULT)
        ]
        lines += [
            f"{count:>11}  {how}" for how, count in sorted(self.hows.items()) if how
        ]
        return "\n".join([*lines, *self.faults])


def corrupt(rng: Random, home: Package, wanted: Mutation) -> tuple[File, Made] | None:
    """Apply a mutation to some file of a package; none if it fits no file tried."""
    kind = rng.choice(
        [k for k in wanted.kinds if any(f.kind == k for f in home.files)] or [""]
    )
    fitting = [f for f in home.files if f.kind == kind]
    for file in rng.sample(fitting, len(fitting)):
        made = wanted.change(rng, file)
        if made is not None and made.content != file.raw:
            return file, made
    return None


def one(
    seed: int, home: Package, wanted: Mutation, command: bool
) -> tuple[Verdict, str] | None:
    """Make one mutation and judge it."""
    rng = Random(seed)
    corrupted = corrupt(rng, home, wanted)
    if corrupted is None:
        return None
    file, made = corrupted
    name = (
        f"{wanted.name} [{file.path.relative_to(home.root)}] {made.label} (--only"
        f" {seed})"
    )
    job = home.job(rng, file)
    if job is not None:
        home.intact(*job)
    try:
        with put(file, made.content):
            verdict = judge(made, file, home, job, made.expects or wanted.expects)
            if command and made.content != "file that vanishes":
                through_the_command(home.root, 2 if verdict.outcome == REFUSED else 0)
    except Fault as fault:
        return Verdict(FAULT), f"{name}: {fault}"
    except Exception:
        return Verdict(FAULT), f"{name}: {traceback.format_exc()}"
    return verdict, name


def mutate(
    n: int, seed: int, folder: Path, commands: int = 0, only: int | None = None
) -> Tally:
    """Make `n` mutations, taking every kind in turn, and return what came of them."""
    small = Package(two_regions(folder / "two"), True)
    large = Package(shipped(folder / "shipped"), False)
    tally = Tally()
    number = seed * 1_000_000
    while sum(tally.outcomes.values()) < n:
        number = number + 1 if only is None else only
        wanted = MUTATIONS[number % len(MUTATIONS)]
        home = large if number % 8 == 5 else small
        done = sum(tally.outcomes.values())
        command = commands > 0 and done % max(1, n // commands) == n // commands - 1
        found = one(number, home, wanted, command)
        if found is None:
            continue
        verdict, report = found
        tally.outcomes[verdict.outcome] += 1
        tally.hows[f"{verdict.outcome}: {verdict.how}" if verdict.how else ""] += 1
        tally.by_mutation.setdefault(wanted.name, Counter())[verdict.outcome] += 1
        tally.commands += command
        tally.shipped += home is large
        if verdict.outcome == FAULT:
            tally.faults.append(f"FAULT {report}")
        if only is not None:
            break
    return tally


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description="Corrupt the files of a data package and judge what comes of it."
    )
    parser.add_argument(
        "--n", type=int, default=200, help="how many mutations (default: 200)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="another seed, other mutations (default: 1)"
    )
    parser.add_argument(
        "--commands",
        type=int,
        default=10,
        help="how many go through the command (default: 10)",
    )
    parser.add_argument(
        "--only", type=int, help="make one mutation again, by its number"
    )
    args = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tally = mutate(args.n, args.seed, Path(folder), args.commands, args.only)
    sys.stdout.write(f"{tally.text()}\n{time.monotonic() - start:.0f} s\n")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
