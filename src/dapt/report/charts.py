"""Charts of one colour per series as inline SVG, for the pages of `dapt demo` and `dapt audit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dapt.report.chart_style import COLOURS as COLOURS
from dapt.report.chart_style import INK, axes_of, legend, svg_of, written
from dapt.report.chart_style import LONGEST as LONGEST
from dapt.report.chart_style import shortened as shortened


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
    figure, axes = axes_of(size)
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
    axes.set_xlabel(written(x_label, size[0]))
    axes.set_ylabel(written(y_label, size[1]))
    axes.xaxis.get_major_locator().set_params(integer=True)
    if len(series) > 1:
        legend(axes, handles, [written(name, size[0]) for name in series])
    return svg_of(figure)


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
    figure, axes = axes_of(size)
    wide = 0.8 / len(bars)
    handles = []
    for number, values in enumerate(bars.values()):
        x = [place + (number - (len(bars) - 1) / 2) * wide for place in range(len(groups))]
        means = [mean for mean, _ in values]
        errors = [error if isinstance(error, tuple) else (error, error) for _, error in values]
        tone = COLOURS[number % len(COLOURS)]
        handles.append(
            axes.bar(x, means, wide * 0.92, color=tone, yerr=list(zip(*errors, strict=True)), ecolor=INK, capsize=2)
        )
        for place, mean, (_, above) in zip(x, means, errors, strict=True):
            axes.text(place, mean + above + 1, f"{mean:.1f}", ha="center", va="bottom", fontsize=8, color=INK)
    axes.set_xticks(range(len(groups)), [written(name, size[0] / len(groups)) for name in groups])
    axes.set_ylabel(written(y_label, size[1]))
    axes.margins(y=0.22)
    names = [written(name, size[0]) for name in bars]
    beside = sum(len(name) + 4 for name in names) <= 12 * size[0]
    legend(axes, handles, names, ncols=len(bars) if beside else 1, loc="upper center", fontsize=9)
    return svg_of(figure)
