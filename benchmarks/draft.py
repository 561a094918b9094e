"""Predictions of JPEGs that are decoded reduced beside those of whole ones: ``python -m benchmarks.draft DATA``.

Evenly chosen test images of DATA are enlarged, with grain as a camera's sensor has it, until a model would have them
decoded reduced; the untuned model classifies both ways. What is enlarged has no finer structure than grain, so the
figures say how far decoding moves predictions, not how good a model is on large photographs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dapt.clip.load import load_clip
from dapt.config import make_config
from dapt.data.items import Item
from dapt.data.load.draft import use_setting
from dapt.data.load.images import open_image
from dapt.data.resolve import load_data
from dapt.evaluation.evaluate import Evaluation, evaluate
from dapt.model.build import build_model
from dapt.plugins import load_plugins

GRAIN = 6.0  # standard deviation of each channel, of 255
QUALITY = 90


def enlarged(items: Sequence[Item], folder: Path, times: int) -> list[Item]:
    """Write the images so many times as large along each side, with grain; the same items with these files."""
    chance = np.random.default_rng(0)
    found = []
    for number, item in enumerate(items):
        picture = open_image(item.path)
        large = picture.resize((times * picture.width, times * picture.height), Image.Resampling.BICUBIC)
        grain = chance.normal(0, GRAIN, (large.height, large.width, 3))
        path = folder / f"{number}.jpg"
        Image.fromarray((np.asarray(large) + grain).clip(0, 255).astype(np.uint8)).save(path, quality=QUALITY)
        found.append(replace(item, path=path))
    return found


def compared(whole: Evaluation, less: Evaluation) -> str:
    """Accuracy both ways, how many predictions agree, and how far confidences are apart."""
    same = 100 * float((whole.predicted == less.predicted).double().mean())
    right = [100 * float((found.predicted == found.labels).double().mean()) for found in (whole, less)]
    apart = 100 * float((whole.confidence - less.confidence).abs().mean())
    return (
        f"{len(whole.labels)} images: accuracy {right[0]:.1f} whole, {right[1]:.1f} reduced; {same:.1f}% of the "
        f"predictions agree, confidences are {apart:.2f} points apart on average"
    )


def main(arguments: list[str] | None = None) -> int:
    """Compare both ways on one data set."""
    parser = argparse.ArgumentParser("python -m benchmarks.draft", description=__doc__)
    parser.add_argument("data", help="what `dapt train` reads")
    parser.add_argument("--model", default="demo")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE")
    parser.add_argument("--images", type=int, default=400, help="at most so many (default: 400)")
    parser.add_argument("--times", type=int, default=8, help="larger along each side (default: 8)")
    chosen = parser.parse_args(arguments)
    load_plugins(chosen.plugin)
    source = load_data(chosen.data)
    test = source.labelled("test")
    items = test[:: max(1, -(-len(test) // chosen.images))]
    clip = load_clip(chosen.model)
    model = build_model(make_config({"data": "-", "method": "zero_shot"}), clip, source.names)
    with tempfile.TemporaryDirectory() as folder:
        large = enlarged(items, Path(folder), chosen.times)
        found = []
        for on in (False, True):
            use_setting(on)
            found.append(evaluate(model, large, [item.label for item in large], label="draft" if on else "whole"))
    use_setting(False)
    print(compared(*found))
    return 0


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    sys.exit(main())
