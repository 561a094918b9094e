"""Reading parity fixtures and building the product's own objects from them.

A fixture `NAME` is a pair NAME.safetensors (tensors) and NAME.json (settings); see fixtures/README.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
import torch
from safetensors.torch import load_file

from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.data.batch import Batch

SHARED = {"clip", "clip_headdim64", "teacher_clip", "inputs", "index", "lr_schedule", "fewshot"}


def case_parameters(folder: Path):
    names = sorted(path.stem for path in folder.glob("*.json") if path.stem not in SHARED)
    if not names:
        return [pytest.param("none", marks=pytest.mark.skip(reason=f"no parity fixtures in {folder}"))]
    return [pytest.param(name, id=name) for name in names]


class Folder:
    """The shared files of a fixture folder: models, inputs, class names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._clips: dict[str, FrozenClip] = {}

    def json(self, name: str) -> dict:
        return json.loads((self.path / f"{name}.json").read_text())

    def tensors(self, name: str) -> dict[str, torch.Tensor]:
        return load_file(self.path / f"{name}.safetensors")

    def first(self, prefix: str) -> str:
        """The first case whose name starts so."""
        return min(path.stem for path in self.path.glob(f"{prefix}*.json"))

    def names(self) -> list[str]:
        return self.json("inputs")["class_names"]

    def clip(self, name: str = "clip") -> FrozenClip:
        if name not in self._clips:
            self._clips[name] = self.built_clip(name)
        return self._clips[name]

    def built_clip(self, name: str) -> FrozenClip:
        """A model of its own, that may be changed."""
        sizes = self.json(name)
        weights = self.tensors(name)
        rows, ids = weights.pop("token_embedding.rows"), weights.pop("token_embedding.ids")
        table = torch.zeros(sizes["vocab_size"], sizes["text_width"])
        table[ids] = rows
        weights["token_embedding.weight"] = table
        model = open_clip.CLIP(
            embed_dim=sizes["embed_dim"],
            quick_gelu=sizes["activation"] == "quick_gelu",
            vision_cfg={
                "image_size": sizes["image_resolution"],
                "patch_size": sizes["patch_size"],
                "width": sizes["vision_width"],
                "layers": sizes["vision_layers"],
                "head_width": sizes["vision_width"] // sizes["vision_heads"],
            },
            text_cfg={
                "context_length": sizes["context_length"],
                "vocab_size": sizes["vocab_size"],
                "width": sizes["text_width"],
                "layers": sizes["text_layers"],
                "heads": sizes["text_heads"],
            },
        )
        weights["logit_scale"] = weights["logit_scale"].reshape(model.logit_scale.shape)
        model.load_state_dict(weights)
        preprocess = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
        tokenizer = open_clip.SimpleTokenizer(context_length=sizes["context_length"])
        return FrozenClip(model, tokenizer, preprocess, name)


class Case:
    """One fixture: its settings, its numbers, and comparison within the documented tolerance."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder = folder
        self.name = name
        self.settings = folder.json(name)
        self.stored = folder.tensors(name)
        self.compared: set[str] = set()

    def names(self) -> list[str]:
        """The class names of this case: the shared ones, as many as it has prompts for."""
        names = self.folder.names()
        tokens = self.stored.get("tokens.class_prompts")
        return names if tokens is None else names[: len(tokens)]

    def tolerance(self, key: str) -> float:
        size = float(self.stored[key].abs().max()) if self.stored[key].numel() else 0.0
        deviation = self.settings.get("official_fp32_deviation", {}).get(key, [0.0, 0.0])[0]
        if key.startswith(("param1.", "param3.", "epoch", "gpa.")):
            return max(1e-6, 4 * deviation)
        is_gradient = key.startswith(("grad.", "out.grad")) or key in (
            "out.activations",
            "out.gradients",
            "out.map_lowres",
            "out.map_continuous",
            "out.score",
        )
        if is_gradient and size == 0.0:  # zero in exact arithmetic: the reference in float32 misses it by its deviation
            return max(1e-6, 10 * deviation)
        relative = 1e-4 if is_gradient else 2e-5
        return max(relative * size, 10 * deviation) + 1e-7

    def check(self, key: str, ours: torch.Tensor, *, optional: bool = False) -> None:
        """Compare with the stored tensor `key`."""
        if optional and key not in self.stored:
            return
        stored = self.stored[key]
        self.compared.add(key)
        ours = ours.detach()
        assert ours.shape == stored.shape, f"{self.name} {key}: shape {tuple(ours.shape)} != {tuple(stored.shape)}"
        if not stored.is_floating_point():
            assert torch.equal(ours.to(stored.dtype), stored), f"{self.name} {key} differs"
            return
        assert torch.isfinite(ours).all(), f"{self.name} {key} is not finite"
        gap = float((ours.float() - stored).abs().max()) if stored.numel() else 0.0
        limit = self.tolerance(key)
        assert gap <= limit, f"{self.name} {key}: differs by {gap:.3g}, allowed {limit:.3g}"

    def leftovers(self) -> set[str]:
        """Stored numbers that no comparison has looked at."""
        inputs = ("input.", "param0.")
        return {key for key in self.stored if not key.startswith(inputs)} - self.compared


def batches(case: Case) -> list[Batch]:
    """The fixture's batches: its own, or the three shared ones."""
    shared = case.folder.tensors("inputs")
    pixels = case.stored.get("input.pixels", shared["pixels"])
    labels = case.stored.get("input.labels", shared["labels"])
    masks = case.stored.get("input.masks", shared["masks"])
    if pixels.dim() == 4:
        return [Batch(pixels, labels.flatten()[: len(pixels)], None)]
    if labels.dim() == 1:
        labels = labels.expand(len(pixels), -1)
    return [Batch(*parts) for parts in zip(pixels, labels, masks, strict=True)]
