"""Class by class, and which are taken for which."""

from __future__ import annotations

import json
from pathlib import Path

from made_up import in_folder, material, run

from dapt.report.overview.classes import APART, class_differences, confusions


def test_gains_and_losses_of_classes_over_seeds() -> None:
    found = {False: {"ant": 50.0, "bee": 40.0}, True: {"ant": 70.0, "bee": 30.0, "new": 1.0}}
    rows = [
        run(dapt=dapt, seed=seed, per_class=json.dumps(classes)) for dapt, classes in found.items() for seed in (1, 2)
    ]
    (chart,) = class_differences(material(rows)).charts
    assert list(chart.rows) == [("ant", "+20.00"), ("bee", "-10.00")]
    assert chart.says == "Of 2 classes 1 better, 1 worse, 0 the same."
    assert "<svg" in chart.svg()
    assert not class_differences(material([run(per_class="{")])).shown


def test_noise_of_floating_point_is_no_loss() -> None:
    found = {False: {"ant": 0.1 + 0.2, "bee": 40.0}, True: {"ant": 0.3, "bee": 40.0049}}
    rows = [run(dapt=dapt, per_class=json.dumps(classes)) for dapt, classes in found.items()]
    (chart,) = class_differences(material(rows)).charts
    assert chart.says == "Of 2 classes 0 better, 0 worse, 2 the same."
    assert list(chart.rows) == [("bee", "+0.00"), ("ant", "+0.00")]


def test_what_is_taken_for_what(tmp_path: Path) -> None:
    counts = {"confusion": {"ant": {"ant": 3, "bee": 1}, "bee": {"bee": 4}}}
    part = confusions(material([run(run=in_folder(tmp_path / "a", counts)), run(seed=2)]))
    (chart,) = part.charts
    assert list(chart.rows) == [("ant", "75.0", "25.0"), ("bee", "0.0", "100.0")]
    assert list(part.tables[0].rows) == [("ant → bee", "1", "25.0")]
    assert "<svg" in chart.svg()
    assert "older versions" in confusions(material([run()])).missing


def test_titles_say_which_classes_are_shown(tmp_path: Path) -> None:
    found = {"per_class": json.dumps({"ant": 50.0, "bee": 40.0}), "subset": "base"}
    counts = {"confusion": {"ant": {"ant": 3}, "bee": {"bee": 4}}}
    rows = [
        run(dapt=dapt, run=in_folder(tmp_path / str(dapt), counts), **found, **{"test/accuracy_novel": 40.0})
        for dapt in (False, True)
    ]
    part = class_differences(material(rows))
    assert part.charts[0].title == "MaPLe + DAPT against MaPLe: photos, 16 shots, base and novel classes"
    assert APART in part.says
    part = confusions(material(rows))
    assert [chart.title for chart in part.charts] == [
        "MaPLe: photos, 16 shots, base and novel classes",
        "MaPLe + DAPT: photos, 16 shots, base and novel classes",
    ]
    assert part.tables[0].title == "Most frequent mistakes of MaPLe: photos, 16 shots, base and novel classes"
    for row in rows:
        del row["test/accuracy_novel"]
    row |= {"test/accuracy_base": 1.0}
    assert class_differences(material(rows)).charts[0].title.endswith("16 shots, base classes")
