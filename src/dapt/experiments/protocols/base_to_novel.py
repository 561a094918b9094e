"""Base-to-novel generalisation, as in CoCoOp (Zhou et al. 2022, CVPR, arXiv 2203.05557)."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import PROTOCOLS, Plan, Protocol, Settings, changed, need_open_classes
from dapt.runs.run_names import data_name


@PROTOCOLS.register("base_to_novel")
class BaseToNovel(Protocol):
    """Trained on the first half of the classes; tested on each half among itself, and on both together."""

    title = "base-to-novel generalisation"
    paper = "Zhou et al. 2022, CVPR, arXiv 2203.05557"

    def plan(self, settings: Settings, out: Path) -> Plan:
        if self.over:
            raise ConfigError("base_to_novel goes over nothing.", todo="Leave --over out.")
        need_open_classes(settings, self)
        return Plan({data_name(settings["data"]): changed(settings, subset="base", out=str(out / "base"))})
