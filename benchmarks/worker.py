"""One case in a process of its own, so that its peak memory is its own. Prints one line of JSON.

A GPU tells what tensors take, and needs seconds to start a process: there a case is measured in the one that is there.
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import asdict, dataclass

import torch

from benchmarks.cases import Case, Way, make_clip, make_work
from benchmarks.measure import calls_for, forget_peak, peak_mb, seconds
from dapt.clip.frozen import FrozenClip


@dataclass(frozen=True)
class Job:
    """What to run: `repeats` timed steps of a case after one that is not timed."""

    case: Case
    way: Way
    repeats: int
    device: str
    precision: str


def run_job(job: Job, clip: FrozenClip | None = None) -> dict[str, object]:
    """Seconds of each step, peak memory over all of them, and memory before the first.

    Args:
        clip: a model that is there; what else is on its device does not count.
    """
    clip = clip or make_clip(job.device, job.precision)
    others = _others_mb(clip)
    work = make_work(job.case, clip, job.way)
    forget_peak(clip.device)
    idle = peak_mb(clip.device) - others
    work.run()
    peak = peak_mb(clip.device) - others
    calls = calls_for(work.run, clip.device) if job.repeats else 1
    times = [seconds(work.run, clip.device, calls) for _ in range(job.repeats)]
    peak = max(peak, peak_mb(clip.device) - others)
    return {"seconds": times, "idle_mb": round(idle, 1), "peak_mb": round(peak, 1)}


def _others_mb(clip: FrozenClip) -> float:
    """Memory of a GPU that is in use beside the weights of a model."""
    if clip.device.type != "cuda":
        return 0.0
    gc.collect()
    torch.cuda.empty_cache()
    weights = {
        value.untyped_storage().data_ptr(): value.untyped_storage().nbytes() for value in clip.model.parameters()
    }
    return (torch.cuda.memory_allocated(clip.device) - sum(weights.values())) / 2**20


def to_line(job: Job) -> str:
    """The job as an argument of this module."""
    return json.dumps(asdict(job))


def main(line: str) -> None:
    """Run the job that `to_line` wrote."""
    tree = json.loads(line)
    print(json.dumps(run_job(Job(**{**tree, "case": Case(**tree["case"])}))))


if __name__ == "__main__":
    main(sys.argv[1])
