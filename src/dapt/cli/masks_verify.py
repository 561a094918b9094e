"""`dapt masks verify`: check a collection of masks against the images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import (
    MaskBackgroundOption,
    MaskFormatOption,
    MaskNameOption,
    MaxPixelsOption,
    NamesOption,
    OwnSplitOption,
    QuietOption,
    RootOption,
    at_home,
    silence,
)


def verify(
    data: Annotated[
        str, typer.Argument(help="Data set of the catalog, folder of photos, or CSV index.", callback=at_home)
    ],
    masks: Annotated[
        Path | None,
        typer.Option("--masks", help="Folder of mask files. [default: the data set's own masks]", callback=at_home),
    ] = None,
    mask_format: MaskFormatOption = None,
    mask_name: MaskNameOption = None,
    mask_background: MaskBackgroundOption = None,
    split: Annotated[str, typer.Option("--split", help="all, train, val or test.")] = "all",
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write the counts and the names of all problems to this file.", callback=at_home),
    ] = None,
    names: NamesOption = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Leave absent images out and only count unusable masks, as training with it."),
    ] = False,
    max_pixels: MaxPixelsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Check that the images have masks which training can use, and count per class those that do not.

    Exit code 0: training accepts these masks. Images without a mask, and empty or full masks, are only
    reported, because training passes over them. Exit code 2: a mask is unreadable or has another shape than
    its image, no mask is usable, or at least 95% are empty or full, which is what a wrong --mask-format does.

    Examples:

      dapt masks verify photos/ --masks masks/

      dapt masks verify oxford_pets --masks data/oxford_pets/mask --mask-format dapt --json pets-masks.json

      dapt masks verify data/index.csv --split train
    """
    silence(quiet)
    from dapt.runs.verify_masks import print_table, verify_masks

    result = verify_masks(
        data,
        masks=masks,
        mask_format=mask_format,
        mask_name=mask_name,
        mask_background=mask_background,
        split=split,
        json_file=json_file,
        names=str(names) if names else None,
        root=root,
        own_split=own_split,
        skip_bad=skip_bad,
    )
    print_table(result)
    result.check()
