"""How much of a method's accuracy hangs on the background, as in ImageNet-9 (Xiao et al. 2021, arXiv 2006.09994)."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import PROTOCOLS, AuditOf, Plan, Protocol, Settings, changed, need_all_classes


@PROTOCOLS.register("background_audit")
class BackgroundAudit(Protocol):
    """Trained on all classes, then asked about test images with backgrounds removed and exchanged (`dapt audit`).

    ``over`` may name other data, whose backgrounds objects are put on, too (``mixed_other``).
    """

    title = "background audit"
    paper = "Xiao et al. 2021, arXiv 2006.09994"
    points = "other data that lends backgrounds, one at most"
    reads_masks = True

    def plan(self, settings: Settings, out: Path) -> Plan:
        if len(self.over) > 1:
            raise ConfigError(
                "background_audit takes backgrounds from one other data set at most.", todo="Name one with --over."
            )
        need_all_classes(settings, self)
        asked = AuditOf("audit", "all", "".join(self.over))
        return Plan({"all": changed(settings, out=str(out / "all"))}, audits=(asked,))
