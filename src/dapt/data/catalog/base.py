"""What the catalog knows about a benchmark data set.

A data set is one file in this package that adds a `Dataset` to `CATALOG`: where it comes from, how large it is, under
which licence, how it may lie on disk, how its classes are named and its images divided, and what it should count.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dapt.config import MaskFormat
from dapt.data.items import ImageSet
from dapt.paths import user_cache, with_home
from dapt.registry import Registry

ROOT_VARIABLE = "DAPT_DATA"


@dataclass(frozen=True)
class Download:
    """A file on the web.

    Attributes:
        what: ``images``, ``masks``, ``split``, ``class names`` or ``annotations``.
        url: its address. to: folder under the data set's own folder that receives it; an archive is unpacked there.
        size: bytes, None where not known beforehand. checksum: ``md5:...`` or ``sha256:...``, empty if none is known.
        name: file name, by default the last part of the address. unpack: whether it is an archive to unpack.
        inner: regular expression for archives within the archive; these alone are then unpacked. Empty: none.
        inside: folder within the archive (the inner one, if any) whose content goes to `to`; the rest is left out.
        alternative: sources of the same `what` and number are needed together; a higher number is tried where a lower
            one cannot be had.
    """

    what: str
    url: str
    to: str = ""
    size: int | None = None
    checksum: str = ""
    name: str = ""
    unpack: bool = True
    inner: str = ""
    inside: str = ""
    alternative: int = 0

    @property
    def file_name(self) -> str:
        """The name under which it is kept while it is downloaded."""
        return self.name or self.url.rstrip("/").rsplit("/", 1)[-1].split("?")[0]


@dataclass(frozen=True)
class HubFiles:
    """Files of a repository on the Hugging Face hub, found by pattern, because such collections are moved.

    Attributes:
        what: as in `Download`. repo: ``OWNER/NAME``. pattern: regular expression searched in the path of each file.
        to: folder under the data root (not under the data set's folder) that receives them, archives unpacked.
        alternative: as in `Download`. repo_type: ``dataset`` or ``model``, as the hub files it.
    """

    what: str
    repo: str
    pattern: str
    to: str = ""
    alternative: int = 0
    repo_type: str = "dataset"


@dataclass(frozen=True)
class Manual:
    """Something the user has to fetch, because a licence asks for it or no public address is left.

    Attributes:
        what: as in `Download`. instructions: one to three sentences. alternative: as in `Download`, but
            whatever can be downloaded is tried before.
    """

    what: str
    instructions: str
    alternative: int = 0


Source = Download | HubFiles | Manual


@dataclass(frozen=True)
class Layout:
    """One way in which a data set may lie under the data root, or under its own folder there.

    Attributes:
        name: ``coop`` (CoOp's DATASETS.md) or ``foreground`` (the masked collection of FVG-PT), or another.
        folder: the data set's folder under the data root. images: the folder under it to which the paths in the split
            file are relative. holds: folders of which one at least must be in `images`, to tell it from other data.
    """

    name: str
    folder: str
    images: str = ""
    holds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """A layout found on disk.

    Attributes:
        layout: which. root: the data set's folder. images: the folder to which image paths are relative.
    """

    layout: Layout
    root: Path
    images: Path


@dataclass(frozen=True)
class Request:
    """How a data set is to be read.

    Attributes:
        root: the data root. own_split: divide anew where the official split file is missing, which is recorded.
        skip_bad: leave out images that a split names and that are absent, with a warning, instead of refusing.
        absent: with `skip_bad`, receives the paths of such images in place of the warning.
    """

    root: Path
    own_split: bool = False
    skip_bad: bool = False
    absent: list[str] | None = None


class Reader(ABC):
    """How the images of a data set are found and divided.

    Attributes:
        rule: how they are divided, for people. file: the official split file, empty if there is none.
        val_is_test: val and test are the same images.
    """

    rule: str
    file: str = ""
    val_is_test: bool = False

    @abstractmethod
    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """All images with their labels.

        Raises:
            DataError: files are missing or damaged.
        """

    def listed(self, dataset: Dataset, place: Place, request: Request) -> dict[str, int] | None:
        """Images that the official lists name per split, where that differs from what is read; None: it does not."""
        return None


@dataclass(frozen=True)
class Dataset:
    """A benchmark data set.

    Attributes:
        name: as on the command line. title: in full. paper: where it was published. licence: of the images.
        size_mb: of the download, about; None if unknown. classes, counts: what it should hold (images per split).
        layouts: in order of preference; the folder of the first is the data set's own. reader: how it is read.
        sources: where it comes from, see `Download.alternative`.
        own_masks: format of the masks it brings itself, None if none. own_mask_folder: where, beside the images or
            above them: one PNG per image with its stem. partly_masked: it masks only some images.
        homepage: for people. notes: what users should know. multi_label: images may show several classes.
        shared_names: class names that two classes have in the field's own list.
        own_template: prompt template; empty: that of `dapt.methods.templates.ZERO_SHOT`.
    """

    name: str
    title: str
    paper: str
    homepage: str
    licence: str
    size_mb: int | None
    classes: int
    counts: Mapping[str, int]
    layouts: tuple[Layout, ...]
    reader: Reader
    sources: tuple[Source, ...]
    own_masks: MaskFormat | None = None
    own_mask_folder: str = ""
    partly_masked: bool = False
    notes: tuple[str, ...] = ()
    multi_label: bool = False
    shared_names: tuple[str, ...] = ()
    own_template: str = ""

    @property
    def folder(self) -> str:
        """The data set's own folder under the data root."""
        return self.layouts[0].folder

    @property
    def template(self) -> str:
        """The prompt template of zero-shot classification."""
        from dapt.methods.templates import PHOTO, ZERO_SHOT

        return self.own_template or ZERO_SHOT.get(self.name, PHOTO)

    @property
    def images(self) -> int:
        """How many different images it should hold."""
        again = self.counts.get("val", 0) if self.reader.val_is_test else 0
        return sum(self.counts.values()) - again

    @property
    def prefix(self) -> str:
        """The last part of the image folder, with which the names of images begin in every layout."""
        return self.layouts[0].images.rsplit("/", 1)[-1]

    def image_name(self, path: str) -> str:
        """The name of an image from its path under the image folder."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def image_path(self, name: str) -> str:
        """The inverse of `image_name`."""
        return name[len(self.prefix) + 1 :] if self.prefix else name


CATALOG: Registry[Dataset] = Registry("data set", "dapt.data.catalog.sets")


def data_root(given: str | Path | None = None) -> Path:
    """Where catalog data lives: as given, else ``$DAPT_DATA``, else a folder in the user's cache."""
    chosen = given or os.environ.get(ROOT_VARIABLE)
    if chosen:
        return Path(with_home(str(chosen)))
    return user_cache() / "data"
