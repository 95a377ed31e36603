"""What the parts of the benchmark share: clocks, the machine, medians."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGES = ("chipmodel", "pyomo", "highspy", "numpy", "pandas")

Figures = dict[str, Any]
"""Results by name, as they go into the JSON file."""


@dataclass
class Spent:
    """Seconds by the clock on the wall and of this process's own processor time."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def clock(spent: Spent | None = None) -> Iterator[Spent]:
    """Add the seconds a block takes.

    Processor time of the process is what other work on the machine disturbs least.
    """
    if spent is None:
        spent = Spent()
    wall = time.perf_counter()
    cpu = time.process_time()
    try:
        yield spent
    finally:
        spent.wall += time.perf_counter() - wall
        spent.cpu += time.process_time() - cpu


def peak_gb() -> float:
    """Return the peak memory of this process so far, GB."""
    return _gb(resource.getrusage(resource.RUSAGE_SELF))


def _gb(usage: resource.struct_rusage) -> float:
    # Linux counts the resident set in KiB.
    return usage.ru_maxrss * 1024 / 1e9


@dataclass(frozen=True)
class Ran:
    """What a process took: seconds on the wall and of the processor, peak GB."""

    wall: float
    cpu: float
    gb: float


def process(
    command: Sequence[str],
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> Ran:
    """Run a process to its end and return what it took, by the system's own account.

    Raises
    ------
    RuntimeError
        If it fails, with the end of its output.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=cwd, env=env
        )
        # Not Popen.wait: only wait4 reports the usage of this one process rather than
        # of all children that have ended.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(map(str, command))}: {text[-2000:]}")
    wall = time.perf_counter() - start
    return Ran(wall, usage.ru_utime + usage.ru_stime, _gb(usage))


def machine() -> Figures:
    """Return what the figures were taken on, and how busy it was."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": [round(x, 1) for x in os.getloadavg()],
        "versions": {name: version(name) for name in PACKAGES},
    }


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def report(line: str) -> None:
    """Report progress; standard output is left to the table."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _processor() -> str:
    """Return the name of the processor as Linux reports it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()
