"""What there is to say about a prediction: the parts of the image alone, where the model looks, what decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from dapt.cues.base import Cue
from dapt.data.batch import Batch
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.preprocess import bytes_of
from dapt.data.load.resize import resize_map
from dapt.data.load.transforms import Joint, denormalise, eval_transform
from dapt.errors import DataError, NotSupportedError
from dapt.evaluation.cue_maps import into_frame, make_cue_map, maps_of
from dapt.finite import require_finite
from dapt.model.attention import can_show_attention, features_and_attention, foreground_share
from dapt.model.classifier import Classifier
from dapt.model.decision import Evidence, evidence_of
from dapt.model.needs import BACKGROUND, FOREGROUND
from dapt.model.prompted_clip import PromptedClip
from dapt.model.views import view_of

BATCH = 16  # images that are explained together
CACHE_MB = 512  # of decoded images while several cues look at them
SMALL = 320  # pixels of the longer side of the picture that is kept of an image

NO_MASK = "no foreground was found"
OUT_OF_VIEW = "the foreground lies outside of what the model sees"
ALL_OF_IT = "the foreground is all that the model sees"


@dataclass(frozen=True)
class Answer:
    """What a model says to a view: the most likely classes, best first, with probabilities in 0..1.

    Attributes:
        decided: the probability of the class that the model decides for on the whole image.
    """

    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    decided: float


@dataclass(frozen=True)
class Look:
    """One model on one image.

    Attributes:
        whole, foreground, background, empty: what it says to the whole image, to each part, to the mean colour; the
            parts are None without a mask. evidence: what the parts say for the class; None also of a single class.
        attention: of the class token, ``[h, w]``; None where the tower has none. on_foreground: the share of it that
            falls on the foreground. maps: by cue, ``[H, W]`` in 0..1 in the model's frame; None: nothing found.
    """

    whole: Answer
    foreground: Answer | None
    background: Answer | None
    empty: Answer
    evidence: Evidence | None
    attention: Tensor | None
    on_foreground: float | None
    maps: dict[str, Tensor | None]


@dataclass(frozen=True)
class Explanation:
    """One image, and what the models say.

    Attributes:
        path: the file. size: its height and width. picture: the whole image, small. picture_mask: the mask over it,
            ``[h, w]``. seen: what the models see, ``[3, H, W]`` in 0..1. hidden: the mean colour, in 0..1, which hidden
            pixels have. mask: ``[1, H, W]`` in that frame; None where there is no foreground of use, and then `problem`
            says why. looks: by the model's title.
    """

    path: Path
    size: tuple[int, int]
    picture: Image.Image
    picture_mask: Tensor | None
    seen: Tensor
    hidden: tuple[float, ...]
    mask: Tensor | None
    problem: str
    looks: dict[str, Look]

    @property
    def coverage(self) -> float | None:
        """The share of what the model sees that is foreground."""
        return None if self.mask is None else float(self.mask.mean())


class Subject:
    """A model that is to be explained.

    Args:
        title: how it is called. model: its prompts do not change any more. maps: names of cues.

    Attributes:
        missing: what cannot be shown of it, a sentence each.
    """

    def __init__(self, title: str, model: PromptedClip, maps: Sequence[str]) -> None:
        self.title = title
        self.model = model.still()
        self.classify = Classifier(self.model)
        self.images = ImageCache(0)
        self.cues = [make_cue_map(name, lambda item: self.images(item)) for name in maps]
        self.shows_attention = can_show_attention(self.model.clip.image)
        self.missing: list[str] = []
        if not self.shows_attention:
            self.missing.append(f"{self.model.clip.spec} has no class token whose attention could be shown.")

    def maps(self, items: Sequence[Item]) -> dict[str, tuple[bool, list[Tensor | None]]]:
        """By cue: whether the maps are soft, and those of the items; a cue the model cannot have is left out."""
        found: dict[str, tuple[bool, list[Tensor | None]]] = {}
        for cue in list(self.cues):
            try:
                found[cue.name] = (cue.soft, maps_of(cue, items, self.model))
            except NotSupportedError as error:
                self.cues.remove(cue)
                self.missing.append(f"{cue.name} cannot be shown: {error.what}")
        return found


@dataclass(frozen=True)
class _Seen:
    """An image as it was read, and its foreground."""

    item: Item
    size: tuple[int, int]
    picture: Image.Image
    pixels: Tensor
    picture_mask: Tensor | None = None
    mask: Tensor | None = None
    problem: str = NO_MASK


@dataclass
class Explainer:
    """Explains images with one or two models that share a frozen model.

    Attributes:
        subjects: the models. cue: source of the foreground, None: there is none. finder: the model it is made with.
        top: so many classes of each view. damaged: about images that were left out.
        missing: why no image has a foreground, a sentence; empty where they may have.
    """

    subjects: Sequence[Subject]
    cue: Cue | None
    finder: PromptedClip | None = None
    top: int = 5
    skip_bad: bool = False
    damaged: list[DataError] = field(default_factory=list)
    missing: str = ""
    images: ImageCache = field(default_factory=lambda: ImageCache(0))

    @torch.no_grad()
    def explain(self, items: Sequence[Item]) -> list[Explanation]:
        """The images of a batch; those that cannot be read are left out and kept in `damaged` if `skip_bad` is on.

        Args:
            items: unlabelled images.

        Raises:
            DataError: an image cannot be read; or as the cue.
        """
        self.images = ImageCache(CACHE_MB)
        for subject in self.subjects:
            subject.images = self.images
        seen = self._with_masks(self._read(items))
        if not seen:
            return []
        looks = {subject.title: self._looks(subject, seen) for subject in self.subjects}
        how = self.subjects[0].model.clip.preprocess
        return [
            Explanation(
                each.item.path,
                each.size,
                each.picture,
                each.picture_mask,
                denormalise(each.pixels.float(), how),
                how.mean,
                each.mask,
                "" if each.mask is not None else each.problem,
                {title: found[place] for title, found in looks.items()},
            )
            for place, each in enumerate(seen)
        ]

    def _read(self, items: Sequence[Item]) -> list[_Seen]:
        model = self.subjects[0].model
        transform = eval_transform(model.clip.image.image_size, model.clip.preprocess)
        seen = []
        for item in items:
            try:
                image = bytes_of(item.path, model.preprocess.reading)
            except DataError as error:
                if not self.skip_bad:
                    raise
                self.damaged.append(error)
                continue
            size = (image.shape[1], image.shape[2])
            seen.append(_Seen(item, size, _small(image), transform(image, None)[0]))
        return seen

    def _with_masks(self, seen: list[_Seen]) -> list[_Seen]:
        """The images with their foreground, in the frame the models see."""
        if self.cue is None or not seen:
            return seen
        clip = self.subjects[0].model.clip
        transform = eval_transform(clip.image.image_size, clip.preprocess)
        found = self.cue.prepare([each.item for each in seen], self.finder)
        return [self._with_mask(each, mask, transform) for each, mask in zip(seen, found, strict=True)]

    def _with_mask(self, each: _Seen, mask: Tensor | None, transform: Joint) -> _Seen:
        assert self.cue is not None
        if mask is None:
            report = self.cue.report
            return replace(each, problem="the mask is full" if each.item.name in report.full else NO_MASK)
        soft = self.cue.soft
        small = resize_map(mask, (each.picture.height, each.picture.width), soft=soft)
        framed = into_frame(mask, each.size, transform, soft=soft)
        share = float(framed.mean())
        if not 0 < share < 1:
            return replace(each, picture_mask=small, problem=ALL_OF_IT if share else OUT_OF_VIEW)
        return replace(each, picture_mask=small, mask=framed)

    def _looks(self, subject: Subject, seen: Sequence[_Seen]) -> list[Look]:
        model, classify = subject.model, subject.classify
        device = model.clip.device
        pixels = torch.stack([each.pixels for each in seen]).to(device)
        known = [place for place, each in enumerate(seen) if each.mask is not None]
        attention: Tensor | None = None
        if subject.shows_attention:
            features, attention = features_and_attention(classify, pixels)
        else:
            features = classify.features(pixels)
        whole = self._logits(subject, features)
        masks = torch.stack([mask for each in seen if (mask := each.mask) is not None]).to(device) if known else None
        parts = self._parts(subject, pixels[known], masks)
        targets = whole.argmax(dim=1)
        front, back, empty = parts
        evidence = dict(zip(known, evidence_of(whole[known], front, back, empty), strict=True)) if known else {}
        shares: dict[int, float] = {}
        if attention is not None and masks is not None:
            shares = dict(zip(known, foreground_share(attention[known], masks).tolist(), strict=True))
        maps = self._maps(subject, seen, targets)
        rows = {place: number for number, place in enumerate(known)}

        def answer(logits: Tensor, row: int | None, place: int) -> Answer | None:
            return None if row is None else self._answer(subject, logits[row], int(targets[place]))

        return [
            Look(
                self._answer(subject, whole[place], int(targets[place])),
                answer(front, rows.get(place), place),
                answer(back, rows.get(place), place),
                self._answer(subject, empty[0], int(targets[place])),
                evidence.get(place),
                None if attention is None else require_finite(attention[place].float().cpu(), "attention"),
                shares.get(place),
                {name: found[place] for name, found in maps.items()},
            )
            for place in range(len(seen))
        ]

    def _parts(self, subject: Subject, pixels: Tensor, masks: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the foreground views ``[n, C]``, of the background views, and ``[1, C]`` of no image at all."""
        nothing = torch.zeros(1, *pixels.shape[1:], device=pixels.device)
        views = [nothing]
        if masks is not None:
            batch = Batch(pixels, torch.zeros(len(pixels), dtype=torch.long, device=pixels.device), masks, None)
            views = [view_of(batch, FOREGROUND), view_of(batch, BACKGROUND), nothing]
        logits = self._logits(subject, subject.classify.features(torch.cat(views)))
        count = len(pixels) if masks is not None else 0
        return logits[:count], logits[count : 2 * count], logits[2 * count :]

    def _logits(self, subject: Subject, features: Tensor) -> Tensor:
        return subject.classify.logits(features)[:, : len(subject.model.names)].float()  # no columns of dapt.released

    def _answer(self, subject: Subject, logits: Tensor, target: int) -> Answer:
        chances = logits.softmax(dim=0)
        best = chances.topk(min(self.top, len(chances)))
        names = tuple(subject.model.names[place] for place in best.indices.tolist())
        return Answer(names, tuple(best.values.tolist()), float(chances[target]))

    def _maps(self, subject: Subject, seen: Sequence[_Seen], targets: Tensor) -> dict[str, list[Tensor | None]]:
        """The maps in the frame the model sees, of the class it decides for."""
        clip = subject.model.clip
        transform = eval_transform(clip.image.image_size, clip.preprocess)
        items = [replace(each.item, label=label) for each, label in zip(seen, targets.tolist(), strict=True)]
        return {
            name: [
                None if found is None else into_frame(found, each.size, transform, soft=soft)[0]
                for each, found in zip(seen, maps, strict=True)
            ]
            for name, (soft, maps) in subject.maps(items).items()
        }


def unlabelled(path: Path, name: str = "") -> Item:
    """An image of which nothing is known; `name`: by which its mask is found."""
    return Item(path, UNLABELLED, name or str(path))


def _small(image: Tensor) -> Image.Image:
    """A small picture of an image, uint8 ``[3, H, W]``."""
    picture = Image.fromarray(image.permute(1, 2, 0).numpy())
    picture.thumbnail((SMALL, SMALL), Image.Resampling.BICUBIC)
    return picture
