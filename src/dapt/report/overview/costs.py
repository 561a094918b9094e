"""What runs cost: time, memory, parameters, and accuracy for it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from dapt.report.chart import Chart, key_below, log_seconds, styles_of
from dapt.report.chart_style import COLOURS
from dapt.report.overview.material import Material, Run
from dapt.report.overview.part import Part, PlainTable, cut
from dapt.report.overview.shots_curves import LINES, few
from dapt.report.tables.labels import there

ACCURACY, SECONDS, BEFORE = "test/accuracy", "timing/training_seconds", "timing/preparation_seconds"
ROWS = 150
GREY = COLOURS[0]
ABOUT = ("method", "data", "device")
TOLD = ("preparing, s", "training, s", "s/epoch", "images/s", "memory, MB", "parameters", "accuracy, %", "on the front")

Points = dict[str, tuple[float, float]]


def costs(material: Material) -> Part:
    """A table, and accuracy against time in the setting with most rows; the front are those that none beats in both."""
    part = Part("costs", "What it costs")
    groups = {key: runs for key, runs in material.by_setting.items() if _seconds(runs) is not None}
    if not groups:
        part.missing = "no run holds how long it took"
        return part
    part.says.append(
        "Means over seeds. Training from nothing is preparing (texts, masks, features computed beforehand) and "
        "training, without loading the backbone and without evaluation. On the front: nothing in the same setting "
        "is as accurate in less time. Times tell of methods only where runs were made on the same machine with nothing "
        "beside them."
    )
    points: dict[Any, Points] = {}
    for (label, setting), runs in groups.items():
        seconds, accuracy = _seconds(runs), _mean(runs, ACCURACY)
        if seconds is not None and accuracy is not None:
            points.setdefault(setting, {})[label] = (seconds, accuracy)
    fronts = {setting: front(found) for setting, found in points.items()}
    rows = [
        (*_row(label, setting.words, runs), "yes" if label in fronts.get(setting, ()) else "")
        for (label, setting), runs in groups.items()
    ]
    part.tables.append(PlainTable("Time, memory and parameters", (*ABOUT, *TOLD), rows[:ROWS]))
    part.notes += cut(min(ROWS, len(rows)), len(rows), "rows")
    settings = [setting for _, setting in groups]
    main = max(dict.fromkeys(settings), key=settings.count)
    if shown := points.get(main):
        few_of_them = few(list(shown), {label: accuracy for label, (_, accuracy) in shown.items()})
        part.charts.append(_chart(main.words, {label: shown[label] for label in few_of_them}))
        part.notes += cut(min(LINES, len(shown)), len(shown), "rows of the chart")
    if any(_mean(runs, BEFORE) is None for runs in groups.values()):
        part.notes.append(
            "Some runs are of a version that did not note the time of preparing: of them training alone counts."
        )
    devices = {str(run.row.get("environment/device")) for run in material.runs}
    if len(devices) > 1:
        part.notes.append(
            f"The runs were made on several devices ({', '.join(sorted(devices))}): times are not comparable."
        )
    return part


def _mean(runs: Sequence[Run], key: str) -> float | None:
    values = [float(run.row[key]) for run in runs if there(run.row.get(key))]
    return statistics.fmean(values) if values else None


def _seconds(runs: Sequence[Run]) -> float | None:
    """Of preparing and training, the mean."""
    training = _mean(runs, SECONDS)
    return None if training is None else training + (_mean(runs, BEFORE) or 0.0)


def front(points: Points) -> list[str]:
    """The names of those that no other beats in both, or in one at equal figures in the other; fastest first.

    Args:
        points: of each name the seconds (less is better) and the accuracy (more is better).
    """
    found: list[str] = []
    best = -math.inf
    for label, (_, accuracy) in sorted(points.items(), key=lambda point: (point[1][0], -point[1][1])):
        if accuracy > best:
            found.append(label)
            best = accuracy
    return found


def _row(label: str, words: str, runs: Sequence[Run]) -> tuple[str, ...]:
    def text(key: str, form: str = ",.1f") -> str:
        value = _mean(runs, key)
        return "–" if value is None else format(value, form)

    devices = ", ".join(dict.fromkeys(str(run.row.get("environment/device") or "–") for run in runs))
    keys = ("seconds_per_epoch", "images_per_second", "peak_memory_mb")
    timing = (text(f"timing/{key}") for key in keys)
    parameters = text("counts/trainable_parameters", ",.0f")
    return (label, words, devices, text(BEFORE), text(SECONDS), *timing, parameters, text(ACCURACY, ".2f"))


def _chart(words: str, points: Points) -> Chart:
    looks = styles_of(list(points))
    best = front(points)

    def draw(axes: Any) -> None:
        handles = []
        for label, (seconds, accuracy) in points.items():
            options = {**looks[label].options(), "linestyle": "none", "markersize": 6}
            handles += axes.plot([seconds], [accuracy], **options)
        along, up = zip(*(points[label] for label in best), strict=True)
        axes.plot(along, up, color=GREY, linewidth=1, zorder=1, drawstyle="steps-post")
        low, high = (edge(seconds for seconds, _ in points.values()) for edge in (min, max))
        if high > 10 * low:
            axes.set_xscale("log")
            log_seconds(axes.xaxis)
        axes.margins(0.15)
        axes.set_xlabel("seconds of preparing and training")
        axes.set_ylabel("test accuracy, percent")
        key_below(axes, handles, list(points))

    rows = [
        (label, f"{seconds:.1f}", f"{accuracy:.2f}", "yes" if label in best else "")
        for label, (seconds, accuracy) in points.items()
    ]
    says = "Test accuracy by seconds of preparing and training; up and to the left is better, the line is the front."
    head = ("method", "seconds", "accuracy", "on the front")
    return Chart("cost", f"Accuracy for time: {words}", says, head, rows, draw, high=0.7)
