"""What is asked when a finished run is evaluated again, and how figures are known by it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dapt.colour import colour_of
from dapt.config import RunConfig
from dapt.data.items import ImageSet
from dapt.data.load.draft import drafting
from dapt.data.load.pixels import max_megapixels
from dapt.data.load.reading import current
from dapt.data.load.settings import reading_of
from dapt.data.resolve import is_path
from dapt.paths import resolved, same, with_home
from dapt.runs.apart import place_of
from dapt.runs.evaluate_other import OWN_CLASSES

TRAINED = "trained"  # the classes that other data is asked about, in records


@dataclass(frozen=True)
class Request:
    """What is to be evaluated, as it was asked for; None: as in the run.

    Attributes:
        data: other data. split: train, val, test or all. classes: ``data`` (or ``all``), ``base``, ``novel``, or class
            names. allow_leaks: go on although images were trained on.
        model: another specification of the same backbone. names, root, masks, mask_format, mask_name, mask_background:
            as in a configuration.
    """

    data: str | None = None
    split: str | None = None
    classes: str | None = None
    model: str | None = None
    names: str | None = None
    masks: str | None = None
    mask_format: str | None = None
    mask_name: str | None = None
    mask_background: str | None = None
    skip_bad: bool = False
    root: str | None = None
    own_split: bool = False
    allow_leaks: bool = False

    @property
    def own(self) -> bool:
        """Whether the run's own data is meant."""
        return self.data is None

    def place(self, config: RunConfig) -> str:
        """DATA, as it was named."""
        return config.data if self.data is None else self.data

    def split_of(self, source: ImageSet, config: RunConfig) -> str:
        """The split that is looked at: of other data that has none of its own, all images."""
        if self.split is not None:
            return self.split
        return "all" if source.divided and not (self.known(config) or self.own_split) else "test"

    def known(self, config: RunConfig) -> bool:
        """Whether the data is the run's own, also where it is named again."""
        return self.data is None or same_data(config.data, self.data)

    def halves(self, config: RunConfig) -> bool:
        """Whether base and novel classes are asked for, as the run itself reports them."""
        return self.own and self.classes is None and config.subset == "base"

    def skips(self, config: RunConfig) -> bool:
        """Whether damaged images are left out."""
        return self.skip_bad or (self.own and config.skip_bad)


def noted_classes(asked: Request) -> str | None:
    """The classes as figures are known by; version 0.1.0 asked among the data's own classes, and noted nothing."""
    if asked.own:
        return asked.classes
    return None if asked.classes in OWN_CLASSES else asked.classes or TRAINED


def reading_asked(config: RunConfig) -> dict[str, str | None]:
    """In which way images are read otherwise than in the run: options of the command go before its settings."""
    now = current(reading_of(config))
    return {
        "matte": now.matte if colour_of(now.matte) != colour_of(config.matte) else None,
        "bits": (str(now.bits) if now.bits else "by their values") if now.bits != config.bits else None,
        "draft": ("on" if drafting() else "off") if drafting() != config.draft else None,
        "max_pixels": f"{max_megapixels():g}" if max_megapixels() != config.max_pixels else None,
    }


def what_was_asked(source: ImageSet | None, **options: str | bool | None) -> dict[str, str]:
    """What was evaluated: where other data is, and the options; equal names of data sets do not make them equal.

    Args:
        source: the data if it is not the run's own. options: as given, paths as absolute ones.
    """
    place = {} if source is None else {"place": str(resolved(Path(source.root)))}
    given = {key: value for key, value in options.items() if value}
    for key in ("names", "masks"):
        if key in given:
            given[key] = str(Path(with_home(str(given[key]))).absolute())
    head, colon, path = str(given.get("model", "")).partition(":")
    if colon and head != "hf-hub":
        given["model"] = f"{head}:{Path(with_home(path)).absolute()}"
    return {**place, **{key: str(value) for key, value in given.items()}}


def same_data(one: str, other: str) -> bool:
    """Whether two DATA arguments name one data set."""
    return one == other or (is_path(one) and is_path(other) and same(place_of(one), place_of(other)))
