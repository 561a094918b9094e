"""Domain generalisation on the variants of ImageNet, as in CoOp (arXiv 2109.01134)."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import PROTOCOLS, Plan, Settings
from dapt.experiments.protocols.cross_dataset import CrossDataset

IMAGENET_VARIANTS = ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r")


@PROTOCOLS.register("domain_generalisation")
class DomainGeneralisation(CrossDataset):
    """Trained on ImageNet, tested on its variants."""

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
