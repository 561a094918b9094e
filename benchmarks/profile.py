"""Where the time of a step goes, by kind of operation, for both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from benchmarks.cases import case_named, make_work
from dapt.clip.frozen import FrozenClip

CASES = ("maple-37", "dapt-lv-37")
KINDS = {
    "matrix products": ("addmm", "::mm", "bmm", "_linear_pointwise", "convolution"),
    "fused attention": ("scaled_dot_product",),
    "activations, norms, softmax": ("silu", "sigmoid", "layer_norm", "softmax"),
    "copies": ("copy_", "cat", "fill_", "zero_", "index", "scatter", "gather"),
    "sums and products of tensors": ("add", "mul", "sub", "div", "sum", "where"),
}


def kind_of(operation: str) -> str:
    """The kind an operation of torch counts as."""
    for kind, names in KINDS.items():
        if any(name in operation for name in names):
            return kind
    return "everything else"


def seconds_by_kind(averages: Iterable[Any], *, on_gpu: bool) -> dict[str, float]:
    """Seconds of each kind of operation, by the averages of a profile.

    A profile of a GPU lists its kernels as well as the operations that started them, and each has the kernels' time.
    """
    kinds: dict[str, float] = defaultdict(float)
    for event in averages:
        if event.device_type == DeviceType.CPU:
            kinds[kind_of(event.key)] += (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e6
    return dict(kinds)


def measure_profile(clip: FrozenClip, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per case and way: seconds by kind of operation in one step."""
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if clip.device.type == "cuda" else [])
    rows = []
    for name in CASES:
        for way in ("plain", "ours"):
            tell(f"profile of {case_named(name).title}, {way}")
            work = make_work(case_named(name), clip, way)  # type: ignore[arg-type]
            work.run()
            with profile(activities=activities) as seen:
                work.run()
            kinds = seconds_by_kind(seen.key_averages(), on_gpu=clip.device.type == "cuda")
            rows.append({"case": name, "way": way, "seconds": kinds})
    return rows
