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


def _use_draft(on: bool | None) -> bool | None:
    from dapt.data.load.draft import use_option

    use_option(on)
    return on


DraftOption = Annotated[
    bool | None,
    typer.Option(
        "--draft/--no-draft",
        callback=_use_draft,
        help="Decode JPEGs at a half, a quarter or an eighth of their size where that leaves twice the pixels that "
        "the model sees: faster, nearly the same predictions. [default: as trained, which is off unless set]",
    ),
]


def _use_matte(colour: str | None) -> str | None:
    """Sets the colour for the process, as `_use_max_pixels` sets the limit."""
    from dapt.colour import colour_of
    from dapt.data.load.reading import use_matte

    if colour is not None:
        colour_of(colour)
    use_matte(colour)
    return colour


MatteOption = Annotated[
    str | None,
    typer.Option(
        "--matte",
        callback=_use_matte,
        help="Colour behind transparent parts of images: white, black or #rrggbb. [default: white, or as trained]",
    ),
]


def _use_bits(bits: int | None) -> int | None:
    from dapt.data.load.reading import use_bits

    use_bits(bits)
    return bits


AllowLeaksOption = Annotated[
    bool,
    typer.Option("--allow-leaks", help="Go on although images were trained on; the JSON file records it."),
]
BitsOption = Annotated[
    int | None,
    typer.Option(
        "--bits",
        min=8,
        max=16,
        callback=_use_bits,
        help="Bits that images of more than 8 per channel use, 12 for 12-bit in 16. [default: by their values, or as "
        "trained]",
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
        help="binary (>= 128 is foreground), labels (0 is background), trimap, alpha (of cut-outs), colours (any but "
        "--mask-background), or a collection: dapt (the released DAPT masks) or foreground (FVG-PT's). "
        "[default: binary]",
    ),
]
MaskNameOption = Annotated[
    str | None,
    typer.Option(
        "--mask-name",
        help="How mask files are called, as in '{stem}_mask.png': {stem}, {name} and {parent} (folder) of the image, * "
        "for anything; of several files the union counts. [default: as the image]",
    ),
]
MaskBackgroundOption = Annotated[
    str | None,
    typer.Option(
        "--mask-background",
        help="With --mask-format colours: the colour of the background, black, white or #rrggbb. [default: black]",
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
        help="data (or all: those of the data), base or novel; or class names separated by commas, "
        "one with a comma in quotation marks. [default: the trained classes]",
    ),
]


def split_names(text: str | None) -> list[str] | None:
    """Class names separated by commas, in NFC, undecodable bytes as escapes; None when none were given.

    A name with a comma stands in quotation marks, as in CSV.
    """
    import csv

    from dapt.console import writable
    from dapt.strict import nfc

    if not text:
        return None
    try:
        (names,) = csv.reader([text], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):  # a quotation mark that is part of a name
        names = text.split(",")
    return [nfc(writable(name.strip())) for name in names if name.strip()]


def silence(quiet: bool) -> None:
    """Apply ``--quiet``."""
    from dapt.console import set_quiet

    set_quiet(quiet)
