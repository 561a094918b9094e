"""Making the masks that a store lacks: a chunk at a time, noted and written while the next one is computed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dapt.console import progress
from dapt.cues.base import Cue, CueReport
from dapt.data.items import Item
from dapt.data.load.images import image_size, image_tensor
from dapt.data.load.pixels import max_megapixels
from dapt.data.load.resize import resize_map
from dapt.data.masks.mask_entries import DIGITS, Kind, MaskEntry, content_of, kind_of, state_of
from dapt.environment import cores
from dapt.errors import ConfigError
from dapt.files import write_bytes
from dapt.model.prompted_clip import PromptedClip
from dapt.owned import digest_of
from dapt.runs.mask_folder import MaskFolder

CHUNK = 50
ROUNDED = 6  # digits of a share
WRITERS = 4  # threads: files wait for the disk, not for each other

Size = tuple[int, int]


def make_masks(folder: MaskFolder, cue: Cue, items: Sequence[Item], model: PromptedClip | None, *, whole: bool) -> None:
    """Make, note and write masks. A killed process makes the last chunk again at most.

    Args:
        items: the images. model: the prompted model; None: there is none.
        whole: at the photographs' sizes, with a file also where there is no mask (black); else as the cue makes them.

    Raises:
        DaptError: an image cannot be read, or the file system refuses.
    """
    if not items:
        return
    with ThreadPoolExecutor(max(WRITERS, cores())) as pool:
        for _ in progress(_chunks(folder, cue, items, model, pool, whole), len(items), "making masks", "masks"):
            pass


def _chunks(
    folder: MaskFolder,
    cue: Cue,
    items: Sequence[Item],
    model: PromptedClip | None,
    pool: ThreadPoolExecutor,
    whole: bool,
) -> Iterator[Item]:
    """The items, one by one, as their masks are made."""
    writing: list[Future[None]] = []
    try:
        for start in range(0, len(items), chunk_of(cue)):
            part = items[start : start + chunk_of(cue)]
            masks = cue.prepare(part, model)
            if len(masks) != len(part):
                raise ConfigError(f"The cue {cue.name} made {len(masks)} masks for {len(part)} images.")
            found = pool.map(_encoder(folder, cue.report, soft=cue.soft, whole=whole), part, masks)
            encoded = list(zip(part, found, strict=True))
            for done in writing:
                done.result()
            folder.note({item.name: entry for item, (entry, _) in encoded})
            writing = [
                pool.submit(write_bytes, folder.target(item), content, within=folder.path)
                for item, (_, content) in encoded
                if content is not None
            ]
            yield from part
        for done in writing:
            done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def chunk_of(cue: Cue) -> int:
    """So many images at a time: `CHUNK`, or as many whole batches of a cue that has them."""
    batch = getattr(cue.context.options, "batch_size", 1)
    batch = batch if isinstance(batch, int) and batch > 0 else 1
    return batch * -(-CHUNK // batch)


def _encoder(
    folder: MaskFolder, report: CueReport, *, soft: bool, whole: bool
) -> Callable[[Item, Tensor | None], tuple[MaskEntry, bytes | None]]:
    """Makes the entry and the file content of one mask."""
    lists: tuple[tuple[Kind, list[str]], ...] = (
        ("not found", report.missing),
        ("unreadable", report.bad),
        ("empty", report.empty),
        ("full", report.full),
    )
    kinds = {name: kind for kind, names in lists for name in names}

    def encode(item: Item, mask: Tensor | None) -> tuple[MaskEntry, bytes | None]:
        kind = kinds.get(item.name, "not found") if mask is None else None
        if mask is None and whole:
            mask = torch.full((1, 1), float(kind == "full"))
        if mask is None:
            content, coverage = None, float(kind == "full")
        else:
            size = size_of(item) if whole else (mask.shape[0], mask.shape[1])
            grey = (resize_map(mask, size, soft=soft).clamp(0, 1) * 255).round().to(torch.uint8).numpy()
            content, coverage = png_of(grey), float(grey.mean() / 255)
        seen = state_of(item.path)
        entry = MaskEntry(
            kind or kind_of(coverage),
            round(coverage, ROUNDED),
            score=_share(report.scores.get(item.name)),
            stuff=tuple(report.stuff.get(item.name, ())),
            image=content_of(item.path),
            seen=seen,
            mask=None if content is None else digest_of(content)[:DIGITS],
            made_for=folder.made_for(item),
        )
        return entry, content

    return encode


def _share(score: float | None) -> float | None:
    return None if score is None else round(float(score), ROUNDED)


def size_of(item: Item) -> Size:
    """Height and width at which a photograph is read, held upright.

    Raises:
        DataError: it cannot be read.
    """
    height, width = image_size(item.path)
    if height * width > max_megapixels() * 1e6:  # it may be read reduced
        height, width = image_tensor(item.path).shape[-2:]
    return height, width


def png_of(grey: np.ndarray) -> bytes:
    """A PNG of 8 bits from uint8 ``[H, W]``."""
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return buffer.getvalue()
