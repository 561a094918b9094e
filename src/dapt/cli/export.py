"""`dapt export`: a run in other formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import (
    BitsOption,
    MatteOption,
    MaxPixelsOption,
    ModelOption,
    PluginOption,
    QuietOption,
    at_home,
    silence,
)


def export(
    run: Annotated[Path, typer.Argument(help="Run folder made by dapt train.", callback=at_home)],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="onnx or torch-export: one graph from pixels to probabilities. openclip or hf: a CLIP for other "
            "tools, with the class features beside it.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="New folder, which appears whole or not at all.", callback=at_home)
    ],
    preprocess: Annotated[
        str,
        typer.Option(
            "--preprocess",
            help="outside: the graph takes normalised pixels. in-graph: it takes uint8 pictures of any size, and "
            "resizes, crops and normalises them itself.",
        ),
    ] = "outside",
    precision: Annotated[
        str, typer.Option("--precision", help="32, 16 (the image tower in float16) or int8 (onnx, with --calibrate).")
    ] = "32",
    calibrate: Annotated[
        Path | None,
        typer.Option("--calibrate", help="Photos by which int8 finds the range of every number.", callback=at_home),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(
            "--check",
            help="Photos on which the exported file is run and compared with the run; nothing is written where they "
            "differ by more than --tolerance.",
            callback=at_home,
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            min=0.0,
            help="Largest difference of a probability that passes. [default: by precision and preprocessing, see "
            "docs/export.md]",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export in --out.")] = False,
    model: ModelOption = None,
    max_pixels: MaxPixelsOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    plugin: PluginOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write a run in another format: one model file, and model.json with labels, preprocessing and where it is from.

    Examples:

      dapt export runs/photos-maple-16shot-seed1 --to onnx --out exported --check photos/

      dapt export runs/photos-maple-16shot-seed1 --to onnx --preprocess in-graph --out exported

      dapt export runs/photos-maple-16shot-seed1 --to onnx --precision int8 --calibrate photos/ --out small

      dapt export runs/photos-clip_lora-16shot-seed1 --to openclip --out merged
    """
    silence(quiet)
    from dapt.export.choices import Choices

    choices = Choices(to, preprocess, precision, calibrate, check, tolerance)
    from dapt.export.export_run import export_run, tell

    tell(export_run(run, out, choices, model_spec=model, overwrite=overwrite))
