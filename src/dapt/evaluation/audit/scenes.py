"""The variants of every image, made when they are asked for: each photograph is decoded once, or a few times where
many of them do not fit into memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from dapt.colour import BLACK, colour_of
from dapt.data.items import Item
from dapt.data.load.images import image_tensor
from dapt.evaluation.audit import composites
from dapt.evaluation.audit.cutouts import Cutout
from dapt.evaluation.audit.donors import NONE, Donors
from dapt.evaluation.audit.variants import LENT, NO_FG, ONLY_BG_B, ONLY_BG_I, ONLY_BG_T, ONLY_FG, ORIGINAL

CACHE_MB = 512


@dataclass
class _Shot:
    """A photograph at working size, uint8 ``[3, H, W]``, and its background without the object once that is known."""

    photo: Tensor
    behind: Tensor | None = None

    @property
    def size(self) -> int:
        return self.photo.numel() * 2


class Scenes:
    """Images with their objects and donors, from which variants are made. May be asked by several threads.

    Args:
        items: the images. cutouts: the object of each. donors: their backgrounds.
        interpolation: how photographs are resized. blank: the colour of what is taken away.
        cache_mb: memory for photographs that may be needed again, as donors.
    """

    def __init__(
        self,
        items: Sequence[Item],
        cutouts: Sequence[Cutout],
        donors: Donors,
        *,
        interpolation: str = "bicubic",
        blank: str = BLACK,
        cache_mb: float = CACHE_MB,
    ) -> None:
        self.items, self.cutouts, self.donors = items, cutouts, donors
        self._mode = InterpolationMode(interpolation)
        self._blank = torch.tensor(colour_of(blank), dtype=torch.uint8)
        self._room = int(cache_mb * 2**20)
        self._kept: OrderedDict[int, _Shot] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.items)

    def variants(self, place: int, names: Sequence[str]) -> dict[str, Tensor]:
        """The variants `names` of an image, uint8 ``[3, H, W]`` each; those without a donor are not there.

        Raises:
            DataError: an image cannot be read.
        """
        cutout, photo = self.cutouts[place], self._shot(place).photo
        inside = cutout.inside
        radius = composites.feather_of(cutout.size)
        alpha = composites.feathered(inside, radius)
        blank = self._blank[:, None, None].expand_as(photo)
        made: dict[str, Tensor] = {}
        for name in names:
            if name == ORIGINAL:
                made[name] = photo
            elif name == ONLY_FG:
                made[name] = composites.laid_over(photo, blank, alpha)
            elif name == NO_FG:
                made[name] = composites.laid_over(blank, photo, alpha)
            elif name == ONLY_BG_B:
                made[name] = composites.blanked(photo, cutout.box, self._blank)
            elif name == ONLY_BG_T:
                made[name] = self._behind(place)
            elif name == ONLY_BG_I:
                made[name] = composites.filled_in(photo, _hole(inside, radius))
            elif name in LENT and (donor := self.donors.to(name, place)) != NONE:
                behind = composites.fitted(self._behind(donor), cutout.size)
                made[name] = composites.laid_over(photo, behind, alpha)
        return made

    def _behind(self, place: int) -> Tensor:
        """The background of an image, its object's box tiled; filled in where too little is left to tile it with."""
        shot = self._shot(place)
        if shot.behind is None:
            cutout = self.cutouts[place]
            if cutout.lends:
                shot.behind = composites.tiled(shot.photo, cutout.box, cutout.strip)
            else:
                hole = _hole(cutout.inside, composites.feather_of(cutout.size))
                shot.behind = composites.filled_in(shot.photo, hole)
        return shot.behind

    def _shot(self, place: int) -> _Shot:
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._kept[place]
        picture = image_tensor(self.items[place].path)
        size = self.cutouts[place].size
        if tuple(picture.shape[-2:]) != size:
            picture = functional.resize_image(picture, list(size), interpolation=self._mode, antialias=True)
        shot = _Shot(picture)
        with self._lock:
            self._held += 0 if place in self._kept else shot.size
            self._kept[place] = shot
            while len(self._kept) > 1 and self._held > self._room:
                self._held -= self._kept.popitem(last=False)[1].size
        return shot


def _hole(inside: Tensor, radius: int) -> Tensor:
    """What is filled in: the object and its feather; the object alone where that leaves nothing."""
    hole = composites.grown(inside, radius)
    return inside if bool(hole.all()) else hole
