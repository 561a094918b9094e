"""ProLIP: the projection behind the image tower is trained in place of prompts.

Fahes et al. 2024, CLIP's Visual Embedding Projector is a Few-shot Cornucopia, arXiv 2410.05270. The projection belongs
to no class, so it serves new classes with their texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.prompts import Prompts
from dapt.console import say
from dapt.errors import DataError
from dapt.methods.prolip import ProlipOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.untrained import UntrainedPrompts


class ProjectionPrompts(UntrainedPrompts):
    """`visual_proj` W ``[image width, D]``, starting at the model's own W0; `anchor`: lambda, known after `prepare`.

    Raises:
        NotSupportedError: the image tower does not end with a projection matrix.
    """

    recordable = True
    trains_visual = True
    looks_first = True
    options: ProlipOptions

    def __init__(
        self, options: ProlipOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        own = clip.image.projection()
        self.saved_views = options.views
        self.visual_proj = nn.Parameter(own.weight.float().clone().contiguous())
        # not saved: both are the model's own
        self.register_buffer("start", self.visual_proj.detach().clone(), persistent=False)
        self.start: Tensor
        self.register_buffer("bias", None if own.bias is None else own.bias.float().clone(), persistent=False)
        self.bias: Tensor | None
        self.register_buffer("anchor", torch.tensor(options.anchor or 0.0))
        self.anchor: Tensor

    def forward(self) -> Prompts:
        return Prompts(projected=False)

    def map_image(self, raw: Tensor, *, whole: bool = True) -> Tensor:
        mapped = raw.float() @ self.visual_proj
        return mapped if self.bias is None else mapped + self.bias

    @torch.no_grad()
    def prepare(self, seen: TrainingSet) -> None:
        if self.options.anchor is not None:
            return
        if not len(seen.labels):
            raise DataError("ProLIP's lambda follows the number of training images, and there are none.")
        shots = images_per_class(seen.labels)
        self.anchor.fill_(1 / shots)
        say(f"lambda {float(self.anchor):.4g}: one over {shots:.4g} training images of a class")

    def penalty(self) -> Tensor:
        """``lambda |W - W0|^2``, the sum over all entries."""
        return self.anchor * (self.visual_proj - self.start).square().sum()


def images_per_class(labels: Tensor) -> float:
    """The mean number of images ``[N]`` of the classes that have any."""
    return len(labels) / len(set(labels.tolist()))
