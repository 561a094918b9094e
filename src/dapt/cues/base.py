"""What a cue is: one foreground mask per image of the training set.

Cues are prepared before training (`prepare`) and may be refreshed as the prompts change (`refresh`). They
describe the un-augmented image; the data pipeline warps them together with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from dapt.colour import BLACK
from dapt.config import MaskFormat
from dapt.data.items import ImageSet, Item
from dapt.data.masks.rules import MaskRules
from dapt.registry import Registry
from dapt.strict import PartOptions
from dapt.wording import counted

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


@dataclass
class CueReport:
    """How many images have which kind of cue.

    Attributes:
        coverage: share of the picture, of each usable mask.
        scores: how far a cue trusts its mask, 0..1, by image name; of cues that know. stuff: what a cue says the
            background of an image is (names, the largest first), by image name; of cues that know.
        small, large: images that `dapt.min_area` and `dapt.max_area` leave out; None: no limits were asked for.
        missing_means: what `missing` says of an image, in words.
    """

    total: int = 0
    empty: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    stuff: dict[str, list[str]] = field(default_factory=dict)
    small: list[str] | None = None
    large: list[str] | None = None
    missing_means: str = "without a file"

    @property
    def without(self) -> int:
        """Images whose DAPT terms are skipped."""
        outside = len(self.small or ()) + len(self.large or ())
        return len(self.empty) + len(self.full) + len(self.missing) + len(self.bad) + outside

    def add(self, name: str, mask: Tensor | None) -> Tensor | None:
        """Count one mask (values 0..1); returns it if it is a usable cue, else None."""
        self.total += 1
        if mask is None:
            self.missing.append(name)
            return None
        share = float(mask.float().mean())
        if share <= 0.0:
            self.empty.append(name)
            return None
        if share >= 1.0:
            self.full.append(name)
            return None
        self.coverage.append(share)
        return mask

    def summary(self) -> str:
        """One line for people."""
        text = f"foreground cues: {self.total - self.without} of {self.total} images"
        if self.coverage:
            text += f", mean coverage {100 * sum(self.coverage) / len(self.coverage):.0f}%"
        parts = [
            f"{len(values)} {kind}"
            for kind, values in (
                ("empty", self.empty),
                ("full", self.full),
                (self.missing_means, self.missing),
                ("unreadable", self.bad),
                ("smaller than dapt.min_area", self.small),
                ("larger than dapt.max_area", self.large),
            )
            if values
        ]
        if parts:
            text += f"; the DAPT terms skip {counted(self.without, 'image')} ({', '.join(parts)})"
        return text

    def coverages(self) -> dict[str, float | None]:
        """For results.json: mean and quantiles of the share of the picture, in percent; nothing without masks."""
        if not self.coverage:
            return {}
        shares = sorted(100 * share for share in self.coverage)
        quantiles = {
            f"p{percent}": round(shares[round(percent / 100 * (len(shares) - 1))], 3)
            for percent in (10, 25, 50, 75, 90)
        }
        return {"mean": round(sum(shares) / len(shares), 3), **quantiles}

    def counts(self) -> dict[str, int]:
        """For results.json."""
        found = {
            "cue_images": self.total,
            "cue_usable": self.total - self.without,
            "cue_empty": len(self.empty),
            "cue_full": len(self.full),
            "cue_missing": len(self.missing),
            "cue_bad": len(self.bad),
        }
        for name, left_out in (("cue_small", self.small), ("cue_large", self.large)):
            if left_out is not None:
                found[name] = len(left_out)
        return found


@dataclass(frozen=True)
class CueContext:
    """What a cue may use.

    Attributes:
        options: of the cue, of its own type. folder: ``--masks``. kind: ``--mask-format``.
        skip_bad: count unreadable masks instead of raising. load_image: item to uint8 ``[3, H, W]``.
        seed: seed of random cues. data: the whole data set, which may know the format of its own masks.
        mask_name, mask_background: as in a configuration. device: of cues that hold a model, as in a configuration.
        argument: what stands behind the colon in the name of the cue (``callable:module.function``).
    """

    options: PartOptions
    folder: Path | None
    kind: MaskFormat
    skip_bad: bool
    load_image: Callable[[Item], Tensor]
    seed: int
    data: ImageSet | None = None
    mask_name: str | None = None
    mask_background: str = BLACK
    device: str = "auto"
    argument: str = ""

    @property
    def rules(self) -> MaskRules:
        """How mask files are found and read."""
        return MaskRules(self.kind, self.mask_name, self.mask_background)


class Cue(ABC):
    """A source of foreground masks.

    Attributes:
        options_type: the type of its options (``cue.*`` in YAML beside ``source`` and ``refresh``).
        needs_model: `prepare` needs the prompted model; other cues get it too where there is one, and may ignore it.
        follows_prompts: the masks depend on the prompts and are refreshed during training.
        reads_files: the masks are files, which may be missing, damaged or in another format.
        may_be_without: it is no mistake if no image has a mask.
        seeded: the masks depend on the seed of the run, so that runs of other seeds do not share them.
        argument: what is written behind its name and a colon, in words; empty: nothing is.
        takes_common_things: where neither data nor user name classes, common things are named to it instead.
        name: the name it is registered under, set by whoever builds it.
        report: counts of the masks prepared last.
        soft: the masks are maps of values in 0..1, to be interpolated.
    """

    options_type: ClassVar[type[PartOptions]] = PartOptions
    needs_model: bool = False
    follows_prompts: ClassVar[bool] = False
    reads_files: ClassVar[bool] = False
    may_be_without: ClassVar[bool] = False
    seeded: ClassVar[bool] = True
    argument: ClassVar[str] = ""
    takes_common_things: ClassVar[bool] = False
    name = ""
    soft = False

    def __init__(self, context: CueContext) -> None:
        self.context = context
        self.report = CueReport()

    def check(self) -> None:  # noqa: B027 - most cues have nothing to check
        """Refuse the masks prepared last if they cannot be what was meant.

        Raises:
            DataError: mask files are read in a wrong format, say.
        """

    def ready(self, items: Sequence[Item], model: PromptedClip | None) -> None:  # noqa: B027 - most cues are
        """Find out what would stop the masks of these images, before anything is written.

        Raises:
            DaptError: a model cannot be loaded, or is not told what to look for.
        """

    def close(self) -> None:  # noqa: B027 - most cues hold nothing
        """Give back what is held for making masks (a model of the cue's own); the next `prepare` takes it again."""

    def made_with(self) -> dict[str, Any]:
        """What decides the masks beside the options: which function or weights it is, by their content.

        Raises:
            DaptError: it is not there.
        """
        return {}

    def told(self, items: Sequence[Item]) -> dict[str, tuple[float | None, tuple[str, ...]]]:
        """What is known of masks that are there already beside their pixels: score and names of backgrounds, by image.

        Only of cues that read masks; others find it out as they make them, and report it.
        """
        return {}

    @abstractmethod
    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        """One mask per item, ``[h, w]`` in 0..1 (bool when hard) covering the whole image at any resolution, or None.

        Args:
            items: images, their labels numbered as the classes of the model.
            model: the prompted model as it is now; None: there is none.

        Raises:
            DataError: a mask file is missing its image's shape, or unreadable without `skip_bad`.
        """


CUES: Registry[type[Cue]] = Registry("cue", "dapt.cues")
