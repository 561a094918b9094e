"""The table of an evaluation: figures that there are, and what they were taken of."""

from __future__ import annotations

from typing import Any

from dapt.results import EvaluationResults
from dapt.runs.evaluation_table import print_table


def shown(capsys, **changes: Any) -> str:
    given: dict[str, Any] = {
        **{"method": "coop", "dapt": True, "backbone": "b", "data": "birds [red]", "run": "r", "split": "val"},
        **{"classes": "all", "metrics": {"val/accuracy": 66.666, "val/macro": None}},
        **{"counts": {"images": 3, "classes": 2}},
        **changes,
    }
    print_table(EvaluationResults(**given))
    return " ".join(capsys.readouterr().out.split())


def test_the_table_shows_figures_that_there_are(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = shown(capsys)
    assert "coop + DAPT on birds [red] (val, 3 images, 2 classes)" in said
    assert "66.67" in said
    assert "val/macro" not in said


def test_of_other_data_both_counts_and_what_is_left_out(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    said = shown(
        capsys,
        split="all",
        classes="trained",
        counts={"images": 48, "images_there": 50, "classes": 2, "classes_asked": 24, "classes_there": 3},
        unused={"of classes that are not asked about": 2},
        unknown_classes={"[b]ufo\n": 2},
        absent_classes=[f"class {number}" for number in range(22)],
    )
    assert "(all, 48 of 50 images, 2 of 24 trained classes)" in said
    assert "Not used: 2 images of classes that are not asked about." in said
    assert r"1 of the 3 classes there is not asked about: [b]ufo\n." in said
    assert "No images of: class 0, class 1, class 2, class 3, class 4 and 17 more." in said
