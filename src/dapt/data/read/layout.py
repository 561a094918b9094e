"""How photographs lie in folders: classes, splits, folders around them.

Works on paths alone, relative to the folder that the user named, so that every case can be tried without files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dapt.data.read.split_names import split_of, splits_beside
from dapt.data.read.tree import UNREAD
from dapt.errors import DataError

LOOSE = "beside the class folders, so that their class is not known"
OUTSIDE = "in folders that are none of the splits"
FEW_LOOSE = 0.1  # photographs beside class folders, as a share of those in them
WRAPPERS = 4  # folders around the class folders that are looked into
_CLASS_AND_NUMBER = re.compile(r"(.*?[^\W\d_])[-_. ]*\(?\d+\)?")


@dataclass
class Node:
    """A folder: its photographs and its folders, by name.

    Attributes:
        path: relative to the top. photos: paths of the photographs directly in it. folders: sub-folders.
        other: whether it holds, at any depth, files that are no photographs.
        unread: why photographs in it, at any depth, are not read; empty where there are none of that kind.
    """

    path: str = ""
    photos: list[str] = field(default_factory=list)
    folders: dict[str, Node] = field(default_factory=dict)
    other: bool = False
    unread: str = ""

    @property
    def filled(self) -> dict[str, Node]:
        """The sub-folders that hold photographs, at any depth."""
        return {name: node for name, node in self.folders.items() if node.any}

    @property
    def any(self) -> bool:
        """Whether it holds a photograph, at any depth."""
        return bool(self.photos) or any(node.any for node in self.folders.values())

    def all(self) -> list[str]:
        """All photographs below it, sorted part by part."""
        found = [*self.photos]
        for node in self.folders.values():
            found += node.all()
        return sorted(found, key=lambda name: name.split("/"))


@dataclass
class Layout:
    """What was recognised.

    Attributes:
        words: the layout in words.
        splits: photographs by split and class folder; the split ``all`` where there are none.
        unlabelled: photographs by split whose class is not known. unused: other photographs, by reason.
        remarks: sentences about what may not be meant.
        folders: the folder of each split, for messages.
    """

    words: str = ""
    splits: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    unlabelled: dict[str, list[str]] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    folders: dict[str, str] = field(default_factory=dict)


def tree_of(photos: Sequence[str], folders: Sequence[str] = (), others: Sequence[tuple[str, str]] = ()) -> Node:
    """The tree of these photographs, with the folders there are and other files with the reasons they are not used."""
    top = Node()
    for folder in folders:
        _node(top, folder.split("/"))
    for name, reason in others:
        node = top
        for part in name.split("/")[:-1]:
            node = node.folders.get(part) or Node()
            node.other = True
            node.unread = reason if reason in UNREAD else node.unread
    for name in photos:
        _node(top, name.split("/")[:-1]).photos.append(name)
    return top


def _node(top: Node, parts: Sequence[str]) -> Node:
    node = top
    for part in parts:
        if part not in node.folders:
            node.folders[part] = Node(f"{node.path}/{part}" if node.path else part)
        node = node.folders[part]
    return node


def recognise(top: Node, shown: str) -> Layout:
    """Find the splits and classes.

    Args:
        shown: the folder for messages.

    Raises:
        DataError: there are no class folders, or what there is can be understood in two ways.
    """
    layout = Layout()
    node = _unwrap(top, layout)
    inside = f" within {node.path}/" if node.path else ""
    splits = _split_folders(node, shown)
    if splits:
        _read_splits(node, splits, layout, shown)
        layout.words = f"split folders {_listed(splits)}{inside}"
    elif within := _splits_within_classes(node):
        _read_within(within, layout)
        layout.words = f"split folders within each class folder{inside}"
    else:
        layout.splits["all"] = _classes(node, layout, shown)
        layout.words = f"class folders{inside}"
    return layout


def _unwrap(node: Node, layout: Layout) -> Node:
    """The folder around which others were put: with no photographs, and one sub-folder with class folders in it."""
    for _ in range(WRAPPERS):
        filled = node.filled
        if len(filled) != 1:
            break
        name, inner = next(iter(filled.items()))
        if len(node.photos) > FEW_LOOSE * len(inner.all()):
            break
        empty = [other for other in node.folders.values() if not other.any and (other.unread or not other.other)]
        if empty or split_of(name) is not None or not _holds_classes(inner):
            break
        if node.photos:
            layout.unused.setdefault(LOOSE, []).extend(node.photos)
        node = inner
    return node


def _holds_classes(node: Node) -> bool:
    """Whether a folder that lies alone is one around class folders, and not itself a class with folders in it."""
    filled = node.filled
    if not node.photos:
        return bool(filled)
    return len(filled) > 1 and len(node.photos) <= FEW_LOOSE * sum(len(inner.all()) for inner in filled.values())


def _split_folders(node: Node, shown: str) -> dict[str, str]:
    """The split of each folder that is one; empty if there are none.

    Raises:
        DataError: folders called like splits that may be classes, or two for one split.
    """
    filled = node.filled
    splits = splits_beside(sorted(filled))
    if not any(filled[name].filled for name in splits):
        if splits and set(splits) == set(filled):
            raise _no_classes(node, sorted(splits), shown)
        return {}
    others = [name for name in filled if name not in splits and filled[name].photos]
    if len(splits) == 1 and others:
        (name,) = splits
        raise DataError(
            f"In {_in(shown, node.path)} the folder {name} is called like a split, but there are photos in "
            f"{_some(others)} beside it.",
            todo=f"If {name} is a class, rename it ('train' to 'trains'); if it is a split, move the others away.",
        )
    twice = [split for split, number in Counter(splits.values()).items() if number > 1]
    if twice:
        both = [name for name, split in splits.items() if split == twice[0]]
        raise DataError(
            f"In {_in(shown, node.path)} the folders {' and '.join(both)} would both be the split '{twice[0]}'.",
            todo="Keep one of them there, or rename them to train, val and test.",
        )
    return splits


def _read_splits(node: Node, splits: dict[str, str], layout: Layout, shown: str) -> None:
    order = sorted(splits, key=lambda name: ("train", "val", "test").index(splits[name]))
    known: set[str] = set()
    for name in order:
        split, folder = splits[name], node.folders[name]
        inner = folder
        while not inner.photos and len(inner.filled) == 1:
            (only,) = inner.filled
            if only in known or not _holds_classes(inner.filled[only]):
                break
            inner = inner.filled[only]
        layout.folders[split] = inner.path
        if not inner.filled:
            if split == "train":
                raise _no_classes(node, [name], shown)
            layout.unlabelled[split] = inner.all()
            layout.remarks.append(
                f"The {len(layout.unlabelled[split])} photos of {inner.path}/ lie in no class folder: they have no "
                "class, and nothing is tested on them."
            )
            continue
        layout.splits[split] = _classes(inner, layout, shown)
        known |= set(layout.splits[split])
    beside = [path for name, other in node.filled.items() if name not in splits for path in other.all()]
    if beside:
        names = [name for name in node.filled if name not in splits]
        layout.unused.setdefault(OUTSIDE, []).extend(beside)
        layout.remarks.append(f"{_some(names)} beside the splits {_listed(splits)} is none of them and is not used.")
    if node.photos:
        layout.unused.setdefault(LOOSE, []).extend(node.photos)


def _splits_within_classes(node: Node) -> dict[str, dict[str, tuple[str, Node]]]:
    """By class folder, the split of each of its folders, where all class folders hold splits and nothing else."""
    filled = node.filled
    found: dict[str, dict[str, tuple[str, Node]]] = {}
    for name, folder in filled.items():
        if folder.photos or not folder.filled:
            return {}
        splits = {sub: split_of(sub) for sub in folder.filled}
        if None in splits.values() or len(set(splits.values())) < len(splits):
            return {}
        found[name] = {str(split): (sub, folder.filled[sub]) for sub, split in splits.items()}
    return found


def _read_within(within: dict[str, dict[str, tuple[str, Node]]], layout: Layout) -> None:
    for name, splits in within.items():
        for split, (_, folder) in splits.items():
            layout.splits.setdefault(split, {})[name] = folder.all()


def _classes(node: Node, layout: Layout, shown: str) -> dict[str, list[str]]:
    """The photographs of each class folder.

    Raises:
        DataError: there is none, or one without photographs.
    """
    if not node.filled and node.photos:
        raise _flat(node, shown)
    _check_versions(node, shown)
    classes: dict[str, list[str]] = {}
    deeper: list[str] = []
    for name, folder in node.folders.items():
        if folder.any:
            classes[name] = folder.all()
            deeper += [path.partition("/")[2] for path in (inner.path for inner in folder.filled.values())]
        elif folder.unread:
            raise DataError(
                f"The class folder {_in(shown, folder.path)} holds no image that is read, but {folder.unread}.",
                todo="Save them as JPEG or PNG, or remove the folder.",
            )
        elif not folder.other:
            raise DataError(
                f"The class folder {_in(shown, folder.path)} holds no image.",
                todo="Add photos (.jpg, .png, .webp, ...) or remove the folder.",
            )
        else:
            layout.remarks.append(f"The folder {folder.path} holds no picture that is read, so it is no class.")
    if node.photos:
        layout.unused.setdefault(LOOSE, []).extend(node.photos)
    called = [name for name in classes if split_of(name) is not None]
    if called and len(classes) > len(called):
        layout.remarks.append(f"The class {_some(called)} is called like a split; it is read as a class.")
    if deeper:
        layout.remarks.append(
            f"Class folders hold {len(deeper)} folders ({_some(sorted(set(deeper)))}), whose names are not read."
        )
    return classes


def _check_versions(node: Node, shown: str) -> None:
    """Refuse folders that all hold the same folders, more of them than they are: domains, or versions of one data set.

    Raises:
        DataError: naming them.
    """
    filled = node.filled
    inner = {tuple(sorted(folder.filled)) for folder in filled.values()}
    if len(filled) < 2 or len(inner) > 1 or any(folder.photos for folder in filled.values()):
        return
    (names,) = inner
    while len(names) == 1:  # Office-31 has amazon/images/CLASS
        filled = {name: folder.filled[names[0]] for name, folder in filled.items()}
        inner = {tuple(sorted(folder.filled)) for folder in filled.values()}
        if len(inner) > 1 or any(folder.photos for folder in filled.values()):
            return
        (names,) = inner
    if len(names) > len(filled):
        raise DataError(
            f"{_some(sorted(filled))} in {_in(shown, node.path)} each hold the same {len(names)} folders "
            f"({_some(names)}), as domains or versions of one data set do.",
            todo=f"Name one of them as the data, for example {_in(shown, filled[min(filled)].path)}; if they are the "
            "classes, put their photos into them directly.",
        )


def _no_classes(node: Node, names: Sequence[str], shown: str) -> DataError:
    photos = sum(len(node.folders[name].all()) for name in names)
    return DataError(
        f"{' and '.join(names)} in {_in(shown, node.path)} hold {photos} photos, but no class folders.",
        todo="Put the photos of each class in one sub-folder of every split, or name the classes in a CSV with the "
        "columns image, classname and split.",
    )


def _flat(node: Node, shown: str) -> DataError:
    stems = [name.rpartition("/")[2].rpartition(".")[0] for name in node.photos]
    matches = [match[1] for stem in stems if (match := _CLASS_AND_NUMBER.fullmatch(stem))]
    named = [word for word, number in Counter(matches).items() if number > 1]
    seems = ""
    if 1 < len(named) <= len(stems) / 2:
        seems = (
            f"File names seem to begin with the class ({_some(sorted(named))}): move them into folders of that name. "
        )
    return DataError(
        f"{_in(shown, node.path)} has no class folders: its {len(stems)} photos lie in it directly.",
        todo=f"{seems}Put the photos of each class in one sub-folder, or name the classes in a CSV with the columns "
        "image and classname.",
    )


def _in(shown: str, path: str) -> str:
    return f"{shown.rstrip('/')}/{path}" if path else shown


def _listed(splits: dict[str, str]) -> str:
    order = sorted(splits, key=lambda name: ("train", "val", "test").index(splits[name]))
    return ", ".join(order)


def _some(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
