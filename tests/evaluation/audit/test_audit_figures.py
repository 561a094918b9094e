"""Figures from made-up answers, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dapt.evaluation.audit.answers import NO_ANSWER, Answers
from dapt.evaluation.audit.donors import NONE, Donors
from dapt.evaluation.audit.figures import Asked, figures_of, worst_images
from dapt.evaluation.audit.variants import NAMES

LABELS = np.array([0, 0, 0, 1, 1, 1])
DONORS = Donors(
    {
        "mixed_same": np.array([1, 2, 0, 4, 5, NONE]),
        "mixed_rand": np.array([3, 4, 1, 0, 5, 4]),
        "mixed_next": np.array([3, 4, 5, 0, 1, 2]),
    },
    (),
    (1,),
)
SHARES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
ASKED = Asked(LABELS, SHARES, DONORS, ("cat", "dog"), 1)


def answers(**rows: list[int]) -> Answers:
    """Right answers to everything that was made, but for the rows that are given."""
    predicted = np.tile(LABELS, (len(NAMES), 1))
    for name, donors in DONORS.of.items():
        predicted[NAMES.index(name)][donors == NONE] = NO_ANSWER
    for name, row in rows.items():
        predicted[NAMES.index(name)] = row
    truth = np.where(predicted == LABELS, 0.9, 0.1).astype(np.float32)
    return Answers(NAMES, predicted, np.full(predicted.shape, 0.9, np.float32), truth)


def looks_at_the_object() -> Answers:
    return answers()


def looks_at_the_background() -> Answers:
    lent = {name: np.where(of == NONE, NO_ANSWER, LABELS[of]).tolist() for name, of in DONORS.of.items()}
    return answers(**lent, only_fg=[1, 1, 1, 0, 0, 0])


def test_a_model_that_looks_at_the_object() -> None:
    (found,) = figures_of(ASKED, {"a": looks_at_the_object()})["models"]
    assert all(figure["value"] == 100.0 for figure in found["accuracy"].values())
    assert found["bg_gap"]["value"] == found["changed"]["value"] == found["lost"]["value"] == 0.0
    assert found["taken_for_background"]["mixed_next"] == {"value": 0.0, "low": 0.0, "high": 0.0, "images": 6}


def test_what_is_answered_to_the_originals_stands_beside_what_names_the_background() -> None:
    """Images 2 and 5 are never on the background of another class; of the others two are confused as they are."""
    (found,) = figures_of(ASKED, {"a": answers(original=[1, 0, 1, 0, 1, 1], mixed_rand=[1, 1, 1, 0, 0, 1])})["models"]
    taken, reference = found["taken_for_background"]["mixed_rand"], found["same_answer_to_original"]["mixed_rand"]
    assert (taken["value"], taken["images"]) == (100.0, 3)
    assert (reference["value"], reference["images"]) == (pytest.approx(200 / 3), 3)
    assert found["same_answer_to_original"]["mixed_next"]["images"] == 6


def test_images_that_only_lend_are_in_no_figure() -> None:
    asked = Asked(LABELS, SHARES[:4], DONORS, ("cat", "dog"), 1)
    given = answers(mixed_rand=[1, 1, 1, 0, 0, 1])
    first = Answers(NAMES, given.predicted[:, :4], given.confidence[:, :4], given.truth[:, :4])
    (found,) = figures_of(asked, {"a": first})["models"]
    assert {figure["images"] for figure in found["accuracy"].values()} == {4}
    assert found["taken_for_background"]["mixed_rand"] == {"value": 100.0, "low": 100.0, "high": 100.0, "images": 3}
    assert found["per_class"]["dog"]["images"] == 1


def test_without_a_gap_there_are_the_figures_of_one_mixture() -> None:
    given = answers()
    kept = [place for place, name in enumerate(NAMES) if name != "mixed_same"]
    rows = (given.predicted[kept], given.confidence[kept], given.truth[kept])
    found = figures_of(ASKED, {name: Answers(tuple(NAMES[place] for place in kept), *rows) for name in "ab"})
    assert "bg_gap" not in found["models"][0]
    assert found["models"][0]["changed"]["images"] == found["models"][0]["lost"]["images"] == 6
    assert found["models"][0]["per_class"]["cat"]["changed"] == 0.0
    assert "changed" in found["comparisons"][0]


def test_a_model_that_looks_at_the_background() -> None:
    (found,) = figures_of(ASKED, {"a": looks_at_the_background()})["models"]
    accuracy = {name: figure["value"] for name, figure in found["accuracy"].items()}
    assert accuracy["mixed_same"] == 100.0
    assert accuracy["mixed_next"] == accuracy["only_fg"] == 0.0
    assert accuracy["mixed_rand"] == pytest.approx(50.0)
    assert found["accuracy"]["mixed_same"]["images"] == 5
    assert found["bg_gap"]["images"] == 5, "the images that have both"
    assert found["bg_gap"]["value"] == pytest.approx(60.0)
    assert found["changed"]["value"] == found["lost"]["value"] == pytest.approx(50.0)
    assert found["taken_for_background"]["mixed_next"]["value"] == 100.0
    assert found["taken_for_background"]["mixed_rand"] == {"value": 100.0, "low": 100.0, "high": 100.0, "images": 3}


def test_sizes_and_classes() -> None:
    (found,) = figures_of(ASKED, {"a": answers(original=[1, 0, 0, 1, 1, 1])})["models"]
    assert [part["size"] for part in found["by_size"]] == ["small", "medium", "large"]
    assert [part["accuracy"]["original"]["value"] for part in found["by_size"]] == [50.0, 100.0, 100.0]
    assert [part["accuracy"]["original"]["images"] for part in found["by_size"]] == [2, 2, 2]
    assert [round(part["to_percent"]) for part in found["by_size"]] == [20, 40, 60]
    assert found["per_class"]["cat"]["original"] == pytest.approx(200 / 3)
    assert found["per_class"]["dog"]["images"] == 3
    assert found["per_class"]["cat"]["changed"] == pytest.approx(100 / 3)


def test_two_models_are_compared_on_the_same_images() -> None:
    given = {"background": looks_at_the_background(), "object": looks_at_the_object()}
    (pair,) = figures_of(ASKED, given)["comparisons"]
    assert (pair["first"], pair["second"]) == ("background", "object")
    assert pair["accuracy"]["mixed_next"]["value"] == 100.0
    assert pair["accuracy"]["original"]["value"] == 0.0
    assert pair["bg_gap"]["value"] == pytest.approx(-60.0)
    assert pair["mcnemar"]["mixed_next"] == {"only_first": 0, "only_second": 6, "p": pytest.approx(2 / 64)}
    assert pair["mcnemar"]["original"]["p"] == 1.0
    three = figures_of(ASKED, {**given, "third": looks_at_the_object()})
    assert len(three["comparisons"]) == 3


def test_without_mixtures() -> None:
    whole = looks_at_the_object()
    names = ("original", "only_fg", "mixed_same")
    rows = [NAMES.index(name) for name in names]
    some = Answers(names, whole.predicted[rows], whole.confidence[rows], whole.truth[rows])
    found = figures_of(ASKED, {"a": some, "b": some})
    assert "bg_gap" not in found["models"][0]
    assert "bg_gap" not in found["comparisons"][0]
    assert found["models"][0]["taken_for_background"] == {}
    assert worst_images(ASKED, some, 5) == []


def test_a_class_that_nobody_shows_is_not_told() -> None:
    asked = Asked(LABELS, SHARES, DONORS, ("cat", "dog", "owl"), 1)
    (found,) = figures_of(asked, {"a": looks_at_the_object()})["models"]
    assert set(found["per_class"]) == {"cat", "dog"}


def test_worst_images_first() -> None:
    given = answers(original=[0, 0, 0, 1, 1, 0], mixed_rand=[1, 1, 0, 0, 1, 0])
    given.truth[NAMES.index("mixed_rand")][:] = [0.3, 0.05, 0.9, 0.2, 0.9, 0.0]
    assert worst_images(ASKED, given, 5) == [1, 3, 0]
    assert worst_images(ASKED, given, 1) == [1]
