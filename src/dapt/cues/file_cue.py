"""Cues from files: a folder of masks, or the masks the data set brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from dapt.config import MaskFormat
from dapt.console import progress, warn
from dapt.cues.base import Cue, CueContext, CueReport
from dapt.cues.bounded import bounded
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.notes import say_notes
from dapt.data.masks.coverage import ClassMasks, is_framed
from dapt.data.masks.mask_collections import MaskCounts, check_convention, doubts_and_hint
from dapt.data.masks.mask_entries import MaskEntry, store_entries
from dapt.data.masks.mask_files import fit_mask
from dapt.data.masks.mask_finder import MaskFinder, own_or_found
from dapt.data.masks.photo_mask import mask_of_photo
from dapt.errors import DaptError, DataError

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


class _Read(NamedTuple):
    """The mask of an image, if it has one; whether it cannot be used; whether the format seems to be another.

    And whether its foreground lies around the picture, see `dapt.data.masks.coverage.is_framed`.
    """

    mask: Tensor | None
    bad: bool = False
    misread: bool = False
    framed: bool = False


class FileCue(Cue):
    """Masks read from one file per image: the data set's own masks, unless there is a finder.

    Attributes:
        kind: the format in which they are read.
    """

    reads_files = True

    def __init__(self, context: CueContext, finder: MaskFinder | None = None) -> None:
        super().__init__(context)
        own_kind = context.data.mask_format if context.data is not None else None
        self._finder = finder
        self._own_kind = own_kind
        self.kind: MaskFormat = context.kind if finder is not None or own_kind is None else own_kind
        self._rules = context.rules.read_as(self.kind)
        self._items: Sequence[Item] = ()
        self._misread = 0
        self._framed: set[str] = set()
        self._entries: Mapping[str, MaskEntry] | None = None
        self._checked = finder is not None and context.data is not None
        if finder is not None and context.data is not None:
            finder.check(chain.from_iterable(context.data.splits.values()))

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        if self._finder is not None and not self._checked:
            self._finder.check(items)
        self.report, self._items, self._misread, self._framed = CueReport(), items, 0, set()
        masks: list[Tensor | None] = []
        with ThreadPoolExecutor() as pool:
            read = progress(pool.map(self._read, items), len(items), "reading masks", "masks")
            for item, (mask, bad, other_format, framed) in zip(items, read, strict=True):
                self._misread += other_format
                if framed:
                    self._framed.add(item.name)
                if bad:
                    self.report.total += 1
                    self.report.bad.append(item.name)
                masks.append(None if bad else self.report.add(item.name, mask))
        say_notes()
        self._tell_scores(items)
        return masks

    def _tell_scores(self, items: Sequence[Item]) -> None:
        for name, (score, stuff) in self.told(items).items():
            if score is not None:
                self.report.scores[name] = score
            if stuff:
                self.report.stuff[name] = list(stuff)

    def told(self, items: Sequence[Item]) -> dict[str, tuple[float | None, tuple[str, ...]]]:
        """What whoever made the masks says of them, where they are a store of `dapt masks`."""
        if self._finder is None:
            return {}
        if self._entries is None:
            try:
                self._entries = store_entries(self._finder.folder)
            except DaptError as error:
                warn(f"Scores and background labels of the masks are not used. {error.what}")
                self._entries = {}
        known = ((item.name, self._entries.get(item.name)) for item in items)
        return {name: (entry.score, entry.stuff) for name, entry in known if entry is not None}

    def check(self) -> None:
        """Refuse the masks prepared last if they were read in another collection's format; warn of odd ones.

        Raises:
            DataError: at least 95% of them are empty or full; see `dapt.data.masks.mask_collections.MaskCounts`.
        """
        report = self.report
        counts = MaskCounts(
            read=report.total - len(report.missing) - len(report.bad),
            empty=len(report.empty),
            full=len(report.full),
            misread=self._misread,
        )
        folder = None if self._finder is None else self._finder.folder
        check_convention(counts, self._items, folder, self.kind, own_kind=self._own_kind, rules=self._rules)
        for sentence in doubts_and_hint(self._by_class(), self._items, folder, self._rules):
            warn(sentence)

    def _by_class(self) -> dict[str, ClassMasks]:
        """The masks prepared last, by the name of their class."""
        data = self.context.data
        places = data.splits.values() if data is not None else ()
        labels = {item.name: item.label for items in places for item in items}  # a run numbers its classes anew
        found: dict[str, ClassMasks] = {}
        shares = iter(self.report.coverage)
        blank = {name: kind for kind in ("empty", "full", "missing") for name in getattr(self.report, kind)}
        for item in self._items:
            label = labels.get(item.name, UNLABELLED)
            name = data.names[label] if data is not None and label != UNLABELLED else ""
            own = found.setdefault(name, ClassMasks())
            if item.name in blank:
                setattr(own, blank[item.name], getattr(own, blank[item.name]) + 1)
            elif item.name not in self.report.bad:
                own.coverage.append(next(shares, 0.5))
                own.framed += item.name in self._framed
        return found

    def _read(self, item: Item) -> _Read:
        """The mask of an item.

        Raises:
            DataError: it cannot be used, and `skip_bad` is false.
        """
        files = own_or_found(item, self._finder)
        if not files:
            return _Read(None)
        try:
            return self._load(item, files)
        except DataError:
            if not self.context.skip_bad:
                raise
            return _Read(None, bad=True)

    def _load(self, item: Item, files: Sequence[Path]) -> _Read:
        found = mask_of_photo(files, item.path, self._rules)
        height, width = self.context.load_image(item).shape[-2:]
        mask = bounded(fit_mask(found.mask, (height, width), files[0], item.path))
        return _Read(mask, misread=found.misread, framed=is_framed(mask))
