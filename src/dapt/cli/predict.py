"""`dapt predict`: classify images with a trained run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import (
    BitsOption,
    DeviceOption,
    DraftOption,
    MatteOption,
    MaxPixelsOption,
    ModelOption,
    PluginOption,
    QuietOption,
    SkipBadOption,
    at_home,
    silence,
    split_names,
)


def predict(
    run: Annotated[Path, typer.Argument(help="Run folder made by dapt train.", callback=at_home)],
    images: Annotated[list[Path], typer.Argument(help="Images or folders of images.", callback=at_home)],
    top: Annotated[int, typer.Option("--top", min=1, help="Classes to list per image.")] = 5,
    classes: Annotated[str | None, typer.Option("--classes", help="Other class names, separated by commas.")] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            "--explain",
            help="Folder for pictures of where the model looks; no other file there is written over.",
            callback=at_home,
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--format", help="table, json or csv; only json has names with control characters exactly.")
    ] = "table",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="File for csv or json, in UTF-8, written whole; without it they are printed. A file that is there is "
            "replaced if it holds predictions.",
            callback=at_home,
        ),
    ] = None,
    model: ModelOption = None,
    skip_bad: SkipBadOption = False,
    max_pixels: MaxPixelsOption = None,
    draft: DraftOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    device: DeviceOption = "auto",
    plugin: PluginOption = None,
    quiet: QuietOption = False,
) -> None:
    """Classify images with a trained run.

    Examples:

      dapt predict runs/photos-maple-16shot-seed1 cat.jpg dog.jpg --top 3

      dapt predict runs/photos-maple-16shot-seed1 holiday/ --out holiday.csv

      dapt predict runs/photos-maple-16shot-seed1 cat.jpg --explain pictures/
    """
    silence(quiet)
    from dapt.errors import ConfigError, did_you_mean

    if output not in ("table", "json", "csv"):
        raise ConfigError(f"There is no format '{output}'.", todo=did_you_mean(output, ["table", "json", "csv"]))
    from dapt.runs.predict import predict_files, print_predictions
    from dapt.runs.write_predictions import check_predictions_file, output_kind, write_predictions

    if out is not None:
        output = output_kind(out, output)
        check_predictions_file(out, run, images)
    predictions = predict_files(
        run,
        images,
        top=top,
        classes=split_names(classes),
        explain=explain,
        model_spec=model,
        skip_bad=skip_bad,
        device=device,
    )
    if out is not None:
        write_predictions(predictions, out, output)
    else:
        print_predictions(predictions, output)
