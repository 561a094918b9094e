"""Linear probe (Radford et al. 2021, arXiv 2103.00020), as CoOp's comparison (arXiv 2109.01134) runs it."""

from __future__ import annotations

from pydantic import Field

from dapt.methods.base import Method, MethodOptions, TrainingDefaults, add_method
from dapt.strict import Count


class LinearProbeOptions(MethodOptions):
    """Options of the linear probe."""

    c: float | None = Field(
        None,
        gt=0,
        le=1e20,
        description="Inverse strength C of the L2 penalty; none: searched on the validation images.",
    )
    steps: int = Field(8, ge=1, le=1000, description="Bisection steps of the search for C.")
    max_iter: Count = Field(1000, ge=1, description="Most iterations of L-BFGS per fit.")


add_method(
    Method(
        name="linear_probe",
        title="Linear probe",
        summary="logistic regression on image features, no texts (needs scikit-learn)",
        paper="Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021",
        architecture="dapt.prompts.probe:ProbePrompts",
        options=LinearProbeOptions,
        training=TrainingDefaults(epochs=0, source="fitted by L-BFGS, in no training steps"),
        trains=False,
        packages={"sklearn": "probe"},
        formula="argmax_c (x W^T + b)_c; min |W|^2 / 2 + C sum CE(x W^T + b, y), x the image feature, not normalised",
        differences=(
            "The images are those of the prompt methods; CoOp's scripts draw others, with numpy's generator.",
            "Without validation images C is 1.",
        ),
    )
)
