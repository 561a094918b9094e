"""Folders that may be classes or something else: refused, with both readings named."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from dapt.data.read.mask_words import IMAGE_FOLDERS
from dapt.data.read.nodes import Node, place
from dapt.data.read.split_names import SPLITS
from dapt.errors import DataError
from dapt.wording import some

ALIKE = 3  # folders of the same names in each folder, so that those are classes
_CLASS_AND_NUMBER = re.compile(r"(.*?[^\W\d_])[-_. ]*\(?\d+\)?")
_NUMBERED = re.compile(
    r"(k?folds?|parts?|versions?|ver|v|cams?|cameras?|domains?|splits?|batch|sessions?|runs?|cv|sets?|subsets?|sites?"
    r"|rounds?|seeds?|sources?|k)[-_. ]*\d+",
    re.IGNORECASE,
)
_CONTAINERS = {
    *IMAGE_FOLDERS,
    *(
        "dataset",
        "datasets",
        "photo",
        "photographs",
        "pics",
        "pic",
        "picture",
        "all",
        "raw",
        "input",
        "inputs",
        "files",
    ),
    *("frames", "jpeg", "jpegs", "jpgs", "png", "pngs", "bilder", "fotos", "originals", "imageset", "imagedata"),
}
_EXTRA = re.compile(r"un[-_ ]?label+ed.*|extras?|others?|unknown|misc|samples?|pred(iction)?s?|backup|old|tmp|temp|raw")
_UNLABELLED = re.compile(r"un[-_ ]?label+ed([-_. ]?(images?|data|photos?|set))?", re.IGNORECASE)
_LABELLED = re.compile(r"label+ed([-_. ]?(images?|data|photos?|set))?", re.IGNORECASE)
_VIEWS = re.compile(
    r"\d+|day|night|dawn|dusk|front|back|rear|side|left|right|top|bottom|up|down|small|medium|large|big|low|high"
    r"|indoors?|outdoors?|inside|outside|spring|summer|autumn|fall|winter|male|female|adult|young|near|far|angle\d*"
)
_MARKS = re.compile(r"[-_. ]+")


def is_container(name: str) -> bool:
    """Whether a folder of this name holds pictures of anything (``images``, ``All Photos``), rather than a class."""
    words = [word for word in _MARKS.split(name.lower()) if word]
    return bool(words) and all(word in _CONTAINERS for word in words)


def is_extra(name: str) -> bool:
    """Whether a folder beside splits is called like what is left over."""
    return _EXTRA.fullmatch(name.lower()) is not None


def is_unlabelled(name: str) -> bool:
    """Whether a folder says that its photographs have no class."""
    return _UNLABELLED.fullmatch(name) is not None


def check_versions(node: Node, shown: str) -> None:
    """Refuse folders that all hold the same folders: domains, folds, or versions of one data set.

    They are taken for such if they hold more folders than they are, or are called ``fold0``, ``cam 2``, or one of them
    ``images``, or if there are at most twice as many of them as of at least three folders in each, whose names are no
    views (``day``, ``left``, ``01``).

    Raises:
        DataError: naming them.
    """
    filled = node.filled
    labelled = [name for name in filled if _LABELLED.fullmatch(name)]
    if labelled and any(map(is_unlabelled, filled)) and len(filled) == len(labelled) + 1:
        raise DataError(
            f"{some(sorted(filled))} in {place(shown, node.path)} say whether photos have a class, not which.",
            todo=f"Name {place(shown, filled[labelled[0]].path)} as the data, with one sub-folder per class in it.",
        )
    if len(filled) < 2 or any(folder.photos for folder in filled.values()):
        return
    inner = [set(folder.filled) for folder in filled.values()]
    if all(_NUMBERED.fullmatch(name) for name in filled) and len(set.intersection(*inner)) > 1:
        raise _versions(node, filled, sorted(set.intersection(*inner)), shown)
    level = filled
    while all(len(names) == 1 for names in inner) and len(set.union(*inner)) == 1:  # Office-31 has amazon/images/CLASS
        level = {name: next(iter(folder.filled.values())) for name, folder in level.items()}
        inner = [set(folder.filled) for folder in level.values()]
        if any(folder.photos for folder in level.values()):
            return
    names = sorted(inner[0])
    if any(each != inner[0] for each in inner) or len(names) < 2:
        return
    views = all(_VIEWS.fullmatch(name.lower()) for name in names)
    several = len(names) >= ALIKE and len(filled) <= 2 * len(names) and not views
    if len(names) > len(filled) or several or any(is_container(name) for name in filled):
        raise _versions(node, level, names, shown)


def _versions(node: Node, filled: Mapping[str, Node], names: Sequence[str], shown: str) -> DataError:
    likely = min(filled, key=lambda name: (not is_container(name), name))
    return DataError(
        f"{some(sorted(filled))} in {place(shown, node.path)} each hold the same {len(names)} folders "
        f"({some(names)}), as domains, folds or versions of one data set do.",
        todo=f"Name one of them as the data, for example {place(shown, filled[likely].path)}; if they are the "
        "classes, put their photos into them directly.",
    )


def check_nested_splits(node: Node, found: Mapping[str, Mapping[str, Node]], shown: str) -> None:
    """Refuse splits within folders if the splits hold folders: those may be the classes.

    Raises:
        DataError: naming them.
    """
    splits = [folder for part in found.values() for folder in part.values()]
    inner = [set(folder.filled) for folder in splits if not folder.photos]
    common = sorted(set.intersection(*inner)) if len(inner) == len(splits) else []
    if len(common) > 1 or (common and all(map(_NUMBERED.fullmatch, found))):
        raise DataError(
            f"{some(sorted(found))} in {place(shown, node.path)} each hold splits with the folders {some(common)}, as "
            "folds or versions of one data set do.",
            todo=f"Name one of them as the data, for example {place(shown, node.folders[min(found)].path)}; if they "
            "are the classes, put their photos into the split folders directly.",
        )


def check_class_and_split(node: Node, shown: str) -> None:
    """Refuse class folders that are called by class and split: ``cats_train``, ``cats_test``, ``dogs_train``.

    Raises:
        DataError: naming them.
    """
    around: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for name in node.filled:
        words = [word for word in _MARKS.split(name.lower()) if word]
        known = [number for number, word in enumerate(words) if word in SPLITS]
        if len(known) == 1 and len(words) > 1:
            around[(*words[: known[0]], *words[known[0] + 1 :])][name] = SPLITS[words[known[0]]]
    both = [group for group in around.values() if len(set(group.values())) > 1]
    if both:
        names = sorted(name for group in both for name in group)
        raise DataError(
            f"The folders {some(names, 4)} in {place(shown, node.path)} are called by class and split.",
            todo="Put the photos into train/CLASS and test/CLASS, so that no test photo is trained on.",
        )


def no_classes(node: Node, names: Sequence[str], shown: str) -> DataError:
    """The error for split folders without class folders."""
    photos = sum(len(node.folders[name].all()) for name in names)
    return DataError(
        f"{' and '.join(names)} in {place(shown, node.path)} hold {photos} photos, but no class folders.",
        todo="Put the photos of each class in one sub-folder of every split, or name the classes in a CSV with the "
        "columns image, classname and split.",
    )


def flat(node: Node, shown: str) -> DataError:
    """The error for photographs without class folders."""
    photos = node.photos or node.all()
    stems = [name.rpartition("/")[2].rpartition(".")[0] for name in photos]
    matches = [match[1] for stem in stems if (match := _CLASS_AND_NUMBER.fullmatch(stem))]
    named = [word for word, number in Counter(matches).items() if number > 1]
    seems = ""
    if 1 < len(named) <= len(stems) / 2:
        seems = (
            f"File names seem to begin with the class ({some(sorted(named))}): move them into folders of that name. "
        )
    lie = f"{len(stems)} photos lie" if len(stems) > 1 else "only photo lies"
    return DataError(
        f"{place(shown, node.path)} has no class folders: its {lie} in it directly.",
        todo=f"{seems}Put the photos of each class in one sub-folder, or name the classes in a CSV with the columns "
        "image and classname.",
    )
