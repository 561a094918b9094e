"""Image features of the training and validation images, for methods that look at all of them before training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from dapt.config import RunConfig
from dapt.console import progress
from dapt.data.items import Item
from dapt.data.load.loader import EvalImages, TrainImages, eval_loader, train_loader
from dapt.data.load.transforms import eval_transform
from dapt.finite import require_finite
from dapt.model.prompted_clip import PromptedClip
from dapt.prompts.base import TrainingSet
from dapt.runs.run_data import RunData


def training_set(config: RunConfig, model: PromptedClip, data: RunData, images: TrainImages) -> TrainingSet:
    """What `PromptArchitecture.prepare` may look at; features are computed when it asks for them."""

    def features(views: int) -> Tensor:
        if not views:
            return test_view_features(model, data.train.items, config)
        return random_view_features(model, images, views, config)

    return TrainingSet(
        model.clip,
        torch.tensor(data.train.labels, dtype=torch.long),
        torch.tensor(data.val.labels, dtype=torch.long),
        lambda: model.text_features(model.prompts.at_rest()),
        features,
        lambda: test_view_features(model, data.val.items, config),
        lambda views: torch.stack(list(random_views(model, images, views, config))) if views else features(0)[None],
    )


@torch.no_grad()
def test_view_features(model: PromptedClip, items: Sequence[Item], config: RunConfig) -> Tensor:
    """Features ``[N, D]`` of the untouched image tower under the test transform, float32, not normalised."""
    clip = model.clip
    images = EvalImages(items, eval_transform(clip.image.image_size, clip.preprocess))
    loader = eval_loader(images, batch_size=config.eval_batch_size, workers=config.workers)
    found = [
        require_finite(clip.image.encode(pixels.to(clip.device)).float(), "image features")
        for pixels, _ in progress(loader, len(loader), "features", "batches")
    ]
    return torch.cat(found) if found else torch.empty(0, clip.embed_dim, device=clip.device)


@torch.no_grad()
def random_view_features(model: PromptedClip, images: TrainImages, views: int, config: RunConfig) -> Tensor:
    """The mean of the features ``[N, D]`` of `views` random training views of each image, not normalised.

    The views are those that the first epochs of a training run would see.
    """
    total: Tensor | None = None
    for found in random_views(model, images, views, config):
        total = found if total is None else total + found
    assert total is not None, "at least one view is needed"
    return total / views


def random_views(model: PromptedClip, images: TrainImages, views: int, config: RunConfig) -> Iterator[Tensor]:
    """The features ``[N, D]`` of each of `views` random training views of all images, not normalised."""
    clip = model.clip
    size = config.eval_batch_size
    batches = [list(range(start, min(start + size, len(images)))) for start in range(0, len(images), size)]
    for view in progress(range(views), views, "features of random views", "views"):
        loader = train_loader(images, batches, epoch=view, workers=0, device=clip.device)
        with torch.no_grad():
            found = torch.cat([clip.image.encode(batch.pixels).float() for batch in loader])
        yield require_finite(found, "image features")
