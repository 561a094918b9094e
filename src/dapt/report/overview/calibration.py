"""How right probabilities are: accuracy by confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dapt.report.chart import Chart, key_below, styles_of
from dapt.report.chart_style import INK
from dapt.report.overview.material import Material, Run, Setting
from dapt.report.overview.part import Part, cut, slug
from dapt.report.tables.labels import there

SETTINGS, LINES = 4, 6

Bins = list[tuple[float, float, int]]  # confidence and accuracy in percent, images


def calibration(material: Material) -> Part:
    """A diagram for each setting (Guo et al. 2017, arXiv 1706.04599)."""
    part = Part("calibration", "How right probabilities are")
    groups: dict[Setting, dict[str, Bins]] = {}
    for (label, setting), runs in material.by_setting.items():
        if len(groups) == SETTINGS and setting not in groups:
            continue
        bins = bins_of([material.record(run).get("calibration") for run in runs])
        if bins:
            groups.setdefault(setting, {})[label] = bins
    if not groups:
        part.missing = "the runs do not hold accuracy by confidence (older versions did not keep it)"
        return part
    part.says.append(
        "Accuracy of the images by the probability of their prediction, all seeds together; on the thin line both are "
        "equal, below it a model is too sure. Bins of fewer than 5 images are left out."
    )
    every = list({setting for _, setting in material.by_setting})
    for setting, lines in groups.items():
        kept = dict(list(lines.items())[:LINES])
        part.charts.append(_chart(setting, kept, material))
        part.notes += cut(len(kept), len(lines), f"rows of {setting.words}")
    part.notes += cut(len(groups), len(every), "settings")
    return part


def bins_of(records: Sequence[Any]) -> Bins:
    """The bins of several runs as one, in the order of confidence."""
    found: dict[int, list[float]] = {}
    for record in records:
        for row in record if isinstance(record, list) else ():
            if isinstance(row, Mapping) and row.get("images"):
                place = min(14, int(float(row["confidence"]) * 15 / 100))
                sums = found.setdefault(place, [0.0, 0.0, 0.0])
                images = float(row["images"])
                sums[0] += images * float(row["confidence"])
                sums[1] += images * float(row["accuracy"])
                sums[2] += images
    rows = [(sure / images, right / images, int(images)) for _, (sure, right, images) in sorted(found.items())]
    return [row for row in rows if row[2] >= 5]


def _chart(setting: Setting, lines: Mapping[str, Bins], material: Material) -> Chart:
    looks = styles_of(list(lines))

    def draw(axes: Any) -> None:
        axes.plot([0, 100], [0, 100], color=INK, linewidth=0.6)
        handles = []
        for label, bins in lines.items():
            handles += axes.plot(
                [sure for sure, _, _ in bins], [right for _, right, _ in bins], **looks[label].options()
            )
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.set_xlabel("confidence, percent")
        axes.set_ylabel("accuracy, percent")
        key_below(axes, handles, list(lines))

    errors = {label: _error(material.by_setting[label, setting]) for label in lines}
    told = [f"{label} {error:.1f}" for label, error in errors.items() if error is not None]
    says = f"Expected calibration error in percent: {', '.join(told)}." if told else "Accuracy by confidence."
    rows = [
        (label, f"{sure:.0f}", f"{right:.1f}", str(images))
        for label, bins in lines.items()
        for sure, right, images in bins
    ]
    head = ("method", "confidence", "accuracy", "images")
    return Chart(f"calibration-{slug(setting.words)}", setting.words, says, head, rows, draw, high=0.95)


def _error(runs: Sequence[Run]) -> float | None:
    values = [float(run.row["test/calibration_error"]) for run in runs if there(run.row.get("test/calibration_error"))]
    return sum(values) / len(values) if values else None
