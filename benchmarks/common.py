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
Figures = dict[str, Any]


@dataclass
class Spent:
    """Seconds by the clock on the wall and of this process's own processor time."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def clock(spent: Spent | None = None) -> Iterator[Spent]:
    """Add the seconds a block takes; those of the process are what other work on the machine disturbs least."""
    found = Spent() if spent is None else spent
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield found
    finally:
        found.wall += time.perf_counter() - wall
        found.cpu += time.process_time() - cpu


def peak_gb() -> float:
    """Return the peak memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


@dataclass(frozen=True)
class Ran:
    """A process that has run: seconds on the wall, of the processor, and peak memory in GB."""

    wall: float
    cpu: float
    gb: float


def process(command: Sequence[str], cwd: Path | None = None) -> Ran:
    """Run a process to its end and return what it took, by the system's own account.

    Raises
    ------
    RuntimeError
        If it fails, with what it said.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        # Not Popen.wait: wait4 is what tells of this one process rather than of all
        # that ended.
        child = subprocess.Popen(command, stdout=said, stderr=said, cwd=cwd)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise RuntimeError(
                f"{' '.join(map(str, command))}:"
                f" {said.read().decode(errors='replace')[-2000:]}"
            )
    return Ran(
        time.perf_counter() - start,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024 / 1e9,
    )


def machine() -> Figures:
    """Return what the figures were taken on, and how busy it was."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        "",
    )
    return {
        "cores": os.cpu_count(),
        "processor": model or platform.machine(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": [round(x, 1) for x in os.getloadavg()],
        "versions": {
            name: version(name)
            for name in ("chipmodel", "pyomo", "highspy", "numpy", "pandas")
        },
    }


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def tell(line: str) -> None:
    """Say how far the benchmark has come."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
