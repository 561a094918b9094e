"""An evaluation beside its two parts: photographs are decoded, and pixels go through the tower.

All three are timed in turn, in one process, with the threads that a run has. On a CPU both parts use the same cores, so
an evaluation has the work of both to do; it cannot be faster than the slower one, nor, where both keep all cores busy,
than their sum.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.cases import case_named, make_clip, make_work
from benchmarks.measure import seconds
from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.data.items import Item
from dapt.data.load.loader import EvalImages, eval_loader
from dapt.data.load.transforms import eval_transform
from dapt.environment import cores
from dapt.evaluation.evaluate import encode_images
from dapt.model.classifier import Classifier

PHOTOS = {"4000 x 3000": (4000, 3000, 16), "500 x 375": (500, 375, 48)}  # width, height, how many
BATCH = 8


def draw_photos(folder: Path, width: int, height: int, count: int) -> list[Item]:
    """Write JPEGs (quality 90) with detail at every scale, as photographs have it: a pixel takes 2 to 3 bits."""
    chance = np.random.default_rng(0)
    scales = [2**power for power in range(1, 11)]
    items = []
    for number in range(count):
        picture = np.full((height, width, 3), 128, np.float32)
        for scale in scales:
            small = chance.normal(0, 4 * scale**0.5, (max(2, height // scale), max(2, width // scale), 3))
            grown = [Image.fromarray(small[..., colour].astype(np.float32)) for colour in range(3)]
            picture += np.stack([each.resize((width, height), Image.Resampling.BILINEAR) for each in grown], axis=2)
        path = folder / f"{number}.jpg"
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path, quality=90)
        items.append(Item(path, 0, path.name))
    return items


def measure_feeding(device: str, repeats: int, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row for each tower and size of photographs."""
    rows = []
    towers = {"ViT-B/16": lambda: make_clip(device), "demo": lambda: load_clip("demo", device=device)}
    with tempfile.TemporaryDirectory() as folder:
        for size, (width, height, count) in PHOTOS.items():
            place = Path(folder) / size
            place.mkdir()
            items = draw_photos(place, width, height, count)
            megabytes = sum(item.path.stat().st_size for item in items) / 1e6 / count
            for name, make in towers.items():
                tell(f"feeding, {name}, photographs of {size}")
                figures = _feeding(make(), items, repeats)
                rows.append({"tower": name, "photos": size, "megabytes": megabytes, "cores": cores(), **figures})
    return rows


def _feeding(clip: FrozenClip, items: list[Item], repeats: int) -> dict[str, Any]:
    """Images per second of decoding alone, the tower alone, and both."""
    classify = Classifier(make_work(case_named("maple-37"), clip, "ours").step.model)
    images = EvalImages(items, eval_transform(clip.image.image_size, clip.preprocess))
    loader = eval_loader(images, batch_size=BATCH, workers=0)
    batches = [pixels.to(clip.device) for pixels, _ in loader]

    @torch.no_grad()
    def tower() -> None:
        for pixels in batches:
            classify.tower(pixels)

    ways: dict[str, Callable[[], Any]] = {
        "decoding": lambda: [None for _ in loader],
        "tower": tower,
        "evaluation": lambda: encode_images(classify, items, batch_size=BATCH),
    }
    ways["evaluation"]()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            times[name].append(seconds(way, clip.device))
    took = {name: statistics.median(values) for name, values in times.items()}
    return {
        **{name: len(items) / value for name, value in took.items()},
        "to_slower": took["evaluation"] / max(took["decoding"], took["tower"]),
        "to_both": took["evaluation"] / (took["decoding"] + took["tower"]),
    }
