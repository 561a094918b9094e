"""The demonstration's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dapt.data.items import Item
from dapt.data.load.images import open_image
from dapt.demo.figures import KINDS, MEASURES, Spread, headline, titles
from dapt.demo.gallery import SIDE, Exhibit, choose
from dapt.demo.setting import DemoSettings, changes
from dapt.demo.subjects import subjects
from dapt.report.charts import bar_chart, line_chart
from dapt.report.pages import data_uri, write_page

TERMS = {
    "L_cls": "cross-entropy of the whole image",
    "L_v": "pull to the foreground, push from the background",
    "L_f": "foreground with the class texts",
    "L_b": "background with the background texts",
    "train/accuracy": "accuracy in training, %",
}
LEAST_IS_BEST = ("test/taken_for_background",)


def write_demo_page(
    path: Path,
    *,
    settings: DemoSettings,
    figures: Mapping[str, Mapping[str, Spread]],
    curves: Mapping[str, Mapping[str, Any]],
    exhibits: Sequence[Exhibit],
    train_items: Sequence[Item],
    test_items: Sequence[Item],
    commands: Sequence[str],
    environment: Mapping[str, Any],
    seconds: Mapping[str, float],
    resumed: bool = False,
) -> None:
    """Write the page.

    Args:
        figures: from `collect`. curves: from `dapt.demo.figures.curves`. exhibits: the gallery.
        train_items, test_items: scenes to show as examples. commands: what was run. seconds: by stage.
        resumed: the times are those of the last of several sessions.
    """
    named = titles(settings)
    own_and_exchanged = {
        named[kind]: [(figures[kind][m].mean, figures[kind][m].std) for m in ("test/accuracy_own", "test/worst_group")]
        for kind in KINDS
    }
    write_page(
        path,
        "demo.html.j2",
        {
            "headline": headline(figures, named["host"]),
            "settings": settings,
            "classes": len(subjects(settings.scenes)[: settings.classes]),
            "changes": [f"dapt.{key}={value}" for key, value in changes(settings.dapt).items()],
            "heads": list(MEASURES.values()),
            "rows": _rows(figures, named),
            "exchange_chart": Markup(
                bar_chart(
                    ["own background", "exchanged background"], own_and_exchanged, y_label="accuracy, %", size=(8, 3.4)
                )
            ),
            "charts": _charts(curves, named),
            "train_tiles": [_tile(item) for item in choose(train_items, "own", 8)],
            "test_tiles": [_tile(item) for item in choose(test_items, "exchanged", 8)],
            "gallery": [_row(one) for one in exhibits],
            "commands": commands,
            "environment": environment,
            "seconds": seconds,
            "resumed": resumed,
        },
    )


def _rows(figures: Mapping[str, Mapping[str, Spread]], named: Mapping[str, str]) -> list[dict[str, Any]]:
    """The table's rows; of the trained models the best value of every column is marked, whoever has it."""
    best = {}
    for name in MEASURES:
        means = [figures[kind][name].mean for kind in KINDS[1:]]
        best[name] = min(means) if name in LEAST_IS_BEST else max(means)
    return [
        {
            "kind": kind,
            "title": named[kind],
            "cells": [
                (head, figures[kind][name], kind in KINDS[1:] and figures[kind][name].mean == best[name])
                for name, head in MEASURES.items()
            ],
        }
        for kind in KINDS
    ]


def _charts(curves: Mapping[str, Mapping[str, Any]], named: Mapping[str, str]) -> list[dict[str, Any]]:
    charts = []
    found = {key for terms in curves.values() for key in terms}
    for key in [*(key for key in TERMS if key in found), *sorted(found - TERMS.keys())]:
        series = {named[kind]: terms[key] for kind, terms in curves.items() if key in terms}
        svg = line_chart(series, x_label="epoch", y_label=key, size=(4, 2.8), known=list(named.values()))
        charts.append({"key": key, "what": TERMS.get(key, ""), "svg": Markup(svg)})
    return charts


def _tile(item: Item) -> dict[str, str]:
    meta = dict(item.meta)
    picture = open_image(item.path).resize((SIDE, SIDE))
    name = Path(item.name).parent.name.replace("_", " ")
    return {"src": data_uri(picture), "alt": f"{name} on {meta['background']}"}


def _row(one: Exhibit) -> dict[str, Any]:
    return {
        "title": f"{one.name} on {one.background}",
        "image": data_uri(one.image),
        "mask": data_uri(one.mask, photo=False),
        "cue": data_uri(one.cue),
        "foreground": data_uri(one.foreground),
        "background": data_uri(one.view_of_background),
        "looks": [
            {"title": name, "src": data_uri(look.picture), "says": look.says, "right": look.right}
            for name, look in one.looks.items()
        ],
    }
