"""The five protocols of the field, each as the runs it consists of and what they are evaluated on.

Exact rules: few-shot, base-to-novel and cross-dataset as in CoOp and CoCoOp (arXiv 2109.01134, 2203.05557), domain
generalisation on the variants of ImageNet as in CoOp, data-efficient learning as in DAPT (arXiv 2508.00395).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from dapt.config import RunConfig, make_config
from dapt.errors import ConfigError, did_you_mean
from dapt.methods.base import METHODS
from dapt.runs.run_names import data_name, run_name

Settings = Mapping[str, Any]

FEW_SHOTS = (1, 2, 4, 8, 16)
FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
CROSS_DATASET = (
    "caltech101",
    "oxford_pets",
    "stanford_cars",
    "oxford_flowers",
    "food101",
    "fgvc_aircraft",
    "sun397",
    "dtd",
    "eurosat",
    "ucf101",
)
IMAGENET_VARIANTS = ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r")


@dataclass(frozen=True)
class OtherData:
    """A finished run to be evaluated on other data.

    Attributes:
        point: what the row is called. run: name of the run among `Plan.runs`. data: a data set.
    """

    point: str
    run: str
    data: str


@dataclass(frozen=True)
class Plan:
    """What a protocol does for one method, data set and seed.

    Attributes:
        runs: configuration of each run by the name of its row; its `out` lies in the protocol's folder.
        evaluations: of finished runs on other data.
        averaged: rows whose mean is reported, empty: there is no mean to report.
    """

    runs: dict[str, RunConfig]
    evaluations: tuple[OtherData, ...] = ()
    averaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Protocol(ABC):
    """A protocol.

    Attributes:
        over: what it goes over (shots, fractions, data sets), as text from the command line; empty: as published.
        name, title, paper: for people. points: what `over` lists, in words.
    """

    over: tuple[str, ...] = field(default=())
    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    points: ClassVar[str] = ""

    @abstractmethod
    def plan(self, settings: Settings, out: Path) -> Plan:
        """The runs and evaluations, each run in a folder of its own under `out`.

        Args:
            settings: nested mapping as in run.yaml; what it leaves open is filled in for each run, because a method
                may ask for other epochs with fewer shots.

        Raises:
            ConfigError: settings that contradict the protocol.
        """


class FewShot(Protocol):
    """All classes, with 1, 2, 4, 8 and 16 training images each."""

    name = "few_shot"
    title = "few-shot learning"
    paper = "Zhou et al. 2022, IJCV, arXiv 2109.01134"
    points = "shots"

    def plan(self, settings: Settings, out: Path) -> Plan:
        _need_all_classes(settings, self)
        shots = [_number(text, int, self) for text in self.over] or list(FEW_SHOTS)
        if min(shots) < 1:
            raise ConfigError("few_shot needs an image per class at least.", todo="Give shots with --over, as in 1,2.")
        named = {f"{count} shots": changed(settings, shots=count, out=str(out / f"{count}shot")) for count in shots}
        return Plan(named)


class BaseToNovel(Protocol):
    """Trained on the first half of the classes; tested on each half among itself, and on both together."""

    name = "base_to_novel"
    title = "base-to-novel generalisation"
    paper = "Zhou et al. 2022, CVPR, arXiv 2203.05557"

    def plan(self, settings: Settings, out: Path) -> Plan:
        if self.over:
            raise ConfigError("base_to_novel goes over nothing.", todo="Leave --over out.")
        _need_open_classes(settings, self)
        return Plan({data_name(settings["data"]): changed(settings, subset="base", out=str(out / "base"))})


class CrossDataset(Protocol):
    """Trained on one data set (ImageNet in the papers), tested on all classes of others."""

    name = "cross_dataset"
    title = "cross-dataset transfer"
    paper = "Zhou et al. 2022, CVPR, arXiv 2203.05557"
    points = "target data sets"
    targets: ClassVar[tuple[str, ...]] = CROSS_DATASET

    def plan(self, settings: Settings, out: Path) -> Plan:
        _need_all_classes(settings, self)
        _need_open_classes(settings, self)
        targets = self.over or tuple(name for name in self.targets if name != settings["data"])
        source = data_name(settings["data"])
        points = {target: data_name(target) for target in targets}
        if len({*points.values(), source}) != len(points) + 1:
            raise ConfigError(
                f"Two of the data sets of this protocol have the same name: {', '.join([source, *points.values()])}.",
                todo="Name every target once, and not the source.",
            )
        steps = tuple(OtherData(point, source, target) for target, point in points.items())
        return Plan({source: changed(settings, out=str(out / "source"))}, steps, tuple(points.values()))


class DomainGeneralisation(CrossDataset):
    """Trained on ImageNet, tested on its variants."""

    name = "domain_generalisation"
    title = "domain generalisation"
    paper = "Zhou et al. 2022, IJCV, arXiv 2109.01134"
    targets = IMAGENET_VARIANTS

    def plan(self, settings: Settings, out: Path) -> Plan:
        data = settings["data"]
        if data != "imagenet" and not self.over:
            raise ConfigError(
                f"The variants {', '.join(IMAGENET_VARIANTS)} are of ImageNet, not of {data}.",
                todo="Train on imagenet, or name the variants of your data with --over A,B.",
            )
        return super().plan(settings, out)


class DataEfficient(Protocol):
    """A selector chooses 5 to 100% of the training images."""

    name = "data_efficient"
    title = "data-efficient learning"
    paper = "DAPT, arXiv 2508.00395; Guo et al. 2022, arXiv 2204.08499"
    points = "fractions"

    def plan(self, settings: Settings, out: Path) -> Plan:
        if settings.get("fraction", 1) != 1:
            raise ConfigError("data_efficient goes over fractions.", todo="Give them with --over, not with --fraction.")
        fractions = [_number(text, float, self) for text in self.over] or list(FRACTIONS)
        for fraction in fractions:
            if not 0 < fraction <= 1:
                raise ConfigError(f"The fraction {fraction:g} is not between 0 and 1.", todo="Write 0.5 for 50%.")
        select = settings.get("select") or "uniform"
        runs = {}
        for fraction in fractions:
            chosen = {"select": select, "fraction": fraction} if fraction < 1 else {"select": None, "fraction": 1.0}
            runs[f"{100 * fraction:g}%"] = changed(settings, **chosen, out=str(out / f"{select}{fraction:g}"))
        return Plan(runs)


PROTOCOLS: dict[str, type[Protocol]] = {
    kind.name: kind for kind in (FewShot, BaseToNovel, CrossDataset, DomainGeneralisation, DataEfficient)
}


def get_protocol(name: str, over: Sequence[str] = ()) -> Protocol:
    """The protocol of that name.

    Raises:
        ConfigError: there is none; the message names the closest one.
    """
    kind = PROTOCOLS.get(name.replace("-", "_"))
    if kind is None:
        raise ConfigError(f"There is no protocol '{name}'.", todo=did_you_mean(name, PROTOCOLS))
    twice = next((point for point in over if list(over).count(point) > 1), None)
    if twice is not None:
        raise ConfigError(f"--over names {twice} twice.", todo="Name every point once.")
    return kind(tuple(over))


def changed(settings: Settings, **changes: object) -> RunConfig:
    """The configuration with some settings made anew."""
    return make_config({**settings, **changes})


def default_folder(config: RunConfig, protocol: Protocol) -> Path:
    """``runs/<data>-<protocol>-<method>[+dapt]-...-seed<seed>``."""
    return Path("runs") / f"{data_name(config.data)}-{protocol.name}-{run_name(config)}-seed{config.seed}"


def published_recipe(config: RunConfig, protocol: Protocol) -> str | None:
    """Another name of the method that has the published settings of this protocol, or None."""
    kinds = {"few_shot": "few_shot", "cross_dataset": "cross", "domain_generalisation": "cross"}
    better = f"{config.method}.{kinds.get(protocol.name, '')}"
    return better if better in METHODS.names() else None


def _number(text: str, kind: type[int] | type[float], protocol: Protocol) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(f"--over {text}: {protocol.name} goes over {protocol.points}.") from None


def _need_all_classes(settings: Settings, protocol: Protocol) -> None:
    if settings.get("subset", "all") != "all":
        raise ConfigError(
            f"{protocol.name} trains on all classes, not on subset: {settings['subset']}.",
            todo="Leave --subset out; base classes are for --protocol base_to_novel.",
        )


def _need_open_classes(settings: Settings, protocol: Protocol) -> None:
    """Refuse methods that can only name the classes they were trained on, before anything is trained."""
    config = make_config(settings)
    if config.recipe.load_architecture().binds_classes(config.options):
        raise ConfigError(
            f"What {config.method} learns belongs to its training classes, so it cannot take part in {protocol.name}.",
            todo="Choose a method with prompts that any class shares, such as maple.",
        )
