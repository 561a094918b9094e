"""The check: what it counts, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from dapt.errors import ModelError
from dapt.export.check import Comparison, compare, refuse_different
from dapt.model.predictor import Predictor


def test_differences_and_answers_are_counted(maple, model) -> None:
    photos = sorted(maple.photos.iterdir())[:4]
    predictor = Predictor(model)
    calls = []

    def asked(picture: np.ndarray) -> np.ndarray:
        calls.append(picture.shape)
        answer = model(model.preprocess(picture)[None]).softmax(1)[0].detach().numpy()
        return answer if len(calls) != 3 else np.roll(answer, 1) * 0 + np.eye(4)[(answer.argmax() + 1) % 4]

    found = compare(asked, predictor, photos)
    assert len(calls) == 5, "the first image is asked about twice: the first call is not timed"
    assert set(calls) == {(40, 48, 3)}
    assert found.images == 4
    assert found.agreement == 0.75
    assert found.worst == str(photos[1])
    assert 0.25 < found.largest <= 1
    assert found.mean == pytest.approx(found.largest / 4, abs=1e-5)
    assert min(found.milliseconds, found.ours) > 0
    assert found.tree(0.5)["tolerance"] == 0.5
    assert "worst" not in found.tree(0.5), "a path is nobody else's business"


def test_what_is_no_number_is_as_far_as_can_be(maple, model) -> None:
    photo = sorted(maple.photos.iterdir())[:1]
    found = compare(lambda picture: np.full(4, np.nan), Predictor(model), photo)
    assert found.largest == float("inf")
    with pytest.raises(ModelError):
        refuse_different(found, 1.0, "onnx")


def test_above_the_tolerance() -> None:
    found = Comparison(8, 0.25, 0.1, 0.875, 1.0, 2.0, "photos/a.png")
    refuse_different(found, 0.25, "onnx")
    with pytest.raises(ModelError) as caught:
        refuse_different(found, 0.2, "onnx")
    assert caught.value.message == (
        "The exported model differs from the run: a probability by 0.25, above the tolerance of 0.2, at photos/a.png. "
        "Nothing was written. (--to onnx)\n"
        "87.5% of 8 answers are the same; where that will do, pass a greater --tolerance."
    )
