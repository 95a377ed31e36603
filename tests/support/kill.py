"""Kill a command at counted events, run it again, and compare every byte.

An event is a file half written, a rename about to happen or just done, or a step of
progress. A command that runs undisturbed records its events; a later run kills itself
with SIGKILL when it reaches the event it was given. So every kill finds the command at
work, however busy the machine is. Needs Linux (``/proc``).

By hand, on the shipped data::

    python tests/support/kill.py --kills 20 study headline
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chipmodel.cli.main import main
from chipmodel.common.progress import Clock
from chipmodel.report import build

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
"""Keys of a result's manifest that depend on the time of the run."""


@dataclass(frozen=True)
class Moment:
    """The event at which a command is killed: the `count`-th that matches a pattern."""

    pattern: str
    count: int = 1


class Events:
    """Counts the events of this process and kills it at a moment.

    Names of events are those of files below `out`, with the suffix of a temporary name
    removed, so that two runs give the same names:

    - ``half NAME``: half of a file is on the disk under its temporary name;
    - ``before rename to NAME`` and ``after rename to NAME``;
    - ``step WHAT``: some work is done and nothing of it is written yet.

    Parameters
    ----------
    out : Path
        Folder of the command's results.
    record : Path
        File to which the name of each event is appended; outside `out`.
    moment : Moment, optional
        When to die; never without one.
    """

    def __init__(self, out: Path, record: Path, moment: Moment | None) -> None:
        self._out = out.resolve()
        self._record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._moment = moment
        self._matched = 0

    def install(self) -> None:
        """Wrap the functions of this process by which files get their names."""
        os.fsync = self._at_sync(os.fsync)
        os.rename = self._at_rename(os.rename)
        os.replace = self._at_rename(os.replace)
        step = Clock.step

        def counted_step(clock: Clock, what: str, count: int = 1) -> None:
            self._happened(f"step {what}")
            step(clock, what, count)

        Clock.step = counted_step

    def _happened(self, name: str, before: Callable[[], Any] = lambda: None) -> None:
        """Record an event; at the moment given, call `before` and die."""
        os.write(self._record, f"{name}\n".encode())
        if self._moment is None or not fnmatchcase(name, self._moment.pattern):
            return
        self._matched += 1
        if self._matched == self._moment.count:
            before()
            os.kill(os.getpid(), signal.SIGKILL)

    def _at_sync(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def counted(handle: int) -> None:
            about = os.fstat(handle)
            name = self._name(Path(f"/proc/self/fd/{handle}").readlink())
            if name is not None and stat.S_ISREG(about.st_mode):
                # What a crash in the middle of the write would have left.
                half = about.st_size // 2
                self._happened(f"half {name}", lambda: os.ftruncate(handle, half))
            sync(handle)

        return counted

    def _at_rename(self, rename: Callable[..., None]) -> Callable[..., None]:
        def counted(source: Any, target: Any, **options: Any) -> None:
            name = self._name(target)
            if name is not None:
                self._happened(f"before rename to {name}")
            rename(source, target, **options)
            if name is not None:
                self._happened(f"after rename to {name}")

        return counted

    def _name(self, path: Any) -> str | None:
        """Return the name of a file below `out`, the same in every run.

        None for a file that is not below it.
        """
        full = Path(path).parent.resolve() / Path(path).name
        if not full.is_relative_to(self._out):
            return None
        parts = []
        for part in full.relative_to(self._out).parts:
            hidden = part.startswith(".")
            parts.append(part.rpartition(".")[0] if hidden else part)
        return "/".join(parts)


def named(folder: Path) -> dict[str, bytes]:
    """Return every file that has its final name; unfinished ones have a hidden name.

    Manifests are returned without what depends on the time of the run.
    """
    content = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            raw = path.read_bytes()
            if path.name == "manifest.json":
                manifest = json.loads(raw)
                lasting = {k: v for k, v in manifest.items() if k not in CLOCK}
                raw = json.dumps(lasting, sort_keys=True).encode()
            content[str(name)] = raw
    return content


def hidden(folder: Path) -> list[Path]:
    """Return what killed processes left of files they were writing."""
    return list(folder.rglob(".*"))


def messages_of(record: Path) -> Path:
    """Return the file of what a command writes to standard error."""
    return record.with_name(f"{record.name}.messages")


def command(
    arguments: Sequence[str],
    out: Path,
    record: Path,
    moment: Moment | None,
    questions: Sequence[str] | None,
) -> None:
    """Run the command line in this process; `questions` limit a report.

    Its answer goes nowhere, and its messages beside the record.
    """
    # Processes that it starts belong to its group, so that a test can look for them.
    os.setsid()
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(os.open(messages_of(record), os.O_WRONLY | os.O_CREAT), 2)
    if questions is not None:
        build.names = lambda: list(questions)
    Events(out, record, moment).install()
    sys.exit(main([*arguments, "--out", str(out)]))


@dataclass
class Killer:
    """Runs a command into folders and kills it.

    Attributes
    ----------
    arguments : sequence of str
        The command and its arguments, without ``--out``.
    questions : sequence of str, optional
        Questions of a report; all by default.
    """

    arguments: Sequence[str]
    questions: Sequence[str] | None = None

    def start(
        self,
        out: Path,
        record: Path,
        moment: Moment | None = None,
        more: Sequence[str] = (),
    ) -> multiprocessing.process.BaseProcess:
        """Start the command and return its process; `record` receives its events."""
        # A server that has imported everything forks the process: importing takes
        # longer than most commands of the tests.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        given = ([*self.arguments, *more], out, record, moment, self.questions)
        process = context.Process(target=command, args=given)
        process.start()
        return process

    def _run(
        self, out: Path, moment: Moment | None, more: Sequence[str]
    ) -> tuple[multiprocessing.process.BaseProcess, list[str], str]:
        with TemporaryDirectory() as place:
            record = Path(place) / "events"
            process = self.start(out, record, moment, more)
            process.join()
            events = record.read_text().splitlines() if record.exists() else []
            messages = messages_of(record)
            text = messages.read_text() if messages.exists() else ""
        return process, events, text

    def whole(self, out: Path, *more: str) -> list[str]:
        """Run the command undisturbed and return the names of its events."""
        process, events, messages = self._run(out, None, more)
        assert process.exitcode == 0, f"exit code {process.exitcode}: {messages}"
        return events

    def kill(self, out: Path, moment: Moment, *more: str) -> int:
        """Run the command until it kills itself and return its process id.

        Raises
        ------
        AssertionError
            If the command ended otherwise.
        """
        process, events, messages = self._run(out, moment, more)
        ended = f"ended with {process.exitcode} after {len(events)} events: {messages}"
        assert process.exitcode == -signal.SIGKILL, f"{moment}: {ended}"
        assert process.pid is not None
        return process.pid

    def trial(
        self,
        folder: Path,
        kills: int,
        every: int,
        seed: int,
        report: Callable[[str], Any] = lambda line: None,
    ) -> int:
        """Kill the command at events spread over a run; return the number of kills.

        After each kill every file that has its final name must be whole; the next start
        continues in the same folder. After `every` kills the command is run to its end,
        every byte is compared, and the folder is removed. Last, a run over finished
        results is killed while it replaces them.
        """
        events = list(dict.fromkeys(self.whole(folder / "undisturbed")))
        expected = named(folder / "undisturbed")
        assert expected
        report(f"undisturbed: {len(events)} events, {len(expected)} files")
        draw, out = random.Random(seed), folder / "killed"
        places = [int((k + draw.random()) / kills * len(events)) for k in range(kills)]
        rounds = -(-kills // every)
        for first in range(rounds):
            # In rising order: what an earlier kill let the command finish may be reused
            # by the next start, and would not happen again.
            for place in places[first::rounds]:
                self._kill_and_check(out, events[place], expected, report)
            self._finish_and_check(out, expected, report)
            shutil.rmtree(out)
        finished = folder / "undisturbed"
        again = dict.fromkeys(self.whole(finished))
        replacing = [event for event in again if event not in events]
        if replacing:
            middle = replacing[len(replacing) // 2]
            self._kill_and_check(finished, middle, expected, report)
            self._finish_and_check(finished, expected, report)
        return kills

    def _kill_and_check(
        self,
        out: Path,
        event: str,
        expected: dict[str, bytes],
        report: Callable[[str], Any],
    ) -> None:
        # An event's name may hold what is special in a pattern.
        self.kill(out, Moment(event.replace("[", "[[]")))
        content = named(out)
        wrong = [name for name, raw in content.items() if expected.get(name) != raw]
        assert not wrong, f"not whole after a kill at '{event}': {wrong}"
        report(
            f"killed at '{event}': {len(content)} files, all whole;"
            f" {len(hidden(out))} half written ones"
        )

    def _finish_and_check(
        self, out: Path, expected: dict[str, bytes], report: Callable[[str], Any]
    ) -> None:
        # Half-written files look as if left long ago: then nobody can be writing them,
        # and the next run removes them.
        for path in hidden(out):
            os.utime(path, (0, 0))
        self.whole(out)
        content = named(out)
        assert content == expected, (
            f"differs after kills and a run: {_differing(content, expected)}"
        )
        report(f"run to its end: the same {len(content)} files, byte for byte")


def _differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--every", type=int, default=1, help="kills after which it is run to its end"
    )
    parser.add_argument("--seed", type=int, default=20260630)
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        help="a command and its arguments: study headline",
    )
    given = parser.parse_args()
    if not given.command:
        parser.error("name a command")
    with TemporaryDirectory() as place:
        count = Killer(given.command).trial(
            Path(place), given.kills, given.every, given.seed, _print
        )
    _print(f"{count} kills, each while the command was at work")
