"""What is asked of other data than a run's own: which images, among which classes, and what is left out.

The question stays that of the training: all images of the data are looked at, unless it has splits of its own, among
the trained classes, which are matched by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dapt.console import say, warn
from dapt.data.check.finding import count
from dapt.data.items import ImageSet
from dapt.data.labelled import LabelledImages
from dapt.data.matching import Matched, match_classes, matched_images, name_key
from dapt.data.subsets import base_and_novel
from dapt.errors import ConfigError, DataError, NotSupportedError, did_you_mean
from dapt.results import RunResults

OWN_CLASSES = ("data", "all")  # the classes of the data itself; `all` as for the run's own data
LISTED = 8  # class names in a message


@dataclass(frozen=True)
class Asked:
    """Images of other data, numbered within the classes that are asked among.

    Attributes:
        part: the images, and all classes to choose from. there: images and classes of the data, how many.
        unused: images that are not looked at, by reason. unknown: images of each class that is not asked about.
        absent: classes to choose from that have no image. matched: those that are classes of the data.
    """

    part: LabelledImages
    there: dict[str, int]
    unused: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()

    def counts(self, looked_at: int) -> dict[str, int]:
        """Sizes for the record; `looked_at`: images, without the damaged ones."""
        return {
            "images": looked_at,
            "images_there": self.there["images"],
            "classes": len(self.matched),
            "classes_asked": len(self.part.names),
            "classes_there": self.there["classes"],
        }


def ask_other(
    source: ImageSet,
    split: str,
    classes: str | None,
    trained: Sequence[str],
    results: RunResults | None,
    *,
    fixed: bool = False,
    chosen: bool = True,
) -> Asked:
    """The images of other data that are looked at, and the classes they are asked among; says what is left out.

    Args:
        split: train, val, test or all. classes: ``data``, ``base``, ``novel`` or names; None: `trained`, the classes
            of the model. results: of the run, which tell the classes that were held back; None: there is no run.
        fixed: the model cannot name other classes. chosen: the user named the split.

    Raises:
        ConfigError: there is no such class. DataError: no image is left, or names are ambiguous.
        NotSupportedError: the model cannot name one of the classes.
    """
    everything = source.chosen("all")
    pool = everything if split == "all" else source.split(split)
    labelled = source.chosen_labelled(split)
    if not labelled:
        raise DataError(
            f"{source.name} has no labelled images{'' if split == 'all' else f' in its {split} split'}.",
            todo=other_splits(source, split),
        )
    names, matched = _classes(source, classes, trained, results, fixed=fixed)
    if fixed:
        _check_known(source, names, trained)
    part = matched_images(source, labelled, matched.label_of, names)
    if not part.items:
        raise _nothing_asked(source, split, names, matched, "trained" if classes is None else "asked about")
    _say_images(source, split, len(part.items), chosen=chosen)
    images = Counter(label for item in labelled for label in item.labels or (item.label,))
    seen = {label for item in part.items for label in item.labels or (item.label,)}
    asked = Asked(
        part,
        {"images": len(everything), "classes": len(source.names)},
        {
            reason: count
            for reason, count in (
                ("in other splits", len(everything) - len(pool)),
                ("without a label", len(pool) - len(labelled)),
                ("of classes that are not asked about", len(labelled) - len(part.items)),
            )
            if count
        },
        {source.names[label]: images[label] for label in matched.unknown},
        tuple(name for label, name in enumerate(names) if label not in seen),
        tuple(names[label] for label in sorted(matched.label_of.values())),
    )
    _say_classes(source, asked, matched, own_choice=classes is not None)
    return asked


def other_splits(source: ImageSet, split: str) -> str:
    """What to do where a split has no labelled images: which other ones have some."""
    have = [each for each in ("test", "val", "train") if each != split and source.labelled(each)]
    if split == "all" or not have:
        return ""
    ways = [f"--split {each}" for each in have if each != "train"]
    return f"Pass {' or '.join([*ways, '--split all'])} for the images that it has."


def _classes(
    source: ImageSet, classes: str | None, trained: Sequence[str], results: RunResults | None, *, fixed: bool
) -> tuple[list[str], Matched]:
    """The classes to choose from, and which classes of the data they are.

    Raises:
        ConfigError: there is no such class.
    """
    if classes in OWN_CLASSES:
        matched = match_classes(source.names, trained, source.name) if fixed else None
        if matched is not None and not matched.unknown:  # under the names that the model knows
            return [trained[matched.label_of[label]] for label in range(len(source.names))], _by_place(source)
        return list(source.names), _by_place(source)
    if classes is None:
        names = list(trained)
    elif classes in ("base", "novel"):
        names = _half(classes, trained, results)
    else:
        names = [_named(name.strip(), trained, source) for name in classes.split(",") if name.strip()]
        if len({name_key(name) for name in names}) != len(names):
            raise ConfigError("A class is named twice.", where="--classes")
        if not names:
            raise ConfigError("No class is named.", where="--classes")
    return names, match_classes(source.names, names, source.name)


def _by_place(source: ImageSet) -> Matched:
    return Matched({label: label for label in range(len(source.names))}, ())


def _half(half: str, trained: Sequence[str], results: RunResults | None) -> list[str]:
    """Base or novel classes of the run's own data; those of other data would be others.

    Raises:
        ConfigError: the run does not tell which classes were held back.
    """
    if results is None or results.subset != "base" or results.transductive:
        labels = base_and_novel(range(len(trained)))[half == "novel"]
        return [trained[label] for label in labels]
    held_back = [name for name in results.per_class if name not in set(trained)]
    if half == "novel" and not held_back:
        raise ConfigError(
            "The run does not tell which classes were held back from it.",
            where="--classes",
            todo="Name them, separated by commas.",
        )
    return held_back if half == "novel" else [name for name in trained if name not in held_back]


def _named(name: str, trained: Sequence[str], source: ImageSet) -> str:
    """A class named by the user as the model has it, else as the data has it.

    Raises:
        ConfigError: neither has it.
    """
    for known in (trained, source.names):
        close = [own for own in known if own == name] or [own for own in known if name_key(own) == name_key(name)]
        if close:
            return close[0]
    raise ConfigError(
        f"Neither {source.name} nor the training has a class '{name}'.",
        where="--classes",
        todo=did_you_mean(name, [*trained, *source.names]),
    )


def _check_known(source: ImageSet, names: Sequence[str], trained: Sequence[str]) -> None:
    known = set(map(name_key, trained))
    unknown = [name for name in names if name_key(name) not in known]
    if unknown:
        raise NotSupportedError(
            f"The class '{unknown[0]}' of {source.name} is no trained one, and what this method has learned belongs to "
            "its training classes: it cannot name others.",
            todo="Leave --classes out to ask among the trained classes, or train a method with a shared context, such "
            "as coop or maple.",
        )


def _nothing_asked(source: ImageSet, split: str, names: Sequence[str], matched: Matched, which: str) -> DataError:
    ways = "Ask among the data's own classes with --classes data, or give them the trained names with --names FILE."
    if not matched.label_of:
        return DataError(
            f"None of the {count(len(source.names), 'class', 'classes')} of {source.name} "
            f"({_listed(source.names, 3)}) is one of the "
            f"{count(len(names), 'class that is', 'classes that are')} {which} ({_listed(names, 3)}).",
            todo=ways,
        )
    where = "" if split == "all" else f" of its {split} split"
    return DataError(f"No image{where} of {source.name} shows one of the classes that are {which}.", todo=ways)


def _say_images(source: ImageSet, split: str, used: int, *, chosen: bool) -> None:
    """Tell how much of the data is looked at: so many images are `used`."""
    counts = {part: len(source.labelled(part)) for part in ("train", "val", "test")}
    if split == "all":
        why = "" if chosen or not source.divided else ", as it has no splits of its own"
        there = count(len(source.chosen("all")), "image")
        say(f"{source.name}: {used} of its {there} {_are(used)} looked at, those of all splits{why}.")
    elif counts[split] < sum(counts.values()):
        others = " and ".join(f"{number} of {part}" for part, number in counts.items() if part != split and number)
        whose = "the share that dapt would test on" if source.divided and split == "test" else f"its {split} split"
        number = counts[split]
        say(f"{source.name}: the {count(number, 'image')} of {whose} {_are(number)} looked at, not the {others}.")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _say_classes(source: ImageSet, asked: Asked, matched: Matched, *, own_choice: bool) -> None:
    """Tell which classes are asked about, and what is left out."""
    names = asked.part.names
    if matched.otherwise:
        number = len(matched.otherwise)
        pairs = ", ".join(f"'{own}' is '{known}'" for own, known in matched.otherwise[:LISTED])
        say(f"{source.name}: {count(number, 'class is', 'classes are')} spelled otherwise than trained: {pairs}.")
    if asked.absent:
        say(
            f"{source.name}: asked among {len(names)} classes, of which {len(names) - len(asked.absent)} have images "
            f"there; without: {_listed(asked.absent, LISTED)}."
        )
    lost = asked.unused.get("of classes that are not asked about", 0)
    if asked.unknown and not own_choice:
        warn(
            f"{source.name}: {len(asked.unknown)} of its {count(len(source.names), 'class', 'classes')} "
            f"{'is' if len(asked.unknown) == 1 else 'are'} none that the model is asked about, so "
            f"{count(lost, 'image is', 'images are')} not used: {_listed(list(asked.unknown), LISTED)}. Give them the "
            "trained names with --names FILE, or ask among the data's own classes with --classes data."
        )
    bare = asked.unused.get("without a label", 0)
    if bare:
        warn(f"{source.name}: {count(bare, 'image has no label and is', 'images have no label and are')} not used.")


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"'{name}'" for name in names[:most]) + more
