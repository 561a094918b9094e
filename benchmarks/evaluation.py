"""Images per second of classification, by type and with or without the savings."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.cases import case_named, make_clip, make_work
from benchmarks.measure import calls_for, gflop, seconds
from benchmarks.steps import gemm_for
from dapt.model.classifier import Classifier

BATCH, LARGE_BATCH = 32, 256  # the larger one fills a GPU


def measure_evaluation(device: str, repeats: int, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per way of running the towers."""
    rows = []
    on_gpu = torch.device(device).type == "cuda"
    batch = LARGE_BATCH if on_gpu else BATCH
    for precision in ("32", "tf32", "bf16", "16") if on_gpu else ("32", "bf16"):
        clip = make_clip(device, precision)
        model = make_work(case_named("maple-37"), clip, "ours").step.model
        height, width = clip.image.image_size
        gemm = gemm_for(clip)
        pixels = torch.randn(batch, 3, height, width, device=clip.device)
        for savings in (False, True):
            tell(f"evaluation, {precision}, savings {'on' if savings else 'off'}")
            clip.savings.set_all(savings)
            classify = Classifier(model)
            classify(pixels)
            speed = gemm.read()
            calls = calls_for(lambda: classify(pixels), clip.device)  # noqa: B023
            time = statistics.median(seconds(lambda: classify(pixels), clip.device, calls) for _ in range(repeats))  # noqa: B023
            row = {"precision": precision, "savings": savings, "images_per_second": batch / time, "gemm_gflops": speed}
            rows.append({**row, "roofline_share": gflop(lambda: classify(pixels)) / time / speed})  # noqa: B023
    return rows
