"""What the catalog knows about a benchmark data set.

A data set is one file in this package that adds a `Dataset` to `CATALOG`: where it comes from, how large it is, under
which licence, how it may lie on disk, how its classes are named and its images divided, and what it should count.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dapt.config import MaskFormat
from dapt.data.items import ImageSet
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
    """

    what: str
    url: str
    to: str = ""
    size: int | None = None
    checksum: str = ""
    name: str = ""
    unpack: bool = True

    @property
    def file_name(self) -> str:
        """The name under which it is kept while it is downloaded."""
        return self.name or self.url.rstrip("/").rsplit("/", 1)[-1].split("?")[0]


@dataclass(frozen=True)
class HubFiles:
    """Files of a data set repository on the Hugging Face hub, found by pattern, because such collections are moved.

    Attributes:
        what: as in `Download`. repo: ``OWNER/NAME``. pattern: regular expression searched in the path of each file.
        to: folder under the data root (not under the data set's folder) that receives them, archives unpacked.
    """

    what: str
    repo: str
    pattern: str
    to: str = ""


@dataclass(frozen=True)
class Manual:
    """Something the user has to fetch, because a licence asks for it or no public address is left.

    Attributes:
        what: as in `Download`. instructions: one to three sentences.
    """

    what: str
    instructions: str


Source = Download | HubFiles | Manual


@dataclass(frozen=True)
class Layout:
    """One way in which a data set may lie under the data root.

    Attributes:
        name: ``coop`` (CoOp's DATASETS.md) or ``foreground`` (the masked collection, METHODS 3.7), or another.
        folder: the data set's folder under the data root. images: the folder under it to which the paths in the split
            file are relative. masks: folder of mask files under it that mirrors the images, empty if none.
        mirrors: the folder under `folder` whose structure `masks` repeats; empty: `folder` itself.
    """

    name: str
    folder: str
    images: str = ""
    masks: str = ""
    mirrors: str = ""


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
    """

    root: Path
    own_split: bool = False
    skip_bad: bool = False


class Reader(ABC):
    """How the images of a data set are found and divided."""

    @abstractmethod
    def read(self, dataset: Dataset, place: Place, request: Request) -> ImageSet:
        """All images with their labels.

        Raises:
            DataError: files are missing or damaged.
        """


@dataclass(frozen=True)
class Dataset:
    """A benchmark data set.

    Attributes:
        name: as on the command line. title: in full. paper: where it was published. licence: of the images.
        size_mb: of the download, about. classes, counts: what it should hold (images per split).
        layouts: in order of preference. reader: how it is read. sources: where it comes from, the preferred first
            among those of the same kind.
        own_masks: format of the masks it brings itself, None if none. homepage: for people.
        notes: what users should know. multi_label: images may show several classes.
    """

    name: str
    title: str
    paper: str
    homepage: str
    licence: str
    size_mb: int
    classes: int
    counts: Mapping[str, int]
    layouts: tuple[Layout, ...]
    reader: Reader
    sources: tuple[Source, ...]
    own_masks: MaskFormat | None = None
    notes: tuple[str, ...] = ()
    multi_label: bool = False
    template: str = field(default="a photo of a {}.")


CATALOG: Registry[Dataset] = Registry("data set", "dapt.data.catalog")


def data_root(given: str | Path | None = None) -> Path:
    """Where catalog data lives: as given, else ``$DAPT_DATA``, else a folder in the user's cache."""
    chosen = given or os.environ.get(ROOT_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "dapt" / "data"
