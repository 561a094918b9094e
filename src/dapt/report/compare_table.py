"""What `dapt compare` prints and writes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dapt.console import cell, show, visible
from dapt.report.decimals import decimal, signed
from dapt.runs.changed_images import Changed, PartChanges
from dapt.runs.comparison import LOWER, Comparison, Pair
from dapt.wording import counted

HEADS = ("first", "second")
KINDS = {
    "gained": "right in the second run only",
    "lost": "right in the first run only",
    "wrong": "wrong in both, differently",
}
CSV_HEAD = ("classes", "image", "true", "first", "first_probability", "second", "second_probability", "kind")


def print_comparison(found: Comparison, parts: Sequence[PartChanges], why_not: str, *, limit: int) -> None:
    """Print what differs.

    Args:
        parts: which images changed. why_not: why there are none; empty where there are. limit: so many classes, and
            images of each kind.
    """
    for head, run in zip(HEADS, found.runs, strict=True):
        show(f"{head + ':':<8}{visible(run)}")
    _table("settings", found.settings, "the settings are the same")
    if found.free:
        show(f"seed, and settings that decide nothing: {', '.join(_told(pair) for pair in found.free)}")
    show(*found.inputs)
    _table("figures, percent", found.figures, "there are no figures", differ=True, percent=True)
    if found.apart:
        show(f"Beware: {found.apart}.")
    changed = [pair for pair in found.classes if pair.difference]
    if changed and not found.apart:
        _table(_title("classes that changed most", changed, limit), changed[:limit], "", differ=True, percent=True)
    _table("last epoch", found.ends, "", differ=True)
    _table("cost", found.costs, "", differ=True)
    if found.environment:
        _table("environment", found.environment, "")
    for part in parts:
        _print_part(part, limit)
    if why_not:
        show(f"Images were not compared: {why_not}.")


def _title(text: str, rows: Sequence[Any], limit: int) -> str:
    return text + (f" ({limit} of {len(rows)})" if len(rows) > limit else "")


def _told(pair: Pair) -> str:
    return visible(f"{pair.name} ({_text(pair.first)} and {_text(pair.second)})")


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _percent(value: Any) -> str:
    """A figure in percent, with two decimals as everywhere."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return decimal(value) if number else _text(value)


def _gap(value: float | None, in_percent: bool) -> str:
    if value is None:
        return "–"
    return signed(value) if in_percent else f"{value:+.4g}"


def _table(title: str, pairs: Sequence[Pair], none: str, *, differ: bool = False, percent: bool = False) -> None:
    """Values of both runs.

    Args:
        none: what is said where there are none. differ: with a column of differences. percent: figures of all rows are
            in percent; else only accuracies.
    """
    from rich.console import Console
    from rich.table import Table

    if not pairs:
        if none:
            show(none[0].upper() + none[1:] + ".")
        return
    table = Table(title=cell(title), title_justify="left")
    table.add_column("", overflow="fold")
    for head in HEADS:
        table.add_column(head, justify="right" if differ else "left", overflow="fold")
    if differ:
        table.add_column("difference", justify="right")
    for pair in pairs:
        in_percent = percent or "accuracy" in pair.name
        mark = " (less is better)" if pair.name in LOWER else ""
        values = [_percent(value) if in_percent else _text(value) for value in (pair.first, pair.second)]
        more = [_gap(pair.difference, in_percent)] if differ else []
        table.add_row(cell(pair.name + mark), *map(cell, [*values, *more]))
    Console().print(table)


def _print_part(part: PartChanges, limit: int) -> None:
    """The images of some classes that changed."""
    from rich.console import Console
    from rich.table import Table

    gap = part.difference
    same = part.images - len(part.changed)
    show(
        f"{part.classes} classes, {counted(part.images, 'test image')}: {same} with the same answer, "
        + ", ".join(f"{len(part.of_kind(kind))} {words}" for kind, words in KINDS.items())
        + "."
    )
    value, low, high = (gap[key] for key in ("value", "low", "high"))
    if value is not None and low is not None and high is not None:
        show(
            f"Difference {signed(value)} points [{decimal(low)}, {decimal(high)}] (95%, paired bootstrap over images), "
            f"{_chance(part.p)} (McNemar)."
        )
    if part.left_out:
        show(f"{counted(part.left_out, 'image')} that only one of the runs has left out.")
    for kind, words in KINDS.items():
        rows = part.of_kind(kind)
        if not rows or not limit:
            continue
        table = Table(title_justify="left", title=cell(_title(words, rows, limit)))
        for head in ("image", "true", *HEADS):
            table.add_column(head, overflow="fold")
        for each in rows[:limit]:
            table.add_row(cell(each.image), cell(each.true), _said(each.first), _said(each.second))
        Console().print(table)


def _chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def _said(answer: Any) -> Any:
    return cell(f"{answer.said} {100 * answer.probability:.0f}%{' ✓' if answer.right else ''}")


def as_json(found: Comparison, parts: Sequence[PartChanges], why_not: str) -> dict[str, Any]:
    """All of it as plain values."""
    tree = asdict(found)
    for key, pairs in tree.items():
        if isinstance(pairs, list) and pairs and isinstance(pairs[0], dict):
            originals: Sequence[Pair] = getattr(found, key)
            tree[key] = [{**plain, "difference": pair.difference} for plain, pair in zip(pairs, originals, strict=True)]
    return {"comparison": "runs", "schema": 1, **tree, "parts": [asdict(part) for part in parts], "no_images": why_not}


def as_csv(parts: Sequence[PartChanges]) -> str:
    """Every image that changed, a row each; text as `dapt.console.visible` shows it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for part in parts:
        writer.writerows([part.classes, *_row(each)] for each in part.changed)
    return buffer.getvalue()


def _row(each: Changed) -> list[str]:
    answers = [
        text for answer in (each.first, each.second) for text in (visible(answer.said), f"{answer.probability:.6f}")
    ]
    return [visible(each.image), visible(each.true), *answers, each.kind]
