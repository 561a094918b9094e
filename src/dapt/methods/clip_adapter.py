"""CLIP-Adapter (Gao et al. 2021, arXiv 2110.04544): a bottleneck behind the image tower, mixed with its features."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, TrainingDefaults, add_method
from dapt.methods.saved_views import SavedViewOptions
from dapt.methods.search import choice
from dapt.methods.zero_shot import TemplateOptions
from dapt.strict import Rate


class ClipAdapterOptions(SavedViewOptions, TemplateOptions):
    """Options of CLIP-Adapter."""

    ratio: Rate = Field(0.2, ge=0, le=1, description="Share of the adapter's output in the image feature.")
    reduction: int = Field(
        4, ge=1, le=1024, description="How many times narrower the bottleneck is than the features; one wide at least."
    )


add_method(
    Method(
        name="clip_adapter",
        title="CLIP-Adapter",
        summary="a small bottleneck behind the image tower whose output is mixed with its features, fixed texts",
        paper="Gao et al., CLIP-Adapter: Better Vision-Language Models with Feature Adapters, IJCV 2024",
        architecture="dapt.prompts.feature_adapter:FeatureAdapterPrompts",
        options=ClipAdapterOptions,
        search={"prompt.ratio": choice(0.1, 0.2, 0.4, 0.6, 0.8)},
        training=TrainingDefaults(
            lr=0.001,
            epochs=200,
            batch_size=32,
            optimizer="adam",
            warmup_epochs=0,
            source="ours, as the repository has no configuration; batch 32 as in the paper",
        ),
        formula="CE(s unit(r relu(W2 relu(W1 f)) + (1 - r) f) w^T, y), f the image feature before it is normalised",
        differences=(
            "Adam at 1e-3 over 200 epochs, whose steps do not depend on the logit scale: CoOp's SGD at 0.002, for "
            "which the released trainer is made, hardly learns on small models.",
            "Ten random views of each image take turns (released: new ones in every epoch; --set prompt.views=0).",
            "The ratio is 0.2 for all data (the paper chooses it for each set, 0.2 to 0.8).",
            "The adapter of the text side, which the paper finds to add little, is left out, as in the released code.",
        ),
    )
)
