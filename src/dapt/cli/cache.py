"""`dapt cache`: what runs keep for later ones in the user's cache."""

from __future__ import annotations

from typing import Annotated

import typer

from dapt.cli.options import QuietOption, silence


def cache(
    remove: Annotated[
        str | None,
        typer.Option(
            "--remove", metavar="NAME", help="Remove features, masks, linear, all, or what is kept under a name."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON on standard output.")] = False,
    quiet: QuietOption = False,
) -> None:
    """List what runs keep for later ones in the user's cache, with sizes, or remove it.

    Features of frozen backbones (--set features=auto; docs/features.md), masks of cues (dapt masks kept), and linear:
    which library was measured to multiply faster on this processor (docs/performance.md). What is removed is made, or
    measured, again by the next run that needs it. DAPT_FEATURES and DAPT_MASKS name other places.

    Examples:

      dapt cache

      dapt cache --remove features

      dapt cache --remove linear
    """
    silence(quiet)
    from dapt.clip.linear_kept import times_folder
    from dapt.console import say, show, show_json
    from dapt.runs.kept_cues import stores_folder
    from dapt.runs.kept_features import features_folder
    from dapt.runs.kept_files import kept_files, remove_kept

    found = kept_files() if remove is None else remove_kept(remove)
    places = {"features": features_folder(), "masks": stores_folder(), "linear": times_folder()}
    folders = {kind: str(folder) for kind, folder in places.items()}
    if as_json:
        rows = [{"kind": each.kind, "of": each.of, "files": each.files, "bytes": each.size} for each in found]
        show_json({"folders": folders, "removed": remove is not None, "kept": rows})
        return
    for each in found:
        show(f"{each.size / 1e6:10.1f} MB  {each.files:>7,} files  {each.kind:<8}  {each.of}")
    total = sum(each.size for each in found) / 1e6
    done = "removed" if remove is not None else "kept"
    say(f"{total:.1f} MB {done}; " + ", ".join(f"{kind} in {folder}" for kind, folder in folders.items()))
