"""Whether the foregrounds of a cue show what the classes are, before anything is trained.

What L_f and L_v teach is what the foreground view shows. A cue that cuts the object off, or off to where it cannot be
recognised, teaches nothing: the untuned model, which has not seen the training images, tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dapt.clip.frozen import FrozenClip
from dapt.dapt_options import DaptOptions
from dapt.data.items import Item
from dapt.evenly import evenly
from dapt.model.needs import FOREGROUND, FULL
from dapt.model.views import ViewMaking
from dapt.runs.untuned_views import view_logits

MOST_IMAGES = 256  # are looked at
SURE = 2.0  # standard errors


@dataclass(frozen=True)
class ForegroundCheck:
    """How many training images the untuned model takes for their class.

    Attributes:
        images: with a mask of use that were looked at. of: so many have one.
        whole, foreground: so many of them are right whole, and by the foreground view alone.
        only_whole, only_foreground: so many by one of them only.
    """

    images: int
    of: int
    whole: int
    foreground: int
    only_whole: int
    only_foreground: int

    @property
    def worse(self) -> bool:
        """Whether foregrounds are recognised less often than whole images, more than chance can make it."""
        differing = self.only_whole + self.only_foreground
        return self.only_whole - self.only_foreground > SURE * math.sqrt(differing)

    def counts(self) -> dict[str, int]:
        """For results.json."""
        return {
            "cue_asked": self.images,
            "cue_recognised_whole": self.whole,
            "cue_recognised_foreground": self.foreground,
        }

    def summary(self) -> str:
        """One line for people."""
        some = (
            f"{self.images:,} of {self.of:,} images with a cue" if self.images < self.of else f"{self.images:,} images"
        )
        return (
            f"by the untuned model {100 * self.foreground / self.images:.0f}% of {some} are recognised by their "
            f"foreground alone, {100 * self.whole / self.images:.0f}% whole"
        )

    def warning(self) -> str:
        """What to do where foregrounds are worse."""
        return (
            f"The foregrounds show the classes worse than whole images do ({self.foreground:,} against "
            f"{self.whole:,} of {self.images:,} images are recognised by the untuned model), so DAPT may do harm. Look "
            "at the masks (dapt masks --preview), and compare with a run without --dapt."
        )


def check_foregrounds(
    options: DaptOptions,
    clip: FrozenClip,
    items: Sequence[Item],
    labels: Sequence[int],
    texts: Sequence[str],
    masks: Sequence[Tensor | None],
    load_image: Callable[[Item], Tensor],
    *,
    soft: bool = False,
    batch_size: int = 100,
) -> ForegroundCheck:
    """Look at images that have a mask, evenly chosen, at most `MOST_IMAGES`.

    Args:
        labels: class of each image. texts: of the classes, hand-written. masks: of any resolution, of the whole images;
            soft: they are maps. load_image: item to uint8 ``[3, H, W]``. Hidden pixels become what the options say, but
            never the background of another image.

    Raises:
        DaptError: an image cannot be read, or what the model computes is not finite.
    """
    having = [place for place, mask in enumerate(masks) if mask is not None]
    seen = evenly(having, MOST_IMAGES)
    making = ViewMaking.of(options)
    if making.fill == "exchange":
        making = replace(making, fill="mean")
    logits = view_logits(
        clip,
        [items[place] for place in seen],
        [masks[place] for place in seen],
        texts,
        load_image,
        (FULL, FOREGROUND),
        label="looking at foregrounds",
        soft=soft,
        making=making,
        batch_size=batch_size,
    )
    expected = torch.tensor([labels[place] for place in seen], dtype=torch.long)
    whole, foreground = (part.argmax(dim=1) == expected for part in logits)
    return ForegroundCheck(
        len(seen),
        len(having),
        int(whole.sum()),
        int(foreground.sum()),
        int((whole & ~foreground).sum()),
        int((foreground & ~whole).sum()),
    )
