"""`dapt explain`: why a model decides as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dapt.cli.options import (
    BitsOption,
    DeviceOption,
    MaskBackgroundOption,
    MaskFormatOption,
    MaskNameOption,
    MasksOption,
    MatteOption,
    MaxPixelsOption,
    ModelOption,
    PluginOption,
    QuietOption,
    SkipBadOption,
    at_home,
    listed,
    silence,
    split_names,
)


def explain(
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="[RUN] IMAGE...",
            help="Run folder made by dapt train, then images or folders of images; without a run: zero-shot, among "
            "--classes.",
            callback=at_home,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder for the pictures, explain.html and explain.json. [default: explained/NAME-OF-THE-RUN]",
            callback=at_home,
        ),
    ] = None,
    model: ModelOption = None,
    classes: Annotated[
        str | None, typer.Option("--classes", help="Other class names than the trained ones, separated by commas.")
    ] = None,
    cue: Annotated[
        str | None,
        typer.Option("--cue", help=f"What finds the foreground: one of {listed('dapt.cues')}. [default: border]"),
    ] = None,
    masks: MasksOption = None,
    mask_format: MaskFormatOption = None,
    mask_name: MaskNameOption = None,
    mask_background: MaskBackgroundOption = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any option of the cue, as cue.KEY=VALUE; may be repeated.")
    ] = None,
    maps: Annotated[
        str | None,
        typer.Option("--maps", help="Cues that show where it looks, separated by commas. [default: all there are]"),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Classes to list for each view.")] = 5,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Most images to explain; of more so many are chosen evenly.")
    ] = 50,
    skip_bad: SkipBadOption = False,
    max_pixels: MaxPixelsOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    device: DeviceOption = "auto",
    plugin: PluginOption = None,
    quiet: QuietOption = False,
) -> None:
    """Show what a model decides by: foreground and background alone, where it looks, before and after adaptation.

    Examples:

      dapt explain runs/photos-maple-16shot-seed1 cat.jpg holiday/

      dapt explain runs/photos-maple-16shot-seed1 photos/ --masks masks/ --out looks/

      dapt explain cat.jpg --model ViT-B-16/openai --classes "cat,dog,sofa"
    """
    silence(quiet)
    from dapt.config_text import apply_settings
    from dapt.errors import ConfigError, DataError
    from dapt.report.explain import explain_and_write, print_explanations
    from dapt.runs.explain import Foreground, is_run
    from dapt.runs.run_folder import find_run

    names = split_names(classes)
    run: Path | None = images[0] if is_run(images[0]) or names is None else None
    if run is not None:
        images = images[1:]
        if not is_run(run) and (run.exists() or model is not None):
            raise ConfigError(
                f"{run} is no run, and without one there are no classes to choose from.",
                todo="Give the folder of a run first, or name classes with --classes (and a backbone with --model).",
            )
        find_run(run)
        if not images:
            raise DataError("No image was named.", todo="Give images or folders of images after the run.")
    tree: dict[str, Any] = apply_settings({"cue": {}}, settings or [])
    if set(tree) != {"cue"} or "source" in tree["cue"]:
        raise ConfigError("dapt explain takes options of the cue only.", where="--set", todo="Write cue.KEY=VALUE.")
    found = explain_and_write(
        images,
        out,
        run=run,
        model=model,
        classes=names,
        foreground=Foreground(masks, mask_format, mask_name, mask_background, cue, tree["cue"]),
        maps=split_names(maps),
        top=top,
        limit=limit,
        skip_bad=skip_bad,
        device=device,
    )
    print_explanations(found)
