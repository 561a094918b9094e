"""`dapt masks import`: annotations and masks of other tools as a folder of mask files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import (
    MaskBackgroundOption,
    MaskFormatOption,
    MaskNameOption,
    MaxPixelsOption,
    OwnSplitOption,
    QuietOption,
    RootOption,
    SkipBadOption,
    at_home,
    listed,
    silence,
    split_names,
)

FORMATS = f"auto (by what is in the files), {listed('dapt.data.mask_imports.formats')}."


def import_(
    folder: Annotated[
        Path, typer.Argument(help="Folder of the annotations or masks, or one file of them.", callback=at_home)
    ],
    data: Annotated[
        str, typer.Option("--data", help="The photos: folder, CSV index or catalog name.", callback=at_home)
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the mask files.", callback=at_home)],
    format: Annotated[
        str,
        typer.Option("--format", help=FORMATS),
    ] = "auto",
    classes: Annotated[
        str | None,
        typer.Option("--classes", "--labels", help="Categories that are foreground, comma-separated. [default: all]"),
    ] = None,
    mask_format: MaskFormatOption = None,
    mask_name: MaskNameOption = None,
    mask_background: MaskBackgroundOption = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    skip_bad: SkipBadOption = False,
    max_pixels: MaxPixelsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Turn outlines and masks of annotation tools into mask files that any run can read.

    All objects of a photo are its foreground, or those of --classes. What is left out, cut or guessed is counted and
    said. Photos without an object get no mask. Masks that exist already are kept, so an interrupted command goes on
    where it stopped. For a folder called import, write ./import.

    Examples:

      dapt masks import annotations/ --format coco --data photos/ --out masks/

      dapt masks import export.xml --data photos/ --out masks/ --classes dog,cat

      dapt masks import cutouts/ --format alpha --data photos/ --out masks/

      dapt masks import masks/ --format instances --mask-name '{stem}_*.png' --data photos/ --out union/

    Then: dapt train photos/ --dapt --masks masks/
    """
    silence(quiet)
    from dapt.runs.import_masks import import_masks

    import_masks(
        folder,
        data,
        out,
        format=format,
        classes=split_names(classes),
        mask_format=mask_format,
        mask_name=mask_name,
        mask_background=mask_background,
        skip_bad=skip_bad,
        root=root,
        own_split=own_split,
    )
