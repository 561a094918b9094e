"""How time and memory grow with the number of classes and of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from benchmarks.cases import Case, Way, case_named, make_clip, smaller
from benchmarks.steps import on_its_own
from benchmarks.worker import Job

CLASSES = (10, 37, 100, 397, 1000)
PLAIN_CLASSES = (10, 37, 100)
BATCHES = (1, 4, 16, 64)
PLAIN_BATCHES = (1, 4, 16)


def measure_growth(device: str, precision: str, repeats: int, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per point, on a CPU each in a process of its own."""
    clip = make_clip(device, precision) if torch.device(device).type == "cuda" else None
    dapt, coop = case_named("dapt-lv-37"), case_named("coop-1000")
    points: list[tuple[str, Way, Case]] = []
    points += [("classes", "ours", smaller(dapt, count)) for count in CLASSES]
    points += [("classes", "plain", smaller(dapt, count)) for count in PLAIN_CLASSES]
    points += [("classes", "ours", smaller(coop, count)) for count in CLASSES]
    points += [("batch", "ours", replace(dapt, batch=count)) for count in BATCHES]
    points += [("batch", "plain", replace(dapt, batch=count)) for count in PLAIN_BATCHES]
    rows = []
    for along, way, case in points:
        tell(f"{case.title}, batch {case.batch}, {way}")
        row = {"along": along, "way": way, "method": case.method, "classes": case.classes, "batch": case.batch}
        try:
            found = on_its_own(Job(case, way, repeats, device, precision), clip)
        except RuntimeError as error:
            rows.append({**row, "failed": str(error)})
            continue
        rows.append({**row, "seconds": min(found["seconds"]), "peak_mb": found["peak_mb"]})
    return rows
