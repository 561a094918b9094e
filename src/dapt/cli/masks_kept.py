"""`dapt masks kept`: the masks that training keeps of its cues."""

from __future__ import annotations

from typing import Annotated

import typer

from dapt.cli.options import QuietOption, silence


def kept(
    remove: Annotated[
        str | None, typer.Option("--remove", metavar="NAME", help="Remove one of them; all: every one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON on standard output.")] = False,
    quiet: QuietOption = False,
) -> None:
    """List the masks that training keeps of its cues in the user's cache, with their sizes, or remove them.

    Removed masks are made again by the next run that needs them. DAPT_MASKS names another place for them.

    Examples:

      dapt masks kept

      dapt masks kept --remove all
    """
    silence(quiet)
    from dapt.console import say, show, show_json
    from dapt.runs.kept_cues import stores_folder
    from dapt.runs.mask_stores import mask_stores, remove_stores
    from dapt.wording import counted

    stores = mask_stores() if remove is None else remove_stores(remove)
    total = sum(store.size for store in stores)
    if as_json:
        rows = [{"name": store.name, "images": store.images, "bytes": store.size, **store.settings} for store in stores]
        show_json({"folder": str(stores_folder()), "removed": remove is not None, "stores": rows})
        return
    for store in stores:
        images = counted(store.images, "image")
        show(f"{store.size / 1e6:10.1f} MB  {images:>16}  {store.name}")
    done = "removed" if remove is not None else "kept"
    say(f"{counted(len(stores), 'store')} of masks {done}, {total / 1e6:.1f} MB, in {stores_folder()}")
