"""GDA (Wang et al. 2024, ICLR, arXiv 2402.04087): Gaussian discriminant analysis beside the class texts."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, TrainingDefaults, add_method, add_variant
from dapt.methods.zero_shot import TemplateOptions
from dapt.strict import Rate


class GdaOptions(TemplateOptions):
    """Options of GDA."""

    views: int = Field(
        10, ge=0, le=1000, description="Random views of each training image, each a feature of its own; 0: test view."
    )
    alpha: Rate = Field(1.0, ge=0, description="Weight of the Gaussian scores, where it is not searched.")
    search: bool = Field(True, description="Choose alpha by accuracy on the validation images, if there are any.")


class GdaNewOptions(GdaOptions):
    """Options of GDA for new classes."""

    neighbours: int = Field(64, ge=2, le=100_000, description="Training features that stand for a new class.")
    text_copies: int = Field(16, ge=0, le=10_000, description="Copies of its text in the mean of a new class.")
    rows: int | None = Field(
        None, ge=1, le=100_000_000, description="Number of features that are kept; none: views times training images."
    )


_PAPER = (
    "Wang et al., A Hard-to-Beat Baseline for Training-free CLIP-based Adaptation, ICLR 2024 (Gaussian discriminant "
    "analysis)"
)
_SCORES = "s f w^T + alpha (f W^T + b), W = mu P, b = -mu P mu^T / 2 + log(1/C)"
_DIFFERENCES = (
    "Without validation images alpha is 1.",
    "The zero-shot logits have the model's own scale (released: 100).",
    "Statistics and inverses are computed in float64, and cut off as float32 would.",
)
_TRAINING = TrainingDefaults(epochs=0, source="a closed form, in no training steps")

_GDA = add_method(
    Method(
        name="gda",
        title="GDA",
        summary="class means and one covariance of image features in closed form, beside the class texts",
        paper=_PAPER,
        architecture="dapt.prompts.gaussian:GaussianPrompts",
        options=GdaOptions,
        training=_TRAINING,
        trains=False,
        formula=f"{_SCORES}; mu the class means, P = D pinv(S + tr(S) / (n - 1) I), S the scatter within classes",
        differences=_DIFFERENCES,
        parameters="0",
    )
)
add_variant(
    _GDA,
    "base_to_new",
    "GDA for new classes: each is the training features nearest to its text, and copies of the text",
    title="GDA base-to-new",
    architecture="dapt.prompts.gaussian:OpenGaussianPrompts",
    options=GdaNewOptions,
    formula=f"{_SCORES}; trained classes: P the pinv of their mean covariance; new ones: mu of the 64 features nearest "
    "to the text and 16 copies of it, P the mean of their own inverses",
    differences=(
        *_DIFFERENCES,
        "Trained and new classes in one list each keep their own rule, with log(1/C) of their half.",
    ),
)
