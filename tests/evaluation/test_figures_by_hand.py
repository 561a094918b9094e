"""Every figure of the field on numbers small enough to be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from dapt.evaluation.averages import (
    Average,
    average,
    base_to_novel,
    over_data_sets,
    over_seeds,
    with_harmonic_mean,
)
from dapt.evaluation.evaluate import Evaluation
from dapt.evaluation.halves import generalised
from dapt.evaluation.metrics import (
    BINS,
    accuracy,
    calibration_error,
    harmonic_mean,
    per_class,
    per_class_mean,
    per_group,
    worst_group,
)
from dapt.evaluation.multi_label import average_precision, class_scores, is_shown, mean_average_precision

PREDICTED = torch.tensor([0, 0, 1, 1, 2, 2])
LABELS = torch.tensor([0, 0, 0, 1, 1, 5])


def test_accuracy_counts_images_and_the_class_mean_classes() -> None:
    assert accuracy(PREDICTED, LABELS) == pytest.approx(50.0)
    assert per_class_mean(PREDICTED, LABELS) == pytest.approx((200 / 3 + 50 + 0) / 3)
    assert per_class_mean(PREDICTED, LABELS) != pytest.approx(50.0)
    assert per_class(PREDICTED, LABELS, ["a", "b", "c"]) == {
        "a": pytest.approx(200 / 3),
        "b": pytest.approx(50.0),
        "c": None,
    }
    assert per_class_mean(torch.empty(0), torch.empty(0)) is None


def test_the_worst_group_is_the_worst() -> None:
    groups = ["x", "x", "y", "y", "z", None]
    assert per_group(PREDICTED, LABELS, groups) == {"x": 100.0, "y": 50.0, "z": 0.0}
    assert worst_group(PREDICTED, LABELS, groups) == 0.0
    assert worst_group(PREDICTED, LABELS, ["x", "x", None, None, None, None]) == 100.0
    assert list(per_group(PREDICTED, LABELS, ["b", "a", "c", "a", "b", "c"])) == ["a", "b", "c"]
    assert worst_group(PREDICTED, LABELS, [None] * 6) is None


def test_figures_keep_their_precision() -> None:
    thirds = torch.tensor([0, 1, 1])
    assert accuracy(thirds, torch.zeros(3)) == pytest.approx(100 / 3, rel=1e-13)
    assert per_group(thirds, torch.zeros(3), ["", "", None]) == {"": 50.0}  # a group may have no name


@pytest.mark.parametrize(
    ("base", "novel", "expected"),
    [
        (80.0, 60.0, 2 * 80 * 60 / 140),
        (50.0, 50.0, 50.0),
        (0.0, 60.0, 0.0),
        (60.0, 0.0, 0.0),
        (0.0, 0.0, 0.0),
        (82.28, 75.14, 78.55),
        (None, 50.0, None),
        (50.0, None, None),
        (None, None, None),
    ],
)
def test_harmonic_mean(base: float | None, novel: float | None, expected: float | None) -> None:
    found = harmonic_mean(base, novel)
    assert found is None if expected is None else found == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("confidence", "correct", "expected"),
    [
        ([0.8], [1], 20.0),
        ([0.8], [0], 80.0),
        ([1.0, 1.0], [1, 1], 0.0),
        ([0.0], [0], 0.0),
        ([0.9, 0.9], [1, 0], 40.0),  # one bin: |0.5 - 0.9|
        ([0.5, 0.9], [1, 0], 100 * (0.5 + 0.9) / 2),  # two bins
        ([1 / 3, 0.34], [1, 0], 100 * (2 / 3 + 0.34) / 2),  # 5/15 belongs to the bin below it
        ([0.34, 0.39], [1, 0], 100 * abs(1 - 0.73) / 2),  # one bin, in which they balance
    ],
)
def test_calibration_error(confidence: list[float], correct: list[int], expected: float) -> None:
    given = torch.tensor(confidence, dtype=torch.float64)
    assert calibration_error(given, torch.tensor(correct)) == pytest.approx(expected, abs=1e-6)


def test_fifteen_bins_open_below_and_closed_above() -> None:
    assert BINS == 15
    generator = torch.Generator().manual_seed(0)
    confidence = torch.rand(400, generator=generator, dtype=torch.float64)
    correct = torch.rand(400, generator=generator) < confidence
    expected = 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            gap = correct[inside].double().mean() - confidence[inside].mean()
            expected += 100 * float(gap.abs()) * int(inside.sum()) / 400
    assert calibration_error(confidence, correct) == pytest.approx(expected)
    assert calibration_error(torch.empty(0), torch.empty(0)) is None


def test_average_over_seeds() -> None:
    found = average([1.0, None, 2.0, 6.0])
    assert found == Average(3.0, pytest.approx(math.sqrt(14 / 3)), 3)  # divided by n
    assert found.ci95 == pytest.approx(1.96 * math.sqrt(14 / 3) / math.sqrt(3))
    assert average([7.0]) == Average(7.0, 0.0, 1)
    assert average([None]) is average([]) is None
    assert average([1.04, 2.06], rounded=1) == Average(pytest.approx(1.55), pytest.approx(0.55), 2)
    assert average([0.0, 0.0]) == Average(0.0, 0.0, 2)
    assert average([1.044, 2.066], rounded=2).mean == pytest.approx((1.04 + 2.07) / 2, rel=1e-12)
    assert average([1.4, 2.6], rounded=0).mean == 2.0
    assert over_seeds([{"a": 1.04}, {"a": 2.02}], rounded=1)["a"].mean == 1.5
    runs = [{"a": 1.0, "b": None}, {"a": 3.0, "c": 5.0}]
    assert over_seeds(runs) == {"a": Average(2.0, 1.0, 2), "c": Average(5.0, 0.0, 1)}
    assert list(over_seeds([{"z": 1.0}, {"y": 1.0, "z": 2.0}])) == ["z", "y"]  # as they come


def test_base_to_novel_is_of_the_averages() -> None:
    runs = [
        {"test/accuracy_base": 90.0, "test/accuracy_novel": 30.0},
        {"test/accuracy_base": 70.0, "test/accuracy_novel": 50.0},
        {"test/accuracy_base": 10.0, "test/accuracy_novel": None},  # left out whole
    ]
    found = base_to_novel(runs)
    assert found == {"base": 80.0, "novel": 40.0, "harmonic_mean": pytest.approx(2 * 80 * 40 / 120)}
    assert base_to_novel(runs[2:]) is None
    assert base_to_novel([{"val/accuracy_base": 1.0, "val/accuracy_novel": 1.0}], prefix="val") is not None
    none_right = {"test/accuracy_base": 0.0, "test/accuracy_novel": 40.0}
    assert base_to_novel([none_right, runs[0]]) == {"base": 45.0, "novel": 35.0, "harmonic_mean": pytest.approx(39.375)}
    assert base_to_novel([none_right]) == {"base": 0.0, "novel": 40.0, "harmonic_mean": 0.0}
    rounded = base_to_novel([{"test/accuracy_base": 80.04, "test/accuracy_novel": 40.06}], rounded=1)
    assert (rounded["base"], rounded["novel"]) == (80.0, 40.1)


def test_the_harmonic_mean_over_data_sets_is_of_the_averages() -> None:
    one = with_harmonic_mean({"base": 90.0, "novel": 10.0})
    two = with_harmonic_mean({"base": 50.0, "novel": 50.0, "extra": 1.0})
    found = over_data_sets({"a": one, "b": two})
    assert found == {"base": 70.0, "novel": 30.0, "harmonic_mean": pytest.approx(42.0)}
    assert over_data_sets({}) == {}
    assert over_data_sets({"a": {"x": 1.0}, "b": {"x": 3.0}}) == {"x": 2.0}
    assert over_data_sets({"a": {"x": 1.0}}) == {"x": 1.0}
    only = {"x": 1.0, "harmonic_mean": 2.0}  # of accuracies that are not told
    assert over_data_sets({"a": only, "b": only}) == {"x": 1.0}
    assert over_data_sets({"a": {"x": 1.0, "y": 2.0}, "b": {"y": 4.0, "z": 5.0}}) == {"y": 3.0}


def generalised_on(predicted: list[int], labels: list[int], base: int) -> list[float | None]:
    none = torch.empty(0)
    found = Evaluation(torch.tensor(predicted), torch.tensor(labels), none, ("a",) * 4, (), None)
    figures = generalised(found, base, "test")
    return list(figures.values())


def test_the_generalised_setting() -> None:
    """Classes 0 and 1 are base classes: 2 of 3 right there, 1 of 2 among the others."""
    found = generalised_on([0, 1, 2, 2, 0], [0, 1, 1, 2, 3], 2)
    base, novel = 200 / 3, 50.0
    assert found == pytest.approx([60.0, base, novel, 2 * base * novel / (base + novel)])
    assert generalised_on([0, 1], [0, 0], 2) == [50.0, 50.0, None, None]
    assert list(generalised(None, 2, "val")) == [
        "val/accuracy_generalised",
        "val/generalised_base",
        "val/generalised_novel",
        "val/generalised_harmonic_mean",
    ]
    assert set(generalised(None, 2, "val").values()) == {None}


def test_average_precision_by_hand() -> None:
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6])
    assert average_precision(scores, torch.tensor([1, 1, 0, 0])) == pytest.approx(100.0)
    assert average_precision(scores, torch.tensor([0, 0, 1, 1])) == pytest.approx(50.0)  # envelope: 2 of 4 at last
    assert average_precision(scores, torch.tensor([0, 1, 0, 1])) == pytest.approx(50.0)
    assert average_precision(scores, torch.tensor([1, 0, 0, 1])) == pytest.approx(75.0)
    assert average_precision(torch.ones(4), torch.tensor([1, 0, 0, 0])) == pytest.approx(25.0)  # all come in together
    assert average_precision(scores, torch.zeros(4)) is None
    assert average_precision(scores, torch.tensor([1, 0, 1, 0])) == pytest.approx(100 * (1 + 2 / 3) / 2, rel=1e-13)
    near = torch.tensor([0.5, 0.5 - 1e-9], dtype=torch.float64)  # are not equal
    assert average_precision(near, torch.tensor([1, 0])) == 100.0
    both = torch.stack([scores, scores], dim=1)
    targets = torch.tensor([[1, 0], [0, 0], [0, 0], [1, 0]])
    assert mean_average_precision(both, targets) == pytest.approx(75.0)
    assert mean_average_precision(both, torch.zeros(4, 2)) is None


def test_scores_and_shown_classes() -> None:
    logits = torch.tensor([[1.0, 2.0, 6.0]])
    assert torch.allclose(class_scores(logits, "sigmoid"), torch.tensor([[-2.0, -1.0, 3.0]]).double())
    assert torch.allclose(class_scores(logits, "softmax").exp().sum(), torch.tensor(1.0).double())
    targets = torch.tensor([[1, 0], [0, 1], [0, 1], [1, 1]])
    assert is_shown(torch.tensor([0, 0, 1, 2]), targets).tolist() == [True, False, True, False]
