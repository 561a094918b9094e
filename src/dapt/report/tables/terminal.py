"""Tables on the terminal: numbers and words stay whole, however narrow it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dapt.report.tables.formats import Shown

if TYPE_CHECKING:
    from rich.text import Text

FRAME = 3  # columns of the terminal that a column takes beside its text
WORD = 24  # letters of a name's word that are never broken
# Before what a cell begins another line where a table is too wide, and the best and second of a column.
BREAKS = (" ±", " [", " p ")
STYLES = {1: "bold", 2: "underline"}


def print_rich(shown: Shown) -> None:
    """The table on the terminal; the best bold, the second underlined.

    Where it is wider than the terminal, spread, interval and p-value stand on lines of their own, and names break
    between words. Where that is not enough, it is as wide as its numbers need, and the terminal breaks its lines.
    """
    from rich.console import Console
    from rich.table import Table

    from dapt.console import cell, show, visible

    head = ["method", *map(visible, shown.head())]
    rows = [[visible(row), *shown.texts(row, lambda text, _: text)] for row in shown.grid.rows]
    console = Console()
    longest = _longest(head, rows)
    if _whole(longest) > console.width:
        rows = [[row[0], *map(_stacked, row[1:])] for row in rows]
        longest = _longest(head, rows)
    least = [max(_word(row[place], name=place == 0) for row in [head, *rows]) for place in range(len(head))]
    for place in range(1, len(shown.grid.columns) + 1):
        least[place] = longest[place]
    widths = _widths(least, longest, console.width)
    table = Table(title=cell(shown.grid.title), title_justify="left")
    for place, name in enumerate(head):
        table.add_column(cell(name), justify="right" if place else "left", overflow="fold", width=widths[place])
    for name, texts in zip(shown.grid.rows, rows, strict=True):
        table.add_row(*(_styled(shown, name, place, text) for place, text in enumerate(texts)))
    Console(width=max(console.width, _whole(widths))).print(table)
    show(*shown.grid.notes)


def _styled(shown: Shown, row: str, place: int, text: str) -> Text:
    """A cell as rich shows it: the best of its column bold, the second underlined."""
    from rich.text import Text

    columns = shown.grid.columns
    found = shown.grid.cells.get((row, columns[place - 1])) if 0 < place <= len(columns) else None
    return Text(text, style=STYLES.get(found.rank if found else 0, ""))


def _stacked(text: str) -> str:
    """A figure with spread, interval and p-value on lines of their own."""
    for start in BREAKS:
        text = text.replace(start, "\n" + start.lstrip())
    return text


def _wide(text: str) -> int:
    """Columns of the terminal that the longest line of a text takes."""
    from rich.cells import cell_len

    return max(cell_len(line) for line in text.split("\n"))


def _word(text: str, name: bool) -> int:
    """Columns that the longest word takes; of a name those of `WORD` at most."""
    longest = max((_wide(word) for word in text.split()), default=1)
    return min(longest, WORD) if name else longest


def _longest(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Of each column the width of its longest line."""
    return [max(_wide(row[place]) for row in [head, *rows]) for place in range(len(head))]


def _widths(least: Sequence[int], longest: Sequence[int], room: int) -> list[int]:
    """Widths of columns: the least, and what room there is beyond goes to those that are not as wide as they could be.

    rich does not keep to the least width of a column that may break its lines.
    """
    widths = list(least)
    while _whole(widths) < room and (places := [place for place, wide in enumerate(widths) if wide < longest[place]]):
        narrowest = min(places, key=lambda place: widths[place])
        widths[narrowest] += 1
    return widths


def _whole(widths: Sequence[int]) -> int:
    """How wide a table is whose columns are so wide."""
    return sum(width + FRAME for width in widths) + 1
