"""Making the masks that a store lacks: a chunk at a time, noted and written while the next one is computed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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
from dapt.files import write_files
from dapt.model.prompted_clip import PromptedClip
from dapt.owned import digest_of
from dapt.runs.mask_folder import MaskFolder

CHUNK = 50
ROUNDED = 6  # digits of a share

Size = tuple[int, int]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Chunk:
    """Masks that were made together.

    Attributes:
        entries: what is known of each, by name of the image. files: what is to be written, by name of the image.
    """

    entries: dict[str, MaskEntry]
    files: dict[str, bytes]


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
    with chunk_pool() as pool:
        size = chunk_of(cue)
        parts = (items[start : start + size] for start in range(0, len(items), size))
        keep_masks(folder, (make_chunk(cue, part, model, pool, folder.made_for, whole) for part in parts), len(items))


@contextmanager
def chunk_pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that encode what is computed; after an error nothing is waited for."""
    with ThreadPoolExecutor(max(2, cores())) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def keep_masks(folder: MaskFolder, chunks: Iterable[Chunk], total: int) -> None:
    """Note and write masks as they are made: a chunk is written while the next one is computed.

    Args:
        chunks: of images that have no mask yet. total: how many images that will be.

    Raises:
        DaptError: the file system refuses.
    """
    with chunk_pool() as pool:
        for _ in progress(_kept(folder, chunks, pool), total, "making masks", "masks"):
            pass


def _kept(folder: MaskFolder, chunks: Iterable[Chunk], pool: ThreadPoolExecutor) -> Iterator[str]:
    """The names of the images, one by one, as their masks are kept."""
    writing: Future[None] | None = None
    for chunk in chunks:
        if writing is not None:
            writing.result()
        folder.note(chunk.entries)
        files = [(folder.path / folder.file_of(name), content) for name, content in chunk.files.items()]
        writing = pool.submit(write_files, files, within=folder.path)
        yield from chunk.entries
    if writing is not None:
        writing.result()


def make_chunk(
    cue: Cue,
    part: Sequence[Item],
    model: PromptedClip | None,
    pool: ThreadPoolExecutor,
    made_for: Callable[[Item], str],
    whole: bool,
) -> Chunk:
    """The masks of some images, as PNG files.

    Args:
        pool: see `chunk_pool`. made_for: the class for which the mask of an image is made. whole: as in `make_masks`.

    Raises:
        DaptError: an image cannot be read.
    """
    masks = cue.prepare(part, model)
    if len(masks) != len(part):
        raise ConfigError(f"The cue {cue.name} made {len(masks)} masks for {len(part)} images.")
    sizes = list(pool.map(size_of, part)) if whole else [None] * len(part)
    kinds = _kinds(cue.report)
    pixels = [  # in this thread: torch has threads of its own
        _grey(mask, size, soft=cue.soft, full=kinds.get(item.name) == "full")
        for item, mask, size in zip(part, masks, sizes, strict=True)
    ]
    blank = [
        kinds.get(item.name, "not found") if mask is None else None for item, mask in zip(part, masks, strict=True)
    ]
    found = list(pool.map(_encoder(made_for, cue.report), part, pixels, blank))
    entries = {item.name: entry for item, (entry, _) in zip(part, found, strict=True)}
    files = {item.name: content for item, (_, content) in zip(part, found, strict=True) if content is not None}
    return Chunk(entries, files)


def chunk_of(cue: Cue) -> int:
    """So many images at a time: `CHUNK`, or as many whole batches of a cue that has them."""
    batch = getattr(cue.context.options, "batch_size", 1)
    batch = batch if isinstance(batch, int) and batch > 0 else 1
    return batch * -(-CHUNK // batch)


def _kinds(report: CueReport) -> dict[str, Kind]:
    """What the cue says of images for which it has no usable mask."""
    lists: tuple[tuple[Kind, list[str]], ...] = (
        ("not found", report.missing),
        ("unreadable", report.bad),
        ("empty", report.empty),
        ("full", report.full),
    )
    return {name: kind for kind, names in lists for name in names}


def _grey(mask: Tensor | None, size: Size | None, *, soft: bool, full: bool) -> Pixels | None:
    """A mask as uint8 ``[H, W]``, None where no file is to be written.

    Args:
        size: what it is to have; None: as it is, and no file where there is no mask.
        full: of no mask, whether everything is foreground.
    """
    if mask is None and size is None:
        return None
    if mask is None:
        assert size is not None
        return np.full(size, 255 * full, np.uint8)
    mask = mask.detach().cpu()
    fitted = mask.float() if size is None else resize_map(mask, size, soft=soft)
    grey: Pixels = (fitted.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return grey


Encoder = Callable[[Item, "Pixels | None", "Kind | None"], tuple[MaskEntry, "bytes | None"]]


def _encoder(made_for: Callable[[Item], str], report: CueReport) -> Encoder:
    """Makes the entry and the file content of one mask."""

    def encode(item: Item, grey: Pixels | None, blank: Kind | None) -> tuple[MaskEntry, bytes | None]:
        content = None if grey is None else png_of(grey)
        coverage = float(blank == "full") if grey is None else float(grey.mean() / 255)
        seen = state_of(item.path)
        entry = MaskEntry(
            blank or kind_of(coverage),
            round(coverage, ROUNDED),
            score=_share(report.scores.get(item.name)),
            stuff=tuple(report.stuff.get(item.name, ())),
            image=content_of(item.path),
            seen=seen,
            mask=None if content is None else digest_of(content)[:DIGITS],
            made_for=made_for(item),
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


def png_of(grey: Pixels) -> bytes:
    """A PNG of 8 bits from uint8 ``[H, W]``."""
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return buffer.getvalue()
