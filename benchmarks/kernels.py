"""What a GPU is asked to do in one step: kernels, copies, and how long they would take without waiting for the host.

A step of many small kernels takes as long as the host needs to start them. Two figures tell that apart: the sum of the
kernels' own times, and the time of the whole step played back as one CUDA graph, which the host starts at once.
"""

from __future__ import annotations

import gc
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from benchmarks.cases import Case, Work, make_work
from benchmarks.measure import calls_for, seconds
from dapt.clip.frozen import FrozenClip

LONGEST = 12  # kinds of kernels that are kept for results.json


def measure_kernels(
    cases: Sequence[Case], clip: FrozenClip, precision: str, repeats: int, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """One row per case and way: kernels and copies of one step, their seconds, and seconds of the step as a graph.

    A step that cannot be recorded may leave the allocator in a state that slows what comes after: graphs come last.
    """
    rows: list[dict[str, Any]] = []
    for case in cases:
        for way in ("plain", "ours"):
            tell(f"kernels of {case.title}, batch {case.batch}, {precision}, {way}")
            row: dict[str, Any] = {"case": case.name, "title": case.title, "batch": case.batch, "precision": precision}
            row["way"] = way
            try:
                rows.append({**row, **_measured(make_work(case, clip, way), clip.device, repeats)})  # type: ignore[arg-type]
            except RuntimeError as error:  # for want of memory, for example
                rows.append({**row, "failed": str(error).splitlines()[0]})
            gc.collect()
            torch.cuda.empty_cache()
    for case, way, row in zip(
        (case for case in cases for _ in range(2)), ("plain", "ours") * len(cases), rows, strict=True
    ):
        if "failed" not in row:
            tell(f"as a graph: {case.title}, batch {case.batch}, {precision}, {way}")
            row |= _as_graph(make_work(case, clip, way), clip.device, repeats)  # type: ignore[arg-type]
    return rows


def _measured(work: Work, device: torch.device, repeats: int) -> dict[str, Any]:
    calls = calls_for(work.run, device)
    found: dict[str, Any] = {
        "seconds": statistics.median(seconds(work.run, device, calls) for _ in range(repeats)),
    }
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        work.run()
        torch.cuda.synchronize(device)
    return found | counted(seen.events() or ())


def _as_graph(work: Work, device: torch.device, repeats: int) -> dict[str, Any]:
    try:
        replay = as_graph(work.run, device)
        calls = calls_for(replay, device)
        return {"graph_seconds": statistics.median(seconds(replay, device, calls) for _ in range(repeats))}
    except RuntimeError as error:  # something in the step waits for the device, say
        return {"graph_failed": str(error).splitlines()[0]}


def counted(events: Iterable[Any]) -> dict[str, Any]:
    """Kernels, copies and their seconds among the events of a profile, and the kernels that take longest."""
    count: Counter[str] = Counter()
    micro: Counter[str] = Counter()
    for event in events:
        if event.device_type != DeviceType.CPU and not getattr(event, "is_user_annotation", False):
            count[event.name] += 1
            micro[event.name] += event.time_range.elapsed_us()
    copies = {name for name in count if name.startswith(("Memcpy", "Memset"))}
    kernels = count.keys() - copies
    return {
        "kernels": sum(count[name] for name in kernels),
        "copies": sum(count[name] for name in copies),
        "device_seconds": sum(micro.values()) / 1e6,
        "longest": [[name[:100], count[name], us / 1e6] for name, us in micro.most_common(LONGEST)],
    }


def as_graph(step: Callable[[], Any], device: torch.device | None = None) -> Callable[[], None]:
    """A whole step as one CUDA graph of `device`, or of the current one.

    Raises:
        RuntimeError: the step does something that cannot be recorded.
    """
    with torch.cuda.device(device):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # not torch's default stream for it, which is that of one device for the whole process
        with torch.cuda.graph(graph, stream=stream):
            step()

    def replay(held: Callable[[], Any] = step) -> None:  # the graph reads what the step holds, so that must stay
        graph.replay()

    return replay
