"""Charts as inline SVG that follows the page's colours, readable in light and dark and for colour-blind readers.

Names in them may hold anything: they are shown as `dapt.console.visible` shows them, and `shortened`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.console import visible

# Okabe and Ito's palette, in an order that keeps neighbours apart.
COLOURS = ("#767676", "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#D55E00")
_INK = "#010203"  # stands for the page's text colour
LONGEST = 36  # letters of a name, where there is room
_END = 9  # of those at its end: there names of a family differ
_PER_INCH = 8  # letters


def shortened(name: str, inches: float = 5.0) -> str:
    """A name on one line of so many inches, its middle left out where it has more letters than that, or `LONGEST`."""
    shown, room = visible(name), min(LONGEST, int(_PER_INCH * inches))
    return shown if len(shown) <= room else f"{shown[: room - _END - 1]}…{shown[-_END:]}"


def _written(name: str, inches: float = 5.0) -> str:
    """A name for matplotlib, which would set what stands between two dollar signs as a formula."""
    return shortened(name, inches).replace("$", r"\$")


def line_chart(
    series: Mapping[str, Sequence[Sequence[float | None]]],
    *,
    x_label: str,
    y_label: str,
    size: tuple[float, float],
    known: Sequence[str] = (),
) -> str:
    """Lines over epochs 1, 2, ...: the mean of several runs, with the range between them shaded.

    Args:
        series: by name, one list of values per run; None where a value is missing.
        size: width and height in inches.
        known: all series of a family of charts, each of which then has the same colour in all of them.

    Returns:
        an ``<svg>`` element.
    """
    figure, axes = _axes(size)
    order = list(dict.fromkeys([*known, *series]))
    handles = []
    for name, runs in series.items():
        number = order.index(name)
        columns = list(zip(*runs, strict=True))
        points = [
            (place, [value for value in column if value is not None])
            for place, column in enumerate(columns, start=1)
            if any(value is not None for value in column)
        ]
        x = [place for place, _ in points]
        mean = [sum(values) / len(values) for _, values in points]
        low, high = [min(values) for _, values in points], [max(values) for _, values in points]
        tone = COLOURS[number % len(COLOURS)]
        handles += axes.plot(x, mean, color=tone, linewidth=2, marker="os^Dv"[number % 5], markersize=4)
        axes.fill_between(x, low, high, color=tone, alpha=0.2, linewidth=0)
    axes.set_xlabel(_written(x_label, size[0]))
    axes.set_ylabel(_written(y_label, size[1]))
    axes.xaxis.get_major_locator().set_params(integer=True)
    if len(series) > 1:
        _legend(axes, handles, [_written(name, size[0]) for name in series])
    return _svg(figure)


def bar_chart(
    groups: Sequence[str],
    bars: Mapping[str, Sequence[tuple[float, float | tuple[float, float]]]],
    *,
    y_label: str,
    size: tuple[float, float],
) -> str:
    """Groups of bars with their values on top.

    Args:
        groups: names along the x axis. bars: by name, mean and length of the whisker for each group: to both sides (a
            standard deviation, say), or below and above.
        size: width and height in inches.

    Returns:
        an ``<svg>`` element.
    """
    figure, axes = _axes(size)
    wide = 0.8 / len(bars)
    handles = []
    for number, values in enumerate(bars.values()):
        x = [place + (number - (len(bars) - 1) / 2) * wide for place in range(len(groups))]
        means = [mean for mean, _ in values]
        errors = [error if isinstance(error, tuple) else (error, error) for _, error in values]
        tone = COLOURS[number % len(COLOURS)]
        handles.append(
            axes.bar(x, means, wide * 0.92, color=tone, yerr=list(zip(*errors, strict=True)), ecolor=_INK, capsize=2)
        )
        for place, mean, (_, above) in zip(x, means, errors, strict=True):
            axes.text(place, mean + above + 1, f"{mean:.1f}", ha="center", va="bottom", fontsize=8, color=_INK)
    axes.set_xticks(range(len(groups)), [_written(name, size[0] / len(groups)) for name in groups])
    axes.set_ylabel(_written(y_label, size[1]))
    axes.margins(y=0.22)
    names = [_written(name, size[0]) for name in bars]
    beside = sum(len(name) + 4 for name in names) <= 12 * size[0]
    _legend(axes, handles, names, ncols=len(bars) if beside else 1, loc="upper center", fontsize=9)
    return _svg(figure)


def _legend(axes: Any, handles: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """A legend of all series; matplotlib by itself leaves out names that begin with an underscore."""
    legend = axes.legend(handles, list(map(str, range(len(names)))), frameon=False, labelcolor=_INK, **options)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)


def _axes(size: tuple[float, float]) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_INK)
    axes.tick_params(colors=_INK)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    return figure, axes


def _svg(figure: Any) -> str:
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "dapt"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    svg = re.sub("<[^>]*>", lambda tag: tag[0].replace(_INK, "currentColor"), svg[svg.index("<svg") :])
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)  # as wide as its place on the page
    return re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
