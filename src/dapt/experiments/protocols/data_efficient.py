"""Data-efficient (coreset) learning, as in DAPT (arXiv 2508.00395)."""

from __future__ import annotations

from pathlib import Path

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import PROTOCOLS, Plan, Protocol, Settings, changed, number

FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


@PROTOCOLS.register("data_efficient")
class DataEfficient(Protocol):
    """A selector chooses 5 to 100% of the training images."""

    title = "data-efficient learning"
    paper = "DAPT, arXiv 2508.00395; Guo et al. 2022, arXiv 2204.08499"
    points = "fractions"

    def plan(self, settings: Settings, out: Path) -> Plan:
        if settings.get("fraction", 1) != 1:
            raise ConfigError("data_efficient goes over fractions.", todo="Give them with --over, not with --fraction.")
        fractions = [number(text, float, self) for text in self.over] or list(FRACTIONS)
        for fraction in fractions:
            if not 0 < fraction <= 1:
                raise ConfigError(f"The fraction {fraction:g} is not between 0 and 1.", todo="Write 0.5 for 50%.")
        select = settings.get("select") or "uniform"
        runs = {}
        for fraction in fractions:
            chosen = {"select": select, "fraction": fraction} if fraction < 1 else {"select": None, "fraction": 1.0}
            runs[f"{100 * fraction:g}%"] = changed(settings, **chosen, out=str(out / f"{select}{fraction:g}"))
        return Plan(runs)
