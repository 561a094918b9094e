"""A model folder in the format of the transformers library: ``CLIPModel.from_pretrained(FOLDER)`` loads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, Preprocess
from dapt.clip.transformers_layout import CONFIG, PREPROCESSOR, to_transformers
from dapt.errors import NotSupportedError
from dapt.export.openclip_folder import model_config
from dapt.files import write_bytes, write_json, write_text

WEIGHTS = "model.safetensors"
START, END = "<|startoftext|>", "<|endoftext|>"
OURS = {"<start_of_text>": START, "<end_of_text>": END}
RESAMPLE = {"nearest": 0, "bilinear": 2}  # Pillow's numbers; anything else is bicubic
BICUBIC = 3


def write_folder(folder: Path, model: nn.Module, clip: FrozenClip) -> None:
    """Write a CLIP of transformers, with its preprocessing and, for CLIP's own kind of vocabulary, its tokenizer.

    Args:
        model: an open_clip model with the weights to write. clip: the frozen model that it was made from.

    Raises:
        NotSupportedError: its towers or its preprocessing are not those of the CLIP of transformers.
    """
    config = transformers_config(model_config(clip))
    pixels = preprocessor_config(clip.image.image_size, clip.preprocess)
    write_bytes(folder / WEIGHTS, save(to_transformers(model.state_dict()), metadata={"format": "pt"}))
    write_json(folder / CONFIG, config)
    write_json(folder / PREPROCESSOR, pixels)
    _write_tokenizer(folder, clip, config["text_config"]["max_position_embeddings"])


def transformers_config(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of open_clip in the form of transformers.

    Raises:
        NotSupportedError: the model has parts that the CLIP of transformers has not.
    """
    vision, text = config["vision_cfg"], config["text_cfg"]
    foreign = sorted({*vision} - _VISION) + sorted({*text} - _TEXT) + sorted({*config} - _TOP)
    if foreign or isinstance(vision.get("layers"), list):
        raise NotSupportedError(
            f"transformers' CLIP has no {foreign[0] if foreign else 'ResNet'}, which this backbone is made with.",
            todo="Export to openclip.",
        )
    activation = "quick_gelu" if config.get("quick_gelu") else "gelu"
    width, words = vision["width"], text["vocab_size"]
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": config["embed_dim"],
        "torch_dtype": "float32",
        "vision_config": {
            "model_type": "clip_vision_model",
            "hidden_size": width,
            "intermediate_size": int(width * vision.get("mlp_ratio", 4.0)),
            "num_hidden_layers": vision["layers"],
            "num_attention_heads": width // vision.get("head_width", 64),
            "image_size": vision["image_size"],
            "patch_size": vision["patch_size"],
            "hidden_act": activation,
            "projection_dim": config["embed_dim"],
        },
        "text_config": {
            "model_type": "clip_text_model",
            "hidden_size": text["width"],
            "intermediate_size": int(text["width"] * text.get("mlp_ratio", 4.0)),
            "num_hidden_layers": text["layers"],
            "num_attention_heads": text["heads"],
            "max_position_embeddings": text["context_length"],
            "vocab_size": words,
            "hidden_act": activation,
            "projection_dim": config["embed_dim"],
            **{"bos_token_id": words - 2, "eos_token_id": words - 1, "pad_token_id": words - 1},
        },
    }


_VISION = {"image_size", "layers", "width", "head_width", "patch_size", "mlp_ratio"}
_TEXT = {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "tokenizer_kwargs"}
_TOP = {"embed_dim", "quick_gelu", "vision_cfg", "text_cfg"}


def preprocessor_config(size: tuple[int, int], how: Preprocess) -> dict[str, Any]:
    """How pictures become pixels, as transformers notes it.

    Raises:
        NotSupportedError: it has no such way.
    """
    height, width = size
    if how.resize_mode == "longest" or (how.resize_mode == "shortest" and height != width):
        raise NotSupportedError(
            f"transformers' CLIP does not resize by '{how.resize_mode}' to {height} x {width}.",
            todo="Export to openclip.",
        )
    whole = {"height": height, "width": width}
    squash = how.resize_mode == "squash"
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": whole if squash else {"shortest_edge": height},
        "resample": RESAMPLE.get(how.interpolation, BICUBIC),
        "do_center_crop": not squash,
        "crop_size": whole,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(how.mean),
        "image_std": list(how.std),
        "do_convert_rgb": True,
    }


def _write_tokenizer(folder: Path, clip: FrozenClip, length: int) -> None:
    """Write vocabulary and pairs, where the tokenizer is of CLIP's own kind; of others nothing is written."""
    tokenize: Any = clip.tokenizer.own
    encoder, pairs = getattr(tokenize, "encoder", None), getattr(tokenize, "bpe_ranks", None)
    if not isinstance(encoder, dict) or not isinstance(pairs, dict):
        return
    write_json(folder / "vocab.json", {OURS.get(word, word): number for word, number in encoder.items()})
    lines = [" ".join(pair) for pair in sorted(pairs, key=lambda pair: int(pairs[pair]))]
    write_text(folder / "merges.txt", "\n".join(["#version: 0.2", *lines, ""]))
    special = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": length, "do_lower_case": True, **special},
    )


def open_folder(folder: Path) -> tuple[Callable[[Tensor], Tensor], Callable[[Image.Image], Tensor]]:
    """What makes features ``[B, D]``, not normalised, of pixels, and transformers' own pixels ``[1, 3, H, W]``."""
    from transformers import CLIPImageProcessor, CLIPModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = CLIPModel.from_pretrained(str(folder)).eval()
    processor = CLIPImageProcessor.from_pretrained(str(folder))

    def encode(pixels: Tensor) -> Tensor:
        found = model.get_image_features(pixel_values=pixels)
        features: Tensor = found if isinstance(found, Tensor) else found.pooler_output
        return features

    def pixels_of(picture: Image.Image) -> Tensor:
        made: Tensor = processor(images=picture, return_tensors="pt")["pixel_values"]
        return made

    return encode, pixels_of
