"""PromptSRC (Khattak et al. 2023, ICCV, arXiv 2307.06948): independent prompts that regulate themselves."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import CROSS_ENTROPY, Method, TrainingDefaults, add_method, add_variant
from dapt.methods.ivlp import IvlpOptions
from dapt.methods.search import Range
from dapt.methods.templates import TemplateList
from dapt.strict import Rate


class PromptSrcOptions(IvlpOptions):
    """Options of PromptSRC."""

    n_ctx: int = Field(4, ge=1, description="Number of text prompt tokens.")
    depth: int = Field(9, ge=1, description="Text layers with fresh prompts.")
    depth_vision: int | None = Field(None, ge=1, description="Image layers with fresh prompts; none: as depth.")
    templates: TemplateList = Field(
        default=["promptsrc60"], description="Templates of the frozen class texts; 'promptsrc60' is the published list."
    )
    text_weight: Rate = Field(25.0, ge=0, description="Weight of L_scl_text.")
    image_weight: Rate = Field(10.0, ge=0, description="Weight of L_scl_image.")
    logit_weight: Rate = Field(1.0, ge=0, description="Weight of L_scl_logits.")
    gpa_mean: Rate | None = Field(
        15.0, description="Centre, in epochs from 1, of the Gaussian average over epochs; none: last epoch."
    )
    gpa_std: Rate = Field(1.0, ge=1e-3, description="Width of the Gaussian average, in epochs.")


_PAPER = "Khattak et al., Self-regulating Prompts: Foundational Model Adaptation without Forgetting, ICCV 2023"


def _trained(setting: str, epochs: int = 20) -> TrainingDefaults:
    return TrainingDefaults(lr=0.0025, epochs=epochs, batch_size=4, source=f"PromptSRC repository, {setting}")


_ALL = "ImageNet, Caltech101, Pets, Food101, UCF101 and SUN397"
_FINE = "Cars, Flowers102, Aircraft, DTD and EuroSAT"

_PROMPTSRC = add_method(
    Method(
        name="promptsrc",
        title="PromptSRC",
        summary="4 + 4 prompts in 9 layers, held near the frozen model",
        paper=_PAPER,
        architecture="dapt.prompts.independent:IndependentPrompts",
        objectives=(CROSS_ENTROPY, "dapt.objectives.promptsrc:SelfConsistency"),
        options=PromptSrcOptions,
        search={"prompt.text_weight": Range(5.0, 50.0, log=True), "prompt.image_weight": Range(2.0, 20.0, log=True)},
        training=_trained("base-to-novel"),
        formula="CE + 25 mean|w - w0| + 10 mean|f - f0| + KL(p0 || p) / (B C), then a Gaussian average over epochs",
        differences=(
            "Only trained tensors are averaged over the epochs, not the frozen model.",
            "DAPT on top of it is our derivation: its terms are added to the sum.",
        ),
    )
)
add_variant(
    _PROMPTSRC,
    "few_shot",
    f"PromptSRC for few shots: 50 epochs, averaged over most of them ({_ALL})",
    training=_trained("few-shot", epochs=50),
    preset={"gpa_mean": 30.0, "gpa_std": 30.0},
)
add_variant(
    _PROMPTSRC,
    "few_shot_fine",
    f"PromptSRC for few shots: 50 epochs, averaged late ({_FINE})",
    training=_trained("few-shot", epochs=50),
    preset={"gpa_mean": 45.0, "gpa_std": 5.0},
)
add_variant(
    _PROMPTSRC,
    "cross",
    "PromptSRC as trained for other data sets: 3 layers",
    training=_trained("cross-dataset"),
    preset={"depth": 3, "gpa_mean": 6.0, "gpa_std": 10.0},
)
add_variant(
    _PROMPTSRC,
    "teacher",
    "PromptSRC as it trains the ViT-L/14 teachers of PromptKD",
    training=TrainingDefaults(lr=0.005, epochs=20, batch_size=8, source="PromptKD repository, stage 1"),
)
