"""`dapt data verify`: is a data set complete and readable?"""

from __future__ import annotations

from typing import Annotated

import typer

from dapt.cli.options import (
    BitsOption,
    MaxPixelsOption,
    PluginOption,
    QuietOption,
    RootOption,
    at_home,
    silence,
)


def verify(
    data: Annotated[
        str, typer.Argument(help="Name of a data set, or a folder of photos or CSV index.", callback=at_home)
    ],
    root: RootOption = None,
    plugin: PluginOption = None,
    decode: Annotated[bool, typer.Option("--decode", help="Also open every image and mask, to find damage.")] = False,
    max_pixels: MaxPixelsOption = None,
    bits: BitsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, with all names of files.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Count images, classes, splits and masks, compare with what there should be, and name what is missing.

    The exit code is 0 when all files are as expected, else 2. Whether they are fit to train on says dapt data check.

    Examples:

      dapt data verify oxford_pets

      dapt data verify caltech101 --root /data --decode

      dapt data verify photos/ --decode --json
    """
    silence(quiet)
    from dapt.console import show_json
    from dapt.data.verify import describe
    from dapt.data.verify import verify as check

    report = check(data, root, decode=decode)
    if as_json:
        show_json(report.as_json())
    else:
        print(describe(report))
    if not report.good:
        raise typer.Exit(2)
