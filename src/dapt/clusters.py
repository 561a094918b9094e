"""Joining a Ray cluster, and leaving it again; the code in use goes with the work (`runtime_env`).

Nothing of Ray is imported before a cluster is asked for: it is the extra ``ray``.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.console import say
from dapt.errors import ConfigError, DaptError
from dapt.wording import counted

AUTO, LOCAL = "auto", "local"
PATIENCE_S = 5.0  # for an address to answer
TRIES = "5"  # of a second each, to be understood by what answers there; Ray's own default is 20
STORE_BYTES = 512 * 2**20  # of memory for what is handed on, of a cluster that is started here
INSTALL = "pip install 'dapt[ray]'"


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process has joined.

    Attributes:
        address: as it was given. nodes: those alive. cpus, gpus: of all of them together.
    """

    address: str
    nodes: int
    cpus: int
    gpus: int


@contextmanager
def joined(address: str) -> Iterator[Cluster]:
    """Be part of a cluster; it is left on every way out, and one that was started here is stopped.

    Args:
        address: ``auto`` (the cluster that this machine is part of), ``HOST:PORT``, ``ray://HOST:PORT``, or ``local``:
            one of this machine alone, started for the purpose.

    Raises:
        ConfigError: Ray is not installed, there is no such cluster, or it runs another version.
    """
    if importlib.util.find_spec("ray") is None:
        raise ConfigError("--ray needs Ray, which is not installed.", todo=f"Install it: {INSTALL}.")
    if address not in (AUTO, LOCAL):
        _check_answers(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", TRIES)
    os.environ.setdefault(
        "RAY_BACKEND_LOG_LEVEL", "fatal"
    )  # what goes wrong is raised; the rest is for those who develop Ray
    import ray

    if ray.is_initialized():  # a program that uses dapt as a library has joined one itself
        yield _described(address)
        return
    try:
        with _own_signals():
            _join(ray, address)
        cluster = _described(address)
        say(
            f"Ray: {counted(cluster.nodes, 'node')}, {counted(cluster.cpus, 'core')}"
            + (f", {counted(cluster.gpus, 'GPU')}" if cluster.gpus else "")
        )
        yield cluster
    finally:
        with _own_signals():
            ray.shutdown()


def _join(ray: Any, address: str) -> None:
    given: dict[str, Any] = {"runtime_env": runtime_env(), "log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        given |= {"address": LOCAL, "include_dashboard": False, "object_store_memory": STORE_BYTES}
    else:
        given["address"] = address
    try:
        ray.init(**given)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        raise _refusal(address, error) from error
    except Exception as error:  # of Ray's own, which are many
        if type(error).__module__.startswith("ray"):
            raise _refusal(address, error) from error
        raise


def _refusal(address: str, error: Exception) -> DaptError:
    """What is wrong, in a sentence or two."""
    text = " ".join(str(error).split())
    if "ersion mismatch" in text:
        where = text[text.lower().index("version mismatch") :][:300]
        return ConfigError(
            f"The cluster {address} runs another version of Ray or Python than this process: {where}",
            todo="Install the same version of both here and there.",
        )
    if address == AUTO:
        return ConfigError(
            "There is no Ray cluster that this machine is part of.",
            where="--ray auto",
            todo="Start one with 'ray start --head', name its address, or use --ray local.",
        )
    return ConfigError(
        f"The Ray cluster {address} cannot be joined: {text[:300] or type(error).__name__}.",
        todo="This machine has to be part of it ('ray start --address HOST:PORT'), or use --ray ray://HOST:10001.",
    )


def _check_answers(address: str) -> None:
    """Ask an address whether anybody is there: Ray itself would try for minutes.

    Raises:
        ConfigError: it is no address, or nobody answers.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"'{address}' is no address of a Ray cluster.",
            where="--ray",
            todo="Write auto, local, HOST:PORT or ray://HOST:PORT.",
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S):
            pass
    except OSError as error:
        raise ConfigError(
            f"No Ray cluster answers at {address}: {error.strerror or error}.",
            todo="Look whether it is running ('ray status'), and at which port.",
        ) from error


def runtime_env() -> dict[str, Any]:
    """What processes on the nodes need of this one: the package in use, and its settings of the environment."""
    package = Path(__file__).parent
    wanted = {key: value for key, value in os.environ.items() if key.startswith("DAPT_") or key == "OMP_NUM_THREADS"}
    return {"py_modules": [str(package)], "env_vars": wanted, "excludes": ["__pycache__", "*.pyc"]}


def _described(address: str) -> Cluster:
    import ray

    total = ray.cluster_resources()
    nodes = [node for node in ray.nodes() if node["Alive"]]
    return Cluster(address, len(nodes), int(total.get("CPU", 0)), int(total.get("GPU", 0)))


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; this process keeps what it had."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError, ValueError):  # one that was not set from Python
                signal.signal(number, handler)
