"""A prompted model as one plain module: pixels in, logits out, and nothing in between that a compiler has to know.

The class texts and the prompts are constants, updates of weights are merged, and the image tower runs the model's own
blocks, without the savings of `dapt.clip.savings`: no packing, no functions with gradients of their own, no calls of
oneDNN. So `torch.export` takes it, and whatever reads what that makes.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from dapt.clip.adapters import updates_of
from dapt.clip.frozen import FrozenClip, unit
from dapt.clip.image_tower import make_image_tower
from dapt.clip.logits import Line, class_logits, line_logits
from dapt.clip.prompts import Prompts
from dapt.clip.savings import Savings
from dapt.prompts.base import PromptArchitecture


class PlainModel(nn.Module):
    """Logits ``[B, C]`` of normalised pixels ``[B, 3, H, W]``, as `PromptedClip` gives them in evaluation mode.

    It shares nothing with the model it was made from, so it may be moved, converted and changed.

    Args:
        clip: the frozen model; its image tower is copied. own: the architecture, of which is copied what acts on
            features and logits. prompts: what it makes. texts: ``[C, D]`` features of the class texts. columns: of the
            logits, that are given; None: all. line: what stands for scale and texts, see `PromptedTowers.line_of`.
    """

    def __init__(
        self,
        clip: FrozenClip,
        own: PromptArchitecture,
        prompts: Prompts,
        texts: Tensor,
        columns: list[int] | None = None,
        line: Line | None = None,
    ) -> None:
        super().__init__()
        self.visual = _merged(clip, prompts)
        self.head: Any = _frozen_copy(own) if _acts_after_the_towers(own) else None
        self.unit_features = own.unit_features
        self.columns = columns
        self.logit_bias = clip.logit_bias
        for name, value in (("logit_scale", clip.logit_scale), ("texts", texts)):
            self.register_buffer(name, value.detach().clone())
        self.line_weight: Tensor | None
        self.line_offset: Tensor | None
        for name, part in zip(("line_weight", "line_offset"), line or (None, None), strict=True):
            if part is None:
                setattr(self, name, None)  # no buffer: torch.export miscounts empty ones
            else:
                self.register_buffer(name, _constant(part))
        self.logit_scale: Tensor
        self.texts: Tensor
        self.register_buffer("visual_ctx", _constant(prompts.visual_ctx))
        self.visual_ctx: Tensor | None
        self._deep = [f"visual_deep_{number}" for number in range(1, len(prompts.visual_deep) + 1)]
        for name, value in zip(self._deep, prompts.visual_deep, strict=True):
            self.register_buffer(name, _constant(value))
        savings = Savings()
        savings.set_all(False)
        self._tower = make_image_tower(self.visual, savings)
        self._projected = prompts.projected
        self.eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits ``[B, C]``."""
        deep = tuple(self.get_buffer(name) for name in self._deep)
        given = Prompts(visual_ctx=self.visual_ctx, visual_deep=deep, projected=self._projected)
        features = self._tower.encode(pixels, given)
        if self.head is not None:
            features = self.head.map_image(features)
        features = unit(features) if self.unit_features else features.float()
        if self.line_weight is None or self.line_offset is None:
            logits = class_logits(features, self.texts, self.logit_scale, self.logit_bias)
        else:
            logits = line_logits(features, (self.line_weight, self.line_offset))
        if self.head is not None:
            logits = self.head.adjust_logits(logits, features)
        return logits if self.columns is None else logits[:, self.columns]


def _merged(clip: FrozenClip, prompts: Prompts) -> nn.Module:
    """A copy of the image tower as it was before prompts found their way in, with updated weights in their places."""
    original = clip.image.visual
    twin = clip.image.copy_visual()
    names = {module: name for name, module in original.named_modules()}
    with torch.no_grad():
        for update in updates_of(prompts, clip.image.side):
            module = twin.get_submodule(names[update.place.module])
            module.register_parameter(update.place.name, nn.Parameter(update.weight().clone(), requires_grad=False))
    return twin


def _acts_after_the_towers(own: PromptArchitecture) -> bool:
    kind = type(own)
    return (
        kind.map_image is not PromptArchitecture.map_image or kind.adjust_logits is not PromptArchitecture.adjust_logits
    )


def _frozen_copy(module: nn.Module) -> nn.Module:
    """The same module with tensors of its own that are not trained; what else it refers to is not copied."""
    twin = copy.copy(module)
    twin._parameters = {
        name: None if value is None else nn.Parameter(value.detach().clone(), requires_grad=False)
        for name, value in module._parameters.items()
    }
    twin._buffers = {name: _constant(value) for name, value in module._buffers.items()}
    twin._modules = {name: None if value is None else _frozen_copy(value) for name, value in module._modules.items()}
    return twin


def _constant(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.detach().clone()
