"""Images to which two runs say different classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import DataError
from dapt.results import RunResults, read_record
from dapt.runs.changed_images import Answer, _compared, changed_images


def test_accuracy_is_that_of_the_runs(trained: Path, other_trained: Path) -> None:
    (part,) = changed_images([str(trained), str(other_trained)], device="cpu")
    assert (part.classes, part.images, part.left_out) == ("all", 8, 0)
    for run, figure in ((trained, part.first), (other_trained, part.second)):
        metrics = read_record(RunResults, run / "results.json").metrics
        assert figure["value"] == pytest.approx(metrics["test/accuracy"])
    gained, lost = len(part.of_kind("gained")), len(part.of_kind("lost"))
    assert part.difference["value"] == pytest.approx(100 * (gained - lost) / 8)
    assert len(part.changed) == gained + lost + len(part.of_kind("wrong"))


def answers(**said: tuple[str, float]) -> dict[str, tuple[str, Answer]]:
    return {name: ("ant", Answer(word, sure, word == "ant")) for name, (word, sure) in said.items()}


def test_kinds_order_and_images_of_one_run_only() -> None:
    first = answers(a=("bee", 0.5), b=("bee", 0.5), c=("ant", 0.9), d=("bee", 0.4), e=("ant", 0.9), f=("ant", 0.1))
    second = answers(a=("ant", 0.6), b=("ant", 0.8), c=("bee", 0.9), d=("fly", 0.3), e=("ant", 0.2))
    part = _compared("all", first, second)
    assert [(each.image, each.kind) for each in part.changed] == [
        ("b", "gained"),
        ("a", "gained"),
        ("c", "lost"),
        ("d", "wrong"),
    ]
    assert (part.images, part.left_out) == (5, 1)
    assert part.difference["value"] == pytest.approx(20.0)
    assert part.p == 1.0, "two against one is chance"


def test_other_labels_are_refused() -> None:
    with pytest.raises(DataError, match="1 images have another class"):
        _compared("all", answers(a=("bee", 0.5)), {"a": ("bee", Answer("bee", 0.5, True))})
