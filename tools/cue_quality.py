"""Measure cues against true masks, and print the table of docs/cues.md.

Usage: python tools/cue_quality.py --shared ../shared --split test [--limit 100] [--cues CUE ...] [--out FOLDER]

A cue is written with its options, ``gradcam,score=softmax,cut=otsu``. ``middle`` is a control: the same ellipse in
every picture, a quarter of it. Writes ``cue_quality.json`` and ``cue_quality.md`` into FOLDER. The time is that of one
processor core, reading the photos included.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.config import make_config
from dapt.console import set_quiet
from dapt.cues.base import CUES, CueContext
from dapt.cues.build import cue_options
from dapt.cues.common_things import COMMON_THINGS
from dapt.cues.quality import MaskQuality, compare_masks
from dapt.data.items import ImageSet, Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.resize import resize_map
from dapt.data.masks.mask_files import read_mask
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DataError, did_you_mean
from dapt.model.build import build_model
from dapt.model.prompted_clip import PromptedClip
from dapt.plugins import load_plugins

BETTER = "score=softmax,refine=affinity,cut=otsu,smooth=guided"
CUES_MEASURED = (
    "middle",
    "gradcam",
    "gradcam,score=softmax",
    f"gradcam,{BETTER}",
    "gradcam,score=softmax,refine=colour,cut=otsu,smooth=guided",
    "patches,refine=none,smooth=none",
    "patches,refine=affinity",
    "patches",
    "border,smooth=none",
    "border",
)
MODELS = ("photo-clip", "photo-hybrid")
SETS = ("leeds_butterfly", "ecssd")


def options_of(text: str) -> tuple[str, dict[str, Any]]:
    """Name and options of a cue that is written as above.

    Raises:
        ConfigError: an option has no value.
    """
    name, *pairs = text.split(",")
    if not all("=" in pair for pair in pairs):
        raise ConfigError(f"The cue {text} has an option without a value.", todo="Write it as gradcam,cut=otsu.")
    return name, {
        key: json.loads(value) if value[:1].isdigit() else value for key, value in (p.split("=") for p in pairs)
    }


def model_of(spec: str, shared: Path, names: Sequence[str]) -> PromptedClip:
    """A zero-shot model: ``demo``, or the name of a folder of ``shared/models``."""
    from dapt.clip.load import load_clip

    folder = shared / "models" / spec
    if folder.is_dir():
        load_plugins(sorted(str(path) for path in folder.glob("*.py")))
        spec = f"local-dir:{folder}"
    config = make_config({"data": "-", "method": "zero_shot", "model": spec})
    return build_model(config, load_clip(spec), list(names))


def items_of(data: ImageSet, split: str) -> Sequence[Item]:
    """The images of a split, each of which has a mask.

    Raises:
        DataError: there are none, or one has not.
    """
    items = data.splits.get(split, ())
    if not items:
        raise DataError(f"{data.name} has no images in its split '{split}'.", todo=did_you_mean(split, data.splits))
    lacking = [item.name for item in items if item.mask is None]
    if lacking:
        raise DataError(f"{len(lacking)} of {len(items)} images of {data.name} have no mask, {lacking[0]} among them.")
    return items


def middle(photo: Tensor) -> Tensor:
    """An ellipse in the middle of a picture, a quarter of it."""
    y, x = (torch.linspace(-1, 1, side) for side in photo.shape[-2:])
    return y[:, None] ** 2 + x**2 <= 1 / math.pi


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's, None where one of them is constant."""
    found = torch.corrcoef(torch.tensor([list(a), list(b)], dtype=torch.float64))[0, 1]
    return round(float(found), 3) if torch.isfinite(found) else None


def measure(cue_text: str, data: ImageSet, items: Sequence[Item], model: PromptedClip | None) -> dict[str, Any]:
    """Figures of one cue, in percent; images whose true mask is empty or full are left out, no mask counts as empty."""
    name, options = options_of(cue_text)
    cache = ImageCache(0)
    start = time.process_time()
    scores: dict[str, float] = {}
    if name == "middle":
        masks: list[Tensor | None] = [middle(cache(item)) for item in items]
    else:
        own = cue_options(name, options)
        cue = CUES.get(name)(CueContext(own, None, "binary", False, cache, 1, data))
        masks = cue.prepare(items, model if cue.needs_model else None)
        scores = cue.report.scores
    seconds = time.process_time() - start
    quality, trust = MaskQuality(), []
    for item, mask in zip(items, masks, strict=True):
        assert item.mask is not None
        true = read_mask(item.mask, "binary")
        size = (true.shape[0], true.shape[1])
        found = torch.zeros(size, dtype=torch.bool) if mask is None else resize_map(mask, size, soft=False) >= 0.5
        before = len(quality.iou)
        compare_masks(found, true, quality)
        if len(quality.iou) > before:
            trust.append(scores.get(item.name, 0.0))
    figures: dict[str, Any] = quality.figures()
    outlines = quality.boundary_f
    figures["boundary_f"] = round(100 * sum(outlines) / len(outlines), 3) if outlines else None
    figures["score_with_iou"] = correlation(trust, quality.iou) if scores else None
    figures["seconds_per_1000"] = round(1000 * seconds / len(items), 1)
    return figures


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown."""
    heads = ["data", "model", "cue", "IoU", "fg kept", "bg kept", "boundary F", "score~IoU", "s / 1,000"]
    keys = ["iou", "foreground_kept", "background_kept", "boundary_f", "score_with_iou", "seconds_per_1000"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [
            "–" if row[key] is None else f"{row[key]:.2f}" if key == "score_with_iou" else f"{row[key]:.0f}"
            for key in keys
        ]
        lines.append("| " + " | ".join([row["data"], row["model"], f"`{row['cue']}`", *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure all cues on all data with all models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--data", nargs="+", default=list(SETS), help="folders of shared/data, or data with masks")
    parser.add_argument("--models", nargs="+", default=list(MODELS), help="folders of shared/models, or models")
    parser.add_argument("--cues", nargs="+", default=list(CUES_MEASURED))
    parser.add_argument("--split", default="train")
    parser.add_argument("--limit", type=int, help="so many images, the first")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.limit is not None and arguments.limit < 1:
        parser.error("--limit is at least one")
    for text in arguments.cues:  # what is wrong with the last is found before the first is measured
        name, options = options_of(text)
        if name != "middle":
            cue_options(name, options)
    set_quiet(True)
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for data_name in arguments.data:
        folder = arguments.shared / "data" / data_name
        data = load_data(str(folder if folder.is_dir() else data_name))
        items = items_of(data, arguments.split)[: arguments.limit]
        for number, spec in enumerate(arguments.models):
            model = model_of(spec, arguments.shared, data.names or COMMON_THINGS)
            for text in arguments.cues:
                name = text.split(",")[0]
                needs = name != "middle" and CUES.get(name).needs_model
                if needs or not number:
                    row = {"data": data_name, "model": spec if needs else "–", "cue": text, "split": arguments.split}
                    rows.append(row | measure(text, data, items, model))
                    print(table(rows[-1:]).splitlines()[-1], flush=True)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "cue_quality.json").write_text(json.dumps(rows, indent=1) + "\n")
        (arguments.out / "cue_quality.md").write_text(table(rows) + "\n")


if __name__ == "__main__":
    from ending import ending

    ending(main)
