"""A protocol as one piece of work for an executor."""

from __future__ import annotations

from dapt.experiments.executors.base import Job
from dapt.experiments.run_protocol import run_protocol
from dapt.results import ProtocolResults


def carry_out_protocol(job: Job) -> ProtocolResults:
    """All runs of a protocol, one after the other, and its evaluations.

    Raises:
        DaptError: anything the user can mend.
    """
    return run_protocol(
        job.protocol or "", job.settings, over=job.over, resume=not job.overwrite, overwrite=job.overwrite
    )
