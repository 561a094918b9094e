"""Pictures per second of `dapt audit` beside those of `dapt eval`: ``python -m benchmarks.audit``.

Both classify the same images with the same zero-shot model in one process, turn about. An audit classifies every image
once per variant, and has to make most of the variants: what counts is how many pictures the model answers per second.
Masks are found before, as an evaluation does not read them; the time for that is told beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from dapt.console import set_quiet
from dapt.demo.scene_data import write_scenes
from dapt.devices import pick_device
from dapt.environment import cores
from dapt.evaluation.audit.answers import ask
from dapt.evaluation.audit.scenes import Scenes
from dapt.evaluation.audit.variants import NAMES
from dapt.evaluation.evaluate import evaluate
from dapt.runs.audit_images import Question, choose_images
from dapt.runs.audit_models import open_models, with_names
from dapt.runs.audit_objects import find_material

BATCH = 100  # as both do by default


def measure(data: str, spec: str, *, split: str, limit: int | None, repeats: int, device: str) -> dict[str, Any]:
    """Pictures per second of both ways, the median of several."""
    question = Question(data, split=split, limit=limit)
    model = open_models([spec], device=device)[0]
    source = choose_images(question, [model])
    with_names(model, source.part.names, data, device)
    ready = model.ready
    begin = time.perf_counter()
    material = find_material(question, source, ready.clip, max(ready.clip.image.image_size))
    masks_s = time.perf_counter() - begin
    items, labels = source.part.items, source.part.labels
    rates: dict[str, list[float]] = {"eval": [], "audit": []}
    for _ in range(repeats):
        begin = time.perf_counter()
        evaluate(ready, items, labels, batch_size=BATCH)
        rates["eval"].append(len(items) / (time.perf_counter() - begin))
        scenes = Scenes(material.items, material.cutouts.found, material.donors)  # nothing is decoded yet
        begin = time.perf_counter()
        answers = ask([ready], scenes, material.labels[: material.asked], NAMES, batch_size=BATCH)[0]
        rates["audit"].append(int((answers.predicted >= 0).sum()) / (time.perf_counter() - begin))
    figures = {way: statistics.median(found) for way, found in rates.items()}
    return {
        "model": spec,
        "data": source.data.name,
        "images": len(items),
        "device": str(ready.clip.device),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "eval_pictures_per_second": round(figures["eval"], 1),
        "audit_pictures_per_second": round(figures["audit"], 1),
        "ratio": round(figures["audit"] / figures["eval"], 3),
        "seconds_for_masks": round(masks_s, 2),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print one JSON object per line."""
    parser = argparse.ArgumentParser("python -m benchmarks.audit", description=__doc__)
    add = parser.add_argument
    add("--model", nargs="+", default=["demo"], help="backbones (default: demo)")
    add("--data", help="data with masks (default: scenes drawn for it)")
    add("--split", default="test", help="of the data (default: test)")
    add("--limit", type=int, help="so many images at most (default: all)")
    add("--side", type=int, default=128, help="pixels of a drawn scene (default: 128)")
    add("--repeats", type=int, default=3, help="timings, turn about (default: 3)")
    add("--device", default="auto", help="cpu, cuda, cuda:N or mps")
    chosen = parser.parse_args(arguments)
    set_quiet(True)
    device = pick_device(chosen.device)
    with tempfile.TemporaryDirectory() as folder:
        data = chosen.data or str(write_scenes(Path(folder), train_per_class=1, test_per_class=20, size=chosen.side))
        for spec in chosen.model:
            row = measure(data, spec, split=chosen.split, limit=chosen.limit, repeats=chosen.repeats, device=device)
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
