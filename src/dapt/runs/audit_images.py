"""The images of an audit: which are asked about, and among which classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dapt.console import say, warn, warnings_of
from dapt.cues.build import AUTO, cue_type
from dapt.data.catalog.base import CATALOG, data_root
from dapt.data.check.finding import count
from dapt.data.items import ImageSet, Item
from dapt.data.labelled import LabelledImages, checked_part
from dapt.data.load.notes import said_together
from dapt.data.masks.drawn import with_drawn_masks
from dapt.data.resolve import load_data, load_photos
from dapt.errors import ConfigError, DataError, NotSupportedError, did_you_mean
from dapt.evaluation.audit.donors import drawn
from dapt.paths import resolved
from dapt.runs.audit_models import AuditedModel
from dapt.runs.division import how_divided
from dapt.runs.evaluate_other import Asked, ask_other
from dapt.runs.evaluation_request import same_data
from dapt.runs.trained_images import learns, look_for_trained

SPLITS = ("train", "val", "test", "all")


@dataclass(frozen=True)
class Question:
    """Which images are asked about, as the user said it; None: by default.

    Attributes:
        split, classes, names, root, own_split, skip_bad, allow_leaks: as for `dapt eval`. limit: so many images are
            asked about, spread over the classes. seed: of the sample and of the mixtures.
        backgrounds: other data whose backgrounds are lent, too.
        cue: a source of masks. options: of that cue. masks, mask_format, mask_name, mask_background: as elsewhere.
    """

    data: str
    split: str | None = None
    classes: str | None = None
    names: str | None = None
    root: str | None = None
    own_split: bool = False
    skip_bad: bool = False
    allow_leaks: bool = False
    limit: int | None = None
    seed: int = 1
    backgrounds: str | None = None
    cue: str = AUTO
    options: Mapping[str, Any] = field(default_factory=dict)
    masks: str | None = None
    mask_format: str | None = None
    mask_name: str | None = None
    mask_background: str | None = None

    def __post_init__(self) -> None:
        """Refuse an empty name of other data, which as a path would be the working folder.

        Raises:
            ConfigError: it is empty.
        """
        if self.backgrounds is not None and not self.backgrounds.strip():
            raise ConfigError(
                "The name of the data that lends backgrounds is empty.",
                where="--backgrounds",
                todo="Name other data, or leave the option out.",
            )


@dataclass(frozen=True)
class Source:
    """The data, and what is asked of it.

    Attributes:
        part: the images that are asked about, before masks are looked at; and all classes. lenders: other images of
            the split, which only lend backgrounds. asked: what of the data that is. bad: damaged images.
        leaks: by the name of a model, images that it was trained on, for the record. lent: other data that lends
            backgrounds, without images of the data itself; lent_own: how many of these there were.
    """

    data: ImageSet
    split: str
    part: LabelledImages
    lenders: LabelledImages
    asked: Asked
    bad: int
    leaks: Mapping[str, dict[str, Any]]
    lent: ImageSet | None = None
    lent_own: int = 0


def choose_images(question: Question, models: Sequence[AuditedModel]) -> Source:
    """The images that are asked about, among the classes of the first run, or of the data where there is no run.

    Raises:
        ConfigError: there is no such split or class, or the backgrounds are those of the data itself. DataError: there
            are no such images, they are damaged, or a model was trained on them. NotSupportedError: images may show
            several classes.
    """
    if question.split is not None and question.split not in SPLITS:
        raise ConfigError(f"There is no split '{question.split}'.", todo=did_you_mean(question.split, SPLITS))
    runs = [each for each in models if each.config is not None]
    of_data = next((each for each in runs if each.config and same_data(each.config.data, question.data)), None)
    known = None if of_data is None else of_data.config
    lent = load_backgrounds(question)
    source = load_data(
        question.data,
        question.names or (known.names if known else None),
        root=question.root or (known.root if known else None),
        own_split=question.own_split or bool(known and known.own_split),
        skip_bad=question.skip_bad,
        split_file=known.split_file if known else None,
        **(how_divided(known, of_data.run) if of_data and known else {}),
    )
    if source.multi_label:
        raise NotSupportedError(
            f"Images of {source.name} may show several classes; an audit asks for the one class of the object.",
            todo="Name data with one class per image.",
        )
    lent, own = (None, 0) if lent is None else _without_own(lent, source)
    source = with_drawn_masks(source, data_root(question.root)) if question.masks is None else source
    split = question.split or ("all" if source.divided and not (known or question.own_split) else "test")
    trained = next((each.ready for each in models if not each.zero_shot), None)
    asked = ask_other(
        source,
        split,
        question.classes or ("data" if trained is None else None),
        source.names if trained is None else trained.names,
        next((each.results for each in runs), None),
        fixed=any(each.ready.prompts.fixed_classes for each in models if not each.zero_shot),
        chosen=question.split is not None,
    )
    part, lenders = _limited(asked.part, question)
    with said_together():
        part, bad = checked_part(part, question.skip_bad, "checking images")
        lenders, more_bad = checked_part(lenders, question.skip_bad, "checking backgrounds")
    if not part.items:
        raise DataError(f"{source.name} has no image that can be read in its {split} split.")
    leaks = _leaks(question, source, split, (*part.items, *lenders.items), runs)
    return Source(source, split, part, lenders, asked, bad + more_bad, leaks, lent, own)


def load_backgrounds(question: Question) -> ImageSet | None:
    """The other data that lends backgrounds, with or without classes and masks; None where none is named.

    Raises:
        ConfigError: it is the data that is asked about. DataError: it cannot be used.
    """
    if question.backgrounds is None:
        return None
    if same_data(question.backgrounds, question.data):
        raise ConfigError(
            "The backgrounds are to come from the very data that is asked about: mixed_rand has those.",
            where="--backgrounds",
            todo="Name other data, or leave the option out.",
        )
    data = load_photos(question.backgrounds, root=question.root, skip_bad=question.skip_bad)
    with warnings_of(data.name):
        return with_drawn_masks(data, data_root(question.root))


def _without_own(lent: ImageSet, data: ImageSet) -> tuple[ImageSet, int]:
    """Other data without the files that are images of the data itself, under whatever path; and how many these were.

    Raises:
        ConfigError: all of them are.
    """
    places = set(_places(data.chosen("all")).values())
    own = {path for path, place in _places(lent.chosen("all")).items() if place in places}
    if not own:
        return lent, 0
    number = len(lent.chosen("all"))
    if len(own) == number:
        raise ConfigError(
            f"Every photo of {lent.name} is an image of {data.name} itself, which is asked about: mixed_rand has those "
            "backgrounds.",
            where="--backgrounds",
            todo="Name other data, or leave the option out.",
        )
    told = "is an image of {} itself and lends" if len(own) == 1 else "are images of {} itself and lend"
    warn(f"{len(own)} of {count(number, 'photo')} of {lent.name} {told.format(data.name)} no background.")
    splits = {name: tuple(item for item in items if item.path not in own) for name, items in lent.splits.items()}
    return replace(lent, splits=splits), len(own)


def _places(items: Sequence[Item]) -> dict[Path, Path]:
    """Where each file is, links followed; of each folder they are followed once."""
    folders: dict[Path, Path] = {}
    found: dict[Path, Path] = {}
    for item in items:
        path = item.path
        folder = folders.get(path.parent) or folders.setdefault(path.parent, resolved(path.parent))
        found[path] = resolved(path) if path.is_symlink() else folder / path.name
    return found


def _limited(part: LabelledImages, question: Question) -> tuple[LabelledImages, LabelledImages]:
    """At most `limit` of the images, as many of each class as can be, chosen by the seed; and those that only lend.

    Where a cue would have to find the objects in the others first, nothing is lent by them.
    """
    limit, none = question.limit, LabelledImages((), (), part.names)
    if limit is None or limit >= len(part.items):
        return part, none
    order = sorted(range(len(part.items)), key=lambda place: drawn(question.seed, part.items[place].name, 2**63))
    rank: dict[int, int] = {}
    turns: dict[int, int] = {}
    for place in order:
        label = part.labels[place]
        turns[place] = rank[label] = rank.get(label, -1) + 1
    order.sort(key=lambda place: turns[place])
    lend = question.cue == AUTO or cue_type(question.cue).reads_files
    backgrounds = (
        "backgrounds come from all of them"
        if lend
        else "backgrounds come from these alone, as the cue would have to find the objects in all others, too "
        "(with masks from dapt masks they come from all)"
    )
    say(f"{limit} of {count(len(part.items), 'image')} are asked about (--limit), chosen by the seed; {backgrounds}.")
    return _chosen(part, order[:limit]), _chosen(part, order[limit:]) if lend else none


def _chosen(part: LabelledImages, places: Sequence[int]) -> LabelledImages:
    """The images at these places, in their order in `part`."""
    kept = sorted(places)
    return LabelledImages(
        tuple(part.items[place] for place in kept), tuple(part.labels[place] for place in kept), part.names
    )


def _leaks(
    question: Question, source: ImageSet, split: str, items: Sequence[Item], runs: Sequence[AuditedModel]
) -> dict[str, dict[str, Any]]:
    """Images that models were trained on, as far as that is allowed.

    Raises:
        DataError: it is not.
    """
    found: dict[str, dict[str, Any]] = {}
    for each in runs:
        assert each.config is not None
        assert each.run is not None
        known, learned = same_data(each.config.data, question.data), learns(each.ready)
        if split == "train" or not (learned or (known and each.config.allow_leaks)):
            continue
        leaks = look_for_trained(
            each.run,
            each.config,
            items,
            source.name,
            split,
            known=known,
            allowed=question.allow_leaks or not learned,
            official=question.data in CATALOG.names(),
        )
        if leaks:
            found[each.name] = leaks
    return found
