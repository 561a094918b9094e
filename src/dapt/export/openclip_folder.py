"""A model folder in open_clip's format: ``local-dir:FOLDER`` loads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

from dapt.clip.bundled import bundled_model
from dapt.clip.frozen import FrozenClip
from dapt.clip.model_folder import CONFIG, read_model_config
from dapt.clip.transformers_folder import has_transformers_model
from dapt.clip.transformers_layout import open_clip_config
from dapt.errors import NotSupportedError
from dapt.files import write_bytes, write_json

WEIGHTS = "open_clip_model.safetensors"


def write_folder(folder: Path, model: nn.Module, clip: FrozenClip) -> None:
    """Write an open_clip model.

    Args:
        model: with the weights to write. clip: the frozen model that it was made from.

    Raises:
        NotSupportedError: the configuration of the backbone cannot be found out.
    """
    config = model_config(clip)
    vocabulary = (config["text_cfg"].get("tokenizer_kwargs") or {}).get("bpe_path")
    if vocabulary is not None:
        source = _folder_of(clip.spec) / vocabulary
        write_bytes(folder / vocabulary, source.read_bytes())
    write_json(folder / CONFIG, {"model_cfg": config, "preprocess_cfg": asdict(clip.preprocess)})
    weights = {name: value.contiguous().clone() for name, value in model.state_dict().items()}
    write_bytes(folder / WEIGHTS, save(weights))


def model_config(clip: FrozenClip) -> dict[str, Any]:
    """The sizes of a model, as open_clip names them.

    Raises:
        NotSupportedError: they are not known.
    """
    import open_clip

    head, colon, _ = clip.spec.partition(":")
    if clip.spec == "demo" or head == "local-dir":
        folder = _folder_of(clip.spec)
        found = open_clip_config(folder) if has_transformers_model(folder) else read_model_config(folder)
        return dict(found["model_cfg"])
    architecture = clip.spec if head == "hf-hub" else head if colon else clip.spec.partition("/")[0]
    config = open_clip.get_model_config(architecture)
    if config is None:
        raise NotSupportedError(
            f"The configuration of {clip.spec} is not known to open_clip.",
            todo="Use a copy of the backbone as a folder: --model local-dir:PATH.",
        )
    quick = any(type(module).__name__ == "QuickGELU" for module in clip.model.modules())
    return {**config, "quick_gelu": True} if quick else dict(config)


def _folder_of(spec: str) -> Path:
    return bundled_model() if spec == "demo" else Path(spec.removeprefix("local-dir:"))


def open_folder(folder: Path) -> tuple[Callable[[Tensor], Tensor], Callable[[Image.Image], Tensor]]:
    """What makes features ``[B, D]``, not normalised, of pixels, and open_clip's own pixels ``[1, 3, H, W]``."""
    import open_clip

    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()

    def encode(pixels: Tensor) -> Tensor:
        features: Tensor = model.encode_image(pixels)
        return features

    return encode, lambda picture: transform(picture)[None]
