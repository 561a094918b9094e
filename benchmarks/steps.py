"""The main table: one training step of each case beside the plain way and beside the roofline."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
from typing import Any

import torch

from benchmarks.cases import Case, Work, make_training, make_work, smaller
from benchmarks.measure import calls_for, gflop, seconds
from benchmarks.roofline import Gemm
from benchmarks.worker import Job, run_job, to_line
from dapt.clip.frozen import FrozenClip

# classes; the plain way keeps about 35 MB per class, and that of a GPU is tried with all of them
LARGEST_PLAIN = 200
LARGEST_PLAIN_ON_GPU = 1000
_WORK: dict[tuple[Case, str], dict[str, float]] = {}
NO_GOALS = dict.fromkeys(("time_ratio", "memory_ratio", "peak_mb", "roofline_share", "published_gflop"))


def on_its_own(job: Job, clip: FrozenClip | None) -> dict[str, Any]:
    """Seconds and peak memory of a job: of a fresh process, or of the tensors of this one where a GPU counts them.

    Raises:
        RuntimeError: it failed, for example for want of memory.
    """
    if clip is not None and clip.device.type == "cuda":
        return run_job(job, clip)
    command = [sys.executable, "-m", "benchmarks.worker", to_line(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{job.case.name}, {job.way}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure_case(case: Case, clip: FrozenClip, gemm: Gemm, repeats: int, precision: str) -> dict[str, Any]:
    """Everything about one case: equality, work, time, memory, ratios, share of the roofline."""
    on_gpu = clip.device.type == "cuda"
    fits = case.classes <= (LARGEST_PLAIN_ON_GPU if on_gpu else LARGEST_PLAIN)
    if fits and on_gpu:
        try:
            return _measured(case, clip, gemm, repeats, precision, fits=True)
        except torch.cuda.OutOfMemoryError:
            fits = False
        gc.collect()
        torch.cuda.empty_cache()
    return _measured(case, clip, gemm, repeats, precision, fits=fits)


def _measured(case: Case, clip: FrozenClip, gemm: Gemm, repeats: int, precision: str, *, fits: bool) -> dict[str, Any]:
    """`measure_case` where the plain way `fits` into memory, or does not."""
    ours = make_work(case, clip, "ours")
    row: dict[str, Any] = {"case": case.name, "title": case.title, "batch": case.batch, "precision": precision}
    row["on_gpu"] = clip.device.type == "cuda"
    row["loss"] = float(ours.run())
    row |= _counted((case, "ours"), ours)
    if fits:
        plain = make_work(case, clip, "plain")
        row |= _equality(ours, plain)
        row |= _counted((case, "plain"), plain)
        times, plain_times, speeds = _side_by_side(ours, plain, clip, gemm, repeats)
        del plain
    else:
        times, plain_times, speeds = _beyond_memory(case, ours, clip, gemm, repeats)
        row["plain_is_extrapolated"] = True
    row["seconds"], row["plain_seconds"] = statistics.median(times), statistics.median(plain_times)
    row["all_seconds"], row["all_plain_seconds"] = times, plain_times
    row["gemm_gflops"] = statistics.median(speeds)
    row["time_ratio"] = row["seconds"] / row["plain_seconds"]
    row["roofline_share"] = row["gflop"] / row["seconds"] / row["gemm_gflops"]
    device, timed = str(clip.device), int(clip.device.type != "cuda")
    del ours
    found = on_its_own(Job(case, "ours", timed, device, precision), clip)
    row["peak_mb"], row["idle_mb"] = found["peak_mb"], found["idle_mb"]
    if fits:
        plain_found = on_its_own(Job(case, "plain", timed, device, precision), clip)
        row["plain_peak_mb"] = plain_found["peak_mb"]
        row["memory_ratio"] = row["peak_mb"] / row["plain_peak_mb"]
        above = (one["peak_mb"] - one["idle_mb"] for one in (found, plain_found))
        row["memory_ratio_above_idle"] = next(above) / next(above)
    row["goals"] = _goals(case) if clip.device.type == "cpu" else dict(NO_GOALS)
    return row


def measure_training(case: Case, clip: FrozenClip, repeats: int, precision: str) -> dict[str, float]:
    """Seconds of the step of a run on a GPU, started kernel by kernel and as one CUDA graph, and the memory of both."""
    found = {}
    for way, cuda_graph in (("run", "off"), ("run_graph", "auto")):
        gc.collect()
        torch.cuda.empty_cache()
        run = make_training(case, clip, precision, cuda_graph)
        calls = calls_for(run, clip.device)
        seconds(run, clip.device, 5)  # it is recorded after a few steps
        found[f"{way}_seconds"] = statistics.median(seconds(run, clip.device, calls) for _ in range(repeats))
        found[f"{way}_mb"] = torch.cuda.memory_reserved(clip.device) / 2**20
        del run
    return found


def _goals(case: Case) -> dict[str, float | None]:
    """What is aimed at on CPUs."""
    return {
        "time_ratio": case.time_goal,
        "memory_ratio": case.memory_goal,
        "peak_mb": case.memory_goal_mb,
        "roofline_share": 0.75,
        "published_gflop": case.published_gflop,
    }


def _counted(key: tuple[Case, str], work: Work) -> dict[str, float]:
    """Matrix work of a step, which is the same in every type and counted once."""
    if key not in _WORK:
        without = gflop(work.run, fused_attention=False)
        if key[1] == "plain":
            _WORK[key] = {"plain_gflop": without}
        else:
            _WORK[key] = {"gflop": gflop(work.run), "gflop_without_fused_attention": without}
    return _WORK[key]


def _equality(ours: Work, plain: Work) -> dict[str, float]:
    """How far loss and gradients of the two ways are apart, relative to the plain way's."""
    loss, plain_loss = float(ours.run()), float(plain.run())
    gradients, plain_gradients = ours.gradients(), plain.gradients()
    if gradients.keys() != plain_gradients.keys():
        raise RuntimeError("The two ways train different prompts.")
    apart = [
        float((gradients[name] - value).abs().max() / value.abs().max().clamp_min(1e-30))
        for name, value in plain_gradients.items()
    ]
    return {"loss_apart": abs(loss - plain_loss) / abs(plain_loss), "gradients_apart": max(apart)}


def _side_by_side(
    ours: Work, plain: Work, clip: FrozenClip, gemm: Gemm, repeats: int
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of both ways and GEMM readings, taken in turn so that a change of the machine meets all alike."""
    times, plain_times, speeds = [], [], []
    device = clip.device
    calls, plain_calls = calls_for(ours.run, device), calls_for(plain.run, device)
    for _ in range(repeats):
        speeds.append(gemm.read())
        plain_times.append(seconds(plain.run, device, plain_calls))
        if device.type == "cpu":
            speeds.append(gemm.read())
        times.append(seconds(ours.run, device, calls))
    return times, plain_times, speeds


def _beyond_memory(
    case: Case, ours: Work, clip: FrozenClip, gemm: Gemm, repeats: int
) -> tuple[list[float], list[float], list[float]]:
    """As `_side_by_side` where the plain way does not fit into memory.

    Its time is linear in the number of classes; it is extrapolated from half of `LARGEST_PLAIN` and all of it.
    """
    few, many = LARGEST_PLAIN // 2, LARGEST_PLAIN
    times, small, large, speeds = [], [], [], []
    calls = calls_for(ours.run, clip.device)
    for _ in range(repeats):
        speeds.append(gemm.read())
        times.append(seconds(ours.run, clip.device, calls))
    for count, found in ((few, small), (many, large)):
        plain = make_work(smaller(case, count), clip, "plain")
        plain.run()
        found += [seconds(plain.run, clip.device) for _ in range(max(2, repeats // 2))]
        del plain
        gc.collect()
    slope = (statistics.median(large) - statistics.median(small)) / (many - few)
    return times, [statistics.median(small) + slope * (case.classes - few)], speeds


def gemm_for(clip: FrozenClip) -> Gemm:
    """The roofline of the device and type the model runs in."""
    dtype = clip.text.dtype if hasattr(clip.text, "dtype") else torch.float32
    gemm = Gemm(clip.device, dtype)
    gemm.read()  # warms up
    return gemm
