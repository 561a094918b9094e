"""ProLIP (Fahes et al. 2024, arXiv 2410.05270): the projection behind the image tower is trained, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from dapt.methods.base import CROSS_ENTROPY, Method, TrainingDefaults, add_method, add_variant
from dapt.methods.saved_views import SavedViewOptions
from dapt.methods.search import choice
from dapt.methods.zero_shot import TemplateOptions
from dapt.strict import Rate


class ProlipOptions(SavedViewOptions, TemplateOptions):
    """Options of ProLIP."""

    anchor: Rate | None = Field(
        None,
        ge=0,
        description="Weight lambda of |W - W0|^2; none: 1 / shots, the mean number of training images of a class.",
    )


_TRAINING = TrainingDefaults(
    lr=1e-3,
    epochs=300,
    batch_size=100_000,
    optimizer="adam",
    adam_eps=1e-4,
    weight_decay=0.0,
    warmup_epochs=0,
    source="ProLIP repository, few-shot without validation; a batch is the whole training set",
)

_PROLIP = add_method(
    Method(
        name="prolip",
        title="ProLIP",
        summary="the projection behind the image tower is trained and held near its start, fixed texts",
        paper="Fahes et al., CLIP's Visual Embedding Projector is a Few-shot Cornucopia, arXiv 2410.05270",
        architecture="dapt.prompts.projection:ProjectionPrompts",
        objectives=(CROSS_ENTROPY, "dapt.objectives.prolip:NearStart"),
        options=ProlipOptions,
        search={"prompt.anchor": choice(0.0, 0.01, 0.1, 1.0)},
        training=_TRAINING,
        formula="CE(s unit(h W) w^T, y) + lambda |W - W0|^2, h the image feature before the projection W0",
        differences=(
            "Ten random views of each image take turns, because on a CPU the views take nearly all of the time "
            "(released: 300, one for each of 300 steps; --set prompt.views=300).",
            "Random views follow crop_scale (released: 0.5 to 1), the logits the model's own scale (released: 100).",
            "For few shots the rates 1e-5, 1e-4, 1e-3 and 1e-2 are released, said to do alike; on our small models "
            "1e-5 hardly learns, so 1e-3 is the default.",
            "Where classes have unequal numbers of images, lambda follows their mean.",
            "A projection with a bias (some timm towers) keeps it. Towers that end with an MLP, without a layer, or "
            "within attention pooling (CLIP's ResNets, which are released as well) are refused.",
            "DAPT on top of it is our derivation: its terms are added to the sum.",
        ),
    )
)
add_variant(
    _PROLIP,
    "base",
    "ProLIP at the learning rate of its base-to-novel tables",
    training=replace(_TRAINING, lr=1e-5, source="ProLIP repository, base-to-novel; a batch is the whole training set"),
)
