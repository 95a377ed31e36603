"""Studies on a cluster: the work of a study spread over the workers of a Dask scheduler.

Dask brings the queue, the moving of data and the doing over of what a lost worker had;
this module brings what is shared to every worker once, refuses workers whose code would
give other numbers, and tells what goes wrong.
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
"""Times a task is done again when a worker fails it, and times everything is sent anew when all workers were lost."""


EXTRA = "install it with `pip install 'chipmodel[cluster]'`"


SAME = "install the same chipmodel and packages on every worker as here"


class Cluster:
    """The workers of a Dask scheduler, as a place where a study is solved.

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
            If workers are lost again and again, or the scheduler is.
        """
        if not tasks:
            return
        self._check_workers()
        left = dict(enumerate(tasks))
        for _ in range(RETRIES + 1):
            for k, found in self._attempt(work, shared, dict(left)):
                del left[k]
                yield k, found
            if not left:
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
        from distributed import CancelledError, KilledWorker, as_completed

        # Data that was sent is not made again by Dask: when every worker that held it
        # is gone, the tasks are cancelled and the caller sends all of it anew.
        try:
            sent = self._client.scatter(shared, broadcast=True, hash=False)
            futures = {
                self._client.submit(
                    _do, work, sent, self._stamp, task, pure=False, retries=RETRIES
                ): k
                for k, task in tasks.items()
            }
            for future in as_completed(list(futures), loop=self._client.loop):
                found = future.result()
                if isinstance(found, ChipmodelError):
                    raise found
                yield futures[future], found
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
            told = self._client.run(stamp, on_error="return")
        except TimeoutError:
            raise InputError.one(
                self._address,
                "scheduler",
                "has no workers",
                f"start some with `dask worker {self._address}`",
            ) from None
        except OSError:
            raise self._no_scheduler() from None
        for worker, there in sorted(told.items()):
            if isinstance(
                there, OSError
            ):  # it has just gone; Dask gives its tasks to others
                continue
            if isinstance(there, BaseException):
                raise InputError.one(
                    worker, "worker", f"cannot run chipmodel ({there})", SAME
                )
            if there != self._stamp:
                raise _unlike(worker, there, self._stamp)

    def _no_scheduler(self) -> WorkerLost:
        return WorkerLost(f"the scheduler at {self._address} does not answer any more")

    def _allowed(self) -> int:
        import dask

        return int(dask.config.get("distributed.scheduler.allowed-failures")) + 1


@cache
def stamp() -> dict[str, str]:
    """Return what the numbers of a process hang on: versions, and a digest of the source."""
    return {**{name: version(name) for name in SOLVES}, "source": code_digest()}


def _unlike(worker: str, there: dict[str, str], here: dict[str, str]) -> InputError:
    differ = [name for name in here if there.get(name) != here[name]]
    told = ", ".join(
        (
            "changed source of chipmodel"
            if name == "source"
            else f"{name} {there.get(name)} instead of {here[name]}"
        )
        for name in differ
    )
    return InputError.one(worker, "worker", f"has {told}", SAME)


_alone = threading.Lock()


def _do(work: Work, shared: Any, expected: dict[str, str], task: Any) -> Any:
    """Do a task on a worker; what is wrong with the study comes back as a result, for doing it again is no help."""
    if stamp() != expected:  # a worker that came later
        return _unlike("a worker", stamp(), expected)
    with _alone:  # Pyomo writes one programme at a time in a process
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
        Whether to accept that whoever reaches the network between can run code on the
        workers.
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
        raise InputError.one(
            "command line", "--scheduler", "Dask is not installed", EXTRA
        ) from None
    place = f"--scheduler {address}"
    scheme, _, rest = address.rpartition("://")
    if scheme not in ("tls", "tcp", "") or not rest:
        raise InputError.one(
            "command line",
            place,
            "is no address of a scheduler",
            "write tls://HOST:PORT",
        )
    if scheme != "tls" and not insecure:
        raise InputError.one(
            "command line",
            place,
            "is not encrypted: whoever reaches it can run code there",
            "use tls://, or accept it with --insecure",
        )
    security, how = _security(address, scheme == "tls", ca, cert, key)
    # Asked before a client is made: one that fails to connect holds up the end of the
    # process.
    why = asyncio.run(_unreachable(address, how))
    if why:
        raise InputError.one(
            "command line",
            place,
            f"cannot be reached ({why})",
            "check that the scheduler runs and that address and certificates are right",
        )
    return Client(address, security=security, timeout=PATIENCE, set_as_default=False)


def _security(
    address: str, encrypted: bool, ca: str | None, cert: str | None, key: str | None
) -> tuple[Any, dict[str, Any]]:
    """Return how to talk to a scheduler: Dask's settings with the files given in their place."""
    from distributed.security import Security

    given = {
        k: v
        for k, v in {
            "tls_ca_file": ca,
            "tls_client_cert": cert,
            "tls_client_key": key,
        }.items()
        if v
    }
    try:
        security = Security(**given, require_encryption=encrypted)
        how = security.get_connection_args("client")
    except OSError as error:  # SSL's errors are among them
        what = f"cannot be used ({error.strerror or error})"
        raise InputError.one(
            "command line", "certificates", what, "name files in PEM format"
        ) from None
    if encrypted and how.get("ssl_context") is None:
        raise InputError.one(
            "command line",
            f"--scheduler {address}",
            "needs certificates",
            "give --tls-ca, --tls-cert and --tls-key, or set distributed.comm.tls of"
            " Dask",
        )
    return security, how


async def _unreachable(address: str, how: dict[str, Any]) -> str:
    """Return why there is no scheduler at an address; nothing if there is one."""
    from distributed.core import rpc

    try:
        async with rpc(address, timeout=PATIENCE, connection_args=how) as there:
            told = await asyncio.wait_for(there.identity(), PATIENCE)
    except TimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except Exception as error:  # what is no scheduler may answer with anything
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    kind = told.get("type", "") if isinstance(told, dict) else ""
    return (
        ""
        if kind == "Scheduler"
        else f"a {kind.lower() or 'stranger'} answers there, no scheduler"
    )
