"""Where the true masks of evaluation images come from, and whether they serve to measure attention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from torch import Tensor

from dapt.colour import BLACK
from dapt.config import MaskFormat
from dapt.console import warn
from dapt.data.check.finding import count
from dapt.data.items import Item
from dapt.data.masks.coverage import ClassMasks
from dapt.data.masks.judged import Verdict, judge
from dapt.data.masks.mask_collections import doubts_and_hint, formats_that_fit
from dapt.data.masks.mask_files import fit_mask
from dapt.data.masks.mask_finder import MaskFinder, SharedMaskError
from dapt.data.masks.photo_mask import mask_of_photo
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError

LOOKED = 1000  # images, or up to twice as many, whose masks are looked at before attention is measured
WORDS = {
    "missing": "not there",
    "empty": "without foreground",
    "full": "without background",
    "wrong shape": "of another shape than the image",
    "unreadable": "not readable so",
}


@dataclass(frozen=True)
class MaskSource:
    """Where the true masks of evaluation images come from.

    Attributes:
        folder: ``--masks``. kind: ``--mask-format``.
        own_kind: format of the data set's own masks; None: `kind`.
        name, background: ``--mask-name`` and ``--mask-background``.
    """

    folder: Path | None = None
    kind: MaskFormat = "binary"
    own_kind: MaskFormat | None = None
    name: str | None = None
    background: str = BLACK
    _doubted: set[str] = field(default_factory=set, compare=False, repr=False)

    @cached_property
    def _finder(self) -> MaskFinder | None:
        return MaskFinder(self.folder, self.kind, self.name) if self.folder else None

    def problem(self, items: Iterable[Item]) -> str:
        """Why the masks in the folder are not those of single images: two would share one. Empty if they are."""
        if self._finder is None:
            return ""
        try:
            self._finder.check(item for item in items if item.mask is None)
        except SharedMaskError as error:
            return error.what
        except DataError:  # of a single image, see `read`
            pass
        return ""

    def located(self, item: Item) -> tuple[tuple[Path, ...], MaskRules]:
        """The files of an item's true mask, none where there is none, and how they are read."""
        rules = MaskRules(self.kind, self.name, self.background)
        if item.mask is not None and item.mask.is_file():
            return (item.mask,), rules.read_as(self.own_kind)
        try:
            return self._finder.find(item) if self._finder else (), rules
        except DataError:  # two files that could be it
            return (), rules

    def path(self, item: Item) -> Path | None:
        """Where the true mask of an item is: the data set's own, else the first one in the folder, or None."""
        files, _ = self.located(item)
        return files[0] if files else None

    def read(self, item: Item, size: tuple[int, int]) -> Tensor | None:
        """The mask of an item at the `size` of its image, float ``[H, W]``, or None.

        A mask that cannot be read counts as none: evaluation goes on without that image's attention figure.
        """
        files, rules = self.located(item)
        if not files:
            return None
        try:
            return fit_mask(mask_of_photo(files, item.path, rules).mask, size, files[0], item.path).float()
        except DataError:
            return None

    def tell(self, items: Sequence[Item]) -> bool:
        """Whether attention can be measured on some of the images; warns of masks that do not serve, or look wrong.

        Of many images only some, evenly chosen, are looked at for that.
        """
        if problem := self.problem(items):
            warn(f"{problem} There is no attention figure.")
            return False
        chosen = items[:: max(1, len(items) // LOOKED)]
        with ThreadPoolExecutor() as pool:
            verdicts = list(pool.map(self._judge, chosen))
        usable = [verdict for verdict in verdicts if verdict.coverage is not None]
        reasons = self._reasons(verdicts)
        if not usable and len(chosen) == len(items):
            if self.folder is not None or any(verdict.problem != "missing" for verdict in verdicts):
                warn(f"attention not measured: of {count(len(items), 'mask')} {reasons}{self._hint(items)}.")
            return False
        if any(verdict.problem not in ("", "missing") for verdict in verdicts):
            warn(f"attention is measured on {len(usable)} of {count(len(chosen), 'image')}: {reasons}.")
        shares = [verdict.coverage for verdict in usable if verdict.coverage is not None]
        found = ClassMasks(shares, framed=sum(verdict.framed for verdict in usable))
        if "doubts" not in self._doubted and (said := doubts_and_hint({"": found}, items, self.folder, self._rules)):
            self._doubted.add("doubts")
            for sentence in said:
                warn(f"attention figure: {sentence}")
        return True

    @property
    def _rules(self) -> MaskRules:
        rules = MaskRules(self.kind, self.name, self.background)
        return rules if self.folder is not None else rules.read_as(self.own_kind)

    def _judge(self, item: Item) -> Verdict:
        files, rules = self.located(item)
        return judge(files, item.path, rules) if files else Verdict("missing")

    @staticmethod
    def _reasons(verdicts: Sequence[Verdict]) -> str:
        """What is wrong with masks, with their numbers and the first reason of each kind."""
        told = []
        for problem, words in WORDS.items():
            these = [verdict for verdict in verdicts if verdict.problem == problem]
            why = next((verdict.reason.rstrip(".") for verdict in these if verdict.reason), "")
            if these:
                told.append(f"{len(these)} {'is' if len(these) == 1 else 'are'} {words}{f' ({why})' if why else ''}")
        return ", ".join(told)

    def _hint(self, items: Sequence[Item]) -> str:
        fitting = formats_that_fit(items, self.folder, self._rules.kind, self._rules)
        return f"; they look like objects with --mask-format {' or '.join(fitting)}" if fitting else ""
