"""A command that is killed at any moment and run again must leave what an undisturbed run leaves, to the byte.

By hand, on the shipped data: ``python tests/kill.py --kills 20 study headline``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from chipmodel.cli.main import main

PRELOADED = [
    "chipmodel.cli.study_commands",
    "chipmodel.report.build",
    "chipmodel.display.figures",
    "matplotlib",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_pdf",
    "kill",
]
CLOCK = ("created_utc", "timings", "seal")
"""What a manifest of a result says of the clock."""


def named(folder: Path) -> dict[str, bytes]:
    """Return every file that has its name; what is being written has a hidden one.

    A manifest without the clock.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            raw = path.read_bytes()
            if path.name == "manifest.json":
                about = {k: v for k, v in json.loads(raw).items() if k not in CLOCK}
                raw = json.dumps(about, sort_keys=True).encode()
            found[str(name)] = raw
    return found


def hidden(folder: Path) -> list[Path]:
    """Return what killed processes left of files they were writing."""
    return [path for path in folder.rglob(".*")]


def command(arguments: Sequence[str], questions: Sequence[str] | None) -> None:
    """Run the command line in a process of its own, silent; a report may be kept to a few questions."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    if questions is not None:
        questions.names = lambda: list(questions)
    sys.exit(main(arguments))


@dataclass
class Killer:
    """Runs a command into folders and kills it.

    Attributes
    ----------
    arguments : sequence of str
        The verb and what it is given, without ``--out``.
    questions : sequence of str, optional
        Questions of a report; all by default.
    """

    arguments: Sequence[str]
    questions: Sequence[str] | None = None

    def start(self, out: Path) -> multiprocessing.process.BaseProcess:
        """Start the command from a process that has its imports done, so that most kills find it at work."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        made = context.Process(
            target=command, args=([*self.arguments, "--out", str(out)], self.questions)
        )
        made.start()
        return made

    def whole(self, out: Path) -> float:
        """Run the command undisturbed and return the seconds it took."""
        began = time.monotonic()
        made = self.start(out)
        made.join()
        assert made.exitcode == 0, f"exit code {made.exitcode}"
        return time.monotonic() - began

    def trial(
        self, folder: Path, kills: int, every: int, seed: int, say=lambda line: None
    ) -> int:
        """Kill the command at moments spread over its duration; return how many kills found it at work.

        After each kill every file that has its name must be whole; the next start goes
        on in the same folder. After `every` kills the command is run to its end, every
        byte is compared, and the folder is emptied.
        """
        self.whole(folder / "warm")  # the first start waits for imports
        seconds = self.whole(folder / "undisturbed")
        expected = named(folder / "undisturbed")
        assert expected
        say(f"undisturbed: {seconds:.1f} s, {len(expected)} files")
        draw, out, hit = random.Random(seed), folder / "killed", 0
        moments = [(k + draw.random()) / kills * seconds for k in range(kills)]
        draw.shuffle(moments)
        for count, moment in enumerate(moments, start=1):
            running = self.start(out)
            running.join(moment)
            hit += running.exitcode is None
            running.kill()
            running.join()
            there = named(out)
            spoilt = [name for name, raw in there.items() if expected.get(name) != raw]
            assert not spoilt, f"not whole after a kill at {moment:.2f} s: {spoilt}"
            say(
                f"killed at {moment:.2f} s: {len(there)} files, all whole;"
                f" {len(hidden(out))} half written ones"
            )
            if count % every == 0 or count == kills:
                for path in hidden(out):
                    os.utime(
                        path, (0, 0)
                    )  # as if killed long ago: nobody can be writing it
                self.whole(out)
                again = named(out)
                assert again == expected, (
                    f"differs after kills and a run: {_apart(again, expected)}"
                )
                say(f"run to its end: the same {len(again)} files, byte for byte")
                shutil.rmtree(out)
        return hit


def _apart(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--every", type=int, default=1, help="kills after which it is run to its end"
    )
    parser.add_argument("--seed", type=int, default=20260630)
    parser.add_argument(
        "command",
        nargs="+",
        help="a verb and what it is given, such as: study headline",
    )
    given = parser.parse_args()
    with TemporaryDirectory() as place:
        found = Killer(given.command).trial(
            Path(place),
            given.kills,
            given.every,
            given.seed,
            lambda line: sys.stdout.write(line + "\n") and sys.stdout.flush(),
        )
    sys.stdout.write(f"{found} of {given.kills} kills found it at work\n")
