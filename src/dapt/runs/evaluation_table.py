"""The figures of an evaluation as a table."""

from __future__ import annotations

from dapt.data.check.finding import count
from dapt.results import EvaluationResults

LISTED = 5  # class names below the table


def print_table(result: EvaluationResults) -> None:
    """Print the figures of `dapt.runs.evaluate_run.evaluate_saved`, with what they were taken of."""
    from rich.console import Console
    from rich.table import Table

    from dapt.console import cell

    title = f"{result.called} on {result.data} ({result.split}, {_looked_at(result)})"
    notes = _left_out(result)
    console = Console()
    caption = cell(" ".join(notes)) if notes else None
    table = Table(title=cell(title), caption=caption, min_width=min(len(title), console.width))
    table.add_column("metric")
    table.add_column("%", justify="right")
    for name, value in result.metrics.items():
        if value is not None:
            table.add_row(cell(name), f"{value:.2f}")
    console.print(table)


def _looked_at(result: EvaluationResults) -> str:
    """Images and classes; of other data, of how many."""
    counts = result.counts
    if "images_there" not in counts:
        return f"{count(counts['images'], 'image')}, {count(counts['classes'], 'class', 'classes')}"
    of = "trained classes" if result.classes == "trained" else "classes"
    return (
        f"{counts['images']} of {counts['images_there']} images, {counts['classes']} of {counts['classes_asked']} {of}"
    )


def _left_out(result: EvaluationResults) -> list[str]:
    notes: list[str] = []
    if result.unused:
        notes.append(
            "Not used: " + ", ".join(f"{count(number, 'image')} {why}" for why, number in result.unused.items()) + "."
        )
    if result.leaks:
        notes.append(f"{count(result.leaks['test_images'], 'of them was', 'of them were')} trained on.")
    if result.unknown_classes:
        there = result.counts.get("classes_there", 0)
        notes.append(
            f"{len(result.unknown_classes)} of the {count(there, 'class', 'classes')} there "
            f"{'is' if len(result.unknown_classes) == 1 else 'are'} not asked about: "
            f"{_listed(list(result.unknown_classes))}."
        )
    if result.absent_classes:
        notes.append(f"No images of: {_listed(result.absent_classes)}.")
    return notes


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
