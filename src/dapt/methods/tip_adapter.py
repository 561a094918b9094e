"""Tip-Adapter (Zhang et al. 2022, ECCV, arXiv 2111.03930): the training images as a cache that votes for classes."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, TrainingDefaults, add_method
from dapt.methods.zero_shot import TemplateOptions
from dapt.strict import Rate


class TipAdapterOptions(TemplateOptions):
    """Options of Tip-Adapter."""

    views: int = Field(
        10, ge=0, le=1000, description="A key is the mean over so many random views of its image; 0: test view."
    )
    alpha: Rate = Field(1.0, ge=0, description="Weight of the cache, where it is not searched.")
    beta: Rate = Field(5.5, gt=0, description="How fast votes fade with distance, where it is not searched.")
    search: bool = Field(
        True, description="Choose alpha and beta by accuracy on the validation images, if there are any."
    )
    alpha_max: Rate = Field(3.0, gt=0.1, description="Upper end of the search for alpha: 20 values from 0.1.")
    beta_max: Rate = Field(7.0, gt=0.1, description="Upper end of the search for beta: 200 values from 0.1.")
    cache_size: int | None = Field(
        None, ge=1, le=10_000_000, description="Number of keys; none: one per training image."
    )


_PAPER = "Zhang et al., Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification, ECCV 2022"
_FORMULA = "s f w^T + alpha exp(-beta (1 - f K^T)) L, K unit-length cached features, L their one-hot labels"
_DIFFERENCES = (
    "Without validation images alpha and beta are those of the paper's ImageNet study, 1 and 5.5; the released "
    "ImageNet configuration starts from 1.17 and 1.",
    "The grid of the search is the released one for ImageNet; other data sets have other ends (DTD: alpha_max and "
    "beta_max 13; EuroSAT: 10 and 12).",
    "Random views follow crop_scale (released: 0.5 to 1), the zero-shot logits the model's own scale (released: 100).",
)

add_method(
    Method(
        name="tip_adapter",
        title="Tip-Adapter",
        summary="a cache of the training images' features beside the class texts, nothing trained",
        paper=_PAPER,
        architecture="dapt.prompts.cache:CachePrompts",
        options=TipAdapterOptions,
        training=TrainingDefaults(epochs=0, source="nothing is trained"),
        trains=False,
        formula=_FORMULA,
        differences=_DIFFERENCES,
    )
)
add_method(
    Method(
        name="tip_adapter.tuned",
        title="Tip-Adapter-F",
        summary="Tip-Adapter-F: the keys of the cache are trained",
        paper=_PAPER,
        architecture="dapt.prompts.cache:TunedCachePrompts",
        options=TipAdapterOptions,
        training=TrainingDefaults(
            lr=0.001,
            epochs=20,
            batch_size=256,
            optimizer="adamw",
            weight_decay=0.01,
            warmup_epochs=0,
            source="Tip-Adapter repository, ImageNet configuration",
        ),
        formula=f"CE({_FORMULA.partition(',')[0]}, y), K trained",
        differences=(
            "alpha and beta are searched once, with the keys as cached, and stay as they are in training; the released "
            "code trains at its starting values and searches afterwards.",
            "The last epoch is the result. The released code reports the best epoch on the TEST images: "
            "--set model_selection=best_test, and results.json names it.",
            "The epsilon of AdamW is 1e-8 (released: 1e-4), and the cosine moves once per epoch (released: per step).",
            "20 epochs for all data (released: 100 on EuroSAT).",
            *_DIFFERENCES,
        ),
        parameters="D per training image",
    )
)
