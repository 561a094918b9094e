"""What the demonstration runs: its settings, and the configuration of each of its runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Literal

from pydantic import Field

from dapt.config import RunConfig, Section, make_config
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.errors import ConfigError
from dapt.methods.base import METHODS


class DemoSettings(Section):
    """Everything that decides the demonstration's figures."""

    host: str = Field("maple", description="The prompt method, trained with and without DAPT.")
    seeds: int = Field(3, ge=1, le=1000, description="Runs per method; each has its own few-shot sample and start.")
    shots: int = Field(8, ge=1, description="Training images per class.")
    epochs: int = Field(6, ge=1, description="Passes over the training images.")
    batch_size: int = Field(8, ge=1, description="Images per step.")
    lr: float = Field(0.05, gt=0, description="Learning rate of both.")
    variant: Literal["phased", "joint"] = Field("joint", description="Variant of DAPT.")
    visual_weight: float = Field(0.8, ge=0, description="Weight of L_v, as published.")
    foreground_weight: float = Field(1.0, ge=0, description="Weight of L_f; docs/demo.md says why not 0.1.")
    background_weight: float = Field(0.5, ge=0, description="Weight of L_b, as published.")
    train_per_class: int = Field(16, ge=1, le=10_000, description="Scenes per class the few-shot sample is drawn from.")
    test_per_class: int = Field(
        24, ge=2, le=10_000, description="Test scenes per class, half with exchanged background."
    )
    classes: int = Field(24, ge=2, le=24, description="How many of the object classes.")
    size: int = Field(128, ge=32, le=4096, description="Pixels per side of a scene.")
    scene_seed: int = Field(1, ge=0, description="Decides every scene.")


# Weights of the three terms of DAPT: keys of these settings and of `DaptOptions`.
WEIGHTS = ("visual_weight", "foreground_weight", "background_weight")

# The settings that decide the scenes.
SCENE_KEYS = ("train_per_class", "test_per_class", "classes", "size", "scene_seed")


def check_runs(settings: DemoSettings) -> None:
    """Whether the runs can be trained.

    Raises:
        ConfigError: the host trains nothing, or there are fewer scenes than shots.
    """
    if not METHODS.get(settings.host).trains:
        raise ConfigError(f"{settings.host} trains nothing.", todo="Choose a method such as maple.")
    if settings.shots > settings.train_per_class:
        raise ConfigError(
            f"There are {settings.train_per_class} training scenes per class, too few for {settings.shots} shots.",
            todo=f"Pass --set train_per_class={settings.shots}, or fewer --shots.",
        )


def run_name(kind: str, seed: int) -> str:
    """Name of a run: `zero_shot`, or `host` or `dapt` with its seed."""
    return kind if kind == "zero_shot" else f"{kind}-seed{seed}"


def plan(settings: DemoSettings, index: Path, out: Path, device: str = "cpu") -> dict[str, RunConfig]:
    """The configuration of every run by name: zero-shot once, host and host + DAPT for every seed.

    Both use the same sample, start and schedule; DAPT's runs differ in the DAPT terms alone.
    """
    common = {"data": str(index), "model": "demo", "device": device, "cache_mb": 256}
    configs = {
        "zero_shot": make_config({**common, "method": "zero_shot", "shots": 1, "out": str(out / "zero_shot")}),
    }
    for seed in range(1, settings.seeds + 1):
        for kind in ("dapt", "host"):  # the longer one first, so that no process waits for the last run
            name = run_name(kind, seed)
            tree = {
                **common,
                "method": settings.host,
                "shots": settings.shots,
                "epochs": settings.epochs,
                "batch_size": settings.batch_size,
                "lr": settings.lr,
                "seed": seed,
                "out": str(out / name),
            }
            if kind == "dapt":
                tree["cue"] = "dataset"
                tree["dapt"] = {
                    "enabled": True,
                    "words": list(BACKGROUNDS),
                    "variant": settings.variant,
                    **{key: getattr(settings, key) for key in WEIGHTS},
                }
            configs[name] = make_config(tree)
    return configs


def scenes_command(settings: DemoSettings, folder: str) -> str:
    """The `dapt demo` command that draws the scenes alone."""
    usual = DemoSettings()
    parts = ["dapt", "demo", "--data-only", folder]
    for key in SCENE_KEYS:
        if getattr(settings, key) != getattr(usual, key):
            parts += ["--set", f"{key}={getattr(settings, key)}"]
    return shlex.join(parts)


def command(config: RunConfig, base: Path) -> str:
    """The `dapt train` command that makes a run of the plan, with paths relative to the demo's folder."""
    parts = ["dapt", "train", _relative(config.data, base), "--model", config.model, "--method", config.method]
    if config.method != "zero_shot":
        parts += ["--shots", str(config.shots), "--epochs", str(config.epochs)]
        parts += ["--batch-size", str(config.batch_size), "--lr", str(config.lr), "--seed", str(config.seed)]
    if config.dapt.enabled:
        parts += ["--dapt", "--cue", config.cue.source, "--set", f"dapt.words=[{', '.join(config.dapt.words)}]"]
        parts += ["--set", f"dapt.variant={config.dapt.variant}"]
        for key in WEIGHTS:
            parts += ["--set", f"dapt.{key}={getattr(config.dapt, key)}"]
    parts += ["--device", config.device, "--out", _relative(config.out or "", base)]
    return shlex.join(parts)


def _relative(path: str, base: Path) -> str:
    return Path(path).relative_to(base).as_posix() if Path(path).is_relative_to(base) else path
