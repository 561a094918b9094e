"""`Item` and `ImageSet`: plain values for one image and for a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dapt.config import MaskFormat
from dapt.console import warn, writable
from dapt.data.outlines import Outline
from dapt.errors import ConfigError, DataError, did_you_mean
from dapt.strict import nfc

UNLABELLED = -1


@dataclass(frozen=True)
class Item:
    """One image.

    Attributes:
        path: the file. label: class index, -1 when unknown. name: path as the user knows it (relative).
        mask: the data set's own foreground mask, if any. meta: other columns of a CSV index.
        labels: all classes the image shows, where it may show several; `label` is then the first of them.
    """

    path: Path
    label: int
    name: str
    mask: Path | None = None
    meta: tuple[tuple[str, str], ...] = ()
    labels: tuple[int, ...] = ()

    @property
    def group(self) -> str | None:
        """The value of the `group` column, for worst-group accuracy."""
        return dict(self.meta).get("group") or None


@dataclass(frozen=True)
class ImageSet:
    """A data set.

    Attributes:
        name: short name, used for run folders. root: its folder.
        names: class names by label. splits: items of train, val and test.
        multi_label: images may show several classes. mask_format: of the data set's own masks.
        own_split: the official split was not there, and the images were divided anew.
        divided: there were no splits, and dapt divided the images itself. division: how, in words, if by content.
        contents: by name of an image, a checksum of its content, where that decided its split.
        layout: how the data lies, in words; empty where nothing had to be recognised.
        unused: names of the files there that are not used, by reason, so that used and unused are all there is.
        guessed: sentences about what was taken for granted, for example the delimiter of a table.
        outlines: by name of an image, what annotations say of where its objects are, see `dapt.data.masks.drawn`.
        passing: a program gave the images for one run, so that nothing is kept of them for later ones.
    """

    name: str
    root: Path
    names: tuple[str, ...]
    splits: dict[str, tuple[Item, ...]] = field(default_factory=dict)
    multi_label: bool = False
    mask_format: MaskFormat | None = None
    own_split: bool = False
    divided: bool = False
    division: str = ""
    contents: Mapping[str, str] = field(default_factory=dict)
    layout: str = ""
    unused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    outlines: Mapping[str, tuple[Outline, ...]] = field(default_factory=dict)
    passing: bool = False

    def split(self, name: str) -> tuple[Item, ...]:
        """The items of a split, possibly none."""
        return self.splits.get(name, ())

    @property
    def shared_names(self) -> set[str]:
        """Names that several classes have, which only some catalog data sets may."""
        return {name for name, number in Counter(self.names).items() if number > 1}

    def chosen(self, name: str) -> list[Item]:
        """The items of a split, or of all splits; of all, an image that two splits share is named once.

        Raises:
            ConfigError: there is no such split.
        """
        if name != "all" and name not in self.splits:
            raise ConfigError(f"{self.name} has no split '{name}'.", todo=did_you_mean(name, [*self.splits, "all"]))
        if name != "all":
            return list(self.splits[name])
        found: dict[Path, Item] = {}  # ImageNet's val and test are the same images
        for items in self.splits.values():
            for item in items:
                found.setdefault(item.path, item)
        return list(found.values())

    def labelled(self, name: str) -> tuple[Item, ...]:
        """The items of a split whose class is known."""
        return tuple(item for item in self.split(name) if item.label != UNLABELLED)

    def chosen_labelled(self, name: str) -> tuple[Item, ...]:
        """As `labelled`; of ``all`` the labelled items of all splits, each image once."""
        if name != "all":
            return self.labelled(name)
        return tuple(item for item in self.chosen("all") if item.label != UNLABELLED)

    def with_names(self, names: Sequence[str]) -> ImageSet:
        """The same images under other class names.

        Raises:
            ConfigError: the number of names differs from the number of classes.
        """
        if len(names) != len(self.names):
            raise ConfigError(
                f"{len(names)} class names were given for {len(self.names)} classes.",
                todo="Give one name per class, in label order.",
            )
        return replace(self, names=tuple(nfc(name).replace("_", " ") for name in names))

    @property
    def has_masks(self) -> bool:
        """Whether the data set brings its own masks."""
        return any(item.mask is not None for items in self.splits.values() for item in items)


def with_composed_names(data: ImageSet) -> ImageSet:
    """The data set with its class names in NFC, in which names are compared everywhere.

    Raises:
        DataError: two classes have the same name, written in two Unicode forms.
    """
    names = tuple(map(nfc, data.names))
    if names == data.names:
        return data
    twice = sorted(name for name, count in Counter(names).items() if count > 1 and name not in data.shared_names)
    if twice:
        raise DataError(
            f"Two classes of {data.name} are called '{twice[0]}', in two Unicode forms of the same letters.",
            todo="Put their images into one folder (or rename one of them); most programs show the same name for both.",
        )
    return replace(data, names=names)


def with_trimmed_names(data: ImageSet) -> ImageSet:
    """The data set without blanks around its class names, which is said; as it is if two would be called the same."""
    names = tuple(name.strip(" ") for name in data.names)
    if names == data.names or not all(names) or len(set(names)) < len(set(data.names)):
        return data
    changed = [(old, new) for old, new in zip(data.names, names, strict=True) if old != new]
    old, new = changed[0]
    said = f"Blanks around {len(changed)} class names are left out: '{new}' for '{old}'."
    return replace(data, names=names, guessed=(*data.guessed, said))


def find_by_name(items: Iterable[Item]) -> Callable[[str], Item | None]:
    """A look-up of items by name: exactly, else in the Unicode form in which names are compared, if one item fits."""
    exact = {item.name: item for item in items}
    composed: dict[str, list[Item]] = {}
    for name, item in exact.items():
        composed.setdefault(nfc(name), []).append(item)

    def find(name: str) -> Item | None:
        found = exact.get(name)
        if found is None:
            others = composed.get(nfc(name), [])
            found = others[0] if len(others) == 1 else None
        return found

    return find


def with_writable_names(data: ImageSet) -> ImageSet:
    """The data set with undecodable bytes in class names as escapes, with a warning: no text and no file can hold them.

    Raises:
        DataError: two classes would have the same name.
    """
    names = tuple(map(writable, data.names))
    changed = [name for before, name in zip(data.names, names, strict=True) if before != name]
    if not changed:
        return data
    if len(set(names)) < len(set(data.names)):
        raise DataError(
            f"Class names of {data.name} with undecodable bytes are the same as others ({changed[0]}).",
            todo="Rename those folders, or give the classes other names with --names FILE.",
        )
    warn(f"{len(changed)} class names hold undecodable bytes, which are written as escapes: {changed[0]}.")
    return replace(data, names=names)


def check_classes(data: ImageSet) -> ImageSet:
    """The data set, if its class names are usable.

    Raises:
        DataError: an empty or repeated class name.
    """
    seen: dict[str, int] = {}
    for label, name in enumerate(data.names):
        if not name.strip():
            raise DataError(f"Class {label} of {data.name} has no name.", todo="Name it in the CSV or with --names.")
        if name in seen:
            raise DataError(
                f"Two classes of {data.name} are called '{name}' (labels {seen[name]} and {label}).",
                todo="Give them different names, for example with --names FILE.",
            )
        seen[name] = label
    return data
