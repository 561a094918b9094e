"""What the demonstration runs: its settings, and the configuration of each of its runs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from dapt.config import DaptOptions, RunConfig, Section, make_config
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.subjects import Scenes
from dapt.errors import ConfigError
from dapt.methods.base import METHODS
from dapt.validation import validated


class DemoSettings(Section):
    """Everything that decides the demonstration's figures."""

    host: str = Field("maple", description="The prompt method, trained with and without DAPT.")
    seeds: int = Field(3, ge=1, le=1000, description="Runs per method; each has its own few-shot sample and start.")
    shots: int = Field(8, ge=1, description="Training images per class.")
    epochs: int = Field(8, ge=1, description="Passes over the training images.")
    batch_size: int = Field(8, ge=1, description="Images per step.")
    lr: float = Field(0.05, gt=0, description="Learning rate of both.")
    dapt: DaptOptions = Field(
        default_factory=lambda: DaptOptions(enabled=True),
        description="Settings of DAPT: those of 'dapt train --dapt' unless given, as in --set dapt.variant=joint.",
    )
    scenes: Scenes = Field(
        "kinds",
        description="kinds: kinds of objects that the bundled CLIP was told nothing about; classes: the object classes "
        "that it was trained on.",
    )
    train_per_class: int = Field(16, ge=1, le=10_000, description="Scenes per class the few-shot sample is drawn from.")
    test_per_class: int = Field(
        24, ge=2, le=10_000, description="Test scenes per class, half with exchanged background."
    )
    classes: int | None = Field(None, ge=2, le=24, description="Only the first so many classes; none: all.")
    size: int = Field(128, ge=32, le=4096, description="Pixels per side of a scene.")
    scene_seed: int = Field(1, ge=0, description="Decides every scene.")

    @field_validator("dapt", mode="before")
    @classmethod
    def _on(cls, value: Any) -> Any:
        return {"enabled": True, **value} if isinstance(value, Mapping) else value

    @field_validator("dapt")
    @classmethod
    def _stays_on(cls, value: DaptOptions) -> DaptOptions:
        if not value.enabled:
            raise ValueError("the demonstration compares with DAPT, which cannot be off")
        return value


# The settings that decide the scenes.
SCENE_KEYS = ("scenes", "train_per_class", "test_per_class", "classes", "size", "scene_seed")

# DAPT's settings that version 0.1.0 had beside the others.
EARLIER = ("variant", "visual_weight", "foreground_weight", "background_weight")


def settings_of(tree: Mapping[str, Any]) -> DemoSettings:
    """The settings in a `demo.yaml`, those of version 0.1.0 included, which had the scenes of classes alone.

    Raises:
        ConfigError: it is not one that a demonstration wrote: those hold every setting.
    """
    found = dict(tree)
    if set(EARLIER) <= found.keys():
        found["dapt"] = {"words": list(BACKGROUNDS), **{key: found.pop(key) for key in EARLIER}}
        found["scenes"] = "classes"
    settings = validated(DemoSettings, found)
    missing = DemoSettings.model_fields.keys() - found.keys()
    if missing:
        raise ConfigError(f"These settings are missing: {', '.join(sorted(missing))}.")
    return settings


def changes(options: DaptOptions) -> dict[str, Any]:
    """What of DAPT's settings is not as with `--dapt` alone, by key: the variant, and what differs from it."""
    usual = DaptOptions(variant=options.variant)
    found = {} if options.variant == DaptOptions().variant else {"variant": options.variant}
    for key in DaptOptions.model_fields:
        value = getattr(options, key)
        if key != "enabled" and value != getattr(usual, key):
            found[key] = value
    return found


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
                tree["dapt"] = {"enabled": True, **changes(settings.dapt)}
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
        parts += ["--dapt", "--cue", config.cue.source]
        for key, value in changes(config.dapt).items():
            word = isinstance(value, str) and value.isidentifier()
            parts += ["--set", f"dapt.{key}={value if word else json.dumps(value)}"]
    parts += ["--device", config.device, "--out", _relative(config.out or "", base)]
    return shlex.join(parts)


def _relative(path: str, base: Path) -> str:
    return Path(path).relative_to(base).as_posix() if Path(path).is_relative_to(base) else path
