"""How runs learned: every term of the loss, and the accuracy, by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dapt.report.chart import Chart, Style, key_below, styles_of
from dapt.report.chart_style import COLOURS
from dapt.report.overview.material import Material, Run, Setting
from dapt.report.overview.part import Part, cut, slug

MOST = 12  # charts of terms
LINES = 10  # lines of one chart
SEEDS = 5  # of one line
TERMS = ("loss", "L_")
ACCURACIES = ("train/accuracy", "val/accuracy")

Curves = dict[str, list[list[float | None]]]  # by name, of each run a value per epoch


def learning_curves(material: Material) -> Part:
    """A chart of all terms for each row of the tables, and one of the accuracies of all."""
    part = Part("learning", "How they learned")
    chosen = _chosen(material)
    found: list[tuple[str, Setting, Curves]] = []
    for label, setting, runs in chosen:
        curves = curves_of([material.lines(run) for run in runs[:SEEDS]])
        if any(_is_term(name) for name in curves):
            found.append((label, setting, curves))
        if len(found) == MOST:
            break
    if not found:
        part.missing = "no run holds epochs (metrics.jsonl): nothing was trained, or the files are not there"
        return part
    part.says.append(
        "Mean over seeds, the range between them shaded. Each chart is of the setting of a method with most runs."
    )
    for label, setting, curves in found:
        terms = {name: runs for name, runs in curves.items() if _is_term(name)}
        looks = {name: _look(number) for number, name in enumerate(terms)}
        part.charts.append(_chart(f"curves-{slug(label)}", f"{label}: {setting.words}", "loss", terms, looks))
    main = max({setting for _, setting, _ in found}, key=lambda each: sum(each == other for _, other, _ in found))
    for key in ACCURACIES:
        lines = {label: curves[key] for label, setting, curves in found if setting == main and key in curves}
        lines = dict(list(lines.items())[:LINES])
        if lines:
            what = "training" if key.startswith("train") else "validation"
            title = f"Accuracy on {what} images: {main.words}"
            part.charts.append(_chart(f"curves-{what}-accuracy", title, "percent", lines, styles_of(list(lines))))
    part.notes += cut(len(found), len({label for label, _, _ in chosen}), "rows")
    return part


def _chosen(material: Material) -> list[tuple[str, Setting, list[Run]]]:
    """Of each label the setting with most runs; rows of pairs come first."""
    paired = [label for pair in material.pairs for label in (pair.host, pair.label)]
    found = []
    for label in dict.fromkeys([*paired, *material.labels]):
        settings = {setting: runs for (name, setting), runs in material.by_setting.items() if name == label}
        setting = max(settings, key=lambda each: (len(settings[each]), each.shots))
        found.append((label, setting, settings[setting]))
    return found


def curves_of(runs: Sequence[Sequence[Mapping[str, Any]]]) -> Curves:
    """Terms and accuracies by name: of each run one value per epoch, None where it has none."""
    length = max((int(line["epoch"]) for lines in runs for line in lines), default=0)
    names = dict.fromkeys(
        name for lines in runs for line in lines for name in line if _is_term(name) or name in ACCURACIES
    )
    found: Curves = {name: [] for name in names}
    for lines in runs:
        by_epoch = {int(line["epoch"]): line for line in lines}
        for name in names:
            found[name].append([_number(by_epoch.get(epoch, {}).get(name)) for epoch in range(1, length + 1)])
    return found


def _look(number: int) -> Style:
    """Of one term of several: a colour of its own, and a dash where the colours begin again."""
    again = number >= len(COLOURS)
    return Style(COLOURS[number % len(COLOURS)], "os^Dv"[number % 5], "--" if again else "-", not again)


def _is_term(name: str) -> bool:
    return name.startswith(TERMS)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value == value else None


def _chart(name: str, title: str, unit: str, lines: Curves, looks: Mapping[str, Style]) -> Chart:
    means = {key: [_mean(column) for column in zip(*runs, strict=True)] for key, runs in lines.items()}
    epochs = max(map(len, means.values()))
    last = [(key, values[-1]) for key, values in means.items() if values and values[-1] is not None]

    def draw(axes: Any) -> None:
        handles = []
        for key, runs in lines.items():
            columns = [[value for value in column if value is not None] for column in zip(*runs, strict=True)]
            x = [place for place, column in enumerate(columns, start=1) if column]
            kept = [column for column in columns if column]
            mean = [sum(column) / len(column) for column in kept]
            options = {**looks[key].options(), "markersize": 3 if len(x) <= 20 else 0}
            handles += axes.plot(x, mean, **options)
            if any(len(column) > 1 for column in kept):
                low, high = [min(column) for column in kept], [max(column) for column in kept]
                axes.fill_between(x, low, high, color=looks[key].colour, alpha=0.2, linewidth=0)
        axes.set_xlabel("epoch")
        axes.set_ylabel(unit)
        axes.xaxis.get_major_locator().set_params(integer=True)
        key_below(axes, handles, list(lines))

    rows = [
        (str(epoch), *(_text(values[epoch - 1] if epoch <= len(values) else None) for values in means.values()))
        for epoch in range(1, epochs + 1)
    ]
    told = ", ".join(f"{key} {value:.3g}" for key, value in last)
    return Chart(name, title, f"By epoch. At the end: {told}.", ("epoch", *lines), rows, draw)


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _mean(column: Sequence[float | None]) -> float | None:
    there = [value for value in column if value is not None]
    return sum(there) / len(there) if there else None
