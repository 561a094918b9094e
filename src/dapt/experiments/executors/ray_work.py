"""What Ray carries out on the nodes of a cluster: a look at each of them, and the runs.

Importing it loads no torch: the look is to be quick, and the process that takes notes small.
"""

from __future__ import annotations

import importlib.metadata
import platform
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dapt.experiments.executors.base import Job
from dapt.results import ProtocolResults, RunResults

PACKAGES = ("torch", "torchvision", "open-clip-torch", "lightning-fabric", "numpy", "pillow")  # which decide bits
IN_USE_S = 60.0  # the workers of a driver that was killed hold their folders until Ray has ended them
POLL_S = 1.0
SEEN_S = 3.0  # a network file system may show a new file a little later


@dataclass(frozen=True)
class Probe:
    """A file in the experiment's folder, by which a node sees that it is the same folder.

    Attributes:
        folder: of the experiment. name: of the file. token: what is in it.
    """

    folder: str
    name: str
    token: str


@dataclass(frozen=True)
class Look:
    """What a node is like.

    Attributes:
        versions: of Python and of the packages that decide results; None: not installed.
        problem: why it cannot use the experiment's folder, empty if it can. missing: see `missing`.
    """

    versions: dict[str, str | None]
    problem: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """How a run is carried out.

    Attributes:
        threads: with which it computes. places: files and folders that it reads.
        plugins: text of each plugin, by the path under which the configuration names it.
        probe: see there; None where the run folder is on no shared path.
    """

    threads: int
    places: tuple[str, ...]
    plugins: Mapping[str, bytes]
    probe: Probe | None


@dataclass(frozen=True)
class Unfit:
    """The node cannot carry out the run; another one may.

    Attributes:
        node: its id. problem, missing: see `Look`.
    """

    node: str
    problem: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """What has become of a run.

    Attributes:
        results: None if it failed. error, trace: with what, and from where. warnings: what it has warned of, where
            nobody has heard it meanwhile.
    """

    results: RunResults | ProtocolResults | None = None
    error: Exception | None = None
    trace: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Note:
    """What is told of a run that is going on: ``started`` with the node's id, ``epochs``, or ``warning``."""

    name: str
    kind: str
    value: Any


class Desk:
    """Where the runs put their notes and the driver takes them from; an actor."""

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def put(self, note: Note) -> None:
        """Add a note."""
        self._notes.append(note)

    def take(self) -> list[Note]:
        """All notes since the last time."""
        notes, self._notes = self._notes, []
        return notes


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide results, by name; nothing is imported."""
    found: dict[str, str | None] = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def look(probe: Probe | None, places: tuple[str, ...]) -> Look:
    """Look at the node on which this is called."""
    return Look(versions(), "" if probe is None else problem_with(probe), missing(places))


def missing(places: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the files and folders that this machine does not have."""
    return tuple(place for place in places if not Path(place).exists())


def problem_with(probe: Probe) -> str:
    """Why this machine cannot use the folder of a probe, empty if it can."""
    folder = Path(probe.folder)
    deadline = time.monotonic() + SEEN_S
    while True:
        try:
            same = (folder / probe.name).read_text(encoding="ascii") == probe.token
        except (OSError, ValueError):
            same = False
        if same or time.monotonic() > deadline:
            break
        time.sleep(0.3)
    if not same:
        return "does not see"
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{probe.name}."):
            return ""
    except OSError as error:
        return f"cannot write into ({error.strerror or error})"


def work(job: Job, order: Order, desk: Any) -> Ended | Unfit:
    """Carry out a run on the node on which this is called.

    Args:
        desk: actor with a `Desk`.
    """
    import ray

    node = ray.get_runtime_context().get_node_id()
    problem = "" if order.probe is None else problem_with(order.probe)
    lacking = missing(order.places)
    if problem or lacking:
        return Unfit(node, problem, lacking)
    last: list[Any] = []

    def tell(kind: str, value: Any) -> None:
        last[:] = [desk.put.remote(Note(job.name, kind, value))]

    tell("started", node)
    try:
        return ended(job, order.threads, order.plugins, tell)
    finally:
        ray.wait(last, timeout=POLL_S * 5)  # notes arrive in order, so all are there before the run has ended


def ended(job: Job, threads: int, texts: Mapping[str, bytes], tell: Callable[[str, Any], None]) -> Ended:
    """Carry out a run in this process of another machine.

    Args:
        threads: with which it computes. texts: of its plugins, see `plugins`. tell: takes notes, see `Note`.
    """
    from dapt.console import set_quiet, warnings_to

    set_quiet(True)
    try:
        import torch

        torch.set_num_threads(threads)
        with warnings_to(lambda text: tell("warning", text)), plugins(texts), _epochs_told(job, tell):
            return Ended(_carried_out(job))
    except Exception as error:  # whatever it is: it is told, and the others go on
        return Ended(error=_sendable(error), trace=traceback.format_exc())


def carried_out_quietly(job: Job, threads: int) -> Ended:
    """As `ended` for a machine that has all files; warnings are told at the end."""
    from dapt.plugins import load_plugins

    heard: list[str] = []
    load_plugins(job.config.plugins)
    found = ended(job, threads, {}, lambda kind, value: heard.append(value) if kind == "warning" else None)
    return replace(found, warnings=tuple(heard))


def _carried_out(job: Job) -> RunResults | ProtocolResults:
    """Carry it out once whoever writes into its folder has ended: the worker of a driver that was killed."""
    from dapt.experiments.executors.carry_out import carry_out
    from dapt.lock import InUseError
    from dapt.runs.candidate_cache import CandidateCache

    global _candidates
    _candidates = _candidates or CandidateCache()
    deadline = time.monotonic() + IN_USE_S
    while True:
        try:
            return carry_out(job, _candidates)
        except InUseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


_candidates: Any = None  # of this process, which carries out more runs after this one


@contextmanager
def plugins(texts: Mapping[str, bytes]) -> Iterator[None]:
    """Load plugins from copies of the texts that came with a run, so that this machine need not have their files."""
    from dapt.plugins import load_plugins, use_copy

    with tempfile.TemporaryDirectory(prefix="dapt-plugins-") as folder:
        for number, (path, text) in enumerate(texts.items()):
            copy = Path(folder) / str(number) / Path(path).name
            copy.parent.mkdir()
            copy.write_bytes(text)
            use_copy(path, copy)
        load_plugins(texts)
        yield


@contextmanager
def _epochs_told(job: Job, tell: Callable[[str, Any], None]) -> Iterator[None]:
    """Meanwhile tell how many epochs a run has finished, as its folder says."""
    from dapt.experiments.executors.carry_out import epochs_in

    over = threading.Event()

    def watch() -> None:
        told = 0
        while not over.wait(POLL_S):
            count = epochs_in(job)
            if count > told:
                tell("epochs", count)
                told = count

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _sendable(error: Exception) -> Exception:
    """The error, or one that says the same where it cannot travel."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
