"""`dapt data info`: everything about one benchmark data set."""

from __future__ import annotations

from typing import Annotated

import typer

from dapt.cli.options import PluginOption, RootOption


def info(
    name: Annotated[str, typer.Argument(help="Name of a data set, see dapt data list.")],
    root: RootOption = None,
    plugin: PluginOption = None,
) -> None:
    """Show a data set: paper, licence, counts, split rule, prompt template, masks, places on disk and sources.

    Example:

      dapt data info oxford_pets
    """
    from dapt.data.catalog.base import CATALOG, data_root
    from dapt.data.catalog.card import card

    print(card(CATALOG.get(name), data_root(root)))
