"""What a demonstration writes, by path in its folder."""

from __future__ import annotations

from pathlib import Path

from dapt.demo.scene_data import scene_names
from dapt.demo.setting import DemoSettings, run_name

PAGE = "index.html"
RESULTS = "results.json"
DATA = "data"
RUNS = "runs"


def scene_files(settings: DemoSettings) -> list[str]:
    """The files of the scenes, in a folder of their own."""
    return scene_names(
        Path(),
        scenes=settings.scenes,
        seed=settings.scene_seed,
        train_per_class=settings.train_per_class,
        test_per_class=settings.test_per_class,
        size=settings.size,
        classes=settings.classes,
    )


def demo_files(settings: DemoSettings) -> list[str]:
    """The files of a demonstration outside its runs' folders."""
    return [PAGE, RESULTS, *(f"{DATA}/{name}" for name in scene_files(settings))]


def demo_runs(settings: DemoSettings) -> list[str]:
    """The folders of a demonstration's runs."""
    kinds = [run_name(kind, seed) for seed in range(1, settings.seeds + 1) for kind in ("dapt", "host")]
    return [f"{RUNS}/{name}" for name in [run_name("zero_shot", 1), *kinds]]
