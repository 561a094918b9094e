"""Few-shot learning, as in CoOp (Zhou et al. 2022, IJCV, arXiv 2109.01134)."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import PROTOCOLS, Plan, Protocol, Settings, changed, need_all_classes, number

FEW_SHOTS = (1, 2, 4, 8, 16)


@PROTOCOLS.register("few_shot")
class FewShot(Protocol):
    """All classes, with 1, 2, 4, 8 and 16 training images each."""

    title = "few-shot learning"
    paper = "Zhou et al. 2022, IJCV, arXiv 2109.01134"
    points = "shots"

    def plan(self, settings: Settings, out: Path) -> Plan:
        need_all_classes(settings, self)
        shots = [number(text, int, self) for text in self.over] or list(FEW_SHOTS)
        if min(shots) < 1:
            raise ConfigError("few_shot needs an image per class at least.", todo="Give shots with --over, as in 1,2.")
        named = {f"{count} shots": changed(settings, shots=count, out=str(out / f"{count}shot")) for count in shots}
        return Plan(named)
