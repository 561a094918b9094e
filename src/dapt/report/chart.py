"""One chart of results: drawn once, for the page as inline SVG and for papers as PNG and SVG files."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from dapt.console import visible
from dapt.errors import ConfigError
from dapt.files import make_folder, write_bytes
from dapt.report.chart_style import COLOURS, INK, axes_of, legend, svg_of, written

COLUMN, PAGE = 3.35, 6.9  # inches: one column and both of a paper of two
SIZES = {"1col": COLUMN, "2col": PAGE}
POINTS = 8  # of all letters
DPI = 300
MADE_BY = "dapt report"
# Of legends: letters of a name at most; inches of a letter, of a handle with its gaps, and of a line.
KEY, LETTER, HANDLE, LINE = 52, 0.056, 0.5, 0.145
_START = 4096  # bytes of a file in which its mark stands
_MARKERS = "os^Dv"
# Grey is zero-shot's alone; the others in an order that keeps neighbours apart.
_TONES = COLOURS[1:]


@dataclass(frozen=True)
class Chart:
    """What is drawn, what it is called, and the figures behind it.

    Attributes:
        name: of its files, letters and dashes. title: above it. says: what it shows, for people who do not see it.
        head, rows: the table behind it. draw: puts it onto axes of matplotlib. high: height by width.
    """

    name: str
    title: str
    says: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    draw: Callable[[Any], None]
    high: float = 0.75

    def figure(self, inches: float = COLUMN) -> Any:
        """The chart, so wide."""
        import matplotlib

        with matplotlib.rc_context({"font.size": POINTS, "axes.titlesize": POINTS, "legend.fontsize": POINTS - 1}):
            figure, axes = axes_of((inches, self.high * min(inches, 1.4 * COLUMN)))
            self.draw(axes)
        return figure

    def svg(self) -> str:
        """An ``<svg>`` element with title and description, whose ids are its own on a page of many."""
        svg = _own_ids(svg_of(self.figure()), self.name)
        told = f'<title id="{self.name}-t">{escape(visible(self.title))}</title>'
        told += f'<desc id="{self.name}-d">{escape(visible(self.says))}</desc>'
        opening = f'<svg role="img" aria-labelledby="{self.name}-t {self.name}-d"'
        return re.sub(r"<svg([^>]*)>", lambda found: f"{opening}{found[1]}>{told}", svg, count=1)

    def write(self, folder: Path) -> list[Path]:
        """Write it for papers: for one and two columns, as PNG and SVG; returns the files."""
        made = []
        for size, inches in SIZES.items():
            figure = self.figure(inches)
            for kind in ("svg", "png"):
                path = folder / f"{self.name}-{size}.{kind}"
                write_bytes(path, _file(figure, kind), make_parents=False)
                made.append(path)
        return made


def write_charts(charts: Sequence[Chart], folder: Path) -> list[Path]:
    """Write all charts into a folder, each file whole or not at all; returns the files.

    Raises:
        ConfigError: a file of one of these names is there that dapt did not make.
    """
    from dapt.console import progress

    for chart in charts:
        for size in SIZES:
            for kind in ("svg", "png"):
                _check_ours(folder / f"{chart.name}-{size}.{kind}")
    make_folder(folder)
    return [path for chart in progress(charts, len(charts), "figures", "charts") for path in chart.write(folder)]


def _check_ours(path: Path) -> None:
    try:
        there = path.is_symlink() or path.exists()
        ours = there and path.is_file() and not path.is_symlink() and MADE_BY.encode() in path.read_bytes()[:_START]
    except OSError:
        there, ours = True, False
    if there and not ours:
        raise ConfigError(
            f"{path} exists, and dapt did not make it.",
            where="--figures",
            todo="Choose another folder; nothing was written over.",
        )


def _file(figure: Any, kind: str) -> bytes:
    """A chart as the content of a file, black on white."""
    import io

    import matplotlib

    figure.patch.set_alpha(1)
    figure.patch.set_facecolor("white")
    content = io.BytesIO()
    metadata = {"Date": None, "Creator": MADE_BY} if kind == "svg" else {"Software": MADE_BY}
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "dapt", "font.size": POINTS}):
        figure.savefig(content, format=kind, dpi=DPI, metadata=metadata)
    return content.getvalue()


def _own_ids(svg: str, name: str) -> str:
    """The ids that are referred to carry the chart's name, and the others go: a page has many charts."""
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    return re.sub(r'(url\(#|href="#)', rf"\1{name}-", svg)


@dataclass(frozen=True)
class Style:
    """How a series is drawn."""

    colour: str
    marker: str
    dash: str
    filled: bool

    def options(self) -> dict[str, Any]:
        """For matplotlib's `plot`."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.dash,
            "markerfacecolor": self.colour if self.filled else "none",
            "markersize": 4,
            "linewidth": 1.5,
        }

    def of_bar(self) -> dict[str, Any]:
        """For a bar of matplotlib: open where a marker would be."""
        return {"facecolor": self.colour if self.filled else "none", "edgecolor": self.colour, "linewidth": 1.2}


def styles_of(labels: Sequence[str]) -> dict[str, Style]:
    """A style for each row of a table: a method and its rows with DAPT share a colour.

    Without DAPT a line is dashed with open markers, with DAPT it is drawn through. Zero-shot is grey. Beyond five
    methods colours come again.
    """
    hosts = list(dict.fromkeys(_host(label) for label in labels if not _is_zero_shot(label)))
    found: dict[str, Style] = {}
    seen: dict[str, int] = {}
    for label in labels:
        host, dapt = _host(label), " + DAPT" in label
        number = seen.get(host, 0)
        seen[host] = number + 1
        colour = COLOURS[0] if _is_zero_shot(label) else _TONES[hosts.index(host) % len(_TONES)]
        found[label] = Style(colour, _MARKERS[number % len(_MARKERS)], "-" if dapt else "--", dapt)
    return found


def _host(label: str) -> str:
    return label.partition(" + DAPT")[0].partition(" (")[0]


def _is_zero_shot(label: str) -> bool:
    return label.startswith("Zero-shot")


def key_below(axes: Any, handles: Sequence[Any], names: Sequence[str]) -> None:
    """A legend below the axes, in as many columns as there is room for; the figure grows by its height."""
    figure = axes.figure
    wide, high = figure.get_size_inches()
    longest = min(KEY, max((len(visible(name)) for name in names), default=1))
    columns = max(1, min(len(names), int(wide / (LETTER * longest + HANDLE))))
    letters = max(12, int((wide / columns - HANDLE) / LETTER))
    figure.set_size_inches(wide, high + LINE * math.ceil(len(names) / columns))
    texts = [written(name, letters=letters) for name in names]
    legend(figure, handles, texts, loc="outside lower center", ncols=columns, handlelength=2.2)


def log_seconds(axis: Any) -> None:
    """Few plain numbers on a logarithmic axis."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


def zero_line(axes: Any, *, upright: bool = False) -> None:
    """A thin line at zero."""
    (axes.axvline if upright else axes.axhline)(0, color=INK, linewidth=0.6)
