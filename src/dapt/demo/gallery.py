"""Pictures of the demonstration's page: scenes taken apart, and where each model looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from dapt.data.batch import Batch
from dapt.data.items import Item
from dapt.data.load.images import image_tensor
from dapt.data.load.transforms import denormalise, eval_transform
from dapt.evaluation.evaluate import MaskSource
from dapt.evaluation.pictures import enlarge, overlay, to_photo
from dapt.model.attention import features_and_attention
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam
from dapt.model.needs import BACKGROUND, FOREGROUND
from dapt.model.prompted_clip import PromptedClip
from dapt.model.views import view_of

SIDE = 144


@dataclass(frozen=True)
class Look:
    """Where one model looks, and what it says."""

    picture: Image.Image
    says: str
    right: bool


@dataclass(frozen=True)
class Exhibit:
    """One test scene: as it is, taken apart, and as every model sees it (by the model's name)."""

    name: str
    background: str
    image: Image.Image
    mask: Image.Image
    cue: Image.Image
    foreground: Image.Image
    view_of_background: Image.Image
    looks: Mapping[str, Look]


def choose(items: Sequence[Item], group: str, count: int) -> list[Item]:
    """Which scenes of a group to show: the first one of every few classes, whatever came out for it."""
    first: dict[int, Item] = {}
    for item in items:
        if item.group == group:
            first.setdefault(item.label, item)
    chosen = [first[label] for label in sorted(first)]
    return chosen[:: max(len(chosen) // count, 1)][:count]


def exhibit(models: Mapping[str, PromptedClip], item: Item) -> Exhibit:
    """Compute the pictures of one scene.

    Args:
        models: by the name shown; the first one's Grad-CAM is the cue that is shown.
    """
    first = next(iter(models.values()))
    clip, label = first.clip, item.label
    image = image_tensor(item.path)
    size = (image.shape[1], image.shape[2])
    mask = MaskSource().read(item, size)
    known = torch.zeros(size) if mask is None else mask
    transform = eval_transform(clip.image.image_size, clip.preprocess)
    pixels, warped = (part[None] for part in transform(image, known[None]))
    photo = to_photo(denormalise(pixels[0].float(), clip.preprocess))
    batch = Batch(pixels, torch.tensor([label]), warped, None)
    views = [
        to_photo(denormalise(view_of(batch, name)[0].float(), clip.preprocess)) for name in (FOREGROUND, BACKGROUND)
    ]
    looks = {name: _look(model, pixels, photo, label) for name, model in models.items()}
    return Exhibit(
        name=first.names[label],
        background=dict(item.meta)["background"],
        image=_small(Image.fromarray(image.permute(1, 2, 0).numpy())),
        mask=_small(Image.fromarray((known.numpy() * 255).astype(np.uint8))),
        cue=_small(_gradcam(first, pixels, photo, label)),
        foreground=_small(Image.fromarray(views[0].astype(np.uint8))),
        view_of_background=_small(Image.fromarray(views[1].astype(np.uint8))),
        looks=looks,
    )


def _look(model: PromptedClip, pixels: torch.Tensor, photo: np.ndarray, label: int) -> Look:
    classify = Classifier(model)
    features, attention = features_and_attention(classify, pixels)
    guess = int(classify.logits(features).argmax())
    return Look(_small(overlay(photo, enlarge(attention))), model.names[guess], guess == label)


def _gradcam(model: PromptedClip, pixels: torch.Tensor, photo: np.ndarray, label: int) -> Image.Image:
    return overlay(photo, enlarge(grad_cam(Classifier(model), pixels, torch.tensor([label])).coarse))


def _small(picture: Image.Image) -> Image.Image:
    return picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
