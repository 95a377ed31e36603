"""Where work that can be shared is done: in this process, in several, or on a cluster.

Every place offers the same: a function, what all calls share, and a list of tasks;
results come back with the place of their task, in the order in which they are done.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children
from typing import Any, ClassVar, Protocol

from chipmodel.common.errors import WorkerLost

Work = Callable[[Any, Any], Any]
"""A function of what is shared and of a task; named in a module, so that another process finds it."""


class Pool(Protocol):
    """A place where tasks are done.

    Attributes
    ----------
    writes_here : bool
        Whether what a task writes lands on the disk of this machine.
    """

    writes_here: ClassVar[bool]

    def each(
        self, work: Work, shared: Any, tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do every task and return (place of the task, result) as they are done."""


class Here:
    """The process itself, one task after the other."""

    writes_here: ClassVar[bool] = True

    def each(
        self, work: Work, shared: Any, tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do every task."""
        for k, task in enumerate(tasks):
            yield k, work(shared, task)


@dataclass(frozen=True)
class Processes:
    """Processes of this machine."""

    writes_here: ClassVar[bool] = True
    jobs: int

    def each(
        self, work: Work, shared: Any, tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do every task.

        Raises
        ------
        WorkerLost
            If a process ends before its task.
        """
        if not tasks:
            return
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(
            min(self.jobs, len(tasks)), context, _open, (shared,)
        )
        with pool, _ended_on_interrupt():
            try:
                with _deaf_children():
                    futures = {
                        pool.submit(_do, work, task): k for k, task in enumerate(tasks)
                    }
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BrokenProcessPool:
                raise WorkerLost from None
            except BaseException as error:
                pool.shutdown(
                    wait=not isinstance(error, KeyboardInterrupt | GeneratorExit),
                    cancel_futures=True,
                )
                raise


def pool_of(jobs: int) -> Pool:
    """Return a place for as many processes as asked for."""
    return Here() if jobs == 1 else Processes(jobs)


_shared: list[Any] = []


def _open(shared: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
def _deaf_children() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C even while they still import; this one hears it afterwards.

    Blocking the signal is what the processes inherit. It is not enough here: a thread
    of a library may take it, and the interrupt would come while a process is half
    started and known to nobody who could end it.
    """
    ours = (
        hasattr(signal, "pthread_sigmask")
        and threading.current_thread() is threading.main_thread()
    )
    if not ours or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler or signal.SIG_DFL)
        if came:
            raise KeyboardInterrupt


@contextmanager
def _ended_on_interrupt() -> Iterator[None]:
    """End the processes started inside when this one is interrupted; what they were at is lost anyway."""
    others = set(active_children())
    try:
        yield
    except KeyboardInterrupt:
        for child in set(active_children()) - others:
            child.terminate()
        raise
