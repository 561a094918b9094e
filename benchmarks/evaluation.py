"""Images per second of classification, by type and with or without the savings."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.cases import case_named, make_clip, make_work
from benchmarks.measure import seconds
from dapt.model.classifier import Classifier

BATCH = 32


def measure_evaluation(device: str, repeats: int, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per way of running the towers."""
    rows = []
    for precision in ("32", "bf16"):
        clip = make_clip(device, precision)
        model = make_work(case_named("maple-37"), clip, "ours").step.model
        height, width = clip.image.image_size
        pixels = torch.randn(BATCH, 3, height, width, device=clip.device)
        for savings in (False, True):
            tell(f"evaluation, {precision}, savings {'on' if savings else 'off'}")
            clip.savings.set_all(savings)
            classify = Classifier(model)
            classify(pixels)
            time = statistics.median(seconds(lambda: classify(pixels), clip.device) for _ in range(repeats))  # noqa: B023
            rows.append({"precision": precision, "savings": savings, "images_per_second": BATCH / time})
    return rows
