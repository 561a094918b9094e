"""`dapt features`: the image features of a data set, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import (
    BitsOption,
    DeviceOption,
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


def features(
    data: Annotated[
        str, typer.Argument(help="Data as for dapt train, or a folder of photos without classes.", callback=at_home)
    ],
    out: Annotated[
        Path,
        typer.Option("--out", help="FILE.safetensors (with FILE.csv beside it) or FILE.parquet.", callback=at_home),
    ],
    model: ModelOption = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="Use the prompts of this run; none: the backbone as it is.", callback=at_home),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="train, val, test or all.")] = "all",
    dtype: Annotated[
        str, typer.Option("--dtype", help="Type of the numbers in the file: float32 or float16.")
    ] = "float32",
    raw: Annotated[
        bool, typer.Option("--raw", help="Features as the image tower projects them, instead of unit length.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted command.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace earlier features, or parts of them, in --out.")
    ] = False,
    precision: Annotated[
        str | None, typer.Option("--precision", help="Type of the image tower: 32, bf16 or 16. [default: 32]")
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, max=100_000, help="Images at a time.")] = 100,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="Threads that read images. [default: one per core]"),
    ] = None,
    names: NamesOption = None,
    skip_bad: SkipBadOption = False,
    max_pixels: MaxPixelsOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    device: DeviceOption = "auto",
    plugin: PluginOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write the image features of a data set into one file, for use elsewhere.

    A backbone gives the features of plain CLIP, --run those of the adapted image tower. They are computed in parts of
    about a thousand images, kept in FILE.parts until all are there, so that an interrupted command goes on with
    --resume; the file itself is whole or not there. docs/features.md says what is in it and how it is read.

    Examples:

      dapt features photos/ --model ViT-B-16/openai --out photos.safetensors

      dapt features oxford_pets --split test --model ViT-L-14/openai --out pets.parquet --dtype float16

      dapt features holiday/ --model demo --out holiday.parquet --skip-bad

      dapt features photos/ --run runs/photos-maple-16shot-seed1 --out adapted.safetensors
    """
    silence(quiet)
    from dapt.runs.write_features import write_features

    write_features(
        data,
        out,
        model_spec=model,
        run=run,
        split=split,
        dtype=dtype,
        raw=raw,
        batch_size=batch_size,
        workers=workers,
        names=str(names) if names else None,
        root=root,
        own_split=own_split,
        skip_bad=skip_bad,
        device=device,
        precision=precision,
        overwrite=overwrite,
        resume=resume,
    )
