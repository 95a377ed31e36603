"""Pools that work is spread over: this process, several, or a cluster.

Each pool takes a function, what all calls share, and a list of tasks; results come back
with the index of their task, in the order in which they are done.

The processes are those of `concurrent.futures`. What is added here is that Ctrl-C ends
them at once, also while they start.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, ClassVar, Protocol

from chipmodel.common.errors import InputError, WorkerLost
from chipmodel.common.garbage import collect_rarely

Work = Callable[[Any, Any], Any]
"""A function of what is shared and of a task.

It is defined at the top of a module, so that another process can import it.
"""


class Pool(Protocol):
    """Does tasks.

    Attributes
    ----------
    writes_here : bool
        Whether what a task writes is on the disk of this machine.
    """

    writes_here: ClassVar[bool]

    def each(
        self, work: Work, shared: Any, tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do every task and yield (index of the task, result) as they are done."""


class Here:
    """The process itself, one task after the other."""

    writes_here: ClassVar[bool] = True

    def each(
        self, work: Work, shared: Any, tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do every task, in order."""
        for index, task in enumerate(tasks):
            yield index, work(shared, task)


@dataclass(frozen=True)
class Processes:
    """Processes of this machine.

    Attributes
    ----------
    jobs : int
        How many.
    """

    writes_here: ClassVar[bool] = True
    jobs: int

    def each(
        self, work: Work, shared: Any, tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do every task.

        Raises
        ------
        InputError
            If the script that runs was read from standard input.
        WorkerLost
            If a process ends before its task.
        """
        if not tasks:
            return
        _refuse_standard_input()
        _end_if_starting()
        # A forked process would inherit threads of the solver in an unknown state.
        context = multiprocessing.get_context("spawn")
        jobs = min(self.jobs, len(tasks))
        started = context.Event()
        pool = ProcessPoolExecutor(jobs, context, _start_worker, (shared, started))
        with pool, _ended_on_interrupt():
            try:
                indices = {}
                with _children_ignore_interrupts():
                    for index, task in enumerate(tasks):
                        indices[pool.submit(_do, work, task)] = index
                for future in as_completed(indices):
                    yield indices[future], future.result()
            except BrokenProcessPool:
                if not started.is_set() and _is_script():
                    raise WorkerLost(AT_START, BELOW_MAIN) from None
                raise WorkerLost from None
            except BaseException as error:
                is_stopped = isinstance(error, KeyboardInterrupt | GeneratorExit)
                pool.shutdown(wait=not is_stopped, cancel_futures=True)
                raise


AT_START = "the processes for the study ended while they imported the script"

BELOW_MAIN = (
    'put the call that uses them below `if __name__ == "__main__":` in the script; if'
    " it is there, there may be too little memory"
)


def _main_file() -> str | None:
    """Return the path of the script that runs, which every new process imports.

    None for a module run with ``-m``, and for an interactive session.
    """
    main = sys.modules.get("__main__")
    if getattr(main, "__spec__", None) is not None:
        return None
    return getattr(main, "__file__", None)


def _is_script() -> bool:
    return _main_file() is not None


def _refuse_standard_input() -> None:
    """Refuse to start processes for a script that they could not import.

    Raises
    ------
    InputError
        If the script was read from standard input.
    """
    file = _main_file()
    if file is not None and not Path(file).exists():
        raise InputError.one(
            file,
            "jobs",
            "more than one process cannot be used: each imports the script, which is no"
            " file",
            "save it as a file, or use one process (jobs = 1)",
        )


def _end_if_starting() -> None:
    """End a process that imports a script which starts processes as it is imported.

    The process that started this one reports it, once for all.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)


def pool_of(jobs: int) -> Pool:
    """Return a pool of `jobs` processes; for one job, this process itself."""
    return Here() if jobs == 1 else Processes(jobs)


# In a worker: what its tasks share, sent once.
_shared: list[Any] = []


def _start_worker(shared: Any, started: Event) -> None:
    started.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_rarely()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _shared.append(shared)


def _end_with_parent() -> None:
    """End this process when the one that started it has ended.

    One that was killed cannot end its processes, and they would wait for tasks forever:
    each of them holds both ends of the queue.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(work: Work, task: Any) -> Any:
    return work(_shared[-1], task)


@contextmanager
def _children_ignore_interrupts() -> Iterator[None]:
    """Start processes that ignore Ctrl-C even while they still import.

    This process receives it after the block. Blocking the signal is what the processes
    inherit. It is not enough here: a thread of a library may take it, and the interrupt
    would come while a process is half started and unknown to the pool that could end
    it.
    """
    can_block = hasattr(signal, "pthread_sigmask")
    is_main = threading.current_thread() is threading.main_thread()
    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not can_block or not is_main or is_ignored:
        yield
        return
    interrupts: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler or signal.SIG_DFL)
        if interrupts:
            raise KeyboardInterrupt


@contextmanager
def _ended_on_interrupt() -> Iterator[None]:
    """End the processes started in the block when this one is interrupted.

    Their tasks are lost anyway.
    """
    others = set(active_children())
    try:
        yield
    except KeyboardInterrupt:
        for child in set(active_children()) - others:
            child.terminate()
        raise
