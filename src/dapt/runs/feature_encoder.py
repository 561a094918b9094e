"""The image tower that `dapt features` looks through: of a backbone as it is, or with the prompts of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip, unit
from dapt.clip.load import load_clip
from dapt.config import RunConfig
from dapt.data.load.pixels import max_megapixels
from dapt.devices import compute_exactly, pick_device
from dapt.errors import ConfigError
from dapt.finite import require_finite
from dapt.model.prompted_clip import PromptedClip
from dapt.model.saved import PROMPTS
from dapt.owned import digest_of
from dapt.runs.kept_features import computed_by
from dapt.runs.load_run import load_run


@dataclass(frozen=True)
class FeatureEncoder:
    """From pixels to features.

    Attributes:
        clip: the frozen model. tower: pixels ``[B, 3, H, W]`` on its device to features ``[B, D]``, not normalised.
        unit_length: they are divided by their length. made_with: what decides them beside the pixels, JSON values.
    """

    clip: FrozenClip
    tower: Callable[[Tensor], Tensor]
    unit_length: bool
    made_with: dict[str, Any]

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> Tensor:
        """Features ``[B, D]`` in float32 on the CPU of normalised pixels ``[B, 3, H, W]``.

        Raises:
            DaptError: they are not finite.
        """
        found = self.tower(pixels.to(self.clip.device)).float()
        return require_finite(unit(found) if self.unit_length else found, "image features").cpu()

    def dimensions(self) -> int:
        """The size D of a feature, found by looking at a black image."""
        return int(self(torch.zeros(1, 3, *self.clip.image.image_size, dtype=torch.float32)).shape[1])


def open_encoder(
    model: str | None = None,
    run: Path | None = None,
    *,
    unit_length: bool = True,
    precision: str | None = None,
    device: str = "auto",
) -> FeatureEncoder:
    """Load a backbone, or a finished run.

    Args:
        model: a specification; None: that of the run, or the default one. run: whose prompts are in the tower; None:
            there are none. precision: of a backbone; a run has its own.

    Raises:
        DaptError: there is no such model or run, or both have a precision.
    """
    if run is not None:
        if precision is not None:
            raise ConfigError("A run has its own precision.", where="--precision", todo="Leave it out.")
        adapted, config = load_run(run, model_spec=model, device=device)
        made_with = {"method": config.method, "prompts": digest_of((run / PROMPTS).read_bytes())}
        return _encoder(adapted.clip, _adapted_tower(adapted), config.precision, unit_length, made_with)
    compute_exactly()
    precision = precision or "32"
    spec: str = model or RunConfig.model_fields["model"].default
    clip = load_clip(spec, device=pick_device(device), precision=precision)
    return _encoder(clip, clip.image.encode, precision, unit_length, {})


def _encoder(
    clip: FrozenClip, tower: Callable[[Tensor], Tensor], precision: str, unit_length: bool, more: dict[str, Any]
) -> FeatureEncoder:
    made_with = {**computed_by(clip, precision), **more, "unit_length": unit_length, "max_pixels": max_megapixels()}
    return FeatureEncoder(clip, tower, unit_length, made_with)


def _adapted_tower(model: PromptedClip) -> Callable[[Tensor], Tensor]:
    """The image tower with learned prompts in it, and what the method has put behind it."""
    model.eval()
    with torch.no_grad():
        prompts = model.prompts().detached()

    def tower(pixels: Tensor) -> Tensor:
        return model.prompts.map_image(model.clip.image.encode(pixels, prompts))

    return tower
