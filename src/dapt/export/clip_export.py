"""Exports that are a CLIP for other tools: a model folder of open_clip or transformers, with the classes beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save
from torch import Tensor

from dapt.export import openclip_folder, transformers_folder
from dapt.export.check import Asked, Bytes
from dapt.export.choices import OPEN_CLIP
from dapt.export.plain_clip import make_plain_clip
from dapt.files import write_bytes
from dapt.model.prompted_clip import PromptedClip

CLASSES = "classes.safetensors"
FORMULA = "softmax(f @ weight.T + offset), f the image features"


def write_clip_export(folder: Path, model: PromptedClip, to: str) -> tuple[str, dict[str, Any]]:
    """Write a model folder.

    Returns:
        the name of the file with the weights, and what model.json says of the classes.

    Raises:
        NotSupportedError: the run is no ordinary CLIP, or not one of that library.
    """
    plain = make_plain_clip(model, to)
    library = openclip_folder if to == OPEN_CLIP else transformers_folder
    library.write_folder(folder, plain.model, model.clip)
    write_bytes(folder / CLASSES, save({"weight": plain.weight, "offset": plain.offset}))
    classes = {
        "file": CLASSES,
        "probabilities": FORMULA,
        "unit_features": plain.unit_features,
        "texts": plain.plain_texts,
    }
    return library.WEIGHTS, {"classes": classes}


def open_clip_export(folder: Path, model: PromptedClip, to: str) -> tuple[Asked, Asked]:
    """The exported folder, loaded by its library alone, as something to ask about decoded pictures.

    Returns:
        with pixels as model.json says, and with those that the library makes by its own preprocessing.
    """
    library = openclip_folder if to == OPEN_CLIP else transformers_folder
    encode, own_pixels = library.open_folder(folder)
    classes = load_file(str(folder / CLASSES))
    unit = model.prompts.unit_features

    @torch.no_grad()
    def answer_to(pixels: Tensor) -> Bytes:
        features = encode(pixels)
        if unit:
            features = features / features.norm(dim=-1, keepdim=True)
        logits = features @ classes["weight"].t() + classes["offset"]
        answer: Bytes = logits.softmax(dim=-1)[0].numpy()
        return answer

    def asked(picture: Bytes) -> Bytes:
        return answer_to(model.preprocess(picture)[None])

    def asked_by_itself(picture: Bytes) -> Bytes:
        return answer_to(own_pixels(Image.fromarray(np.ascontiguousarray(picture))))

    return asked, asked_by_itself
