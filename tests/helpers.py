"""Small models and data sets that tests make for themselves."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from dapt.clip.frozen import FrozenClip, Preprocess, unit
from dapt.clip.prompts import Prompts
from dapt.plugins import PREFIX
from dapt.registry import registries

REPOSITORY = Path(__file__).parent.parent
PREPROCESS = Preprocess((0.5, 0.4, 0.3), (0.25, 0.2, 0.3))
SHARED = REPOSITORY.parent / "shared"
PHOTO_CLIP = SHARED / "models" / "photo-clip"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="the shared reference folder (photographs, test model) is not beside the project",
)

# What takes a minute and of which neighbours prove most: make torture has it, make test-long and CI have not.
only_torture = pytest.mark.skipif(os.environ.get("DAPT_TORTURE") != "long", reason="only in make torture")

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 3, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 4},
}


def tiny_model(seed: int = 0, **changes: object) -> open_clip.CLIP:
    """A random CLIP of a few thousand weights, its activations large enough to matter."""
    torch.manual_seed(seed)
    model = open_clip.CLIP(**{**TINY, **changes})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


def loaded_plugins() -> set[str]:
    """The names of the modules that plugins are in."""
    return {name for name in sys.modules if name.startswith(PREFIX)}


def unload_plugins(keep: Collection[str] = ()) -> None:
    """Forget the plugins that this process has loaded, but for the modules `keep`."""
    for name in loaded_plugins() - set(keep):
        del sys.modules[name]
        for registry in registries():
            registry.withdraw(name)


def stopping(after: int = 1) -> Callable[[Any], None]:
    """A hook for `run_training` that stops it, as by Ctrl-C, once the state of an epoch is kept."""

    def stop(progress: Any) -> None:
        if progress.epoch == after:
            raise KeyboardInterrupt

    return stop


def tiny_clip(seed: int = 0, **changes: object) -> FrozenClip:
    """`tiny_model`, frozen and ready."""
    tokenizer = open_clip.SimpleTokenizer(context_length=32)
    preprocess = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    return FrozenClip(tiny_model(seed, **changes), tokenizer, preprocess, "tiny")


def save_tiny_model(folder: Path, seed: int = 0, **changes: object) -> str:
    """Write the tiny model in open_clip's folder format; returns its specification."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_cfg": {**TINY, **changes},
        "preprocess_cfg": {
            "mean": list(open_clip.OPENAI_DATASET_MEAN),
            "std": list(open_clip.OPENAI_DATASET_STD),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = {name: value.contiguous() for name, value in tiny_model(seed, **changes).state_dict().items()}
    save_file(weights, str(folder / "open_clip_model.safetensors"))
    return f"local-dir:{folder}"


def with_digest(metadata: dict[str, str] | None, tensors: dict[str, torch.Tensor]) -> dict[str, str] | None:
    """Metadata of a prompts file with the checksum of what it holds now; that of other files as it is."""
    from dapt.digests import content_digest
    from dapt.model.prompts_file import DIGEST

    if metadata is None or DIGEST not in metadata:
        return metadata
    plain = {key: value for key, value in metadata.items() if key != DIGEST}
    return {**plain, DIGEST: content_digest([tensors, plain])}


def classifier_of(clip: FrozenClip, prompts: Prompts, texts: torch.Tensor | None = None) -> SimpleNamespace:
    """What `Classifier` offers, for given prompts and texts."""
    return SimpleNamespace(
        model=SimpleNamespace(clip=clip),
        prompts=prompts,
        features=lambda pixels: clip.encode_image(pixels, prompts.detached()),
        tower=lambda pixels: clip.image.encode(pixels, prompts.detached()),
        finished=unit,
        logits=lambda features: clip.logits(features, texts.detach()),
    )


COLOURS = {"red_square": "red", "blue_disc": "blue", "green_bar": "green", "white_ring": "white"}


def draw(name: str, seed: int, size: tuple[int, int] = (48, 40)) -> tuple[Image.Image, Image.Image]:
    """A picture of a class on a noisy background, and its exact mask."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(60, 140, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    mask = Image.new("L", size, 0)
    left, top = int(rng.integers(2, size[0] - 22)), int(rng.integers(2, size[1] - 20))
    box = (left, top, left + 18, top + 16)
    for canvas, fill in ((image, COLOURS[name]), (mask, 255)):
        pen = ImageDraw.Draw(canvas)
        (pen.ellipse if "disc" in name or "ring" in name else pen.rectangle)(box, fill=fill)
    return image, mask


def fill(folder: Path, *names: str) -> None:
    """Write files, each with its own name in it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def make_folder(root: Path, *, per_class: int = 8, classes: int = 4, first: int = 0) -> Path:
    """A folder data set with one sub-folder per class, and masks beside it in ``<root>-masks``.

    Args:
        first: number of the first picture; another one gives other pictures.
    """
    for number, name in enumerate(list(COLOURS)[:classes]):
        for index in range(per_class):
            image, mask = draw(name, first + 1000 * number + index)
            for base, picture in ((root, image), (root.parent / f"{root.name}-masks", mask)):
                path = base / name / f"{index:02d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)
    return root


def make_csv(root: Path, *, per_class: int = 8, classes: int = 4, groups: bool = False, first: int = 0) -> Path:
    """A CSV data set with splits, masks and optionally groups; `first` as of `make_folder`."""
    rows = []
    for number, name in enumerate(list(COLOURS)[:classes]):
        for index in range(per_class):
            image, mask = draw(name, first + 1000 * number + index)
            for kind, picture in (("images", image), ("masks", mask)):
                path = root / kind / f"{name}_{index}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)
            row = {
                "image": f"images/{name}_{index}.png",
                "mask": f"masks/{name}_{index}.png",
                "label": number,
                "classname": name,
                "split": ("train", "train", "val", "test")[index % 4],
            }
            rows.append({**row, "group": "ab"[index % 2]} if groups else row)
    path = root / "index.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def spoil_png(path: Path) -> None:
    """Overwrite the middle of a PNG, so that only decoding it finds the damage."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)


def run_with(data: Path, spec: str, out: Path, **changes: object) -> dict[str, object]:
    """Settings of a run that takes a second."""
    given = {
        "data": str(data),
        "model": spec,
        "method": "maple",
        "depth": 2,
        "shots": 2,
        "epochs": 2,
        "out": str(out),
        "device": "cpu",
    }
    return {**given, **changes}
