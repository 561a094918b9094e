"""Image features of the training and validation images, for methods that look at all of them before training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dapt.config import RunConfig
from dapt.console import progress
from dapt.data.items import Item
from dapt.data.load.draft import draft_side
from dapt.data.load.loader import EvalImages, TrainImages, eval_loader, train_loader
from dapt.data.load.transforms import eval_transform
from dapt.finite import require_finite
from dapt.model.needs import FULL
from dapt.model.prompted_clip import PromptedClip
from dapt.prompts.base import TrainingSet
from dapt.runs.kept_features import content_of, drawn_by, most_bytes
from dapt.runs.run_data import RunData
from dapt.training.feature_bank import FeatureBank, rounded
from dapt.training.kept_views import views_that_fit


def training_set(
    config: RunConfig, model: PromptedClip, data: RunData, images: TrainImages, bank: FeatureBank | None = None
) -> TrainingSet:
    """What `PromptArchitecture.prepare` may look at; features are computed when it asks for them.

    Args:
        bank: where they are kept; None: nowhere.
    """

    def of_test_view(items: Sequence[Item]) -> Tensor:
        if bank is None or not items:
            return test_view_features(model, items, config)
        make = partial(test_view_features, model, items, config)
        return _kept(bank, content_of(items), {"of": "test"}, make).to(model.clip.device)

    def features(views: int) -> Tensor:
        if not views:
            return of_test_view(data.train.items)
        return mean_of(random_views(model, images, views, config, bank), views)

    return TrainingSet(
        model.clip,
        torch.tensor(data.train.labels, dtype=torch.long),
        torch.tensor(data.val.labels, dtype=torch.long),
        lambda: model.text_features(model.prompts.at_rest()),
        features,
        lambda: of_test_view(data.val.items),
        lambda views: (
            torch.stack(list(random_views(model, images, views, config, bank))) if views else features(0)[None]
        ),
    )


def _kept(
    bank: FeatureBank, content: Sequence[str], view: dict[str, Any], make: Callable[[], Tensor], *, keep: bool = True
) -> Tensor:
    """The features ``[N, D]`` of a view, from the bank if it has them, and into it if not.

    Args:
        content: a digest of each image. keep: there is room for them.
    """
    key, name = bank.key(content, view), str(view["of"])
    found = bank.load(key, len(content)).get(name)
    if found is not None:
        return found
    if not keep:
        return rounded(make())
    with bank.making(key):
        found = bank.load(key, len(content)).get(name)  # another process may have made it meanwhile
        if found is None:
            found = rounded(make())
            bank.save(key, {name: found}, {**view, "images": len(content)})
    return found


@torch.no_grad()
def test_view_features(model: PromptedClip, items: Sequence[Item], config: RunConfig) -> Tensor:
    """Features ``[N, D]`` of the untouched image tower under the test transform, float32, not normalised."""
    clip = model.clip
    size = clip.image.image_size
    images = EvalImages(items, eval_transform(size, clip.preprocess), side=draft_side(size))
    loader = eval_loader(images, batch_size=config.eval_batch_size, workers=config.workers)
    found = [
        require_finite(clip.image.encode(pixels.to(clip.device)).float(), "image features")
        for pixels, _ in progress(loader, len(loader), "features", "batches")
    ]
    return torch.cat(found) if found else torch.empty(0, clip.embed_dim, device=clip.device)


def mean_of(views: Iterable[Tensor], count: int) -> Tensor:
    """The mean of `count` tensors, one at a time."""
    total: Tensor | None = None
    for found in views:
        total = found if total is None else total + found
    assert total is not None, "at least one view is needed"
    return total / count


def random_views(
    model: PromptedClip, images: TrainImages, views: int, config: RunConfig, bank: FeatureBank | None = None
) -> Iterator[Tensor]:
    """The features ``[N, D]`` of each of `views` random training views of all images, not normalised.

    The views are those that the first epochs of a training run would see.

    Args:
        bank: where they are kept; None: nowhere.
    """
    content = [] if bank is None else content_of(images.items)
    room = 0
    if bank is not None and content:
        room = views_that_fit(bank, views, len(content), model.clip.embed_dim, most_bytes(config))
    for number in progress(range(views), views, "features of random views", "views"):
        make = partial(random_view, model, images, number, config)
        if bank is None or not content:
            yield make()
            continue
        view = {**drawn_by(config), "of": FULL, "number": number, "both": False, "views": "pixels"}
        yield _kept(bank, content, view, make, keep=number < room).to(model.clip.device)


@torch.no_grad()
def random_view(model: PromptedClip, images: TrainImages, view: int, config: RunConfig) -> Tensor:
    """The features ``[N, D]`` of the view of that number of all images, not normalised."""
    clip, size = model.clip, config.eval_batch_size
    batches = [list(range(start, min(start + size, len(images)))) for start in range(0, len(images), size)]
    loader = train_loader(images, batches, epoch=view, workers=0, device=clip.device)
    return require_finite(torch.cat([clip.image.encode(batch.pixels).float() for batch in loader]), "image features")
