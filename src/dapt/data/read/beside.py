"""Masks that lie beside the photographs: told by their names, never taken for photographs.

Recognised are ``cat_mask.png`` beside ``cat.jpg``, a folder ``masks`` that mirrors the photographs (beside them, above
them or in each class folder), and pictures that have the name of a photograph with another ending and look like masks.
A name alone is no evidence: there has to be the photograph that the mask belongs to, so that the classes ``mask`` and
``no mask`` of photographs of faces stay what they are.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dapt.data.masks.mask_look import look_like_masks

ORPHANS = "called like masks, but there is no photo of that name"
FURTHER = "further masks of a photo that has one"
_WORDS = "masks?|segmentations?|seg|segm|alpha|matte"
_WEAK = "gt|ground[-_ ]?truth|labels?|annotations?|trimap|silhouette|fg|foreground|cutout"
_COPY = r"(?:[-_. ]?\d+| ?\(\d+\))?"
_AFTER = re.compile(rf"(?P<photo>.+)[-_. ](?:(?P<strong>{_WORDS})|(?P<weak>{_WEAK})){_COPY}", re.IGNORECASE)
_BEFORE = re.compile(rf"(?:(?P<strong>{_WORDS})|(?P<weak>{_WEAK}))[-_. ](?P<photo>.+)", re.IGNORECASE)
_FOLDER_WORD = re.compile(
    r"masks?|segmentations?|segs?|annotations?|labels?|gt|truths?|groundtruths?|alphas?|mattes?|trimaps?|silhouettes?"
    r"|segmentationclass(png)?|segmentationobject(png)?|png"
)
_IMAGE_FOLDERS = (
    "images",
    "image",
    "imgs",
    "img",
    "photos",
    "pictures",
    "jpegimages",
    "jpg",
    "rgb",
    "data",
    "original",
)
_MARKS = re.compile(r"[-_. ]+")
ENOUGH = 0.5  # of the files of a folder have a photograph, so that it is a folder of masks
SURE = 0.8  # the same, where the masks lie flat and the photographs do not


@dataclass
class Parted:
    """Pictures, divided.

    Attributes:
        photos: those that are photographs, in the order given. masks: the mask of a photograph.
        unused: masks that are none of them, by reason. how: in words, where the masks lie.
    """

    photos: list[str]
    masks: dict[str, str] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)
    how: list[str] = field(default_factory=list)


def part_masks(pictures: Sequence[str], top: Path) -> Parted:
    """Tell masks from photographs.

    Args:
        pictures: paths relative to `top`, sorted. top: of files that only their content can tell, some are opened.
    """
    parted = Parted(list(pictures))
    _part_folders(parted, top)
    _part_names(parted, top)
    _part_twins(parted, top)
    return parted


def _part_folders(parted: Parted, top: Path) -> None:
    """Folders of masks."""
    below: dict[str, list[str]] = defaultdict(list)
    for name in parted.photos:
        parts = name.split("/")[:-1]
        for depth, part in enumerate(parts):
            if _mask_words(part):
                below["/".join(parts[: depth + 1])].append(name)
                break
    for folder, names in below.items():
        gone = set(names)
        found = _of_photos(folder, names, [name for name in parted.photos if name not in gone], top)
        if found is None:
            continue
        parted.photos = [name for name in parted.photos if name not in gone]
        _take(parted, found, names, f"in {folder}/")


def _of_photos(folder: str, names: Sequence[str], photos: Sequence[str], top: Path) -> dict[str, str] | None:
    """The photograph of each mask in a folder; None if it is no folder of masks."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in photos:
        by_stem[_stem(name)].append(name)
    found: dict[str, str] = {}
    for name in names:
        for stem in _photo_stems(name, folder):
            if stem in by_stem:
                found[name] = by_stem[stem][0]
                break
    if len(found) >= ENOUGH * len(names):
        return found
    *_, last = folder.split("/")
    if _FOLDER_WORD.fullmatch(last.lower()) is None or any("/" in name[len(folder) + 1 :] for name in names):
        return None
    by_name: dict[str, list[str]] = defaultdict(list)
    for name in photos:
        by_name[_stem(name).rpartition("/")[2]].append(name)
    found = {}
    for name in names:
        of = next((by_name[stem] for stem in _plain_stems(_stem(name).rpartition("/")[2]) if stem in by_name), [])
        if len(of) == 1:
            found[name] = of[0]
    sure = len(found) >= SURE * len(names) and look_like_masks([top / name for name in found])
    return found if sure else None


def _photo_stems(name: str, folder: str) -> Iterable[str]:
    """Where the photograph of a mask may lie, without its ending."""
    *above, last = folder.split("/")
    within = _stem(name)[len(folder) + 1 :]
    inside, _, plain = within.rpartition("/")
    words = [word for word in _MARKS.split(last) if not _FOLDER_WORD.fullmatch(word.lower())]
    others = {*_IMAGE_FOLDERS, *(word.capitalize() for word in _IMAGE_FOLDERS), "JPEGImages", "JPG", "RGB"}
    bases = [above] if not words else []
    bases += [[*above, mark.join(words)] for mark in "_- ." if words]
    bases += [[*above, other] for other in sorted(others)] if not words else []
    for base in bases:
        for stem in _plain_stems(plain):
            yield "/".join([*base, *([inside] if inside else []), stem])


def _plain_stems(stem: str) -> list[str]:
    """The stem of the photograph of a mask that has this stem."""
    found = [stem]
    for pattern in (_AFTER, _BEFORE):
        match = pattern.fullmatch(stem)
        if match:
            found.append(match["photo"])
    return found


def _part_names(parted: Parted, top: Path) -> None:
    """Masks in the folder of their photographs, by a word in their name."""
    by_stem = {_stem(name).lower(): name for name in reversed(parted.photos)}
    strong: dict[str, str] = {}
    weak: dict[str, str] = {}
    called: list[str] = []
    for name in parted.photos:
        inside, slash, stem = _stem(name).rpartition("/")
        for pattern in (_AFTER, _BEFORE):
            match = pattern.fullmatch(stem)
            if not match:
                continue
            photo = by_stem.get(f"{inside}{slash}{match['photo']}".lower())
            if photo is not None:
                (strong if match["strong"] else weak)[name] = photo
                break
            if match["strong"]:
                called.append(name)
                break
    if weak and not look_like_masks([top / name for name in weak]):
        weak = {}
    found = {**strong, **weak}
    if not found:
        return
    orphans = [name for name in called if name not in found]
    gone = {*found, *orphans}
    parted.photos = [name for name in parted.photos if name not in gone]
    there = set(parted.photos)
    found = {mask: photo for mask, photo in found.items() if photo in there}
    _take(parted, found, sorted(gone), f"beside their photos (as {min(found).rpartition('/')[2]})" if found else "")


def _part_twins(parted: Parted, top: Path) -> None:
    """Pictures that share their name but for the ending with a photograph, and look like masks."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in parted.photos:
        by_stem[_stem(name)].append(name)
    pairs = [names for names in by_stem.values() if len(names) == 2]
    endings = Counter(_ending(name) for names in pairs for name in names)
    if len(pairs) < 2 or len(endings) < 2:
        return
    for ending in sorted(endings, key=lambda one: (one != "png", one)):
        found = {first: second for names in pairs for first, second in (names, names[::-1]) if _ending(first) == ending}
        found = {mask: photo for mask, photo in found.items() if _ending(photo) != ending}
        photos = [top / photo for photo in found.values()]
        if found and look_like_masks([top / mask for mask in found]) and not look_like_masks(photos):
            parted.photos = [name for name in parted.photos if name not in found]
            _take(parted, found, list(found), f"beside their photos (as {min(found).rpartition('/')[2]})")
            return


def _take(parted: Parted, found: dict[str, str], names: Sequence[str], how: str) -> None:
    used = 0
    for mask in sorted(names):
        photo = found.get(mask)
        if photo is None:
            parted.unused.setdefault(ORPHANS, []).append(mask)
        elif photo in parted.masks:
            parted.unused.setdefault(FURTHER, []).append(mask)
        else:
            parted.masks[photo] = mask
            used += 1
    if used:
        parted.how.append(how)


def _mask_words(folder: str) -> bool:
    words = [word for word in _MARKS.split(folder.lower()) if word]
    return any(_FOLDER_WORD.fullmatch(word) and word != "png" for word in words)


def _stem(name: str) -> str:
    inside, slash, last = name.rpartition("/")
    stem, dot, _ = last.rpartition(".")
    return f"{inside}{slash}{stem if dot and stem else last}"


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()
