"""Grad-CAM on the last block of a CLIP ViT: where the score of a class comes from.

Selvaraju et al. 2017 (arXiv 1610.02391), on the tokens after the first norm of the last block as in the
released DAPT code (arXiv 2508.00395). Only the last block is differentiated; nothing of the model changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.finite import require_finite
from dapt.model.classifier import Classifier

EPSILON = 1e-6  # added to the batch maximum, as released


@dataclass(frozen=True)
class CamResult:
    """What Grad-CAM computes.

    Attributes:
        score: the scalar that is differentiated. logits: ``[B, rows]``.
        activations, gradients: ``[B, tokens, width]`` at the first norm of the last block.
        coarse: ``[B, h, w]`` the map on the patch grid, before normalisation.
    """

    score: Tensor
    logits: Tensor
    activations: Tensor
    gradients: Tensor
    coarse: Tensor


@contextmanager
def _captured(norm: nn.Module) -> Iterator[list[Tensor]]:
    """Replace the output of `norm` by a leaf that records gradient, and hand it out."""
    kept: list[Tensor] = []

    def hook(module: nn.Module, args: object, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_(True)
        kept.append(leaf)
        return leaf

    handle = norm.register_forward_hook(hook)
    try:
        yield kept
    finally:
        handle.remove()


def grad_cam(classify: Classifier, pixels: Tensor, targets: Tensor, backgrounds: Tensor | None = None) -> CamResult:
    """Grad-CAM of the target logits, or of the targets' probabilities among all texts and those of backgrounds.

    Args:
        classify: a model with a ViT image tower, with the texts that compete.
        pixels: ``[B, 3, H, W]`` normalised. targets: ``[B]`` the text to explain in each image.
        backgrounds: texts ``[K, D]`` of backgrounds; None: the logit is explained, not the probability.

    Raises:
        NotSupportedError: the image tower is not a ViT.
        DaptError: the maps are not finite.
    """
    tower = classify.model.clip.image
    with torch.inference_mode(False), torch.enable_grad(), _captured(tower.last_norm()) as kept:
        pixels = pixels.clone() if pixels.is_inference() else pixels
        targets = targets.clone() if targets.is_inference() else targets
        features = classify.features(pixels)
        logits = classify.logits(features)
        explained = logits
        if backgrounds is not None:
            explained = torch.cat([logits, classify.model.clip.logits(features, backgrounds)], dim=1).softmax(dim=1)
        chosen = explained.gather(1, targets.view(-1, 1))
        # Divided after differentiation: in half precision the small gradients would vanish.
        (gradients,) = torch.autograd.grad(chosen.sum(), kept[-1])
    gradients = gradients.float() / logits.numel()
    activations = kept[-1].detach()
    height, width = tower.grid
    patches = slice(tower.first_patch, tower.first_patch + height * width)
    weights = gradients[:, patches].mean(dim=1, keepdim=True)
    coarse = F.relu((weights * activations[:, patches].float()).sum(dim=-1))
    require_finite(coarse, "Grad-CAM maps")
    score = (chosen.sum() / logits.numel()).detach()
    return CamResult(score, logits.detach(), activations, gradients, coarse.view(-1, height, width))


def normalise_maps(coarse: Tensor, size: tuple[int, int], by: Literal["image", "batch"] = "image") -> Tensor:
    """Resize maps ``[B, h, w]`` to `size` (bilinear, corners aligned) and scale them to 0..1.

    ``"image"`` divides each map by its own maximum. ``"batch"`` divides all by the maximum of the batch plus
    1e-6, as released; raw maps are tiny, so there the constant matters.
    """
    fine = F.interpolate(coarse.unsqueeze(1), size=size, mode="bilinear", align_corners=True)[:, 0]
    if by == "batch":
        return fine / (fine.max() + EPSILON)
    peak = fine.flatten(1).amax(dim=1).clamp_min(torch.finfo(fine.dtype).tiny)
    return fine / peak.view(-1, 1, 1)
