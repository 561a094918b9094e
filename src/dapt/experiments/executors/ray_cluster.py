"""What the nodes of a Ray cluster are like, and which of them can carry out which runs."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dapt.console import warn
from dapt.errors import DaptError
from dapt.experiments.executors.needs import Needs
from dapt.experiments.executors.ray_work import Look, Probe, look, versions
from dapt.files import remove_file, write_text
from dapt.wording import listing

LOOK_S = 90.0  # for a node to start its first worker
SHOWN = 3
PROBE = re.compile(r"\.ray-[0-9a-f]{12}(\..*)?")  # names of probes, and of files by which they try to write


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
    """A `Probe` in a folder that only this process writes probes into; it is removed afterwards.

    What a process has left that was killed meanwhile is removed, too.

    Raises:
        DaptError: the folder cannot be written into.
    """
    _remove_probes(folder)
    probe = Probe(str(folder), f".ray-{secrets.token_hex(6)}", secrets.token_hex(16))
    write_text(folder / probe.name, probe.token, make_parents=False)
    try:
        yield probe
    finally:
        _remove_probes(folder)


def _remove_probes(folder: Path) -> None:
    with contextlib.suppress(OSError):  # the folder may be gone
        for path in list(folder.iterdir()):
            if PROBE.fullmatch(path.name):
                with contextlib.suppress(DaptError):
                    remove_file(path)
