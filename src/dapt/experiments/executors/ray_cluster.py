"""The Ray cluster that carries out runs: finding it, and what its nodes are like."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dapt
from dapt.console import warn
from dapt.environment import cores
from dapt.errors import ConfigError, DaptError
from dapt.experiments.executors.needs import Needs
from dapt.experiments.executors.ray_work import Look, Probe, environment, look, versions
from dapt.files import remove_file, write_text
from dapt.wording import listing

REACH_S = 5.0  # for a connection to the head
LOOK_S = 90.0  # for a node to start its first worker
SHOWN = 3


def _say_nothing(*_: Any, **__: Any) -> None:
    """In the place of what prints lines about workers and nodes that were lost: dapt tells that itself."""


def imported() -> Any:
    """The module `ray`.

    Raises:
        ConfigError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "3")  # seconds in which the head of a cluster has to answer
    try:
        import ray
    except ImportError as error:
        raise ConfigError("Ray is not installed.", todo="Install it: pip install 'dapt[ray]'.") from error
    return ray


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """The module `ray`, connected to a cluster; Ray's own lines are silenced, and its workers get this very package.

    Args:
        address: ``auto``: as ``RAY_ADDRESS`` or Ray's own files say. ``local``: a cluster of this machine alone, which
            ends with the context. Otherwise ``HOST:PORT`` of the head.

    Raises:
        ConfigError: no such cluster can be reached, or it has another version of Ray or Python.
    """
    ray = imported()
    place = address if address == "local" else _reachable(address)
    how: dict[str, Any] = {"num_cpus": cores(), "include_dashboard": False} if place == "local" else {}
    package = str(Path(dapt.__file__).parent)
    code = {"py_modules": [package], "excludes": ["__pycache__"], "env_vars": environment()}
    terminated = signal.getsignal(signal.SIGTERM)
    try:
        with _hushed():
            ray.init(address=place, runtime_env=code, log_to_driver=False, logging_level="ERROR", **how)
        if hasattr(ray._private.worker, "print_to_stdstream"):
            ray._private.worker.print_to_stdstream = _say_nothing
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, terminated)  # Ray puts its own in its place
    except (RuntimeError, ConnectionError, ValueError, OSError) as error:
        ray.shutdown()
        raise _refused(place, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _hushed() -> Iterator[None]:
    """Meanwhile nothing is said on standard error, by Python or by the C++ part of Ray; exceptions tell what is wrong."""
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


def _reachable(address: str) -> str:
    """``HOST:PORT`` of a head that takes connections.

    Raises:
        ConfigError: there is none.
    """
    if address.startswith("ray://"):
        raise ConfigError(
            f"{address} is the address of a Ray client server.",
            todo="Give that of the cluster's head, HOST:PORT, on one of its nodes (or use ray job submit there).",
        )
    from ray._private import services  # what ray.init does itself, without its retries of a minute

    try:
        place = services.canonicalize_bootstrap_address(address)
    except ConnectionError:
        raise ConfigError(
            "No Ray cluster was found: neither RAY_ADDRESS nor Ray's own files on this machine name one.",
            todo="Start one (ray start --head), name its address with --ray HOST:PORT, or use --ray local.",
        ) from None
    except (ValueError, OSError) as error:
        raise ConfigError(
            f"'{address}' is no address of a Ray cluster.", todo="Write --ray auto, local or HOST:PORT."
        ) from error
    if place is None:
        return "local"
    host, _, port = place.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S):
            return str(place)
    except (OSError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"The Ray cluster at {place} cannot be reached: {error}.", todo="Look whether it runs: ray status."
        ) from error


def _refused(place: str, error: Exception) -> DaptError:
    """Why Ray does not connect, in a sentence."""
    text = " ".join(str(error).split())
    if "ersion mismatch" in text:
        return ConfigError(
            f"The cluster at {place} has another version of Ray or Python than this process: {text[:300]}",
            todo="Use one environment for all of them.",
        )
    if "node" in text.lower() and ("ip" in text.lower() or "raylet" in text.lower()):
        return ConfigError(
            f"This machine is no node of the Ray cluster at {place}: {text[:200]}",
            todo=f"Give the command on one of its nodes, or let this one join it: ray start --address={place}.",
        )
    return ConfigError(f"The Ray cluster at {place} cannot be used: {text[:300]}", todo="Look at it: ray status.")


class Nodes:
    """The nodes of a cluster, and which of them cannot carry out what.

    Args:
        ray: connected.
    """

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._unfit: dict[str, set[str]] = {}  # ids by place
        self._out: set[str] = set()  # ids of nodes that can carry out nothing
        self.names: dict[str, str] = {}
        self.alive: dict[str, dict[str, float]] = {}
        self.refresh()

    def refresh(self) -> None:
        """See which nodes there are now."""
        found = self._ray.nodes()
        self.names |= {node["NodeID"]: f"{node['NodeManagerHostname']} ({node['NodeID'][:8]})" for node in found}
        self.alive = {node["NodeID"]: dict(node["Resources"]) for node in found if node["Alive"]}

    def name(self, node: str) -> str:
        """Host and the beginning of the id of a node."""
        return self.names.get(node, node[:8] or "unknown")

    @property
    def have_gpus(self) -> bool:
        """Whether any of them has a GPU."""
        return any(resources.get("GPU", 0) >= 1 for resources in self.alive.values())

    def look(self, probe: Probe | None, needs: Iterable[Needs]) -> None:
        """Look at every node, and warn of those that lack something.

        Raises:
            DaptError: none of them can be used.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        places = tuple(dict.fromkeys(place for each in needs for place in each.places))
        tasks = {}
        for node in self.alive:
            there = NodeAffinitySchedulingStrategy(node, soft=False)
            task = self._ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(look)
            tasks[task.remote(probe, places)] = node
        done, late = self._ray.wait(list(tasks), num_returns=len(tasks), timeout=LOOK_S)
        problems = []
        for task in done:
            node = tasks[task]
            try:
                found = self._ray.get(task)
            except Exception as error:
                problems.append(self._leave_out(node, f"cannot run dapt: {_short(error)}"))
                continue
            if found.problem and probe is not None:
                problems.append(self._leave_out(node, f"{found.problem} {probe.folder}"))
            elif lacking := [name for name, version in found.versions.items() if version is None]:
                problems.append(self._leave_out(node, f"has no {listing(lacking)}"))
            else:
                self._tell_versions(node, found)
                self.note_missing(node, found.missing)
        problems += [self._leave_out(tasks[task], f"did not answer for {LOOK_S:.0f} s") for task in late]
        if not set(self.alive) - self._out:
            raise DaptError(
                f"No node of the cluster can carry out the runs: {'; '.join(problems[:SHOWN])}.",
                todo="Choose an --out that all nodes share, and install the same packages on all of them.",
            )
        for problem in problems:
            warn(f"{problem}: no run is carried out there.")

    def note_unfit(self, node: str, problem: str, missing: Iterable[str], folder: str) -> None:
        """Note and tell what a run found out about a node that came later."""
        if problem and node not in self._out:
            warn(f"{self._leave_out(node, f'{problem} {folder}')}: no run is carried out there.")
        self.note_missing(node, missing)

    def note_missing(self, node: str, places: Iterable[str]) -> None:
        """Note and tell that a node does not have some files or folders."""
        for place in places:
            unfit = self._unfit.setdefault(place, set())
            if node not in unfit:
                unfit.add(node)
                warn(f"Node {self.name(node)} does not have {place}: the runs that read it go to other nodes.")

    def _leave_out(self, node: str, why: str) -> str:
        self._out.add(node)
        return f"Node {self.name(node)} {why}"

    def _tell_versions(self, node: str, found: Look) -> None:
        here = versions()
        differ = [f"{key} {there} (here {here[key]})" for key, there in found.versions.items() if there != here[key]]
        if differ:
            warn(f"Node {self.name(node)} has {listing(differ)}: its results may differ in the last digits.")

    def without(self, needs: Needs) -> set[str]:
        """Ids of the nodes on which a run must not be carried out."""
        return self._out.union(*(self._unfit.get(place, set()) for place in needs.places))

    def problem(self, needs: Needs) -> str:
        """Why no node can carry out a run, empty if one can."""
        fitting = {node for node, resources in self.alive.items() if needs.fit(resources)}
        if not fitting:
            return f"No node of the cluster has {needs}, which the run needs."
        if fitting - self.without(needs):
            return ""
        for place in needs.places:
            if not fitting - self._out - self._unfit.get(place, set()):
                return f"No node of the cluster that could carry it out has {place}."
        return "No node of the cluster has all the files and folders that the run reads."

    def options(self, needs: Needs) -> dict[str, Any]:
        """How Ray is told where a run may be carried out."""
        how: dict[str, Any] = {"num_cpus": needs.cpus, "num_gpus": needs.gpus, "max_retries": 0}
        without = sorted(self.without(needs) & set(self.alive))
        if without:
            how["label_selector"] = {"ray.io/node-id": f"!in({','.join(without)})"}
        return how


def _short(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).strip()[:300]


@contextmanager
def probed(folder: Path) -> Iterator[Probe]:
    """A `Probe` in a folder, which is removed afterwards.

    Raises:
        DaptError: the folder cannot be written into.
    """
    probe = Probe(str(folder), f".ray-{secrets.token_hex(6)}", secrets.token_hex(16))
    write_text(folder / probe.name, probe.token, make_parents=False)
    try:
        yield probe
    finally:
        with contextlib.suppress(DaptError):  # the folder may be gone
            remove_file(folder / probe.name)
