"""One case in a process of its own, so that its peak memory is its own. Prints one line of JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

from benchmarks.cases import Case, Way, make_clip, make_work
from benchmarks.measure import forget_peak, peak_mb, seconds


@dataclass(frozen=True)
class Job:
    """What to run: `repeats` timed steps of a case after one that is not timed."""

    case: Case
    way: Way
    repeats: int
    device: str
    precision: str


def run_job(job: Job) -> dict[str, object]:
    """Seconds of each step, peak memory over all of them, and memory before the first."""
    clip = make_clip(job.device, job.precision)
    work = make_work(job.case, clip, job.way)
    forget_peak(clip.device)
    idle = peak_mb(clip.device)
    work.run()
    times = [seconds(work.run, clip.device) for _ in range(job.repeats)]
    return {"seconds": times, "idle_mb": round(idle, 1), "peak_mb": round(peak_mb(clip.device), 1)}


def to_line(job: Job) -> str:
    """The job as an argument of this module."""
    return json.dumps(asdict(job))


def main(line: str) -> None:
    """Run the job that `to_line` wrote."""
    tree = json.loads(line)
    print(json.dumps(run_job(Job(**{**tree, "case": Case(**tree["case"])}))))


if __name__ == "__main__":
    main(sys.argv[1])
