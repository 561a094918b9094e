"""What the untuned model sees in views of images: hand-written texts and no prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.console import progress
from dapt.data.batch import Batch
from dapt.data.items import Item
from dapt.data.load.resize import resize_map
from dapt.data.load.transforms import whole_transform
from dapt.finite import require_finite
from dapt.model.needs import BACKGROUND
from dapt.model.views import AS_PUBLISHED, ViewMaking, view_of


@torch.no_grad()
def text_features(clip: FrozenClip, texts: Sequence[str]) -> Tensor:
    """Unit-length features ``[W, D]`` of complete texts by the untouched text tower."""
    return clip.encode_text(clip.tokenizer.plain(list(texts)).to(clip.device))


@torch.no_grad()
def view_logits(
    clip: FrozenClip,
    items: Sequence[Item],
    masks: Sequence[Tensor | None],
    texts: Sequence[str],
    load_image: Callable[[Item], Tensor],
    views: Sequence[str],
    *,
    label: str,
    soft: bool = False,
    making: ViewMaking = AS_PUBLISHED,
    batch_size: int = 100,
) -> list[Tensor]:
    """Logits ``[N, W]`` of each view of the whole images against `texts`, float32 on the CPU.

    The image is squeezed to the model's size, so that nothing of it is cut off.

    Args:
        masks: of any resolution, covering the whole image; an image without one is all background. soft: masks are maps
            to interpolate. load_image: item to uint8 ``[3, H, W]``. label: of the progress bar. making: of the views.

    Raises:
        DataError: an image cannot be read.
        DaptError: what the model computes is not finite.
    """
    known = text_features(clip, texts)
    transform = whole_transform(clip.image.image_size, clip.preprocess)
    starts = range(0, len(items), batch_size)
    found: list[list[Tensor]] = [[] for _ in views]
    for start in progress(starts, len(starts), label, "batches"):
        seen = [
            transform(image, _mask_of(mask, image, soft=soft))
            for image, mask in zip(
                map(load_image, items[start : start + batch_size]), masks[start : start + batch_size], strict=True
            )
        ]
        pixels, shown = (torch.stack(parts).to(clip.device) for parts in zip(*seen, strict=True))
        batch = Batch(pixels, torch.zeros(len(pixels), dtype=torch.long), shown.to(pixels.dtype))
        for parts, view in zip(found, views, strict=True):
            features = require_finite(clip.encode_image(view_of(batch, view, making)), "image features")
            parts.append(clip.logits(features, known).float().cpu())
    return [torch.cat(parts) if parts else torch.empty(0, len(texts)) for parts in found]


def _mask_of(mask: Tensor | None, image: Tensor, *, soft: bool) -> Tensor:
    """A mask ``[1, H, W]`` of the image's size; nothing is foreground where there is none."""
    height, width = image.shape[-2:]
    if mask is None:
        return torch.zeros(1, height, width)
    return resize_map(mask, (height, width), soft=soft).unsqueeze(0)


def background_logits(
    clip: FrozenClip,
    items: Sequence[Item],
    masks: Sequence[Tensor | None],
    texts: Sequence[str],
    load_image: Callable[[Item], Tensor],
    *,
    soft: bool = False,
    making: ViewMaking = AS_PUBLISHED,
    batch_size: int = 100,
) -> Tensor:
    """Logits ``[N, W]`` of the background view of each image, see `view_logits`; whole where there is no mask."""
    (found,) = view_logits(
        clip,
        items,
        masks,
        texts,
        load_image,
        (BACKGROUND,),
        label="looking at backgrounds",
        soft=soft,
        making=making,
        batch_size=batch_size,
    )
    return found
