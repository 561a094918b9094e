"""The figures of an audit as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dapt.data.check.finding import count
from dapt.evaluation.audit.variants import NEXT, RAND, SAME

DISTINCT = 0.05  # two-sided

SAYS_BACKGROUND = "taken for the background's class (says background)"


def shown(figure: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """A figure with its interval, in percent: ``81.2 [78.4, 84.0]``."""
    if figure is None or figure["value"] is None:
        return "-"
    form = "{:+.1f}" if signed else "{:.1f}"
    value, low, high = (form.format(round(figure[key], 1) + 0.0) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def guess_note(record: Mapping[str, Any]) -> str:
    """What stands beside all figures where masks are guesses; empty where they are not."""
    return f"Masks are guesses {record['masks']['words']}." if record["masks"]["guessed"] else ""


def asked_words(record: Mapping[str, Any]) -> str:
    """Which part of the data is asked about: a split, the share that dapt made for tests, or all of it."""
    split = record["split"]
    if split == "all":
        return "undivided" if record["divided"] else "all splits"
    return f"the {split} share that dapt made" if record["divided"] else str(split)


class Line(NamedTuple):
    """A figure of all models: its name, and for each model a cell and the number of images that it is over."""

    name: str
    cells: list[str]
    numbers: list[int]

    @property
    def n(self) -> str:
        """The number of images: one where it is the same for all models."""
        return "/".join(map(str, self.numbers if len(set(self.numbers)) > 1 else self.numbers[:1]))


def lines_of_figures(record: Mapping[str, Any], *, brief: bool = False) -> list[Line]:
    """Every figure of the models.

    Args:
        brief: for narrow terminals, by the names that docs/audit.md explains.
    """
    models = record["models"]

    def line(name: str, figures: Sequence[Mapping[str, Any]]) -> Line:
        return Line(name, [shown(figure) for figure in figures], [figure["images"] for figure in figures])

    rows = [
        line(
            name if brief or name == each["title"] else f"{name}: {each['title']}",
            [model["accuracy"][name] for model in models],
        )
        for name, each in record["variants"].items()
    ]
    for key, title in (
        ("bg_gap", "BG-gap" if brief else "BG-gap (mixed_same - mixed_rand)"),
        ("changed", "answers changed" if brief else "answers changed by mixed_rand"),
        ("lost", "right answers lost" if brief else "right answers lost by mixed_rand"),
    ):
        if all(key in model for model in models):
            rows.append(line(title, [model[key] for model in models]))
    for variant in (RAND, NEXT):
        for key, title in (
            (
                "taken_for_background",
                "{}: says background" if brief else "{} taken for the background's class (says background)",
            ),
            (
                "same_answer_to_original",
                "  the same of original" if brief else "  of these, originals taken for that class",
            ),
        ):
            if all(variant in model[key] for model in models):
                rows.append(line(title.format(variant), [model[key][variant] for model in models]))
    for place, size in enumerate(("small", "medium", "large")):
        parts = [model["by_size"][place] for model in models]
        low, high = parts[0]["from_percent"], parts[0]["to_percent"]
        title = f"original, {size} objects ({low:.0f} to {high:.0f}% of the picture)"
        title = f"{size} ({low:.0f}-{high:.0f}%): original" if brief else title
        rows.append(line(title, [part["accuracy"]["original"] for part in parts]))
        if all("bg_gap" in part for part in parts):
            title = f"{size}: BG-gap" if brief else f"BG-gap, {size} objects"
            rows.append(line(title, [part["bg_gap"] for part in parts]))
    return rows


def explained(record: Mapping[str, Any]) -> list[str]:
    """One sentence for each comparison in the table: over which images it is, and what stands against it."""
    variants, first = record["variants"], record["models"][0]
    if len(record["classes"]) == 1:
        return ["There is one class to choose from: every answer is right, and says nothing."]
    told = []
    if "bg_gap" in first:
        number, each = first["bg_gap"]["images"], [variants[name]["images"] for name in (SAME, RAND)]
        aside = "" if each == [number] * 2 else f"; {SAME} alone is over {each[0]}, {RAND} alone over {each[1]}"
        told.append(f"BG-gap: {SAME} less {RAND}, over the {count(number, 'image')} with both{aside}.")
    else:
        told.append(f"No BG-gap: no image has both {SAME} and {RAND}.")
    if "changed" in first:
        told.append(
            f"Answers changed: {RAND} against original, of the {count(first['changed']['images'], 'image')} with both. "
            "Right answers lost: of those that were right, so each model has its own n."
        )
    if first["taken_for_background"]:
        told.append(
            "Says background: mixtures on the background of another class that are taken for that class; below it how "
            f"often the originals of the same images are. Chance is {record['chance']:.1f}, as for all answers."
        )
    else:
        told.append(f"Chance is {record['chance']:.1f}.")
    return told


def compared(record: Mapping[str, Any]) -> list[str]:
    """One sentence for each pair of models and figure; one more where an interval and the test do not agree."""
    told, apart = [], []
    for pair in record["comparisons"]:
        head = f"{pair['second']} against {pair['first']}"
        parts = []
        for variant in ("original", RAND):
            if variant in pair["accuracy"]:
                figure, p = pair["accuracy"][variant], pair["mcnemar"][variant]["p"]
                parts.append(f"{variant} {shown(figure, signed=True)}, n = {figure['images']}, McNemar p = {p:.3g}")
                if _disagree(figure, p):
                    apart.append(f"{variant} of {head}, {_differing(pair['mcnemar'][variant])}")
        if "bg_gap" in pair:
            parts.append(f"BG-gap {shown(pair['bg_gap'], signed=True)}, n = {pair['bg_gap']['images']}")
        told.append(f"{head}: {'; '.join(parts)}.")
    if apart:
        told.append(
            f"Interval and McNemar's test do not agree ({'; '.join(apart)}). Of few images the bootstrap's interval is "
            "too narrow and the exact test is not: go by the test."
        )
    return told


def _disagree(figure: Mapping[str, Any], p: float) -> bool:
    """Whether the interval of a difference excludes zero and the test does not tell models apart, or the reverse."""
    excludes = figure["low"] is not None and (figure["low"] > 0 or figure["high"] < 0)
    return excludes != (p < DISTINCT)


def _differing(tested: Mapping[str, Any]) -> str:
    number = tested["only_first"] + tested["only_second"]
    return f"where {count(number, 'image')} {'is' if number == 1 else 'are'} answered rightly by one of them alone"


def print_audit(record: Mapping[str, Any]) -> None:
    """Print the figures of all models on standard output, and how they compare."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from dapt.console import cell, show

    title = (
        f"{record['data']} ({asked_words(record)}, {count(record['images'], 'image')}, "
        f"{count(len(record['classes']), 'class', 'classes')}): how much hangs on the background"
    )
    notes = ["Percent, with 95% bootstrap intervals; n: images.", guess_note(record)]
    console = Console()
    plain = console.encoding.lower().replace("-", "") not in ("utf8", "utf16")
    shape = None if plain else box.SIMPLE
    caption = cell(" ".join(filter(None, notes)))
    width = min(len(title), console.width)
    table = Table(box=shape, pad_edge=False, title=cell(title), caption=caption, min_width=width)
    table.add_column("percent", overflow="fold")
    table.add_column("n", justify="right", overflow="fold")
    for model in record["models"]:
        table.add_column(cell(model["name"]), justify="right", overflow="fold")
    for line in lines_of_figures(record, brief=True):
        table.add_row(cell(line.name), line.n, *line.cells)
    console.print(table)
    show(*explained(record), *compared(record))
