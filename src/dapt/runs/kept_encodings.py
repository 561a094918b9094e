"""What a frozen image tower makes of test and validation images, in a bank of features: looked at once for all runs.

Unlike those of training views these numbers are kept in full, so that figures are those of a run that keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from dapt.config import RunConfig
from dapt.console import say
from dapt.data.items import Item
from dapt.data.load.pixels import max_megapixels
from dapt.digests import content_digest
from dapt.errors import DataError
from dapt.evaluation.evaluate import Seen
from dapt.evaluation.mask_source import MaskSource
from dapt.finite import require_finite
from dapt.model.classifier import Classifier
from dapt.model.prompted_clip import PromptedClip
from dapt.runs.identity import hash_file
from dapt.runs.kept_features import bank_of, content_of, most_bytes
from dapt.training.feature_bank import FeatureBank
from dapt.wording import counted

RAW, SHARE, INSIDE = "raw", "share", "inside"
FULL_BYTES = 4


def kept_encodings(config: RunConfig, model: PromptedClip, bank: FeatureBank | None) -> KeptEncodings | None:
    """Where evaluations of a model keep what its image tower makes of images; None: nothing is kept.

    The tower has to be as the backbone brought it: nothing is trained in it, and there are no prompts in it.
    """
    own = model.prompts
    if bank is None or (own.trains_visual and own.saved_views is None):
        return None
    prompts = own.at_rest()
    if prompts.visual_ctx is not None or prompts.visual_deep:
        return None
    return KeptEncodings(bank, most_bytes(config))


def encodings_of_run(config: RunConfig, model: PromptedClip) -> KeptEncodings | None:
    """The same for a finished run that is evaluated again."""
    return kept_encodings(config, model, bank_of(config, model.clip))


class KeptEncodings:
    """A place for what the image tower makes of evaluated images, see `dapt.evaluation.evaluate.Keep`.

    Args:
        bank: the folder. limit: bytes of one list of images; more are not kept.

    Attributes:
        bank: as given.
    """

    def __init__(self, bank: FeatureBank, limit: int) -> None:
        self.bank = bank
        self._limit = limit
        self._content: dict[tuple[Any, ...], list[str]] = {}

    def __call__(
        self,
        classify: Classifier,
        items: Sequence[Item],
        make: Callable[[], Seen],
        *,
        batch_size: int,
        masks: MaskSource | None,
    ) -> Seen:
        """What is kept of the images, or what `make` makes of them, which is kept then."""
        clip, projected = classify.model.clip, classify.prompts.projected
        size = len(items) * (clip.embed_dim if projected else clip.image.width) * FULL_BYTES
        if not items:
            return make()
        told = f"features of {counted(len(items), 'evaluated image')} are"
        if size > self._limit:
            say(f"{told} not kept: {size / 1e6:.1f} MB do not fit (features_mb)")
            return make()
        view = {"of": "evaluated", "projected": projected, "batch": batch_size, "max_pixels": max_megapixels()}
        if masks is not None:
            view["masks"] = _content_of_masks(items, masks)
        key = self.bank.key(self._content_of(items), view)
        found = self._read(key, len(items), attention=masks is not None)
        if found is not None:
            return found
        say(f"{told} kept in {self.bank.folder}: {size / 1e6:.1f} MB (dapt cache)")
        with self.bank.making(key):
            found = self._read(key, len(items), attention=masks is not None)  # by another process meanwhile
            if found is None:
                found = make()
                self.bank.save(key, _rows(found), {"of": "evaluated", "images": len(items)}, exactly=True)
        return found

    def _read(self, key: str, count: int, *, attention: bool) -> Seen | None:
        rows = self.bank.load(key, count, exactly=True)
        if RAW not in rows or (attention and not {SHARE, INSIDE} <= set(rows)):
            return None
        return Seen(require_finite(rows[RAW], "image features"), rows.get(SHARE), rows.get(INSIDE))

    def _content_of(self, items: Sequence[Item]) -> list[str]:
        """A digest of the content of each image; those of a list that is looked at after every epoch are kept."""
        paths = tuple(item.path for item in items)
        if paths not in self._content:
            self._content[paths] = content_of(items)
        return self._content[paths]


def _rows(seen: Seen) -> dict[str, Tensor]:
    rows = {RAW: seen.raw, SHARE: seen.share, INSIDE: seen.inside}
    return {name: values for name, values in rows.items() if values is not None}


def _content_of_masks(items: Sequence[Item], masks: MaskSource) -> str:
    """A digest of the true masks of images, and of how they are read."""
    parts: list[Any] = []
    for item in items:
        files, rules = masks.located(item)
        parts.append([rules.kind, rules.name, rules.background, *(_digest_of(path) for path in files)])
    return content_digest(parts)


def _digest_of(mask: Path) -> str:
    try:
        return hash_file(mask)
    except DataError:  # evaluation counts it as none
        return "unreadable"
