"""How an experiment gets on: a table on a terminal, a line for each cell elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dapt.console import cell, console, is_quiet, say
from dapt.results import Figures

if TYPE_CHECKING:
    from rich.table import Table

# Of the figures of a cell, the first that is there is shown.
MAIN = ("test/harmonic_mean", "test/accuracy", "test/mean_average_precision")
SHOWN = 12  # running cells


def main_figure(metrics: Mapping[str, Figures]) -> tuple[str, float] | None:
    """Name and value of the figure by which a cell is told, the mean over its rows; None where it has none."""
    for key in MAIN:
        values = [value for row in metrics.values() if (value := row.get(key)) is not None]
        if values:
            return key.partition("/")[2].replace("_", " "), sum(values) / len(values)
    return None


def spoken(seconds: float) -> str:
    """A duration in the two largest units: ``40 s``, ``3 min``, ``2 h 10 min``, ``3 d 4 h``."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


@dataclass
class Progress:
    """Counts of an experiment that is going on.

    Attributes:
        total: cells to carry out. epochs: of each of them, by name. before: cells that were done already.
    """

    total: int
    epochs: Mapping[str, int]
    before: int = 0
    done: int = 0
    failed: int = 0
    running: dict[str, int] = field(default_factory=dict)
    best: dict[str, tuple[float, str]] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    epochs_ended: int = 0

    def left_seconds(self) -> float | None:
        """How long it will take yet, by the epochs that were finished so far; None at the beginning."""
        whole = sum(max(count, 1) for count in self.epochs.values())
        going = sum(self.running.values())
        ended = self.epochs_ended + going
        if not ended:
            return None
        return (time.monotonic() - self.started) / ended * max(whole - ended, 0)

    def ended(self, name: str) -> None:
        """A cell has ended, one way or the other."""
        self.epochs_ended += max(self.epochs.get(name, 0), 1)
        self.running.pop(name, None)

    def take(self, group: str, name: str, metrics: Mapping[str, Figures]) -> None:
        """Note the figures of a finished cell; the best of each group is shown."""
        found = main_figure(metrics)
        if found is not None and found[1] > self.best.get(group, (-1.0, ""))[0]:
            self.best[group] = (found[1], name)

    def line(self) -> str:
        """The counts as one line."""
        left = self.left_seconds()
        parts = [f"{self.done} of {self.total} done"]
        parts += [f"{self.failed} failed"] if self.failed else []
        parts += [f"{self.before} were done before"] if self.before else []
        parts += [f"about {spoken(left)} left"] if left is not None and self.done + self.failed < self.total else []
        return ", ".join(parts)

    def table(self) -> Table:
        """What is running, and the best so far."""
        from rich.table import Table

        table = Table(title=cell(self.line()), title_justify="left", show_header=False, box=None)
        for name, epochs in list(self.running.items())[:SHOWN]:
            table.add_row(cell("running"), cell(name), cell(f"{epochs} of {self.epochs.get(name, 0)} epochs"))
        if len(self.running) > SHOWN:
            table.add_row("", cell(f"and {len(self.running) - SHOWN} more"), "")
        for group, (value, name) in list(self.best.items())[:SHOWN]:
            table.add_row(cell(f"best on {group}"), cell(name), cell(f"{value:.2f}"))
        return table


class View:
    """Shows a `Progress`."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._live: object = None

    @contextmanager
    def shown(self) -> Iterator[View]:
        """While it is shown."""
        if is_quiet() or not sys.stderr.isatty():
            yield self
            return
        from rich.live import Live

        with Live(get_renderable=self.progress.table, console=console(), refresh_per_second=2, transient=True) as live:
            self._live = live
            yield self
        self._live = None

    def tell(self, text: str) -> None:
        """A line about a cell that has ended; without a terminal with the counts behind it."""
        say(text if self._live is not None else f"{text}; {self.progress.line()}")
