"""`dapt data list`: what benchmark data sets there are."""

from __future__ import annotations

from dapt.cli.options import PluginOption, RootOption


def list_data(root: RootOption = None, plugin: PluginOption = None) -> None:
    """List the benchmark data sets, with what is found on disk.

    Examples:

      dapt data list

      dapt data list --root /data
    """
    from dapt.data.catalog.base import data_root
    from dapt.data.catalog.card import overview

    print(overview(data_root(root)))
