"""Average precision: by hand, against scikit-learn's points, and in the figures of a list of images."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dapt.evaluation.evaluate import Evaluation
from dapt.evaluation.multi_label import (
    average_precision,
    average_precisions,
    class_scores,
    is_shown,
    mean_average_precision,
)


def test_by_hand() -> None:
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5])
    shown = torch.tensor([1, 0, 1, 0, 1])
    # precision at recalls 1/3, 2/3, 1: 1, 2/3, 3/5
    assert average_precision(scores, shown) == pytest.approx(100 * (1 + 2 / 3 + 3 / 5) / 3)
    shown = torch.tensor([0, 1, 1, 0, 0])
    # precision 1/2 at recall 1/2 is lifted to 2/3, that at recall 1
    assert average_precision(scores, shown) == pytest.approx(100 * 2 / 3)
    assert average_precision(scores, torch.zeros(5)) is None
    assert average_precision(scores, torch.ones(5)) == pytest.approx(100.0)


def test_equal_scores_come_in_together() -> None:
    for shown in ([1, 0, 0, 0], [0, 0, 0, 1]):
        assert average_precision(torch.zeros(4), torch.tensor(shown)) == pytest.approx(25.0)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40))
def test_against_the_points_of_another_implementation(pairs: list[tuple[int, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, shown = ([pair[side] for pair in pairs] for side in (0, 1))
    found = average_precision(torch.tensor(scores, dtype=torch.float64), torch.tensor(shown))
    if not any(shown):
        assert found is None
        return
    precision, recall, _ = metrics.precision_recall_curve(shown, scores)
    area, best, before = 0.0, 0.0, 1.0
    for p, r in zip(precision, recall, strict=True):  # from recall 1 downwards
        area += (before - r) * best
        best, before = max(best, p), r
    assert found == pytest.approx(100 * area)


def test_mean_leaves_out_classes_without_images() -> None:
    scores = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.8, 0.3]])
    targets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    assert average_precisions(scores, targets) == [pytest.approx(100.0), pytest.approx(100.0), None]
    assert mean_average_precision(scores, targets) == pytest.approx(100.0)
    assert mean_average_precision(scores, torch.zeros(2, 3)) is None


def test_scores_rank_as_probabilities_and_do_not_collapse() -> None:
    logits = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(class_scores(logits, "softmax").argsort(dim=0), logits.double().softmax(dim=1).argsort(dim=0))
    yes = (logits - logits.mean(dim=1, keepdim=True)).double().sigmoid()
    assert torch.equal(class_scores(logits, "sigmoid").argsort(dim=0), yes.argsort(dim=0))
    sure = torch.tensor([[30.0, 0.0], [25.0, 0.0], [20.0, 0.0]])
    assert sure.softmax(dim=1)[:, 0].tolist() == [1.0, 1.0, 1.0]
    for kind in ("softmax", "sigmoid"):
        assert class_scores(sure, kind)[:, 0].argsort(descending=True).tolist() == [0, 1, 2]
        assert len(class_scores(sure, kind)[:, 0].unique()) == 3


def test_shown_classes() -> None:
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert is_shown(torch.tensor([1, 1, 5]), targets).tolist() == [False, True, False]


def test_figures_of_images_with_several_classes() -> None:
    targets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    scores = torch.tensor([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.5, 0.3, 0.2], [0.0, 0.9, 0.1]])
    found = Evaluation(
        predicted=scores.argmax(dim=1),
        labels=torch.tensor([0, 1, 0, 1]),
        confidence=scores.max(dim=1).values,
        names=("a", "b", "c"),
        groups=("x", "x", "y", "y"),
        attention=None,
        targets=targets,
        scores=scores,
    )
    metrics = found.metrics()
    assert metrics["test/accuracy"] == 75.0  # the first image shows the predicted class, though it is not its first
    assert metrics["test/worst_group"] == 50.0
    assert metrics["test/per_class_mean"] is None
    assert metrics["test/calibration_error"] is None
    # a: ranks no, yes, yes(tie-free: image 2, 3, 1) -> precisions 1/2, 2/3 -> 2/3; b: yes, yes, then no/yes tie -> 3/4
    first, second = 100 * 2 / 3, 100 * (1 / 3 + 1 / 3 + 3 / 4 / 3)
    assert found.breakdown() == {
        "per_class": {"a": pytest.approx(first), "b": pytest.approx(second), "c": None},
        "per_group": {"x": 50.0, "y": 100.0},
    }
    assert metrics["test/mean_average_precision"] == pytest.approx((first + second) / 2)
