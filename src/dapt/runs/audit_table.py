"""The figures of an audit as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dapt.data.check.finding import count
from dapt.evaluation.audit.variants import NEXT, RAND

DISTINCT = 0.05  # two-sided


def shown(figure: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """A figure with its interval, in percent: ``81.2 [78.4, 84.0]``."""
    if figure is None or figure["value"] is None:
        return "-"
    form = "{:+.1f}" if signed else "{:.1f}"
    value, low, high = (form.format(figure[key]) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def guess_note(record: Mapping[str, Any]) -> str:
    """What stands beside all figures where masks are guesses; empty where they are not."""
    return f"Masks are guesses {record['masks']['words']}." if record["masks"]["guessed"] else ""


def lines_of_figures(record: Mapping[str, Any], *, brief: bool = False) -> list[tuple[str, list[str]]]:
    """Every figure of the models: its name, and one cell for each model.

    Args:
        brief: for narrow terminals, by the names that docs/audit.md explains.
    """
    models = record["models"]
    rows = [
        (
            name if brief or name == each["title"] else f"{name}: {each['title']}",
            [shown(m["accuracy"][name]) for m in models],
        )
        for name, each in record["variants"].items()
    ]
    for key, title in (
        ("bg_gap", "BG-gap" if brief else "BG-gap (mixed_same - mixed_rand)"),
        ("changed", "answers changed" if brief else "answers changed by mixed_rand"),
        ("lost", "right answers lost" if brief else "right answers lost by mixed_rand"),
    ):
        if all(key in model for model in models):
            rows.append((title, [shown(model[key]) for model in models]))
    for key in (RAND, NEXT):
        if all(key in model["taken_for_background"] for model in models):
            rows.append(
                (
                    f"{key}: says background" if brief else f"{key} taken for the background's class",
                    [shown(m["taken_for_background"][key]) for m in models],
                )
            )
    for place, size in enumerate(("small", "medium", "large")):
        parts = [model["by_size"][place] for model in models]
        low, high = parts[0]["from_percent"], parts[0]["to_percent"]
        title = f"original, {size} objects ({low:.0f} to {high:.0f}% of the picture)"
        title = f"{size} ({low:.0f}-{high:.0f}%): original" if brief else title
        rows.append((title, [shown(part["accuracy"]["original"]) for part in parts]))
        if all("bg_gap" in part for part in parts):
            rows.append(
                (
                    f"{size}: BG-gap" if brief else f"BG-gap, {size} objects",
                    [shown(part["bg_gap"]) for part in parts],
                )
            )
    return rows


def compared(record: Mapping[str, Any]) -> list[str]:
    """One sentence for each pair of models and figure."""
    told = []
    for pair in record["comparisons"]:
        head = f"{pair['second']} against {pair['first']}"
        parts = []
        for variant in ("original", RAND):
            if variant in pair["accuracy"]:
                p = pair["mcnemar"][variant]["p"]
                parts.append(f"{variant} {shown(pair['accuracy'][variant], signed=True)}, McNemar p = {p:.3g}")
        if "bg_gap" in pair:
            parts.append(f"BG-gap {shown(pair['bg_gap'], signed=True)}")
        told.append(f"{head}: {'; '.join(parts)}.")
    return told


def print_audit(record: Mapping[str, Any]) -> None:
    """Print the figures of all models on standard output, and how they compare."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from dapt.console import cell, show

    title = (
        f"{record['data']} ({record['split']}, {count(record['images'], 'image')}, "
        f"{count(len(record['classes']), 'class', 'classes')}): how much hangs on the background"
    )
    notes = ["Percent, with 95% bootstrap intervals.", guess_note(record)]
    console = Console()
    plain = console.encoding.lower().replace("-", "") not in ("utf8", "utf16")
    shape = None if plain else box.SIMPLE
    caption = cell(" ".join(filter(None, notes)))
    width = min(len(title), console.width)
    table = Table(box=shape, pad_edge=False, title=cell(title), caption=caption, min_width=width)
    table.add_column("percent", overflow="fold")
    for model in record["models"]:
        table.add_column(cell(model["name"]), justify="right", overflow="fold")
    for name, cells in lines_of_figures(record, brief=True):
        table.add_row(cell(name), *cells)
    console.print(table)
    show(*compared(record))
