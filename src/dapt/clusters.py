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
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.console import say
from dapt.environment import cores
from dapt.errors import ConfigError, DaptError
from dapt.wording import counted

AUTO, LOCAL = "auto", "local"
CLIENT = "ray://"
PATIENCE_S = 5.0  # for an address to answer
TRIES = "5"  # of a second each, to be understood by what answers there; Ray's own default is 20
STORE_BYTES = 512 * 2**20  # of memory for what is handed on, of a cluster that is started here
INSTALL = "pip install 'dapt[ray]'"
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


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


def check_installed() -> None:
    """Whether Ray is installed; it is not imported.

    Raises:
        ConfigError: it is not.
    """
    if importlib.util.find_spec("ray") is None:
        raise ConfigError("--ray needs Ray, which is not installed.", todo=f"Install it: {INSTALL}.")


def refuse_client(address: str) -> None:
    """Refuse what runs cannot be carried out through: their driver has to be on a node.

    Raises:
        ConfigError: the address is that of a Ray client server.
    """
    if address.startswith(CLIENT):
        raise ConfigError(
            f"{address} is the address of a Ray client server.",
            todo="Give that of the cluster's head, HOST:PORT, on one of its nodes (or use ray job submit there).",
        )


def check_address(address: str) -> None:
    """Whether somebody answers where a cluster is to be; nothing is joined. See `joined`.

    Raises:
        ConfigError: Ray is not installed, it is no address, there is no such cluster, or nobody answers.
    """
    check_installed()
    if address == AUTO:
        _found(address)
    elif address != LOCAL:
        _check_answers(address)


@contextmanager
def joined(address: str) -> Iterator[Cluster]:
    """Be part of a cluster; it is left on every way out, and one that was started here is stopped.

    Ray's own lines are silenced: who works on the cluster says what goes wrong.

    Args:
        address: ``auto`` (of RAY_ADDRESS, or the cluster that this machine is part of), ``HOST:PORT``,
            ``ray://HOST:PORT``, or ``local``: one of this machine alone, started for the purpose.

    Raises:
        ConfigError: Ray is not installed, there is no such cluster, or it runs another version of Ray or Python.
    """
    check_installed()
    for key, value in {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_NUM_REDIS_GET_RETRIES": TRIES,
        "RAY_BACKEND_LOG_LEVEL": "fatal",  # what goes wrong is raised; the rest is for those who develop Ray
    }.items():
        os.environ.setdefault(key, value)
    import ray

    if ray.is_initialized():  # a program that uses dapt as a library has joined one itself
        yield _described(address)
        return
    check_address(address)
    try:
        with _own_signals():
            _join(ray, _found(address) if address == AUTO else address)
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
        given |= {"include_dashboard": False, "object_store_memory": STORE_BYTES, "num_cpus": cores()}
    try:
        with hushed():
            ray.init(address=address, **given)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        raise _refusal(address, error) from error
    except Exception as error:  # of Ray's own, which are many
        if type(error).__module__.startswith("ray"):
            raise _refusal(address, error) from error
        raise
    if hasattr(ray._private.worker, "print_to_stdstream"):  # lines about workers and nodes that were lost
        ray._private.worker.print_to_stdstream = _say_nothing


def _say_nothing(*_: Any, **__: Any) -> None:
    """In the place of what prints Ray's lines."""


@contextmanager
def hushed() -> Iterator[None]:
    """Meanwhile nothing is said on standard error, by Python or the C++ part of Ray; exceptions tell what is wrong."""
    with warnings.catch_warnings(), open(os.devnull, "wb") as nothing:  # noqa: PTH123
        warnings.simplefilter("ignore")
        try:
            kept = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        try:
            os.dup2(nothing.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _found(address: str) -> str:
    """Where the cluster is that ``auto`` means; Ray itself would try for minutes to reach one that has ended.

    Raises:
        ConfigError: there is none.
    """
    from ray._private import services

    try:
        place = services.canonicalize_bootstrap_address(address)
    except (ConnectionError, ValueError, OSError) as error:
        raise _refusal(AUTO, error) from error
    if place is None:
        raise _refusal(AUTO, ConnectionError())
    _check_answers(str(place))
    return str(place)


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
            "There is no Ray cluster that this machine is part of, and RAY_ADDRESS names none.",
            where="--ray auto",
            todo="Start one with 'ray start --head', name its address, or use --ray local.",
        )
    if address == LOCAL:
        return ConfigError(f"Ray cannot be started here: {text[:300] or type(error).__name__}.")
    return ConfigError(
        f"The Ray cluster {address} cannot be joined: {text[:300] or type(error).__name__}.",
        todo=f"This machine has to be part of it: ray start --address={address}.",
    )


def _check_answers(address: str) -> None:
    """Ask an address whether anybody is there: Ray itself would try for minutes.

    Raises:
        ConfigError: it is no address, or nobody answers.
    """
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"'{address}' is no address of a Ray cluster.",
            where="--ray",
            todo="Write auto, local, HOST:PORT or ray://HOST:PORT.",
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S):
            pass
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No Ray cluster answers at {address}: {getattr(error, 'strerror', None) or error}.",
            todo="Look whether it is running ('ray status'), and at which port.",
        ) from error


def runtime_env() -> dict[str, Any]:
    """What processes on the nodes need of this one: the package in use, and its settings of the environment."""
    wanted = {
        key: value
        for key, value in os.environ.items()
        if key.startswith("DAPT_") or key == "OMP_NUM_THREADS" or key in OFFLINE
    }
    return {"py_modules": [str(Path(__file__).parent)], "env_vars": wanted, "excludes": ["__pycache__", "*.pyc"]}


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
