"""Where the time of a step goes, by kind of operation, for both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

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
            kinds: dict[str, float] = defaultdict(float)
            for event in seen.key_averages():
                on_gpu = clip.device.type == "cuda"
                micro = event.self_device_time_total if on_gpu else event.self_cpu_time_total
                kinds[kind_of(event.key)] += micro / 1e6
            rows.append({"case": name, "way": way, "seconds": dict(kinds)})
    return rows
