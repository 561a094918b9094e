"""The folder of a demonstration: whether it may be used, and clearing it of what the demonstration put there."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from dapt.config import read_yaml, validated
from dapt.demo.plan import DemoSettings
from dapt.errors import ConfigError, DaptError
from dapt.files import write_text

SETTINGS = "demo.yaml"


def open_folder(
    out: Path, settings: DemoSettings, contents: Sequence[str], *, resume: bool = False, overwrite: bool = False
) -> None:
    """Make the folder and write its settings into it, or find out that it may not be used.

    Args:
        out: the folder. contents: names of what goes into it; with `overwrite` these are removed, nothing else is.
        resume: the folder may hold an unfinished demonstration with the same settings.

    Raises:
        DaptError: it is in use, holds something else, or cannot be made.
    """
    try:
        if _in_use(out):
            _check(out, settings, resume=resume, overwrite=overwrite)
            if overwrite:
                _clear(out, contents)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise DaptError(f"The folder {out} cannot be used: {reason}.", todo="Choose another folder.") from error
    write_text(out / SETTINGS, yaml.safe_dump(settings.model_dump(), sort_keys=False))


def _in_use(out: Path) -> bool:
    """Whether anything is there but what a killed write may have left."""
    if not out.is_dir():
        return out.exists()
    return any(not (path.name.startswith(f".{SETTINGS}.") and path.suffix == ".part") for path in out.iterdir())


def _check(out: Path, settings: DemoSettings, *, resume: bool, overwrite: bool) -> None:
    foreign = ConfigError(f"{out} exists and holds something else.", todo="Choose another folder.")
    try:
        tree = read_yaml(out / SETTINGS)
        before = validated(DemoSettings, tree)
    except ConfigError:
        raise foreign from None
    if "scene_seed" not in tree:  # an empty file would do as settings, but a demonstration writes all of them
        raise foreign
    if resume and before != settings:
        raise ConfigError(
            f"What is in {out} was started with other settings.",
            todo="Repeat the options it was started with, or pass --overwrite to start again.",
        )
    if not resume and not overwrite:
        raise ConfigError(
            f"The output folder {out} holds a demo.",
            todo="Pass --resume to finish it, --overwrite to start again, or another folder.",
        )


def _clear(out: Path, contents: Sequence[str]) -> None:
    """Remove `contents`; the settings stay until they are replaced, so that an interrupted clearing can be repeated."""
    for name in contents:
        path = out / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
