"""What every executor does with a run, wherever it does it: carry it out, and see how far it is."""

from __future__ import annotations

from pathlib import Path

from dapt.experiments.executors.base import Job
from dapt.experiments.stores import in_store, local_job
from dapt.results import ProtocolResults, RunResults
from dapt.runs.candidate_cache import CandidateCache
from dapt.runs.run_folder import RunFolder


def carry_out(job: Job, candidates: CandidateCache | None = None) -> RunResults | ProtocolResults:
    """A run or a protocol in this process; a finished one is kept and an interrupted one goes on, unless overwritten.

    Args:
        candidates: what selectors looked at in earlier runs of this process.

    Raises:
        DaptError: anything the user can mend.
    """
    if job.store is not None:
        return in_store(job, lambda made: carry_out(made, candidates))
    if job.task is not None:
        return job.task(job)
    from dapt.runs.train import run_training

    return run_training(
        job.config,
        resume=not job.overwrite,
        overwrite=job.overwrite,
        candidates=candidates,
        within=job.within,
    )


def epochs_in(job: Job) -> int:
    """Epochs that a run has finished, or all runs of a protocol together, as its folder tells."""
    job = local_job(job)
    out = Path(job.config.out or "")
    files = [RunFolder(out).metrics_file] if job.protocol is None else sorted(out.glob("*/metrics.jsonl"))
    return sum(map(_lines_in, files))


def _lines_in(path: Path) -> int:
    try:
        return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line)
    except OSError:  # not begun, or being replaced
        return 0
