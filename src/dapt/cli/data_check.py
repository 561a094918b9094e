"""`dapt data check`: is data fit to learn from?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapt.cli.options import (
    MaxPixelsOption,
    NamesOption,
    OwnSplitOption,
    PluginOption,
    QuietOption,
    RootOption,
    at_home,
    silence,
)


def check(
    data: Annotated[
        str, typer.Argument(help="Folder of photos, CSV index, name of a data set, or hf:OWNER/NAME.", callback=at_home)
    ],
    model: Annotated[
        str,
        typer.Option("--model", help="Backbone that is to read the class names; only its tokenizer is looked at."),
    ] = "ViT-B-16/openai",
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write all findings with all names to this file.", callback=at_home),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page that shows the pictures to this file.", callback=at_home),
    ] = None,
    names: NamesOption = None,
    split_file: Annotated[
        Path | None,
        typer.Option("--split-file", help="JSON split file to use instead of the data's own split.", callback=at_home),
    ] = None,
    root: RootOption = None,
    own_split: OwnSplitOption = False,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep what was seen in images for the next check.")
    ] = True,
    plugin: PluginOption = None,
    max_pixels: MaxPixelsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Look at everything that makes figures wrong in silence, and say what to do about it.

    Looked for: equal and near-equal images across splits and classes, files listed twice, class names that a model
    cannot tell apart or does not know, classes without images, unbalanced classes, unreadable, tiny, long, turned,
    grey and empty pictures. docs/data.md lists all findings.

    Exit code 0: no errors (warnings and notes may be there). Exit code 2: errors, which are images in more than one
    split or class, unreadable files, no training images at all or of a class, and names too long for the model. A
    killed check goes on where it was when the same command is given again.

    Examples:

      dapt data check photos/

      dapt data check photos/ --model demo --html check.html --json check.json

      dapt data check oxford_pets --root /data
    """
    silence(quiet)
    from dapt.report.data_check import check_and_write

    report = check_and_write(
        data,
        model=model,
        json_file=json_file,
        html_file=html,
        names=str(names) if names else None,
        split_file=str(split_file) if split_file else None,
        root=root,
        own_split=own_split,
        cache=cache,
    )
    from dapt.data.check.check_data import describe

    print(describe(report))
    if not report.good:
        raise typer.Exit(2)
