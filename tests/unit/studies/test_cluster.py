"""Studies on a cluster: a scheduler with workers gives the bytes of one process."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager

import pytest
from helpers import TWO

from chipmodel.cli.main import main
from chipmodel.common import cluster
from chipmodel.common.cluster import Cluster, connect, stamp
from chipmodel.common.errors import InputError, NoOptimum, WorkerLost
from chipmodel.studies.definition import Study
from chipmodel.studies.run import run_study

distributed = pytest.importorskip("distributed")

SWEEP = """
title = "A sweep"
cases = ["no_policy", "tariff", "grant"]
reference = "no_policy"
metrics = ["objective", "revenue.AAA", "welfare.*"]
chunk = 2
[grid]
"duty.rate" = { from = 0.0, to = 0.5, steps = 24 }
"""


@contextmanager
def three_workers():
    """A scheduler with three workers, all of which have arrived when it is given."""
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as there:
        yield there


@pytest.fixture(scope="module")
def local():
    """The cluster of the tests that leave its workers alive."""
    with three_workers() as there:
        yield there


@pytest.fixture
def client(local):
    with distributed.Client(local, set_as_default=False) as found:
        yield found


@pytest.fixture
def doomed():
    """A cluster of its own for a test that kills workers.

    A worker killed while it starts again can end its nanny for good: no later
    test waits for it.
    """
    with (
        three_workers() as there,
        distributed.Client(there, set_as_default=False) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "sweep.toml"
    path.write_text(SWEEP)
    return path


@pytest.fixture(scope="module")
def alone(file, two, tmp_path_factory):
    """What one process writes."""
    out = tmp_path_factory.mktemp("alone")
    run_study(str(file), two, out)
    return (out / "sweep" / "comparison.csv").read_bytes()


def test_a_worker_killed_in_mid_sweep_loses_nothing(doomed, file, two, alone, tmp_path):
    before = set(doomed.run(os.getpid).values())
    done = []

    def on_progress(step):
        if step.what.startswith("chunk"):
            done.append(step)
        if len(done) == 2 and step.what.startswith("chunk"):
            os.kill(min(before), signal.SIGKILL)

    result = run_study(
        str(file), two, tmp_path, pool=Cluster(doomed), on_progress=on_progress
    )
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == alone
    assert len(done) > 6, "the kill came too late to mean anything"
    doomed.wait_for_workers(3, timeout=300)
    assert min(before) not in doomed.run(os.getpid).values()
    assert result.notes == ()


def test_all_workers_killed_in_mid_sweep_lose_nothing(
    doomed, file, two, alone, tmp_path
):
    """What was sent to all of them is gone as well, and is sent again."""
    killed = []

    def on_progress(step):
        if step.what.startswith("chunk") and not killed:
            killed.extend(doomed.run(os.getpid).values())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    run_study(str(file), two, tmp_path, pool=Cluster(doomed), on_progress=on_progress)
    assert len(killed) == 3
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == alone


def test_the_command_line_finds_the_scheduler(local, file, alone, tmp_path, capsys):
    given = ["study", str(file), "--data", str(TWO), "--out", str(tmp_path)]
    assert main([*given, "--scheduler", local.scheduler_address]) == 2
    assert "not encrypted" in capsys.readouterr().err
    assert main([*given, "--scheduler", local.scheduler_address, "--insecure"]) == 0
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == alone


def test_a_case_without_an_optimum_is_reported_as_without_a_cluster(client):
    pool = Cluster(client)
    with pytest.raises(NoOptimum, match="like this") as caught:
        list(pool.each(_no_optimum, None, [1, 2]))
    assert caught.value.status == "infeasible"


def _no_optimum(shared, task):
    raise NoOptimum("infeasible", "like this")


def _ends_its_process(shared, task):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_that_ends_every_worker_is_abandoned(doomed, monkeypatch):
    monkeypatch.setattr(cluster, "RETRIES", 0)
    with pytest.raises(WorkerLost, match="same command"):
        list(Cluster(doomed).each(_ends_its_process, None, [1]))


def test_workers_with_another_chipmodel_are_refused(client):
    pool = Cluster(client)
    pool._stamp = {**stamp(), "chipmodel": "0.0.1", "source": "x"}
    with pytest.raises(
        InputError,
        match=r"instead of 0\.0\.1, changed source of chipmodel; install the same",
    ):
        list(pool.each(_no_optimum, None, [1]))


def test_a_worker_that_joins_late_with_another_chipmodel_is_refused(
    client, monkeypatch
):
    pool = Cluster(client)
    pool._stamp = {**stamp(), "highspy": "0.0.1"}
    monkeypatch.setattr(pool, "_check_workers", lambda: None)
    with pytest.raises(InputError, match=r"highspy .* instead of 0\.0\.1"):
        list(pool.each(_no_optimum, None, [1]))


def test_tables_are_not_written_on_other_machines(client, two, tmp_path):
    study = Study(
        name="small",
        title="t",
        cases=("no_policy",),
        metrics=("objective",),
        keep="tables",
    )
    with pytest.raises(InputError, match='keep = "metrics"'):
        run_study(study, two, tmp_path, pool=Cluster(client))
    assert not list(tmp_path.iterdir())


def test_a_scheduler_without_workers_is_reported(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    with (
        distributed.LocalCluster(
            n_workers=0, processes=True, dashboard_address=":0"
        ) as empty,
        distributed.Client(empty, set_as_default=False) as client,
        pytest.raises(InputError, match="has no workers"),
    ):
        list(Cluster(client).each(_no_optimum, None, [1]))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "127.0.0.1:{port}"])
def test_a_dead_address_is_reported_soon(address, file, tmp_path, capsys, monkeypatch):
    limits = []
    wait_for = asyncio.wait_for

    def recorded(awaitable, timeout):
        limits.append(timeout)
        return wait_for(awaitable, timeout)

    monkeypatch.setattr(asyncio, "wait_for", recorded)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = address.format(port=free.getsockname()[1])
    code = main(
        [
            "study",
            str(file),
            "--data",
            str(TWO),
            "--out",
            str(tmp_path / "out"),
            "--scheduler",
            address,
            "--insecure",
        ]
    )
    assert code == 2
    # The whole attempt is under one limit; how long it takes depends on the machine.
    assert limits[0] == cluster.PATIENCE < 15
    message = capsys.readouterr().err
    assert address in message
    assert "check that the scheduler runs" in message
    assert not (tmp_path / "out").exists()


def test_what_is_no_scheduler_is_reported():
    """A server that answers with something else; Dask would read exabytes of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answering = subprocess.Popen(
            [
                "python3",
                "-c",
                (
                    "import socket,sys,time; s=socket.socket(fileno=int(sys.argv[1]));"
                    " c,_=s.accept(); c.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n'"
                    " * 9); time.sleep(20)"
                ),
                str(server.fileno()),
            ],
            pass_fds=[server.fileno()],
        )
        try:
            with pytest.raises(InputError, match="cannot be reached"):
                connect(f"tcp://127.0.0.1:{port}", insecure=True)
        finally:
            answering.kill()
            answering.wait()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--scheduler", "http://127.0.0.1:1"], "not an address of a scheduler"),
        (["--scheduler", "tls://127.0.0.1:1"], "needs certificates"),
        (
            [
                "--scheduler",
                "tls://127.0.0.1:1",
                "--tls-ca",
                "/nowhere/ca.pem",
                "--tls-cert",
                "/nowhere/c.pem",
            ],
            "PEM",
        ),
        (
            ["--scheduler", "tcp://127.0.0.1:1", "--insecure", "--jobs", "2"],
            "leave it out",
        ),
        (["--insecure"], "name it with --scheduler"),
        (["--tls-ca", "x.pem"], "name it with --scheduler"),
    ],
)
def test_options_that_do_not_fit_are_reported(given, message, file, tmp_path, capsys):
    assert (
        main(["study", str(file), "--data", str(TWO), "--out", str(tmp_path), *given])
        == 2
    )
    assert message in capsys.readouterr().err


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="makes its certificate with openssl"
)
def test_an_encrypted_scheduler_is_reached_with_its_certificates(
    file, alone, tmp_path, capsys
):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            key,
            "-out",
            cert,
        ],
        check=True,
        capture_output=True,
    )
    files = {"tls_ca_file": str(cert), "require_encryption": True}
    for role in ("scheduler", "worker", "client"):
        files |= {f"tls_{role}_cert": str(cert), f"tls_{role}_key": str(key)}
    security = distributed.Security(**files)
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        protocol="tls://",
        security=security,
    ) as safe:
        given = [
            "study",
            str(file),
            "--data",
            str(TWO),
            "--out",
            str(tmp_path),
            "--scheduler",
            safe.scheduler_address,
        ]
        assert safe.scheduler_address.startswith("tls://")
        assert main(given) == 2
        assert "needs certificates" in capsys.readouterr().err
        assert (
            main(
                [
                    *given,
                    "--tls-ca",
                    str(cert),
                    "--tls-cert",
                    str(cert),
                    "--tls-key",
                    str(key),
                ]
            )
            == 0
        )
    assert (tmp_path / "sweep" / "comparison.csv").read_bytes() == alone


def test_without_dask_the_extra_is_named(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("distributed"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"chipmodel\[cluster\]"):
        connect("tls://127.0.0.1:1")


def test_no_tasks_ask_nothing_of_the_scheduler():
    class Nobody:
        class scheduler:
            address = "tcp://nowhere"

    assert list(cluster.Cluster(Nobody()).each(_no_optimum, None, [])) == []
