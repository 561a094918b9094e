"""Where the object is in every image, at the size in which composites are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.console import progress
from dapt.cues.base import Cue
from dapt.data.items import Item
from dapt.data.load.images import image_size
from dapt.evaluation.audit.composites import Box, box_of, feather_of, grown, share_of, strip_beside
from dapt.evenly import from_first_to_last
from dapt.model.prompted_clip import PromptedClip

CHUNK = 100  # images whose masks are in memory as they were read
SAMPLE = 50  # masks by which it is told whether they are read in the right format
LENDS = 0.1  # of a picture has to lie in the largest strip beside the object's box, for the box to be tiled with it
LOST = "no object"  # left when the mask is shrunk to the size of the composites


@dataclass(frozen=True)
class Cutout:
    """The object in one image.

    Attributes:
        size: height and width of the composites of this image. bits: its pixels, packed row by row.
        share: of the photograph that the object takes, 0..1. box: around the object and the feather beside it.
        strip: the largest one beside the box.
    """

    size: tuple[int, int]
    bits: bytes
    share: float
    box: Box
    strip: Box

    @property
    def inside(self) -> Tensor:
        """The object, bool ``[H, W]``."""
        height, width = self.size
        bits = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=height * width)
        return torch.from_numpy(bits.reshape(height, width)).bool()

    @property
    def lends(self) -> bool:
        """Whether enough of the image lies beside the object to stand for its background."""
        return share_of(self.strip, self.size) >= LENDS


@dataclass
class Cutouts:
    """The objects of images.

    Attributes:
        kept: places of the images that have one. found: the object of each of these.
        left_out: names of the others, by what is wrong with their masks.
    """

    kept: list[int] = field(default_factory=list)
    found: list[Cutout] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)


def working_size(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """Height and width at which composites of a photograph are made: its shorter side at most `shorter` pixels."""
    least = min(size)
    if least <= shorter:
        return size
    height, width = (shorter if side == least else int(shorter * side / least) for side in size)  # as torchvision does
    return height, width


def cut_out(mask: Tensor, size: tuple[int, int]) -> Cutout | None:
    """The object of a mask ``[h, w]`` in 0..1 of the whole image; None where nothing is left of it, or beside it."""
    share = float(mask.float().mean())
    inside = F.interpolate(mask[None, None].float(), size=size, mode="area")[0, 0] >= 0.5
    if not bool(inside.any()) or bool(inside.all()):
        return None
    box = box_of(grown(inside, feather_of(size)))
    bits = np.packbits(inside.numpy()).tobytes()
    return Cutout(size, bits, share, box, strip_beside(box, size))


def all_background(size: tuple[int, int]) -> Cutout:
    """The cutout of a photograph that is lent whole: there is no object in it."""
    height, width = size
    return Cutout(size, bytes(-(-height * width // 8)), 0.0, (0, 0, 0, 0), (0, 0, height, width))


def find_objects(cue: Cue, items: Sequence[Item], model: PromptedClip | None, shorter: int) -> Cutouts:
    """Ask a cue for the object of every image.

    Args:
        model: for cues that need one. shorter: pixels of the shorter side of composites, at most.

    Raises:
        DataError: masks are missing their image's shape, unreadable, or seem to be of another format.
    """
    if cue.reads_files:
        cue.prepare(from_first_to_last(items, SAMPLE), model)
        cue.check()
    found = Cutouts()
    starts = range(0, len(items), CHUNK)
    for start in progress(starts, len(starts), "finding objects", "batches"):
        part = items[start : start + CHUNK]
        masks = cue.prepare(part, model)
        report = cue.report
        why = {name: kind for kind in ("empty", "full", "missing", "bad") for name in getattr(report, kind)}
        for place, (item, mask) in enumerate(zip(part, masks, strict=True), start=start):
            cutout = None if mask is None else cut_out(mask, working_size(image_size(item.path), shorter))
            if cutout is None:
                found.left_out.setdefault(why.get(item.name, LOST), []).append(item.name)
            else:
                found.kept.append(place)
                found.found.append(cutout)
    return found
