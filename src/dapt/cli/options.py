"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dapt.registry import registered_in

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Backbone: demo (bundled), ARCH/pretrained-tag, local-dir:PATH, hf-hub:OWNER/NAME or ARCH:/weights/file.",
    ),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings, errors and results.")]
SkipBadOption = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out damaged files and count them, instead of stopping.")
]


def listed(package: str) -> str:
    """The names that the files of a package register, for help texts; the package itself is not imported."""
    return ", ".join(registered_in(package))


def at_home(value: Any) -> Any:
    """Of every option and argument that names files: ``~`` stands for the home folder, also where shells leave it."""
    from dapt.paths import with_home

    if isinstance(value, list | tuple):
        return [at_home(each) for each in value]
    if value is None:
        return None
    return Path(with_home(str(value))) if isinstance(value, Path) else with_home(value)


def _use_max_pixels(millions: float | None) -> float | None:
    """Sets the limit for the process, so that a command with the option has no more to do."""
    from dapt.data.load.pixels import use_option

    use_option(millions)
    return millions


MaxPixelsOption = Annotated[
    float | None,
    typer.Option(
        "--max-pixels",
        min=0.001,
        callback=_use_max_pixels,
        help="Million pixels of the largest image or mask that is decoded; JPEGs of up to twice as many are read "
        "reduced. [default: 120]",
    ),
]


def _load_plugins(files: list[Path] | None) -> list[Path] | None:
    """Imports them before the command looks up any name."""
    from dapt.plugins import load_plugins

    load_plugins(str(file) for file in files or ())
    return files


PluginOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        callback=_load_plugins,
        help="Python file that registers methods, cues, selectors or data sets; may be repeated. It is run as code.",
    ),
]
NamesOption = Annotated[
    Path | None,
    typer.Option(
        "--names", help="File with class names: one per line in label order, or JSON old to new.", callback=at_home
    ),
]
MasksOption = Annotated[
    Path | None,
    typer.Option(
        "--masks", help="Folder of mask files; docs/cues.md says where each format looks in it.", callback=at_home
    ),
]
MaskFormatOption = Annotated[
    str | None,
    typer.Option(
        "--mask-format",
        help="binary (>= 128 is foreground), labels (0 is background), trimap, or a collection: dapt (the released "
        "DAPT masks) or foreground (FVG-PT's). [default: binary]",
    ),
]
RootOption = Annotated[
    str | None,
    typer.Option(
        "--root", help="Where catalog data lives. [default: $DAPT_DATA, else the user's cache]", callback=at_home
    ),
]
OwnSplitOption = Annotated[
    bool,
    typer.Option("--own-split", help="Divide a catalog data set anew if its official split file is missing."),
]
ClassesOption = Annotated[
    str | None,
    typer.Option(
        "--classes",
        help="data (or all: those of the data), base or novel; or class names separated by commas. "
        "[default: the trained classes]",
    ),
]


def split_names(text: str | None) -> list[str] | None:
    """Class names separated by commas, in NFC, undecodable bytes as escapes; None when none were given."""
    from dapt.console import writable
    from dapt.strict import nfc

    return [nfc(writable(name.strip())) for name in text.split(",") if name.strip()] if text else None


def silence(quiet: bool) -> None:
    """Apply ``--quiet``."""
    from dapt.console import set_quiet

    set_quiet(quiet)
