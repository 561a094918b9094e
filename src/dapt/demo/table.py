"""The demonstration's table on the terminal."""

from __future__ import annotations

from typing import Any

from dapt.demo.figures import KINDS, MEASURES, titles
from dapt.demo.setting import DemoSettings


def print_table(results: dict[str, Any]) -> None:
    """Print mean and spread of every measure: one line each, so that it fits a narrow terminal.

    Args:
        results: the content of results.json.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from dapt.console import cell

    console = Console()
    settings = DemoSettings(**results["settings"])
    plain = console.encoding.lower().replace("-", "") not in ("utf8", "utf16")
    table = Table(box=None if plain else box.SIMPLE, pad_edge=False)
    table.add_column(f"percent, {settings.seeds} seed{'s' if settings.seeds > 1 else ''}", overflow="fold")
    for title in titles(settings).values():
        table.add_column(cell(title), justify="right", overflow="fold")
    sign = "+-" if plain else "±"
    for name, head in MEASURES.items():
        cells = []
        for kind in KINDS:
            several = len(results[kind]["seeds"][name]) > 1
            cells.append(f"{results[kind][name]:.1f}" + (f" {sign}{results[kind]['std'][name]:.1f}" if several else ""))
        table.add_row(head, *cells)
    console.print(table)
