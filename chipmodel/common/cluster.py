"""Studies on a cluster: tasks spread over the workers of a Dask scheduler.

Dask brings the queue, the transfer of data and the repetition of what a lost worker
had; this module sends what is shared to every worker once, refuses workers whose code
would give other numbers, and reports what goes wrong.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, ClassVar

from chipmodel.common.errors import ChipmodelError, InputError, WorkerLost
from chipmodel.common.fingerprint import SOLVES, code_digest
from chipmodel.common.workers import Work

PATIENCE = 8.0
"""Seconds to wait for a scheduler and for its first worker."""

RETRIES = 2
"""Times a failed task is repeated, and times all is sent again to new workers."""

EXTRA = "install it with `pip install 'chipmodel[cluster]'`"

SAME = "install the same chipmodel and packages on every worker as here"


class Cluster:
    """The workers of a Dask scheduler, as the pool that a study is solved in.

    Parameters
    ----------
    client : distributed.Client
        Connected to the scheduler; it stays open.

    Examples
    --------
    >>> from distributed import Client  # doctest: +SKIP
    >>> with Client("tls://head:8786", security=...) as client:  # doctest: +SKIP
    ...     run_study("headline", data, pool=Cluster(client))
    """

    writes_here: ClassVar[bool] = False

    def __init__(self, client: Any) -> None:
        self._client = client
        self._address = str(client.scheduler.address)
        self._stamp = stamp()

    def each(
        self, work: Work, shared: Any, tasks: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do every task.

        Raises
        ------
        InputError
            If there is no worker, or one whose chipmodel is not the one here.
        WorkerLost
            If all workers are lost again and again, or the scheduler is.
        """
        if not tasks:
            return
        self._check_workers()
        remaining = dict(enumerate(tasks))
        for _ in range(RETRIES + 1):
            for index, result in self._attempt(work, shared, dict(remaining)):
                del remaining[index]
                yield index, result
            if not remaining:
                return
            self._check_workers()
        raise WorkerLost(
            f"workers of {self._address} were lost {RETRIES + 1} times with what they"
            " were sent"
        )

    def _attempt(
        self, work: Work, shared: Any, tasks: dict[int, Any]
    ) -> Iterator[tuple[int, Any]]:
        """Do tasks until all are done or what they share is lost."""
        # Here and below: Dask is an optional extra.
        from distributed import CancelledError, KilledWorker, as_completed

        # Data that was sent cannot be computed again by Dask: when every worker that
        # had it is lost, the tasks are cancelled and the caller sends all of it again.
        try:
            sent = self._client.scatter(shared, broadcast=True, hash=False)
            indices = {}
            for index, task in tasks.items():
                future = self._client.submit(
                    _do, work, sent, self._stamp, task, pure=False, retries=RETRIES
                )
                indices[future] = index
            for future in as_completed(list(indices), loop=self._client.loop):
                result = future.result()
                if isinstance(result, ChipmodelError):
                    raise result
                yield indices[future], result
                future.release()
        except CancelledError:
            if self._client.status != "running":
                raise self._no_scheduler() from None
        except KilledWorker:
            raise WorkerLost(
                f"a part of the study ended {self._allowed()} workers of"
                f" {self._address} (killed, or out of memory)"
            ) from None
        except (OSError, TimeoutError):
            raise self._no_scheduler() from None

    def _check_workers(self) -> None:
        """Wait for a worker and refuse those that would give other numbers."""
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
            stamps = self._client.run(stamp, on_error="return")
        except TimeoutError:
            raise InputError.one(
                self._address,
                "scheduler",
                "has no workers",
                f"start some with `dask worker {self._address}`",
            ) from None
        except OSError:
            raise self._no_scheduler() from None
        for worker, answer in sorted(stamps.items()):
            if isinstance(answer, OSError):
                continue  # it was just lost; Dask gives its tasks to others
            if isinstance(answer, BaseException):
                what = f"cannot run chipmodel ({answer})"
                raise InputError.one(worker, "worker", what, SAME)
            if answer != self._stamp:
                raise _unlike(worker, answer, self._stamp)

    def _no_scheduler(self) -> WorkerLost:
        return WorkerLost(f"the scheduler at {self._address} does not answer any more")

    def _allowed(self) -> int:
        import dask

        return int(dask.config.get("distributed.scheduler.allowed-failures")) + 1


@cache
def stamp() -> dict[str, str]:
    """Return what the numbers of a process depend on: versions and source."""
    versions = {name: version(name) for name in SOLVES}
    return {**versions, "source": code_digest()}


def _unlike(worker: str, theirs: dict[str, str], ours: dict[str, str]) -> InputError:
    differences = []
    for name in ours:
        if theirs.get(name) == ours[name]:
            continue
        if name == "source":
            differences.append("changed source of chipmodel")
        else:
            differences.append(f"{name} {theirs.get(name)} instead of {ours[name]}")
    return InputError.one(worker, "worker", f"has {', '.join(differences)}", SAME)


# Pyomo writes one linear program at a time in a process, and a Dask worker has threads.
_one_at_a_time = threading.Lock()


def _do(work: Work, shared: Any, expected: dict[str, str], task: Any) -> Any:
    """Do a task on a worker.

    An error of the study is returned and not raised: Dask would repeat the task in
    vain.
    """
    if stamp() != expected:  # a worker that came later
        return _unlike("a worker", stamp(), expected)
    with _one_at_a_time:
        try:
            return work(shared, task)
        except ChipmodelError as error:
            return error


def connect(
    address: str,
    *,
    insecure: bool = False,
    ca: str | None = None,
    cert: str | None = None,
    key: str | None = None,
) -> Any:
    """Connect to a Dask scheduler.

    Parameters
    ----------
    address : str
        ``tls://host:port``; ``tcp://`` only if `insecure`.
    insecure : bool
        Accept that anyone with access to the network can run code on the workers.
    ca, cert, key : str, optional
        Files of certificate authority, certificate and key, instead of those in Dask's
        configuration.

    Returns
    -------
    distributed.Client

    Raises
    ------
    InputError
        If it cannot be reached, or not safely.
    """
    try:
        from distributed import Client
    except ImportError:
        what = "Dask is not installed"
        raise InputError.one("command line", "--scheduler", what, EXTRA) from None
    place = f"--scheduler {address}"
    scheme, _, host = address.rpartition("://")
    if scheme not in ("tls", "tcp", "") or not host:
        raise InputError.one(
            "command line",
            place,
            "is not an address of a scheduler",
            "write tls://HOST:PORT",
        )
    if scheme != "tls" and not insecure:
        raise InputError.one(
            "command line",
            place,
            "is not encrypted: anyone who can reach it can run code there",
            "use tls://, or accept it with --insecure",
        )
    security, arguments = _security(address, scheme == "tls", ca, cert, key)
    # Before a client is made: one that fails to connect delays the end of the process.
    reason = asyncio.run(_unreachable(address, arguments))
    if reason:
        raise InputError.one(
            "command line",
            place,
            f"cannot be reached ({reason})",
            "check that the scheduler runs and that address and certificates are right",
        )
    return Client(address, security=security, timeout=PATIENCE, set_as_default=False)


def _security(
    address: str, encrypted: bool, ca: str | None, cert: str | None, key: str | None
) -> tuple[Any, dict[str, Any]]:
    """Return Dask's settings for a connection, and the arguments made from them.

    Files that are not given are those of Dask's configuration.
    """
    from distributed.security import Security

    files = {"tls_ca_file": ca, "tls_client_cert": cert, "tls_client_key": key}
    given = {name: file for name, file in files.items() if file}
    try:
        security = Security(**given, require_encryption=encrypted)
        arguments = security.get_connection_args("client")
    except OSError as error:  # SSL's errors are among them
        what = f"cannot be used ({error.strerror or error})"
        fix = "name files in PEM format"
        raise InputError.one("command line", "certificates", what, fix) from None
    if encrypted and arguments.get("ssl_context") is None:
        raise InputError.one(
            "command line",
            f"--scheduler {address}",
            "needs certificates",
            "give --tls-ca, --tls-cert and --tls-key, or set distributed.comm.tls of"
            " Dask",
        )
    return security, arguments


async def _unreachable(address: str, arguments: dict[str, Any]) -> str:
    """Return why there is no scheduler at an address; ``""`` if there is one."""
    from distributed.core import rpc

    try:
        async with rpc(
            address, timeout=PATIENCE, connection_args=arguments
        ) as scheduler:
            identity = await asyncio.wait_for(scheduler.identity(), PATIENCE)
    except TimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except Exception as error:  # another service may answer with anything
        message = str(error).strip() or type(error).__name__
        return message.splitlines()[0]
    kind = identity.get("type", "") if isinstance(identity, dict) else ""
    if kind == "Scheduler":
        return ""
    service = f"a {kind.lower()}" if kind else "another service"
    return f"{service} answers there, not a scheduler"
