"""Classes: which gain and lose by DAPT, and which are taken for which."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.report.chart import Chart
from dapt.report.chart_style import COLOURS, INK, written
from dapt.report.decimals import DECIMALS, signed
from dapt.report.overview.material import Material, Pair, Run, Setting, class_words
from dapt.report.overview.part import Part, PlainTable, cut, slug
from dapt.wording import counted

PAIRS = 4  # pairs that are shown
ENDS = 8  # classes at each end of a chart
ROWS = 200  # classes of the table behind it
MATRIX = 10  # classes of a confusion matrix
CONFUSED = 12  # rows of the table of confusions
APART = "Of runs on base classes the base classes were answered among base classes, the novel ones among novel ones."
GAIN, LOSS = COLOURS[2], COLOURS[5]

Confusion = dict[str, Counter[str]]
Side = tuple[str, Setting, list[Run]]  # a row of tables in a setting, and its runs


def class_differences(material: Material) -> Part:
    """Of each class the accuracy with DAPT less that without."""
    part = Part("classes", "Class by class, host to DAPT")
    found = [(pair, gaps) for pair in material.pairs if (gaps := differences(pair))]
    if not found:
        part.missing = "no method was run without and with DAPT on the same data, shots and seed"
        return part
    part.says.append(
        "Accuracy of each class with DAPT less that of the same method without, in points, mean over seeds."
    )
    if any(pair.setting.subset == "base" for pair, _ in found[:PAIRS]):
        part.says.append(APART)
    for pair, gaps in found[:PAIRS]:
        part.charts.append(_chart(pair, gaps))
    part.notes += cut(min(PAIRS, len(found)), len(found), "comparisons")
    return part


def differences(pair: Pair) -> dict[str, float]:
    """By class, the greatest gain first."""
    gaps: dict[str, list[float]] = {}
    for host, dapt in pair.runs.values():
        before, after = per_class(host), per_class(dapt)
        for name, value in after.items():
            if name in before:
                gaps.setdefault(name, []).append(value - before[name])
    return dict(sorted(((name, sum(each) / len(each)) for name, each in gaps.items()), key=lambda item: -item[1]))


def per_class(run: Run) -> dict[str, float]:
    """Percent of each class that has images."""
    try:
        tree = json.loads(str(run.row.get("per_class") or "{}"))
    except (ValueError, RecursionError):
        return {}
    return {name: float(value) for name, value in tree.items() if isinstance(value, int | float)}


def _chart(pair: Pair, gaps: Mapping[str, float]) -> Chart:
    names = list(gaps)
    shown = names if len(names) <= 2 * ENDS else [*names[:ENDS], *names[-ENDS:]]
    printed = [round(gap, DECIMALS) for gap in gaps.values()]  # what is printed as 0.00 is no change
    up, down, same = (sum(test) for test in zip(*((gap > 0, gap < 0, gap == 0) for gap in printed), strict=True))

    def draw(axes: Any) -> None:
        places = range(len(shown) - 1, -1, -1)
        values = [gaps[name] for name in shown]
        axes.barh(list(places), values, color=[GAIN if value >= 0 else LOSS for value in values], height=0.75)
        inches = axes.figure.get_size_inches()[0]
        axes.set_yticks(list(places), [written(name, max(2.2, inches / 2.6)) for name in shown])
        axes.axvline(0, color=INK, linewidth=0.6)
        if len(shown) < len(names):
            axes.axhline(len(shown) - ENDS - 0.5, color=INK, linewidth=0.6, linestyle=":")
        axes.set_xlabel("points")

    says = f"Of {counted(len(names), 'class', 'classes')} {up} better, {down} worse, {same} the same."
    if len(shown) < len(names):
        says += f" Shown: the {ENDS} with the greatest gains and the {ENDS} with the greatest losses."
    rows = [(name, signed(gap)) for name, gap in list(gaps.items())[:ROWS]]
    name = f"classes-{slug(pair.label)}-{slug(pair.setting.words)}"
    words = class_words(pair.setting, [run for both in pair.runs.values() for run in both])
    title = f"{pair.label} against {pair.host}: {words}"
    return Chart(name, title, says, ("class", "points"), rows, draw, high=max(0.3, 0.055 * len(shown) + 0.14))


def confusions(material: Material) -> Part:
    """Which classes are taken for which, without and with DAPT."""
    part = Part("confusion", "What is taken for what")
    sides: list[Side] = []
    for pair in material.pairs[: PAIRS // 2]:
        sides.append((pair.host, pair.setting, [host for host, _ in pair.runs.values()]))
        sides.append((pair.label, pair.setting, [dapt for _, dapt in pair.runs.values()]))
    if not sides:
        groups = list(material.by_setting.items())[:2]
        sides = [(label, setting, runs) for (label, setting), runs in groups]
    found = [(*side, confusion_of(material, side[2])) for side in dict_of(sides)]
    found = [each for each in found if each[3]]
    if not found:
        part.missing = "the runs do not hold which classes were taken for which (older versions did not keep it)"
        return part
    part.says.append("Percent of the images of each class (rows) by answer (columns), all seeds together.")
    if any(setting.subset == "base" for _, setting, _, _ in found):
        part.says.append(APART)
    for label, setting, runs, counts in found:
        title = f"{label}: {class_words(setting, runs)}"
        part.charts.append(_matrix(f"confusion-{slug(label)}-{slug(setting.words)}", title, counts))
        part.tables.append(_confused(title, counts))
    part.notes += cut(min(PAIRS // 2, len(material.pairs)), len(material.pairs), "comparisons")
    return part


def dict_of(sides: Sequence[Side]) -> list[Side]:
    """Each label and setting once: a host may stand beside several rows."""
    return list({(label, setting): (label, setting, runs) for label, setting, runs in sides}.values())


def confusion_of(material: Material, runs: Sequence[Run]) -> Confusion:
    """Images by true class and answer, of all of these runs."""
    found: Confusion = {}
    for run in runs:
        tree = material.record(run).get("confusion")
        for true, row in tree.items() if isinstance(tree, Mapping) else ():
            found.setdefault(true, Counter()).update({said: int(number) for said, number in row.items()})
    return found


def _wrong(counts: Confusion) -> Counter[tuple[str, str]]:
    return Counter({(true, said): n for true, row in counts.items() for said, n in row.items() if said != true})


def _matrix(name: str, title: str, counts: Confusion) -> Chart:
    involved: Counter[str] = Counter()
    for (true, said), number in _wrong(counts).items():
        involved[true] += number
        involved[said] += number
    kept = {name for name, _ in involved.most_common(MATRIX)} if len(counts) > MATRIX else set(counts)
    names = [name for name in counts if name in kept]
    share = [[100 * counts[true][said] / max(1, counts[true].total()) for said in names] for true in names]

    def draw(axes: Any) -> None:
        for y, row in enumerate(share):
            for x, value in enumerate(row):
                if value:
                    tone = COLOURS[2] if x == y else COLOURS[5]
                    axes.fill(
                        [x, x + 1, x + 1, x], [y, y, y + 1, y + 1], color=tone, alpha=0.08 + 0.55 * value / 100, lw=0
                    )
                if value >= 0.5:
                    axes.text(x + 0.5, y + 0.5, f"{value:.0f}", ha="center", va="center", fontsize=6.5, color=INK)
        axes.set_xlim(0, len(names))
        axes.set_ylim(len(names), 0)
        inches = axes.figure.get_size_inches()[0]
        ticks = [place + 0.5 for place in range(len(names))]
        texts = [written(name, max(1.8, inches / 3.2)) for name in names]
        axes.set_xticks(ticks, texts, rotation=90)
        axes.set_yticks(ticks, texts)
        axes.set_xlabel("answer")
        axes.set_ylabel("true class")

    most = [f"{true} for {said} ({n})" for (true, said), n in _wrong(counts).most_common(3)]
    says = f"Most often taken wrongly: {', '.join(most)}." if most else "Nothing is taken wrongly."
    if len(names) < len(counts):
        says += f" Shown: the {len(names)} of {len(counts)} classes with most mistakes."
    rows = [(true, *(f"{value:.1f}" for value in row)) for true, row in zip(names, share, strict=True)]
    return Chart(name, title, says, ("class", *names), rows, draw, high=1.0)


def _confused(title: str, counts: Confusion) -> PlainTable:
    rows = [
        (f"{true} → {said}", str(number), f"{100 * number / max(1, counts[true].total()):.1f}")
        for (true, said), number in _wrong(counts).most_common(CONFUSED)
    ]
    head = ("true class → answer", "images", "percent of the class")
    return PlainTable(f"Most frequent mistakes of {title}", head, rows)
