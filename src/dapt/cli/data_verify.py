"""`dapt data verify`: is a data set complete and readable?"""

from __future__ import annotations

from typing import Annotated

import typer

from dapt.cli.options import QuietOption, RootOption, silence


def verify(
    data: Annotated[str, typer.Argument(help="Name of a data set, or a folder of photos or CSV index.")],
    root: RootOption = None,
    decode: Annotated[bool, typer.Option("--decode", help="Also open every image and mask, to find damage.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, with all names of files.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Count images, classes, splits and masks, compare with what there should be, and name what is missing.

    The exit code is 0 when all is as expected, else 2.

    Examples:

      dapt data verify oxford_pets

      dapt data verify caltech101 --root /data --decode

      dapt data verify photos/ --decode --json
    """
    silence(quiet)
    import json

    from dapt.data.catalog.verify import describe
    from dapt.data.catalog.verify import verify as check
    from dapt.strict import readable

    report = check(data, root, decode=decode)
    print(
        readable(json.dumps(report.as_json(), indent=2, ensure_ascii=False, allow_nan=False))
        if as_json
        else describe(report)
    )
    if not report.good:
        raise typer.Exit(2)
