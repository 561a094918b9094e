"""model.json: what a program needs to know to use an exported model, and where that comes from."""

from __future__ import annotations

import importlib.metadata
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dapt.config import RunConfig
from dapt.environment import version
from dapt.export.choices import GRAPHS, IN_GRAPH, Choices
from dapt.model.prompted_clip import PromptedClip
from dapt.model.prompts_file import load_prompts
from dapt.owned import digest_of
from dapt.runs.run_folder import RunFolder

SCHEMA = 1
PACKAGES = ("torch", "open-clip-torch", "onnx", "onnxscript", "onnxruntime", "transformers")
UNCALIBRATED = 1.0


def describe_export(
    run: RunFolder, config: RunConfig, model: PromptedClip, choices: Choices, file: str, uses: dict[str, Any]
) -> dict[str, Any]:
    """The content of model.json, but for the check.

    Args:
        model: the run's. file: the model file. uses: what the format adds.
    """
    scale = float(model.clip.logit_scale)
    return {
        "schema": SCHEMA,
        "format": choices.to,
        "file": file,
        **({"input": _input(choices, model), "outputs": _OUTPUTS} if choices.to in GRAPHS else {}),
        **uses,
        "labels": list(model.names),
        "thresholds": None,  # of "none of these"; a run has none yet
        "logit_scale": scale,
        "logit_bias": model.clip.logit_bias,
        "temperature": UNCALIBRATED,
        "precision": choices.precision,
        "preprocessing": preprocessing(model, choices),
        "run": _identity(run, config, model),
        "versions": {"dapt": version(), **_versions()},
    }


_OUTPUTS = {
    "probabilities": "float32 [batch, classes], in the order of the labels",
    "logits": "float32 [batch, classes], of which the probabilities are the softmax",
}


def _input(choices: Choices, model: PromptedClip) -> dict[str, Any]:
    height, width = model.clip.image.image_size
    if choices.preprocess == IN_GRAPH:
        return {"name": "image", "type": "uint8", "shape": ["batch", "height", "width", 3]}
    return {"name": "pixels", "type": "float32", "shape": ["batch", 3, height, width]}


def preprocessing(model: PromptedClip, choices: Choices) -> dict[str, Any]:
    """How a picture becomes pixels."""
    how, reading = model.clip.preprocess, model.preprocess.reading
    return {
        "in_graph": choices.preprocess == IN_GRAPH,
        "channels": "RGB",
        "orientation": "upright (EXIF applied)",
        "size": list(model.clip.image.image_size),
        "resize_mode": how.resize_mode,
        "interpolation": how.interpolation,
        "antialias": True,
        "crop": "none" if how.resize_mode == "squash" else "center",
        "scale": 1 / 255,
        "mean": list(how.mean),
        "std": list(how.std),
        **({} if reading is None else asdict(reading)),
    }


def _identity(run: RunFolder, config: RunConfig, model: PromptedClip) -> dict[str, Any]:
    saved = load_prompts(run.prompts_file)
    return {
        "name": run.path.resolve().name,
        "method": saved.method,
        "options": saved.options,
        "dapt": config.dapt.enabled,
        "data": Path(config.data).name,
        "shots": config.shots,
        "seed": config.seed,
        "backbone": {**saved.backbone, "spec": shortened(str(saved.backbone["spec"]))},
        "prompts_sha256": digest_of(run.prompts_file.read_bytes()),
    }


def shortened(spec: str) -> str:
    """A backbone without the folders above it, which are nobody else's business."""
    head, colon, place = spec.partition(":")
    return f"{head}:{Path(place).name}" if colon and head != "hf-hub" else spec


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
