"""Progress of long work: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TextIO

from chipmodel.common.interrupt import check

BAR = 24
"""Characters of the bar."""


@dataclass(frozen=True)
class Step:
    """One step of long work is done.

    Attributes
    ----------
    done, total : int
        Steps done, and steps in all.
    what : str
        The step just done; empty at the start.
    seconds_left : float or None
        As the steps so far suggest; none before the first.
    """

    done: int
    total: int
    what: str
    seconds_left: float | None


OnProgress = Callable[[Step], None]


@dataclass
class Clock:
    """Counts steps and reports how long the rest may take."""

    total: int
    on_progress: OnProgress | None
    done: int = 0
    start: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """Report that work begins."""
        check()
        if self.on_progress:
            self.on_progress(Step(0, self.total, "", None))

    def step(self, what: str, count: int = 1) -> None:
        """Count some steps and report them.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C came and something swallowed it.
        """
        check()
        self.done += count
        if self.on_progress:
            seconds_a_step = (time.monotonic() - self.start) / self.done
            seconds_left = seconds_a_step * (self.total - self.done)
            self.on_progress(Step(self.done, self.total, what, seconds_left))


class Progress:
    r"""Shows steps on a stream: a bar that redraws itself on a terminal, else lines.

    >>> import io
    >>> stream = io.StringIO()
    >>> with Progress(stream) as show:
    ...     show(Step(1, 4, "current_law in central", 61.0))
    >>> stream.getvalue()
    'done 1 of 4, about 2 min left: current_law in central\n'
    """

    def __init__(self, stream: TextIO, width: int = 100) -> None:
        self.stream = stream
        self.width = width
        self.terminal = bool(getattr(stream, "isatty", lambda: False)())
        self._open = False

    def __call__(self, step: Step) -> None:
        """Show a step."""
        line = f"done {step.done} of {step.total}"
        if step.seconds_left is not None and step.done < step.total:
            line += f", about {_duration(step.seconds_left)} left"
        if step.what:
            line += f": {step.what}"
        if self.terminal:
            full = BAR * step.done // step.total if step.total else BAR
            text = f"[{'#' * full}{'.' * (BAR - full)}] {line}"
            # Spaces remove what a longer line before it has left.
            self._write("\r" + text[: self.width].ljust(self.width))
            self._open = True
        elif step.what:
            self._write(line + "\n")

    def close(self) -> None:
        """End the line of the bar."""
        if self._open:
            self._write("\n")
            self._open = False

    def _write(self, text: str) -> None:
        # A terminal that is gone must not end the work.
        with suppress(OSError, ValueError):
            self.stream.write(text)
            self.stream.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    if seconds < 5400:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
