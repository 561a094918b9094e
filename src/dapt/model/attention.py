"""Where the model looks: the attention of the class token in the last block."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.blocks import project
from dapt.clip.image_tower import ImageTower
from dapt.clip.savings import Savings
from dapt.clip.taps import queries_keys_values
from dapt.errors import NotSupportedError
from dapt.model.classifier import Classifier


def can_show_attention(tower: ImageTower) -> bool:
    """Whether the tower has a class token whose attention can be read."""
    if not tower.has_class_token:
        return False
    attention = tower.last_attention()
    return isinstance(attention, nn.MultiheadAttention) or hasattr(attention, "qkv")


@torch.no_grad()
def features_and_attention(classify: Classifier, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Image features ``[B, D]`` as the classifier reads them, and attention as of `tower_and_attention`.

    Args:
        pixels: ``[B, 3, H, W]`` normalised.

    Raises:
        NotSupportedError: the tower has no class token.
    """
    raw, attention = tower_and_attention(classify, pixels)
    return classify.finished(raw), attention


@torch.no_grad()
def tower_and_attention(classify: Classifier, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """What the image tower makes of images, and the class token's attention to each patch in the last block.

    Args:
        pixels: ``[B, 3, H, W]`` normalised.

    Returns:
        ``[B, width]``, see `Classifier.tower`; attention ``[B, h, w]``, the mean over heads of softmax weights (they
        sum to less than 1, the rest goes to the class token and the prompts).

    Raises:
        NotSupportedError: the tower has no class token.
    """
    clip = classify.model.clip
    tower = clip.image
    if not can_show_attention(tower):
        raise NotSupportedError(f"{clip.spec} has no class token whose attention could be shown.")
    kept: list[Tensor] = []
    handle = tower.last_norm().register_forward_hook(lambda module, args, output: kept.append(output))
    try:
        raw = classify.tower(pixels)
    finally:
        handle.remove()
    with tower.adapted(classify.prompts):
        weights = class_attention(tower.last_attention(), kept[-1])
    height, width = tower.grid
    patches = weights[:, tower.first_patch : tower.first_patch + height * width]
    return raw, patches.view(-1, height, width)


def class_attention(attention: nn.Module, x: Tensor) -> Tensor:
    """Softmax weights of token 0 over all tokens, mean over heads: ``[B, tokens]``."""
    if isinstance(attention, nn.MultiheadAttention):
        q, k = project(attention, x, Savings(), 0, 1)
    else:  # timm: one projection for queries, keys and values, optional norms per head
        q, k, _ = queries_keys_values(attention, x)
    scores = (q[:, :, :1].float() @ k.float().transpose(-2, -1)) / q.shape[-1] ** 0.5
    weights: Tensor = scores.softmax(dim=-1).mean(dim=1)[:, 0]
    return weights


def foreground_share(attention: Tensor, masks: Tensor) -> Tensor:
    """Share of the class-to-patch attention that falls on the foreground, ``[B]`` in 0..1.

    Args:
        attention: ``[B, h, w]``. masks: ``[B, 1, H, W]`` in 0..1 in the frame of the pixels; a patch counts
            by the share of it that is foreground.
    """
    grid = (attention.shape[-2], attention.shape[-1])
    share = F.adaptive_avg_pool2d(masks.float(), grid)[:, 0]
    return (attention * share).flatten(1).sum(dim=1) / attention.flatten(1).sum(dim=1)
