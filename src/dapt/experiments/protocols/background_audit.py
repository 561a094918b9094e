"""How much of a method's accuracy hangs on the background, as in ImageNet-9 (Xiao et al. 2021, arXiv 2006.09994)."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import PROTOCOLS, AuditOf, Plan, Protocol, Settings, changed, need_all_classes


@PROTOCOLS.register("background_audit")
class BackgroundAudit(Protocol):
    """Trained on all classes, then asked about test images with backgrounds removed and exchanged (`dapt audit`)."""

    title = "background audit"
    paper = "Xiao et al. 2021, arXiv 2006.09994"

    def plan(self, settings: Settings, out: Path) -> Plan:
        if self.over:
            raise ConfigError("background_audit goes over nothing.", todo="Leave --over out.")
        need_all_classes(settings, self)
        return Plan({"all": changed(settings, out=str(out / "all"))}, audits=(AuditOf("audit", "all"),))
