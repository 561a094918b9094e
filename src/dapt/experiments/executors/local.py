"""Running several training runs side by side on one machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from pathlib import Path

from dapt.config import RunConfig
from dapt.console import progress, say, set_quiet
from dapt.environment import cores, memory_mb
from dapt.processes import worker_pool
from dapt.results import RunResults
from dapt.runs.candidate_cache import CandidateCache
from dapt.runs.run_folder import RunFolder

_candidates = CandidateCache()  # of a worker process, which ends with the group
RUN_MB = 1000  # what a small run needs, most of it for the libraries


def side_by_side(count: int) -> int:
    """How many of `count` runs to train at the same time on this machine: one per core, as memory allows."""
    memory = memory_mb()
    fit = count if memory is None else int(memory / RUN_MB) - 1  # one share is for the process that starts them
    return max(min(count, cores(), fit), 1)


def run_all(
    configs: Mapping[str, RunConfig], *, jobs: int, label: str, overwrite: bool = False, within: Path | None = None
) -> dict[str, RunResults]:
    """Train and evaluate every configuration; finished ones are kept, interrupted ones go on, unless overwritten.

    Args:
        configs: by name; every one has its own `out` folder. jobs: runs at the same time, one process each.
        label: what the progress bar is called. within: folder of all of them, which is not made: it has to be there.

    Returns:
        results.json of each run, by name.

    Raises:
        DaptError: what the first run that fails raised; the others are stopped, their state is kept.
    """
    if jobs <= 1:
        found, candidates = {}, CandidateCache()
        for number, (name, config) in enumerate(configs.items(), start=1):
            say(f"{label} {number}/{len(configs)}: {name}")
            found[name] = _run(config, overwrite, candidates, within)
        return found
    with worker_pool(min(jobs, len(configs)), _prepare_worker, (max(cores() // jobs, 1),)) as pool:
        futures = {name: pool.submit(_work, config, overwrite, within) for name, config in configs.items()}
        total = sum(config.epochs for config in configs.values())
        for _ in progress(_finished_epochs(futures, configs), total, label, "epochs"):
            pass
        return {name: future.result() for name, future in futures.items()}


def _prepare_worker(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    set_quiet(True)


def _work(config: RunConfig, overwrite: bool, within: Path | None) -> RunResults:
    return _run(config, overwrite, _candidates, within)


def _run(config: RunConfig, overwrite: bool, candidates: CandidateCache, within: Path | None) -> RunResults:
    from dapt.runs.train import run_training

    return run_training(config, resume=not overwrite, overwrite=overwrite, candidates=candidates, within=within)


def _finished_epochs(futures: Mapping[str, Future[RunResults]], configs: Mapping[str, RunConfig]) -> Iterator[int]:
    """Yield once for every epoch that any of the runs has finished, until all runs are done."""
    told = 0
    said: set[str] = set()
    while True:
        done, waiting = wait(futures.values(), timeout=0.3, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()  # raises what the run raised
        counted = sum(_epochs_in(Path(config.out or "")) for config in configs.values())
        for _ in range(counted - told):
            yield 1
        told = max(told, counted)
        for name, future in futures.items():
            if future.done() and name not in said:
                said.add(name)
                say(f"{name}: {_summary(future.result())}")
        if not waiting:
            return


def _epochs_in(folder: Path) -> int:
    path = RunFolder(folder).metrics_file
    try:
        return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line)
    except OSError:  # not begun, or being replaced
        return 0


def _summary(results: RunResults) -> str:
    metrics = results.metrics
    shown = ("test/accuracy", "test/worst_group", "cue/foreground_attention")
    parts = [f"{name} {metrics[name]:.1f}" for name in shown if metrics.get(name) is not None]
    return f"{', '.join(parts)} after {results.timing['training_seconds']:.0f} s"
