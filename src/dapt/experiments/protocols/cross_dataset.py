"""Cross-dataset transfer, as in CoCoOp (Zhou et al. 2022, CVPR, arXiv 2203.05557)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import (
    PROTOCOLS,
    OtherData,
    Plan,
    Protocol,
    Settings,
    changed,
    need_all_classes,
    need_open_classes,
)
from dapt.runs.run_names import data_name

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


@PROTOCOLS.register("cross_dataset")
class CrossDataset(Protocol):
    """Trained on one data set (ImageNet in the papers), tested on all classes of others."""

    title = "cross-dataset transfer"
    paper = "Zhou et al. 2022, CVPR, arXiv 2203.05557"
    points = "target data sets"
    targets: ClassVar[tuple[str, ...]] = CROSS_DATASET

    def plan(self, settings: Settings, out: Path) -> Plan:
        need_all_classes(settings, self)
        need_open_classes(settings, self)
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
