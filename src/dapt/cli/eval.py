"""`dapt eval`: evaluate a run on its own or other data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import (
    AllowLeaksOption,
    BitsOption,
    ClassesOption,
    DeviceOption,
    DraftOption,
    MaskBackgroundOption,
    MaskFormatOption,
    MaskNameOption,
    MasksOption,
    MatteOption,
    MaxPixelsOption,
    ModelOption,
    NamesOption,
    OwnSplitOption,
    PluginOption,
    QuietOption,
    RootOption,
    SkipBadOption,
    at_home,
    silence,
)


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder made by dapt train.", callback=at_home)],
    data: Annotated[
        str | None,
        typer.Argument(help="Other data, as for dapt train; none: the data of the run.", callback=at_home),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="train, val, test or all. [default: test; all of other data without splits]"),
    ] = None,
    classes: ClassesOption = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Result file. [default: eval/DATA-SPLIT.json in the run folder]", callback=at_home),
    ] = None,
    model: ModelOption = None,
    names: NamesOption = None,
    masks: MasksOption = None,
    mask_format: MaskFormatOption = None,
    mask_name: MaskNameOption = None,
    mask_background: MaskBackgroundOption = None,
    skip_bad: SkipBadOption = False,
    allow_leaks: AllowLeaksOption = False,
    max_pixels: MaxPixelsOption = None,
    draft: DraftOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    device: DeviceOption = "auto",
    plugin: PluginOption = None,
    quiet: QuietOption = False,
) -> None:
    """Evaluate a run on its own or other data, print a table and write a JSON file.

    Other data is asked the question of the training: all of its images, unless it has splits of its own, among the
    trained classes, with which its classes are matched by name. --classes data asks among its own classes instead,
    which are named to the model anew, so any data set can be used. Images that the run was trained on, copies
    included, are refused unless --allow-leaks is given.

    Examples:

      dapt eval runs/photos-maple-16shot-seed1

      dapt eval runs/photos-maple-16shot-seed1 other_photos/ --json other.json

      dapt eval runs/photos-maple-16shot-seed1 dtd --classes data

      dapt eval runs/base-run --classes novel
    """
    silence(quiet)
    from dapt.console import show
    from dapt.runs.evaluate_run import evaluate_saved
    from dapt.runs.evaluation_table import print_table

    result, path = evaluate_saved(
        run,
        data=data,
        split=split,
        classes=classes,
        json_file=json_file,
        model_spec=model,
        names=str(names) if names else None,
        masks=str(masks) if masks else None,
        mask_format=mask_format,
        mask_name=mask_name,
        mask_background=mask_background,
        skip_bad=skip_bad,
        root=root,
        own_split=own_split,
        allow_leaks=allow_leaks,
        device=device,
    )
    print_table(result)
    show(f"written to {path}")
