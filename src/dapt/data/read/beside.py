"""Masks that lie beside the photographs: told by their names, never taken for photographs.

Recognised are ``cat_mask.png`` beside ``cat.jpg``, a folder ``masks`` that mirrors the photographs (beside them, above
them or in each class folder), and pictures that have the name of a photograph with another ending and look like masks.
A name alone is no evidence: there has to be the photograph that the mask belongs to, so that the classes ``mask`` and
``no mask`` of photographs of faces stay what they are.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dapt.data.masks.mask_look import grey_beside_colours, look_like_masks, mask_verdict, verdicts_of
from dapt.data.read.mask_words import bases, called_mask, only_says_masks, photo_stems, plain_stems, says_masks

ORPHANS = "called like masks, but there is no photo of that name"
COPIES = "small copies of photos that are there"
FURTHER = "further masks of a photo that has one"
_THUMBNAILS = {"thumbnails", "thumbnail", "thumbs", "thumb", "small", "cache", "cached", "preview", "previews"}
ENOUGH = 0.5  # of the files of a folder have a photograph, so that it is a folder of masks
SURE = 0.8  # the same, where the masks lie flat and the photographs do not
FOLDERS = 12  # that are looked into, of those that hold pictures called alike
EACH = 3  # pictures in each


@dataclass
class Parted:
    """Pictures, divided.

    Attributes:
        photos: those that are photographs, in the order given. masks: the mask of a photograph.
        unused: masks that are none of them, by reason. how: in words, where the masks lie.
        remarks: sentences about what may not be meant.
    """

    photos: list[str]
    masks: dict[str, str] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)
    how: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def part_masks(pictures: Sequence[str], top: Path) -> Parted:
    """Tell masks from photographs.

    Args:
        pictures: paths relative to `top`, sorted. top: of files that only their content can tell, some are opened.
    """
    parted = Parted(list(pictures))
    _part_thumbnails(parted)
    _part_folders(parted, top)
    _part_names(parted, top)
    _part_twins(parted, top)
    return parted


def _part_thumbnails(parted: Parted) -> None:
    """Folders of small copies, within the folder of the photographs that they show."""
    below: dict[str, list[str]] = defaultdict(list)
    for name in parted.photos:
        folder = name.rpartition("/")[0]
        if "/" in folder and _called(folder) in _THUMBNAILS:
            below[folder].append(name)
    stems = {_stem(name) for name in parted.photos} if below else set()
    gone: set[str] = set()
    for folder, names in below.items():
        above = folder.rpartition("/")[0]
        copies = [name for name in names if f"{above}/{_last(_stem(name))}" in stems]
        if len(copies) >= SURE * len(names):
            gone |= set(names)
            parted.unused.setdefault(COPIES, []).extend(names)
    parted.photos = [name for name in parted.photos if name not in gone]


def _part_folders(parted: Parted, top: Path) -> None:
    """Folders of masks."""
    below: dict[str, list[str]] = defaultdict(list)
    by_stem: dict[str, list[str]] = defaultdict(list)
    by_name: dict[str, list[str]] = defaultdict(list)
    for name in parted.photos:
        parts = name.split("/")[:-1]
        for depth, part in enumerate(parts):
            if says_masks(part) is not False:
                below["/".join(parts[: depth + 1])].append(name)
        stem = _stem(name)
        by_stem[stem].append(name)
        by_name[stem.rpartition("/")[2]].append(name)
    taken: set[str] = set()
    flat: set[str] = set()
    found: dict[str, dict[str, str]] = {}
    alike: dict[str, dict[str, str]] = defaultdict(dict)  # by the name of the folder
    for folder in sorted(below, key=lambda each: each.count("/")):
        names = [name for name in below[folder] if name not in taken]
        masks = _mirrored(folder, names, by_stem) if names else {}
        if not masks and names:
            masks = _flat(folder, names, by_name)
            flat.add(folder)
        if masks:
            found[folder] = masks
            alike[_called(folder)].update(masks)
            taken |= set(names)
    verdicts = {called: _verdict(list(masks), masks, top) for called, masks in alike.items()}
    gone: set[str] = set()
    for folder, masks in found.items():
        called = _called(folder)
        names = [name for name in below[folder] if name not in gone]
        if not _are_masks(verdicts[called], strong=bool(says_masks(called)) and folder not in flat):
            if says_masks(called) and folder not in flat:
                parted.remarks.append(_no_masks(len(names), f"in {folder}/"))
            continue
        gone |= set(names)
        _take(parted, masks, names, f"in {folder}/", by_stem)
    parted.photos = [name for name in parted.photos if name not in gone]


def _called(folder: str) -> str:
    return folder.rpartition("/")[2].lower()


def _mirrored(folder: str, names: Sequence[str], by_stem: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The photograph of each mask of a folder that mirrors one of photographs; empty if it does not."""
    found: dict[str, str] = {}
    own = f"{folder}/"
    places = list(bases(folder))
    for name in names:
        inside, _, plain = _stem(name)[len(own) :].rpartition("/")
        for base in places:
            before = "".join(f"{part}/" for part in [*base, *([inside] if inside else [])])
            stem = next((each for each in plain_stems(plain) if _other(by_stem, before + each, own)), None)
            if stem is not None:
                found[name] = _other(by_stem, before + stem, own)[0]
                break
    return found if len(found) >= ENOUGH * len(names) else {}


def _flat(folder: str, names: Sequence[str], by_name: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The same for masks that lie flat, and have the names of photographs that do not."""
    own = f"{folder}/"
    if not only_says_masks(_called(folder)) or any("/" in name[len(own) :] for name in names):
        return {}
    found: dict[str, str] = {}
    for name in names:
        of = next((of for stem in plain_stems(_last(_stem(name))) if (of := _other(by_name, stem, own))), [])
        if len(of) == 1:
            found[name] = of[0]
    return found if len(found) >= SURE * len(names) else {}


def _other(names: Mapping[str, Sequence[str]], stem: str, own: str) -> list[str]:
    return [name for name in names[stem] if not name.startswith(own)] if stem in names else []


def _part_names(parted: Parted, top: Path) -> None:
    """Masks in the folder of their photographs, by a word in their name."""
    exact = {_stem(name): name for name in reversed(parted.photos)}
    by_stem = {_stem(name).lower(): name for name in reversed(parted.photos)}
    groups: dict[tuple[str, bool], dict[str, str]] = defaultdict(dict)
    called: list[str] = []
    for name in parted.photos:
        inside, slash, stem = _stem(name).rpartition("/")
        for of, strong in photo_stems(stem):
            of_stem = f"{inside}{slash}{of}"
            photo = exact.get(of_stem) or by_stem.get(of_stem.lower())
            if photo is not None and photo != name:
                word = re.sub(r"\d+", "", stem.replace(of, "*", 1)).lower() + _ending(name)
                groups[word, strong][name] = photo
                break
        else:
            if called_mask(stem):
                called.append(name)
    found: dict[str, str] = {}
    for (_, strong), masks in groups.items():
        verdicts = _judged(masks, top)
        yes = {mask: photo for mask, photo in masks.items() if _are_masks(verdicts[mask], strong=strong)}
        found |= yes
        if strong and len(yes) < len(masks):
            some = min(mask for mask in masks if mask not in yes)
            parted.remarks.append(_no_masks(len(masks) - len(yes), f"(as {some})"))
    if not found:
        return
    places = {mask.rpartition("/")[0] for mask in found}
    called = [name for name in called if name.rpartition("/")[0] in places]
    orphans = [name for name in called if mask_verdict([top / name], cutouts=True) is not False]
    gone = {*found, *orphans}
    parted.photos = [name for name in parted.photos if name not in gone]
    there = set(parted.photos)
    for mask in found:
        for _ in range(3):  # a mask of a mask is one of the photograph
            found[mask] = found.get(found[mask], found[mask])
    found = {mask: photo for mask, photo in found.items() if photo in there}
    _take(parted, found, sorted(gone), f"beside their photos (as {_last(min(found))})" if found else "")


def _judged(masks: Mapping[str, str], top: Path) -> dict[str, bool | None]:
    """What each of some pictures, which are called alike, looks like: all the same, unless a sample says otherwise.

    Where it does, folders of one name (a class in every split) are judged together.
    """
    folders: dict[str, list[str]] = defaultdict(list)
    for name in masks:
        folders[_called(name.rpartition("/")[0])].append(name)
    listed = list(folders.values())
    step = -(-len(listed) // FOLDERS)
    sample = [top / name for names in listed[::step] for name in names[:: -(-len(names) // EACH)]]
    verdicts = verdicts_of(sample, cutouts=True)
    if not verdicts or all(verdicts):
        return dict.fromkeys(masks, True if verdicts else None)
    judged: dict[str, bool | None] = {}
    for names in listed:
        verdict = _verdict(names, masks, top)
        if verdict is False and any(verdicts_of([top / name for name in names[: 2 * EACH]], cutouts=True)):
            judged |= {name: mask_verdict([top / name], cutouts=True) is not False for name in names}
        else:
            judged |= dict.fromkeys(names, verdict)
    return judged


def _verdict(names: Sequence[str], photos: Mapping[str, str], top: Path) -> bool | None:
    """Whether pictures look like masks: by themselves, or grey beside photographs in colours; None: none opens."""
    verdict = mask_verdict([top / name for name in names], cutouts=True)
    if verdict is False:
        return grey_beside_colours([top / name for name in names], [top / photos[name] for name in names])
    return verdict


def _are_masks(verdict: bool | None, *, strong: bool) -> bool:
    return strong if verdict is None else verdict


def _no_masks(number: int, where: str) -> str:
    if number == 1:
        return f"1 picture {where} is called like a mask of another photo, but looks like a photo: it is read as one."
    looks = "called like masks of other photos, but look like photos: they are read as photos"
    return f"{number} pictures {where} are {looks}."


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


def _take(
    parted: Parted,
    found: dict[str, str],
    names: Sequence[str],
    how: str,
    by_stem: Mapping[str, Sequence[str]] | None = None,
) -> None:
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
            if by_stem and len(by_stem[_stem(photo)]) > 1:
                both = " and ".join(by_stem[_stem(photo)])
                parted.remarks.append(f"The mask {mask} may belong to {both}: it is taken for that of {photo}.")
    if used:
        parted.how.append(how)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _stem(name: str) -> str:
    inside, slash, last = name.rpartition("/")
    stem, dot, _ = last.rpartition(".")
    return f"{inside}{slash}{stem if dot and stem else last}"


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()
