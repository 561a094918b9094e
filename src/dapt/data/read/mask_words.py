"""Names that masks and their folders have, and the names of the photographs that they would belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dapt.data.read.kinds import IMAGE_TYPES, ending

_WORDS = "masks?|segmentations?|seg|segm|alpha|matte"
_WEAK = (
    "gt|ground[-_ ]?truth|labels?|annotations?|trimap|silhouette|fg|foreground|cutout|msk|roi|bin|binary|instances?"
    "|label[-_ ]?ids|instance[-_ ]?ids|train[-_ ]?ids|label[-_ ]?map|gt(?:fine|coarse)|saliency|m"
)
_COPY = r"(?:[-_. ]?\d+| ?\(\d+\))?"
_AFTER = re.compile(rf"(?P<photo>.+)[-_. ](?:(?P<strong>{_WORDS})|(?P<weak>{_WEAK})){_COPY}", re.IGNORECASE)
_BEFORE = re.compile(rf"(?:(?P<strong>{_WORDS})|(?P<weak>{_WEAK}))[-_. ](?P<photo>.+)", re.IGNORECASE)
_WITHIN = re.compile(r"(?<=[-_. ])(?:mask|seg)(?=[a-z])", re.IGNORECASE)
_NUMBERED = re.compile(r"(.+)[-_. ]\d+")
_FOLDER_WORD = re.compile(
    r"masks?|segmentations?|segs?|annotations?|labels?|gt|truths?|groundtruths?|alphas?|mattes?|trimaps?|silhouettes?"
    r"|segmentationclass(png)?|segmentationobject(png)?"
)
_WEAK_FOLDER_WORD = re.compile(r"fg|foregrounds?|msks?|saliency|cutouts?|rois?|gt(fine|coarse)|label(id)?s?")
_FILLER = re.compile(
    r"png|ground|binary|machine|hand|manual|auto|instances?|semantic|objects?|maps?|images?|imgs?|human|fine|coarse|all"
)
IMAGE_FOLDERS = (
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
_SPELT = sorted({*IMAGE_FOLDERS, *(word.capitalize() for word in IMAGE_FOLDERS), "JPEGImages", "JPG", "RGB"})
_MARKS = re.compile(r"[-_. ]+")


def photo_stems(stem: str) -> list[tuple[str, bool]]:
    """Stems of photographs whose mask a picture of this stem may be, with whether the name alone says so, likely first.

    ``a_mask`` (says so), ``a_gt``, ``a_binary_mask``, ``mask_a``, ``a_maskcrop`` of ``a_crop``, ``a.jpg`` of ``a``.
    """
    found: dict[str, bool] = {}
    queue = [stem]
    for depth in range(3):
        further: list[str] = []
        for each in queue:
            for pattern in (_AFTER, _BEFORE):
                match = pattern.fullmatch(each)
                if match:
                    found.setdefault(match["photo"], bool(match["strong"]) and depth == 0)
                    further.append(match["photo"])
        queue = further
    for each in [stem, *found]:
        if ending(each) in IMAGE_TYPES:  # a.jpg.png
            found.setdefault(each.rpartition(".")[0], False)
    shorter = _WITHIN.sub("", stem)
    if shorter != stem:
        found.setdefault(shorter, False)
    return list(found.items())


def called_mask(stem: str) -> bool:
    """Whether a picture of this stem is called like a mask in a word that says little else."""
    return any((match := pattern.fullmatch(stem)) and match["strong"] for pattern in (_AFTER, _BEFORE))


def plain_stems(stem: str) -> list[str]:
    """The stem of the photograph of a mask, in a folder of masks, that has this stem."""
    found = [stem, *(photo for photo, _ in photo_stems(stem))]
    return found + [match[1] for each in found if (match := _NUMBERED.fullmatch(each))]


def bases(folder: str) -> Iterator[list[str]]:
    """Folders, as parts of a path, in which the photographs of a folder of masks may lie."""
    *above, last = folder.split("/")
    words = [word for word in _MARKS.split(last) if word and not _is_mask_word(word.lower())]
    if words:
        yield from ([*above, mark.join(words)] for mark in "_- .")
    if all(_FILLER.fullmatch(word.lower()) for word in words):
        yield above
        yield from ([*above, other] for other in _SPELT)


def says_masks(folder: str) -> bool | None:
    """Whether a name of a folder says that it holds masks; None if it may, as far as the name goes; False if not."""
    words = [word for word in _MARKS.split(folder.lower()) if word]
    if any(_FOLDER_WORD.fullmatch(word) for word in words):
        return True
    return None if any(_WEAK_FOLDER_WORD.fullmatch(word) for word in words) else False


def only_says_masks(folder: str) -> bool:
    """Whether the name of a folder has no words but those of masks."""
    words = [word for word in _MARKS.split(folder.lower()) if word]
    return all(_is_mask_word(word) or _FILLER.fullmatch(word) for word in words)


def _is_mask_word(word: str) -> bool:
    return bool(_FOLDER_WORD.fullmatch(word) or _WEAK_FOLDER_WORD.fullmatch(word))
