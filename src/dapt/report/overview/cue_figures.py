"""The foreground masks of training: how many could be used, how much they cover, and where models look."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.report.chart import Chart, styles_of
from dapt.report.chart_style import COLOURS, INK, written
from dapt.report.overview.material import Material, Run, Setting
from dapt.report.overview.part import Part, PlainTable, cut
from dapt.report.overview.shots_curves import few
from dapt.report.tables.labels import there

ROWS = 24  # of a chart
LISTED = 150  # of the table
COUNTS = {"cue_empty": "empty", "cue_full": "full", "cue_missing": "missing", "cue_bad": "unreadable"}


def cue_figures(material: Material) -> Part:
    """Coverage and quality of the cues, and attention on the true foreground."""
    part = Part("cues", "Foreground masks")
    with_cue = {
        (label, setting): runs
        for (label, setting), runs in material.by_setting.items()
        if any(there(run.row.get("counts/cue_images")) for run in runs)
    }
    if with_cue:
        head = ("method", "data", "cue", "masks", "usable, %", *COUNTS.values(), "covered, % (p10 to p90)")
        rows = [_row(material, label, setting, runs) for (label, setting), runs in with_cue.items()]
        part.tables.append(PlainTable("Masks of the training images, mean over seeds", head, rows[:LISTED]))
        part.notes += cut(min(LISTED, len(rows)), len(rows), "rows of the table")
        coverage = _coverage(material, with_cue)
        part.charts += [coverage] if coverage else []
    attention = _attention(material)
    part.charts += [attention[0]] if attention else []
    if attention:
        part.notes += cut(len(attention[0].rows), attention[1], "rows with attention figures")
    if not part.shown:
        part.missing = "no run has foreground masks, in training or of its test images"
        return part
    if with_cue and len(part.charts) < 2:
        part.notes.append(
            "Runs of older versions did not keep how much masks cover; attention needs true masks of test images."
        )
    part.notes.append("How good masks are against true ones is told by dapt masks with --against; runs do not hold it.")
    return part


def _row(material: Material, label: str, setting: Setting, runs: Sequence[Run]) -> tuple[str, ...]:
    def mean(key: str) -> float | None:
        values = [float(run.row[key]) for run in runs if there(run.row.get(key))]
        return statistics.fmean(values) if values else None

    def text(key: str) -> str:
        value = mean(key)
        return "–" if value is None else f"{value:.3g}"

    total, good = mean("counts/cue_images"), mean("counts/cue_usable")
    cues = ", ".join(dict.fromkeys(str(run.row.get("cue")) for run in runs if there(run.row.get("cue"))))
    usable = f"{100 * good / total:.1f}" if total and good is not None else "–"
    covered = quantiles_of(material, runs)
    told = "–" if covered is None else f"{covered['mean']:.0f} ({covered['p10']:.0f} to {covered['p90']:.0f})"
    counts = (text(f"counts/{key}") for key in COUNTS)
    return (label, setting.words, cues or "–", f"{total or 0:.0f}", usable, *counts, told)


def quantiles_of(material: Material, runs: Sequence[Run]) -> dict[str, float] | None:
    """Mean over runs of what their masks cover, in percent; None where they do not say."""
    records = [material.record(run).get("cue_coverage") for run in runs]
    known = [each for each in records if isinstance(each, Mapping) and {"mean", "p10", "p90"} <= set(each)]
    if not known:
        return None
    return {key: statistics.fmean(float(each[key]) for each in known) for key in ("mean", "p10", "p90")}


def _coverage(material: Material, groups: Mapping[tuple[str, Setting], Sequence[Run]]) -> Chart | None:
    found = {
        f"{label}, {setting.words}": quantiles
        for (label, setting), runs in groups.items()
        if (quantiles := quantiles_of(material, runs)) is not None
    }
    if not found:
        return None
    names = list(found)[:ROWS]

    def draw(axes: Any) -> None:
        for place, name in enumerate(reversed(names)):
            each = found[name]
            axes.plot([each["p10"], each["p90"]], [place, place], color=COLOURS[2], linewidth=3, alpha=0.5)
            axes.plot([each["mean"]], [place], color=COLOURS[2], marker="o", markersize=5)
        _names(axes, names)
        axes.set_xlim(0, 100)
        axes.set_xlabel("percent of the picture")

    rows = [(name, *(f"{found[name][key]:.1f}" for key in ("mean", "p10", "p90"))) for name in names]
    says = (
        "How much of the picture masks cover: the dot is the mean, the bar spans the middle four fifths of the images."
    )
    head = ("method", "mean", "p10", "p90")
    return Chart("cue-coverage", "What masks cover", says, head, rows, draw, high=_high(names))


def _attention(material: Material) -> tuple[Chart, int] | None:
    """A chart of the setting in which most rows have such figures, and how many rows there are."""
    key = "cue/foreground_attention"
    found: dict[Setting, dict[str, list[float]]] = {}
    for (label, setting), runs in material.by_setting.items():
        values = [float(run.row[key]) for run in runs if there(run.row.get(key))]
        if values:
            found.setdefault(setting, {})[label] = values
    if not found:
        return None
    main = max(found, key=lambda setting: len(found[setting]))
    total = len(found[main])
    means = {name: statistics.fmean(values) for name, values in found[main].items()}
    names = few(list(means), means, ROWS)
    spread = {name: statistics.pstdev(found[main][name]) for name in names}

    def draw(axes: Any) -> None:
        places = list(range(len(names) - 1, -1, -1))
        looks = styles_of(names)
        for place, name in zip(places, names, strict=True):
            axes.barh(
                [place], [means[name]], xerr=[spread[name]], ecolor=INK, height=0.7, capsize=2, **looks[name].of_bar()
            )
        _names(axes, names)
        axes.set_xlabel("percent of the attention")

    rows = [(name, f"{means[name]:.2f}", f"{spread[name]:.2f}") for name in names]
    says = (
        "Share of the class token's attention that falls on the true foreground of test images; more is better. Open "
        "bars: without DAPT."
    )
    head = ("method", "percent", "± over seeds")
    title = f"Attention on the foreground: {main.words}"
    chart = Chart("attention", title, says, head, rows, draw, high=_high(names))
    return chart, total


def _names(axes: Any, names: Sequence[str]) -> None:
    inches = axes.figure.get_size_inches()[0]
    letters = int(inches * 9)
    axes.set_yticks(range(len(names)), [_on_two_lines(name, letters) for name in reversed(names)])
    for text in axes.get_yticklabels():
        text.set(linespacing=0.9, fontsize=6.5)


def _on_two_lines(name: str, letters: int) -> str:
    """A name, broken before what stands in brackets at its end where it has more letters than that."""
    start, bracket, rest = name.partition(" (")
    if len(name) <= letters or not bracket:
        return written(name, letters=letters)
    return f"{written(start, letters=letters)}\n{written('(' + rest, letters=letters)}"


def _high(names: Sequence[str]) -> float:
    return 0.2 + 0.07 * len(names)
