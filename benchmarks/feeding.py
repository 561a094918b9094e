"""An evaluation beside its two parts: photographs are decoded, and pixels go through the tower.

All three are timed in turn, in one process, with the threads that a run has. On a CPU both parts use the same cores, so
an evaluation has the work of both to do; it cannot be faster than the slower one, nor, where both keep all cores busy,
than their sum.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.cases import make_clip
from benchmarks.measure import seconds
from dapt.clip.frozen import FrozenClip
from dapt.clip.load import load_clip
from dapt.config import make_config
from dapt.data.items import Item
from dapt.data.load.draft import draft_side, use_setting
from dapt.data.load.loader import EvalImages, eval_loader
from dapt.data.load.transforms import eval_transform
from dapt.environment import cores
from dapt.evaluation.evaluate import encode_images
from dapt.model.build import build_model
from dapt.model.classifier import Classifier

PHOTOS = {"4000 x 3000": (4000, 3000, 8), "500 x 375": (500, 375, 24)}  # width, height, how many
BATCH = 4


def draw_photos(folder: Path, width: int, height: int, count: int) -> list[Item]:
    """Write a JPEG (quality 90) with detail at every scale, as photographs have it, under so many names."""
    chance = np.random.default_rng(0)
    picture = np.full((height, width, 3), 128, np.float32)
    for scale in (2, 8, 32, 128, 512):
        small = chance.standard_normal((max(2, height // scale), max(2, width // scale), 3), np.float32)
        bytes_of = (128 + 8 * scale**0.5 * small).clip(0, 255).astype(np.uint8)
        grown = Image.fromarray(bytes_of).resize((width, height), Image.Resampling.BILINEAR)
        picture += np.asarray(grown, np.float32) - 128
    first = folder / "0.jpg"
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(first, quality=90)
    paths = [first, *(Path(shutil.copy(first, folder / f"{number}.jpg")) for number in range(1, count))]
    return [Item(path, 0, path.name) for path in paths]


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
            about = {"photos": size, "megabytes": megabytes, "cores": cores(), "threads": torch.get_num_threads()}
            for name, make in towers.items():
                clip = make()
                for draft in (False, True):
                    tell(f"feeding, {name}, photographs of {size}, draft {'on' if draft else 'off'}")
                    use_setting(draft)
                    rows.append({"model": name, **about, "draft": draft, **_feeding(clip, items, repeats)})
                    use_setting(False)
    return rows


def _feeding(clip: FrozenClip, items: list[Item], repeats: int) -> dict[str, Any]:
    """Images per second of decoding alone, the tower alone and both, and the time of cores that an image takes.

    ``to_slower`` and ``to_both`` compare the seconds of an evaluation with those of the slower part and of both;
    ``work`` its time of cores with that of both, which other programs on the machine change less.
    """
    classify = Classifier(build_model(make_config({"data": "-", "method": "zero_shot"}), clip, ["photo"]))
    size = clip.image.image_size
    images = EvalImages(items, eval_transform(size, clip.preprocess), side=draft_side(size))
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
    work: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            before = time.process_time()
            times[name].append(seconds(way, clip.device))
            work[name].append(time.process_time() - before)
    took = {name: statistics.median(values) for name, values in times.items()}
    core = {name: statistics.median(values) for name, values in work.items()}
    return {
        **{name: len(items) / value for name, value in took.items()},
        "core_ms": {name: 1000 * value / len(items) for name, value in core.items()},
        "to_slower": took["evaluation"] / max(took["decoding"], took["tower"]),
        "to_both": took["evaluation"] / (took["decoding"] + took["tower"]),
        "work": core["evaluation"] / (core["decoding"] + core["tower"]),
    }
