"""What runs cost: time, memory, parameters, and accuracy for it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from dapt.report.chart import Chart, key_below, log_seconds, styles_of
from dapt.report.overview.material import Material, Run
from dapt.report.overview.part import Part, PlainTable, cut
from dapt.report.overview.shots_curves import LINES, few
from dapt.report.tables.labels import there

ACCURACY, SECONDS = "test/accuracy", "timing/training_seconds"
ROWS = 150


def costs(material: Material) -> Part:
    """A table, and accuracy against training time in the setting with most rows."""
    part = Part("costs", "What it costs")
    groups = {key: runs for key, runs in material.by_setting.items() if _mean(runs, SECONDS) is not None}
    if not groups:
        part.missing = "no run holds how long it took"
        return part
    part.says.append(
        "Means over seeds. Accuracy per second: test accuracy in percent by seconds of training, without evaluation. "
        "Times tell of methods only where runs were made on the same machine with nothing beside them."
    )
    head = ("method", "data", "device", "training, s", "s/epoch", "images/s", "memory, MB", "parameters", "accuracy, %")
    rows = [_row(label, setting.words, runs) for (label, setting), runs in groups.items()]
    part.tables.append(PlainTable("Time, memory and parameters", (*head, "accuracy per second"), rows[:ROWS]))
    part.notes += cut(min(ROWS, len(rows)), len(rows), "rows")
    settings = [setting for _, setting in groups]
    main = max(dict.fromkeys(settings), key=settings.count)
    points = {
        label: (seconds, accuracy)
        for (label, setting), runs in groups.items()
        if setting == main and (seconds := _mean(runs, SECONDS)) and (accuracy := _mean(runs, ACCURACY)) is not None
    }
    if points:
        rows_shown = few(list(points), {label: accuracy for label, (_, accuracy) in points.items()})
        part.charts.append(_chart(main.words, {label: points[label] for label in rows_shown}))
        part.notes += cut(min(LINES, len(points)), len(points), "rows of the chart")
    devices = {str(run.row.get("environment/device")) for run in material.runs}
    if len(devices) > 1:
        part.notes.append(
            f"The runs were made on several devices ({', '.join(sorted(devices))}): times are not comparable."
        )
    return part


def _mean(runs: Sequence[Run], key: str) -> float | None:
    values = [float(run.row[key]) for run in runs if there(run.row.get(key))]
    return statistics.fmean(values) if values else None


def _row(label: str, words: str, runs: Sequence[Run]) -> tuple[str, ...]:
    def text(key: str, form: str = ",.1f") -> str:
        value = _mean(runs, key)
        return "–" if value is None else format(value, form)

    seconds, accuracy = _mean(runs, SECONDS), _mean(runs, ACCURACY)
    rate = f"{accuracy / seconds:.3g}" if seconds and accuracy is not None else "–"
    devices = ", ".join(dict.fromkeys(str(run.row.get("environment/device") or "–") for run in runs))
    keys = ("seconds_per_epoch", "images_per_second", "peak_memory_mb")
    timing = (text(f"timing/{key}") for key in keys)
    parameters = text("counts/trainable_parameters", ",.0f")
    return (label, words, devices, text(SECONDS), *timing, parameters, text(ACCURACY, ".2f"), rate)


def _chart(words: str, points: dict[str, tuple[float, float]]) -> Chart:
    looks = styles_of(list(points))

    def draw(axes: Any) -> None:
        handles = []
        for label, (seconds, accuracy) in points.items():
            options = {**looks[label].options(), "linestyle": "none", "markersize": 6}
            handles += axes.plot([seconds], [accuracy], **options)
        low, high = (edge(seconds for seconds, _ in points.values()) for edge in (min, max))
        if high > 10 * low:
            axes.set_xscale("log")
            log_seconds(axes.xaxis)
        axes.margins(0.15)
        axes.set_xlabel("seconds of training")
        axes.set_ylabel("test accuracy, percent")
        key_below(axes, handles, list(points))

    rows = [(label, f"{seconds:.1f}", f"{accuracy:.2f}") for label, (seconds, accuracy) in points.items()]
    says = "Test accuracy by seconds of training; up and to the left is better."
    head = ("method", "seconds", "accuracy")
    return Chart("cost", f"Accuracy for time: {words}", says, head, rows, draw, high=0.7)
