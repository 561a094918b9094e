"""`dapt audit`: how much of the accuracy of models hangs on the background."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dapt.cli.options import (
    AllowLeaksOption,
    BitsOption,
    DeviceOption,
    MaskBackgroundOption,
    MaskFormatOption,
    MaskNameOption,
    MasksOption,
    MatteOption,
    MaxPixelsOption,
    NamesOption,
    OwnSplitOption,
    PluginOption,
    QuietOption,
    RootOption,
    SkipBadOption,
    at_home,
    listed,
    silence,
)


def audit(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL... DATA",
            help="Run folders, saved models, or backbones as for --model (asked zero-shot); last the data.",
            callback=at_home,
        ),
    ],
    masks: MasksOption = None,
    cue: Annotated[
        str | None,
        typer.Option(
            "--cue",
            help=f"Let a cue guess the objects instead of reading masks: {listed('dapt.cues')}. [default: the masks]",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any option of the cue, as cue.KEY=VALUE; may be repeated.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="train, val, test or all. [default: test; all of other data without splits]"),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            "--classes",
            help="data (or all: those of the data), base or novel; or class names separated by commas. [default: the "
            "trained classes of the first run; without runs those of the data]",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=2, help="Ask about so many images, spread over the classes.")
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**63 - 1, help="Decides which background goes with which object.")
    ] = 1,
    backgrounds: Annotated[
        str | None,
        typer.Option(
            "--backgrounds",
            metavar="DATA",
            help="Put the objects on the backgrounds of this other data, too (mixed_other); classes are not needed.",
            callback=at_home,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for audit.json, a page (index.html) and all answers (images.csv).", callback=at_home
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Folder for the composites, an ordinary data set each.", callback=at_home),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file, too.", callback=at_home)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier audit wrote into --out and --write.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted audit in --out.")] = False,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            min=16,
            max=4096,
            help="Pixels of the shorter side of composites, at most. [default: the largest that a model looks at]",
        ),
    ] = None,
    blank: Annotated[
        str, typer.Option("--blank", help="Colour of what is taken away: black, white or #rrggbb.")
    ] = "black",
    mask_format: MaskFormatOption = None,
    mask_name: MaskNameOption = None,
    mask_background: MaskBackgroundOption = None,
    names: NamesOption = None,
    skip_bad: SkipBadOption = False,
    allow_leaks: AllowLeaksOption = False,
    max_pixels: MaxPixelsOption = None,
    matte: MatteOption = None,
    bits: BitsOption = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    device: DeviceOption = "auto",
    plugin: PluginOption = None,
    quiet: QuietOption = False,
) -> None:
    """Measure how much of a classifier's accuracy hangs on the background.

    Every image with a mask is taken apart and put together anew: the object alone, the background alone, the object on
    the background of another image of its class, of a random class and of the next class. What is lost from the second
    to the third of these mixtures, the BG-gap, hung on the background ("Noise or Signal", Xiao et al. 2021). Several
    models are asked about the same pictures and compared. docs/audit.md says how to read the figures.

    Examples:

      dapt audit runs/photos-maple-16shot-seed1 photos/ --masks masks/ --out audit/

      dapt audit runs/maple runs/maple+dapt ViT-B-16/openai photos/ --out audit/

      dapt audit demo photos/ --cue gradcam --limit 500

      dapt audit runs/maple photos/ --backgrounds landscapes/

      dapt audit photos/ --write composites/
    """
    silence(quiet)
    from dapt.config_text import apply_settings
    from dapt.cues.build import AUTO
    from dapt.errors import ConfigError
    from dapt.report.audit import audit_and_write
    from dapt.runs.audit_images import Question
    from dapt.runs.audit_table import print_audit

    tree: dict[str, Any] = apply_settings({"cue": {}}, settings or [])
    if set(tree) != {"cue"} or "source" in tree["cue"]:
        raise ConfigError("dapt audit takes options of the cue only.", where="--set", todo="Write cue.KEY=VALUE.")
    question = Question(
        data=named[-1],
        split=split,
        classes=classes,
        names=str(names) if names else None,
        root=root,
        own_split=own_split,
        skip_bad=skip_bad,
        allow_leaks=allow_leaks,
        limit=limit,
        seed=seed,
        backgrounds=backgrounds,
        cue=cue or AUTO,
        options=tree["cue"],
        masks=str(masks) if masks else None,
        mask_format=mask_format,
        mask_name=mask_name,
        mask_background=mask_background,
    )
    audit_and_write(
        named[:-1],
        question,
        out=out,
        write=write,
        json_file=json_file,
        overwrite=overwrite,
        resume=resume,
        size=size,
        blank=blank,
        device=device,
        tell=print_audit,
    )
