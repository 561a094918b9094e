"""Cues that make a map of foreground for each image: one place for batches, edges of the photo, cuts and confidence."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from dapt.console import progress, warn
from dapt.cues.base import Cue, CueContext, CueReport
from dapt.cues.bounded import bounded_size
from dapt.cues.cut import CutRule, confidence, cut
from dapt.cues.guided import guided_filter
from dapt.data.items import Item
from dapt.strict import Count, PartOptions

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


class MapOptions(PartOptions):
    """Options of all cues that make maps."""

    threshold: float = Field(
        0.5, ge=0, le=1, description="cut=value: share of the maximum (patches: the probability) that is foreground."
    )
    soft: bool = Field(False, description="Keep the map as it is instead of cutting at the threshold.")
    cut: CutRule | None = Field(
        None,
        description="Where the map is cut: value (at cue.threshold), otsu (where both sides of each image differ "
        "most), share (the highest values, cue.share of the picture); none: value for gradcam, else otsu.",
    )
    share: float = Field(0.25, gt=0, lt=1, description="cut=share: share of the picture that is foreground.")
    smooth: Literal["none", "guided"] | None = Field(
        None,
        description="guided: the map takes over the edges of the photo (guided filter); none: it stays as coarse as "
        "it is. Not given: none for gradcam, else guided.",
    )
    batch_size: Count = Field(50, ge=1, description="Images per batch.")

    def noted(self) -> dict[str, Any]:
        """All but the size of a batch: it decides nothing, and may be made smaller to go on."""
        return self.model_dump(exclude={"batch_size"})


class MapCue(Cue):
    """A cue that makes maps.

    Attributes:
        own_cut, own_smooth: what is done where the options do not say. label: of the progress bar.
    """

    options_type = MapOptions
    seeded = False
    own_cut: ClassVar[CutRule] = "otsu"
    own_smooth: ClassVar[Literal["none", "guided"]] = "guided"
    label: ClassVar[str] = "computing foregrounds"

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, MapOptions)
        self.soft = context.options.soft
        self._shared = context.options
        rule = context.options.cut or self.own_cut
        for key, reader in (("threshold", "value"), ("share", "share")):
            default = MapOptions.model_fields[key].default
            if rule != reader and not self.soft and getattr(context.options, key) != default:
                warn(f"cue.{key} is read with cue.cut={reader} only; here maps are cut by {rule}.")

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        self.report = CueReport()
        masks: list[Tensor | None] = []
        size = self._shared.batch_size
        starts = range(0, len(items), size)
        for start in progress(starts, len(starts), self.label, "batches"):
            part = items[start : start + size]
            photos = [self.context.load_image(item) for item in part]
            for item, photo, values in zip(part, photos, self.maps(part, photos, model), strict=True):
                masks.append(self._finish(item, photo, values))
        return masks

    @abstractmethod
    def maps(self, items: Sequence[Item], photos: Sequence[Tensor], model: PromptedClip | None) -> Tensor:
        """One map per image, ``[B, h, w]`` in 0..1, on any device.

        Args:
            photos: of the items, uint8 ``[3, H, W]`` each.

        Raises:
            DataError: it needs a model, and there is none. NotSupportedError: the model has nothing to look at.
        """

    def _finish(self, item: Item, photo: Tensor, values: Tensor) -> Tensor | None:
        options = self._shared
        if (options.smooth or self.own_smooth) == "guided":
            values = guided_filter(_bounded(photo).to(values.device), values)
        mask = cut(values, options.cut or self.own_cut, options.threshold, options.share)
        self.report.scores[item.name] = confidence(values, mask)
        return self.report.add(item.name, (values if options.soft else mask).cpu())


def _bounded(photo: Tensor) -> Tensor:
    """The photo at `bounded_size`, uint8."""
    size = bounded_size(*photo.shape[-2:])
    if size == tuple(photo.shape[-2:]):
        return photo
    return F.interpolate(photo[None].float(), size=size, mode="area")[0].round().to(torch.uint8)
