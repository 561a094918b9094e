"""The executor that the options of a command ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.executors.base import Executor


def choose_executor(
    out: Path,
    *,
    jobs: int | None = None,
    ray: str | None = None,
    slurm: Sequence[str] = (),
    cpus: int | None = None,
) -> Executor:
    """What carries out the runs of an experiment: this machine, a Ray cluster or Slurm.

    Args:
        out: folder of the experiment. jobs: runs at the same time. ray: address of a cluster.
        slurm: parameters of Slurm jobs, ``KEY=VALUE``. cpus: processor cores of each run on a cluster.

    Raises:
        ConfigError: two of them are asked for, or what one of them needs is not installed.
    """
    if ray is not None and slurm:
        raise ConfigError("--ray and --slurm exclude each other.", todo="Choose one of them.")
    if ray is not None:
        from dapt.clusters import check_installed, refuse_client

        check_installed()
        refuse_client(ray)
        from dapt.experiments.executors.ray import RayExecutor

        return RayExecutor(ray, jobs, cpus or 1)
    if slurm:
        from dapt.experiments.executors.slurm import SlurmExecutor, parameters_of

        return SlurmExecutor(out / "slurm", parameters_of(slurm), jobs, cpus or 1)
    if cpus is not None:
        raise ConfigError("--cpus belongs to --ray and --slurm.", todo="On this machine --jobs divides the cores.")
    from dapt.experiments.executors.local import LocalExecutor

    return LocalExecutor(jobs or 1)
