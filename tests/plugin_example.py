"""An extension as a user would write it: a prompt method, a cue, a selector, a data set and an image tower."""

from __future__ import annotations

from collections.abc import Sequence

import timm
import torch
from pydantic import Field
from timm.models import register_model
from timm.models.vision_transformer import VisionTransformer, _create_vision_transformer
from torch import Tensor

from dapt.cues.base import CUES, Cue, CueContext, CueReport
from dapt.data.items import Item
from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method
from dapt.prompts.base import PromptArchitecture, random_vectors
from dapt.selection.base import SELECTORS, Candidates, Pick, Selector
from dapt.strict import PartOptions


class SuffixOptions(MethodOptions):
    n_ctx: int = Field(2, ge=1, description="Number of context vectors.")


class SuffixPrompts(PromptArchitecture):
    """Context vectors behind the class name."""

    trains_context = True

    def __init__(self, options, clip, names, generator) -> None:
        super().__init__(options, clip, names, generator)
        self.ctx = random_vectors(options.n_ctx, clip.text.width, generator=generator)

    def forward(self):
        from dapt.clip.prompts import Prompts

        return Prompts(text_ctx=self.ctx)

    def texts(self, names: Sequence[str]):
        return [self._tokenizer.with_context(names, self.options.n_ctx, position="end")]


add_method(
    Method(
        name="suffix",
        summary="context vectors behind the class name",
        paper="nowhere",
        architecture=f"{__name__}:SuffixPrompts",
        options=SuffixOptions,
        training=TrainingDefaults(lr=0.01, epochs=2, batch_size=4, source="ours"),
    )
)


class CentreOptions(PartOptions):
    share: float = Field(0.5, gt=0, lt=1, description="Share of each side.")


@CUES.register("centre")
class CentreCue(Cue):
    """The middle of every image."""

    options_type = CentreOptions

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        self.share = context.options.share

    def prepare(self, items: Sequence[Item], model) -> list[Tensor | None]:
        self.report = CueReport()
        mask = torch.zeros(20, 20, dtype=torch.bool)
        edge = round(10 * (1 - self.share))
        mask[edge : 20 - edge, edge : 20 - edge] = True
        return [self.report.add(item.name, mask) for item in items]


@SELECTORS.register("first")
class First(Selector):
    """The first images."""

    looks = False

    def pick(self, part: Candidates, count: int) -> Pick:
        return Pick(range(count))


@register_model
def dapt_example_vit(pretrained: bool = False, **settings) -> VisionTransformer:
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 2}
    return _create_vision_transformer("dapt_example_vit", pretrained=pretrained, **{**sizes, **settings})


assert timm.list_models("dapt_example_vit")
