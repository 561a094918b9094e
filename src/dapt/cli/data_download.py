"""`dapt data download`: get a benchmark data set."""

from __future__ import annotations

from typing import Annotated

import typer

from dapt.cli.options import PluginOption, QuietOption, RootOption, silence, split_names


def download(
    name: Annotated[str, typer.Argument(help="Name of a data set, see dapt data list.")],
    root: RootOption = None,
    plugin: PluginOption = None,
    masks: Annotated[bool, typer.Option("--masks", help="Get foreground masks too, where some are offered.")] = False,
    only: Annotated[
        str | None,
        typer.Option("--only", help="Parts, separated by commas: images, masks, split, class-names, annotations."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before downloading.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be downloaded, and stop.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Download again what is there already.")] = False,
    keep_archives: Annotated[
        bool, typer.Option("--keep-archives", help="Keep archives in .downloads once they are unpacked.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Download a benchmark data set, after showing what, how much, from where and under which licence.

    An interrupted download goes on where it stopped when the same command is given again. Where a data set has to be
    fetched by hand, the command says how.

    Examples:

      dapt data download oxford_pets --dry-run

      dapt data download oxford_pets --root /data --yes

      dapt data download oxford_pets --masks --only masks,split
    """
    silence(quiet)
    from dapt.data.catalog.fetch import fetch
    from dapt.errors import ConfigError

    parts = split_names(only) or []
    if only is not None and not parts:
        raise ConfigError("--only names no part.", todo="Name some, or leave --only out to get all but the masks.")
    fetch(
        name,
        root,
        yes=yes,
        masks=masks,
        only=parts,
        force=force,
        dry_run=dry_run,
        keep_archives=keep_archives,
    )
