"""How photographs lie in folders: classes, splits, folders around them.

Works on paths alone, relative to the folder that the user named, so that every case can be tried without files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from dapt.data.read.ambiguous import (
    check_class_and_split,
    check_nested_splits,
    check_versions,
    flat,
    is_container,
    is_extra,
    is_unlabelled,
    no_classes,
)
from dapt.data.read.nodes import Node, listed, place
from dapt.data.read.nodes import tree_of as tree_of
from dapt.data.read.split_names import folder_split_of, split_of, splits_beside
from dapt.errors import DataError
from dapt.wording import some

LOOSE = "beside the class folders, so that their class is not known"
OUTSIDE = "in folders that are none of the splits"
WITHOUT = "in a folder for photos without a class"
FEW_LOOSE = 0.1  # photographs beside class folders, as a share of those in them
WRAPPERS = 4  # folders around the class folders that are looked into


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
        layout.words = f"split folders {listed(splits)}{inside}"
    elif within := _splits_within_classes(node, layout, shown):
        for name, found in within.items():
            for split, folder in found.items():
                layout.splits.setdefault(split, {})[name] = folder.all()
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
        if empty or folder_split_of(name) is not None or not _holds_classes(inner):
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
            raise no_classes(node, sorted(splits), shown)
        return {}
    others = [name for name in filled if name not in splits and not is_extra(name)]
    if len(splits) == 1 and others:
        (name,) = splits
        raise DataError(
            f"In {place(shown, node.path)} the folder {name} is called like a split, but there are photos in "
            f"{some(others)} beside it.",
            todo=f"If {name} is a class, rename it ('train' to 'trains'); if it is a split, move the others away.",
        )
    twice = [split for split, number in Counter(splits.values()).items() if number > 1]
    if twice:
        both = [name for name, split in splits.items() if split == twice[0]]
        raise DataError(
            f"In {place(shown, node.path)} the folders {' and '.join(both)} would both be the split '{twice[0]}'.",
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
        if not inner.photos and len(inner.filled) == 1 and is_container(next(iter(inner.filled))):
            (inner,) = inner.filled.values()
        layout.folders[split] = inner.path
        if not inner.filled or (is_container(inner.path.rpartition("/")[2]) and inner.photos):
            if split == "train":
                raise no_classes(node, [name], shown)
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
        layout.remarks.append(f"{some(names)} beside the splits {listed(splits)} is none of them and is not used.")
    if "train" not in splits.values():
        others = [name for name in node.filled if name not in splits and not is_extra(name)]
        what = f": {some(others)} was not taken for one. Rename the folder of it to train" if others else ""
        layout.remarks.append(f"There is no training split beside {listed(splits)}{what}.")
    if node.photos:
        layout.unused.setdefault(LOOSE, []).extend(node.photos)


def _splits_within_classes(node: Node, layout: Layout, shown: str) -> dict[str, dict[str, Node]]:
    """By class folder, the split of each of its folders, where all class folders hold splits; else empty.

    Raises:
        DataError: most class folders hold splits, but not all, or splits that hold folders that may be the classes.
    """
    filled = node.filled
    found: dict[str, dict[str, Node]] = {}
    others: dict[str, list[str]] = {}
    for name, folder in filled.items():
        splits = splits_beside(list(folder.filled))
        alone = len(splits) == len(folder.filled) and not folder.photos
        if len(set(splits.values())) == len(splits) and (len(splits) > 1 or (splits and alone)):
            found[name] = {split: folder.filled[sub] for sub, split in splits.items()}
            others[name] = [each for sub in folder.filled if sub not in splits for each in folder.filled[sub].all()]
    if not found or 2 * len(found) < len(filled):
        return {}
    if len(found) < len(filled):
        rest = [name for name in filled if name not in found]
        raise DataError(
            f"In {place(shown, node.path)} the folders {some(sorted(found))} hold splits, but {some(sorted(rest))} "
            "hold none, or other ones.",
            todo="Give every class folder the same split folders (train, val, test), or none.",
        )
    check_nested_splits(node, found, shown)
    loose = [path for folder in filled.values() for path in folder.photos]
    beside = [path for paths in others.values() for path in paths]
    if len(loose) > max(1, FEW_LOOSE * len(node.all())):
        raise DataError(
            f"In {place(shown, node.path)} {len(loose)} photos lie beside the split folders of their class.",
            todo="Move each into one of the splits, or remove the split folders.",
        )
    for paths, reason in ((loose, LOOSE), (beside, OUTSIDE)):
        if paths:
            layout.unused.setdefault(reason, []).extend(paths)
            layout.remarks.append(f"{len(paths)} photos lie beside the splits of their class and are not used.")
    return found


def _classes(node: Node, layout: Layout, shown: str) -> dict[str, list[str]]:
    """The photographs of each class folder.

    Raises:
        DataError: there is none, or one without photographs.
    """
    if not node.filled and node.photos:
        raise flat(node, shown)
    if len(node.filled) == 1 and is_container(next(iter(node.filled))):
        raise flat(next(iter(node.filled.values())), shown)
    check_versions(node, shown)
    check_class_and_split(node, shown)
    classes: dict[str, list[str]] = {}
    deeper: list[str] = []
    for name, folder in node.folders.items():
        if folder.any and is_unlabelled(name):
            layout.unused.setdefault(WITHOUT, []).extend(folder.all())
            layout.remarks.append(f"The photos of {folder.path}/ have no class and are not used.")
        elif folder.any:
            classes[name] = folder.all()
            deeper += [path.partition("/")[2] for path in (inner.path for inner in folder.filled.values())]
        elif folder.unread:
            raise DataError(
                f"The class folder {place(shown, folder.path)} holds no image that is read, but {folder.unread}.",
                todo="Save them as JPEG or PNG, or remove the folder.",
            )
        elif not folder.other:
            raise DataError(
                f"The class folder {place(shown, folder.path)} holds no image.",
                todo="Add photos (.jpg, .png, .webp, ...) or remove the folder.",
            )
        else:
            layout.remarks.append(f"The folder {folder.path} holds no picture that is read, so it is no class.")
    if node.photos:
        layout.unused.setdefault(LOOSE, []).extend(node.photos)
    called = [name for name in classes if split_of(name) is not None]
    if called and len(classes) > len(called):
        layout.remarks.append(f"The class {some(called)} is called like a split; it is read as a class.")
    if deeper:
        layout.remarks.append(
            f"Class folders hold {len(deeper)} folders ({some(sorted(set(deeper)))}), whose names are not read."
        )
    return classes
