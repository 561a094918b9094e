"""What a run needs of the machine that carries it out, where that is another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dapt.config import RunConfig
from dapt.data.catalog.base import data_root
from dapt.data.resolve import is_catalog
from dapt.experiments.executors.base import Job
from dapt.runs.apart import named_inputs


@dataclass(frozen=True)
class Needs:
    """What a run needs.

    Attributes:
        cpus: processor cores, which are the threads that it computes with. gpus: whole ones.
        places: files and folders that it reads.
    """

    cpus: int
    gpus: int
    places: tuple[str, ...]

    def fit(self, resources: Mapping[str, float]) -> bool:
        """Whether a node with these resources (``CPU``, ``GPU``) can carry it out."""
        return resources.get("CPU", 0) >= self.cpus and resources.get("GPU", 0) >= self.gpus

    def __str__(self) -> str:
        cores = f"{self.cpus} processor {'core' if self.cpus == 1 else 'cores'}"
        return cores + (f" and {self.gpus} {'GPU' if self.gpus == 1 else 'GPUs'}" if self.gpus else "")


def needs_of(job: Job, cpus: int, gpus_there: bool) -> Needs:
    """What a run needs: by its device a GPU for each of its processes, or processor cores only.

    Args:
        cpus: processor cores of each process. gpus_there: whether the cluster has GPUs, which ``auto`` takes then.
    """
    config = job.config
    kind = config.device.partition(":")[0]
    on_gpu = kind == "cuda" or (kind == "auto" and gpus_there)
    count = max(config.devices, 1)
    return Needs(cpus * count, count if on_gpu else 0, places_of(config))


def places_of(config: RunConfig) -> tuple[str, ...]:
    """Files and folders that a run reads; not its plugins, which travel with it, and not what it gets by name."""
    found = [str(path) for label, path in named_inputs(config).items() if path is not None and "plugin" not in label]
    if is_catalog(config.data):
        found.append(str(data_root(config.root)))
    return tuple(dict.fromkeys(found))


def elsewhere(job: Job) -> Job:
    """The run for a machine that shows it its own GPUs only: the number of one of this machine's is left out."""
    if not job.config.device.startswith("cuda:"):
        return job
    settings: dict[str, Any] = {**job.settings, "device": "cuda"}
    return replace(job, config=job.config.model_copy(update={"device": "cuda"}), settings=settings)
