"""Files of equal content: test images that were trained on, one picture in two classes, files that are listed twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dapt.console import progress
from dapt.data.check.finding import Finding, Severity, Used, class_of, count, grouped
from dapt.data.contents import file_digest
from dapt.environment import cores
from dapt.regular import open_regular
from dapt.wording import some

SHOWN_OF_GROUP = 3
END = 4096  # bytes at the end of a file that are compared before all of it is

K = TypeVar("K", bound=Hashable)
Group = tuple[int, ...]


@dataclass(frozen=True)
class Copies:
    """Groups of images with equal content, by what is wrong with them, as positions in the list looked at.

    Attributes:
        trained: some are trained on and some tested on. val: some are for validation and some not.
        labelled: they have different classes. listed: one file stands in a split more than once.
        again: copies within a split and a class.
    """

    trained: tuple[Group, ...]
    val: tuple[Group, ...]
    labelled: tuple[Group, ...]
    listed: tuple[Group, ...]
    again: tuple[Group, ...]


def equal_files(paths: Sequence[Path]) -> list[Group]:
    """Groups of files with the same bytes, as positions in `paths`; files that cannot be read are in none.

    Files are compared by size, then by their ends, and only what is equal in both is read whole.
    """
    by_size: defaultdict[int, list[int]] = defaultdict(list)
    for position, path in enumerate(paths):
        try:
            by_size[path.stat().st_size].append(position)
        except OSError:
            continue
    groups: list[Group] = [tuple(group) for size, group in by_size.items() if size and len(group) > 1]
    with ThreadPoolExecutor(cores()) as pool:
        for test in (_end, _whole):
            flat = [position for group in groups for position in group]
            keys = pool.map(test, (paths[position] for position in flat))
            found = dict(zip(flat, list(progress(keys, len(flat), "comparing files", "files")), strict=True))
            groups = [part for group in groups for part in equal(group, [found[position] for position in group])]
    return sorted(groups)


def equal(positions: Sequence[int], keys: Sequence[K | None]) -> list[Group]:
    """Groups of positions with the same key; None is equal to nothing."""
    groups: defaultdict[K, list[int]] = defaultdict(list)
    for position, key in zip(positions, keys, strict=True):
        if key is not None:
            groups[key].append(position)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _end(path: Path) -> bytes | None:
    try:
        with open_regular(path) as file:
            file.seek(max(0, path.stat().st_size - END))
            return file.read(END)
    except OSError:
        return None


def _whole(path: Path) -> str | None:
    try:
        return file_digest(path)
    except OSError:
        return None


def copies_of(images: Sequence[Used], groups: Iterable[Group]) -> Copies:
    """What is wrong with groups of images of equal content."""
    found: dict[str, list[Group]] = {kind: [] for kind in ("trained", "val", "labelled", "listed", "again")}
    for group in groups:
        splits = {images[position].split for position in group}
        if {"train", "test"} <= splits:
            found["trained"].append(group)
        if "val" in splits and len(splits) > 1:
            found["val"].append(group)
        if len({_labels(images[position]) for position in group}) > 1:
            found["labelled"].append(group)
        for split in sorted(splits):
            part = tuple(position for position in group if images[position].split == split)
            if len(part) > 1 and len({_labels(images[position]) for position in part}) == 1:
                places = {_place(images[position].item.path) for position in part}
                found["listed" if len(places) < len(part) else "again"].append(part)
    return Copies(**{kind: tuple(parts) for kind, parts in found.items()})


def _labels(image: Used) -> tuple[int, ...]:
    return tuple(sorted(image.item.labels or (image.item.label,)))


def _place(path: Path) -> Hashable:
    """By which one file is known under several names: links, and other capitals where the system sees no difference."""
    try:
        state = path.stat()
    except OSError:
        return str(path)
    return (state.st_dev, state.st_ino) if state.st_ino else str(path.resolve())


def copy_findings(images: Sequence[Used], copies: Copies, names: Sequence[str], *, official: bool) -> list[Finding]:
    """Groups of equal images as findings.

    Args:
        names: class names by label. official: the split is the published one of a data set, whose copies everybody's
            figures have: warnings at most.
    """
    serious: Severity = "warning" if official else "error"
    found = []

    def add(kind: str, severity: Severity, what: str, todo: str, groups: Sequence[Group]) -> None:
        shown = [[images[position].item.name for position in group] for group in groups]
        found.append(grouped(kind, severity, what, todo, shown))

    def told(groups: Sequence[Group]) -> str:
        return some([" = ".join(_name(images[position]) for position in _first(images, group)) for group in groups])

    if copies.trained:
        number = len(leaked(images, copies))
        add(
            "leak",
            serious,
            f"{count(number, 'test image')} {_are(number)} equal to training images, byte for byte "
            f"({told(copies.trained)}).",
            "The published split decides here; figures of others have the same copies."
            if official
            else "Remove them from the training images or from the test images; what was trained on tells nothing.",
            copies.trained,
        )
    if copies.val:
        number = len(copies.val)
        same = all(_one_place(images, group) for group in copies.val)
        add(
            "leak_val",
            "note" if official and same else serious,
            f"{count(number, 'validation image')} {_are(number)} also in another split ({told(copies.val)}).",
            "Keep every image in one split; an epoch chosen by such images was not chosen fairly.",
            copies.val,
        )
    if copies.labelled:
        number = len(copies.labelled)
        pairs = [
            " = ".join(
                f"{images[position].item.name} ({class_of(images[position].item, names)})"
                for position in _first(images, group, by_class=True)
            )
            for group in copies.labelled
        ]
        add(
            "two_labels",
            serious,
            f"{count(number, 'picture')} {_are(number)} there under different classes, byte for byte ({some(pairs)}).",
            "Keep the one in the right class.",
            copies.labelled,
        )
    if copies.listed:
        number = len(copies.listed)
        add(
            "listed_twice",
            "warning",
            f"{count(number, 'file')} {'is' if number == 1 else 'are'} listed more than once, through links or under "
            f"two spellings ({told(copies.listed)}).",
            "Keep one of them; it counts twice.",
            copies.listed,
        )
    if copies.again:
        number = sum(len(group) - 1 for group in copies.again)
        add(
            "copies",
            "note",
            f"{count(number, 'image')} {_are(number)} {'a copy' if number == 1 else 'copies'} of others in the same "
            f"split and class ({told(copies.again)}).",
            "They count twice; remove them if that is not meant.",
            copies.again,
        )
    return found


def leaked(images: Sequence[Used], copies: Copies) -> list[str]:
    """Names of the test images that are equal to training images."""
    positions = {position for group in copies.trained for position in group if images[position].split == "test"}
    return [images[position].item.name for position in sorted(positions)]


def _first(images: Sequence[Used], group: Group, *, by_class: bool = False) -> list[int]:
    """One of a group from each split, or from each class, or the first two of what has only one."""
    found = {(_labels(images[place]) if by_class else images[place].split): place for place in reversed(group)}
    return sorted(found.values())[:SHOWN_OF_GROUP] if len(found) > 1 else list(group[:2])


def _one_place(images: Sequence[Used], group: Group) -> bool:
    return len({images[position].item.path for position in group}) == 1


def _name(image: Used) -> str:
    """The name with its split, where the name does not begin with that."""
    name = image.item.name
    return name if name.lower().startswith(image.split) else f"{name} ({image.split})"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
