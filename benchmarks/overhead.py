"""A real run: how long it takes to start, and what share of a step is spent outside the towers."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file

from benchmarks.cases import ARCHITECTURE, class_names, make_clip
from dapt.config import make_config
from dapt.runs import load_inputs as inputs_module
from dapt.runs import train as run_module
from dapt.training.fit import Fitter
from dapt.training.step import TrainStep

CLASSES, SHOTS, TEST_IMAGES, SIZE = 37, 16, 1000, (500, 375)


class _EnoughError(Exception):
    """The measured steps are done."""


def measure_overhead(device: str, steps: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Start a MaPLe + DAPT run on generated photographs with mask files and time its first steps."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        tell(f"writing {CLASSES * SHOTS + TEST_IMAGES} images and a model to a temporary folder")
        _write_images(root)
        _write_model(root / "model")
        config = make_config(
            {
                "data": str(root / "images"),
                "masks": str(root / "masks"),
                "model": f"local-dir:{root / 'model'}",
                "method": "maple",
                "dapt": {"enabled": True, "variant": "phased"},
                "shots": SHOTS,
                "device": device,
                "out": str(root / "run"),
            }
        )
        tell(f"training {steps} steps")
        watch = _Watch(steps)
        started = time.perf_counter()
        with watch.installed():
            try:
                run_module.run_training(config)
            except _EnoughError:
                pass
            else:
                raise RuntimeError("The run ended before enough steps were timed.")
        startup = watch.first - started
        return {
            "startup_seconds": startup - watch.loading,
            "model_load_seconds": watch.loading,
            "inputs_seconds": watch.noting,
            "inputs_mb": _megabytes(root),
            "step_seconds": (watch.last - watch.second) / (steps - 1),
            "outside_towers_share": 1 - watch.inside / (watch.last - watch.second),
            "train_images": CLASSES * SHOTS,
            "test_images": TEST_IMAGES,
        }


class _Watch:
    """Takes the times of a run. The first step warms up and is left out."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.seen = 0
        self.first = self.second = self.last = self.loading = self.inside = self.noting = 0.0

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Watch loading, steps, and what runs in the towers."""
        load, step, note = inputs_module.load_clip, Fitter._step, run_module.fingerprint
        forward, backward = TrainStep.forward, torch.Tensor.backward

        def timed_load(*args: Any, **named: Any) -> Any:
            start = time.perf_counter()
            result = load(*args, **named)
            self.loading = time.perf_counter() - start
            return result

        def timed_note(*args: Any, **named: Any) -> Any:
            start = time.perf_counter()
            result = note(*args, **named)
            self.noting = time.perf_counter() - start
            return result

        def timed_step(fitter: Fitter, *args: Any) -> Any:
            if self.seen == 0:
                self.first = time.perf_counter()
            result = step(fitter, *args)
            self.seen += 1
            now = time.perf_counter()
            if self.seen == 1:
                self.second, self.inside = now, 0.0
            if self.seen == self.steps:
                self.last = now
                raise _EnoughError
            return result

        def inside(function: Callable[..., Any]) -> Callable[..., Any]:
            def timed(*args: Any, **named: Any) -> Any:
                start = time.perf_counter()
                result = function(*args, **named)
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                self.inside += time.perf_counter() - start
                return result

            return timed

        with (
            mock.patch.object(inputs_module, "load_clip", timed_load),
            mock.patch.object(run_module, "fingerprint", timed_note),
            mock.patch.object(Fitter, "_step", timed_step),
            mock.patch.object(TrainStep, "forward", inside(forward)),
            mock.patch.object(torch.Tensor, "backward", inside(backward)),
        ):
            yield


def _megabytes(root: Path) -> float:
    """Size of the images, masks and weights that a run takes the checksums of."""
    inputs = [path for path in root.rglob("*") if path.is_file() and root / "run" not in path.parents]
    return sum(path.stat().st_size for path in inputs) / 1e6


def _write_images(root: Path) -> None:
    """A folder data set with train and test parts, and a mask for every image."""
    rng = np.random.default_rng(0)
    pictures, masks = [], []
    for number in range(16):
        small = rng.integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8, 3), dtype=np.uint8)
        picture = root / f"{number}.jpg"
        Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC).save(picture, quality=92)
        mask = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
        top, left = rng.integers(20, 120, 2)
        mask[top : top + 180, left : left + 220] = 255
        drawn = root / f"{number}.png"
        Image.fromarray(mask).save(drawn)
        pictures.append(picture.read_bytes())
        masks.append(drawn.read_bytes())
    names = class_names(CLASSES)
    for part, count in (("train", CLASSES * SHOTS), ("test", TEST_IMAGES)):
        for index in range(count):
            where = f"{part}/{names[index % CLASSES].replace('/', ' ')}/{index:05d}"
            for base, content, ending in (("images", pictures, "jpg"), ("masks", masks, "png")):
                path = root / base / f"{where}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content[index % 16])


def _write_model(folder: Path) -> None:
    """The random model in open_clip's folder format."""
    folder.mkdir()
    config = {
        "model_cfg": open_clip.get_model_config(ARCHITECTURE),
        "preprocess_cfg": {"mean": list(open_clip.OPENAI_DATASET_MEAN), "std": list(open_clip.OPENAI_DATASET_STD)},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    weights = {name: value.contiguous() for name, value in make_clip().model.state_dict().items()}
    save_file(weights, str(folder / "open_clip_model.safetensors"))
