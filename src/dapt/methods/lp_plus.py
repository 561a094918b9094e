"""LP++ (Huang et al. 2024, CVPR, arXiv 2404.02285): a linear probe that blends in the class texts."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, TrainingDefaults, add_method
from dapt.methods.zero_shot import TemplateOptions
from dapt.strict import Count


class LpPlusOptions(TemplateOptions):
    """Options of LP++."""

    steps: Count = Field(300, ge=1, le=100_000, description="Steps, each over all training images.")


add_method(
    Method(
        name="lp_plus",
        title="LP++",
        summary="a linear probe with the class texts blended in, at rates that follow from the features",
        paper="Huang et al., LP++: A Surprisingly Strong Linear Probe for Few-Shot CLIP, CVPR 2024",
        architecture="dapt.prompts.blended_probe:BlendedProbePrompts",
        options=LpPlusOptions,
        training=TrainingDefaults(epochs=0, source="its own steps at its own rates, before training"),
        trains=False,
        formula="f V^T + b + alpha_c f t_c, by gradient descent on CE with momentum 0.9 at 4n / eig_max(X^T X); every "
        "tenth step alpha by n / (4 max_c sum_i (x_i t_c)^2) times the sum of its gradients so far",
        differences=(
            "The training images are seen as at test. Without validation images the last step is the result.",
            "The gradient of alpha adds up from the first step on, as it does in the released code.",
        ),
        parameters="C (D + 2)",
    )
)
