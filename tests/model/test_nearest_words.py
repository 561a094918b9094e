"""The words nearest to learned text vectors: of vectors that are words, the words."""

from __future__ import annotations

import pytest
import torch

import dapt
from dapt.clip.load import load_clip
from dapt.model.nearest_words import nearest_words
from helpers import tiny_clip

CLASSES = ["cat", "dog", "fox"]


def made(method: str, **options: object):
    return dapt.create_model(tiny_clip(), method, CLASSES, **options)


def test_vectors_that_are_words_are_nearest_to_them() -> None:
    found = nearest_words(made("coop", ctx_init="a photo of a", n_ctx=4), 3)
    assert found.missing == ""
    assert found.vectors is not None
    (vectors,) = found.vectors.values()
    assert [near[0].word for near in vectors] == ["a", "photo", "of", "a"]
    assert all(near[0].distance == 0 for near in vectors)
    assert all(len(near) == 3 and near[0].distance < near[1].distance <= near[2].distance for near in vectors)
    assert found.typical > 0
    assert found.notes == ()


def test_the_distance_is_euclidean() -> None:
    model = made("coop", ctx_init="a photo of a", n_ctx=4)
    with torch.no_grad():
        model.prompts.ctx[1] += 0.001 * torch.tensor([3.0, 4.0] + [0.0] * 22)
    found = nearest_words(model, 1).vectors
    assert found is not None
    assert found[""][1][0].word == "photo"
    assert found[""][1][0].distance == pytest.approx(0.005, rel=1e-3)


def test_pieces_that_nobody_can_read_are_passed_over() -> None:
    clip = load_clip("demo", device="cpu")
    ids = clip.tokenizer.vocabulary()
    assert any("\ufffd" in clip.tokenizer.word(number) for number in ids), "bytes that are parts of letters"
    model = dapt.create_model(clip, "coop", CLASSES)
    found = nearest_words(model, len(ids)).vectors
    assert found is not None
    words = [near.word for near in found[""][0]]
    assert 300 < len(words) < len(ids)
    assert all(map(str.isprintable, words))
    assert not any("\ufffd" in word for word in words)
    assert "photo" in words
    assert "<end_of_text>" not in words


def test_deep_and_conditional_vectors_are_told() -> None:
    (note,) = nearest_words(made("maple", depth=3), 1).notes
    assert "2 deeper text layers" in note
    (note,) = nearest_words(made("cocoop"), 1).notes
    assert "Every image shifts" in note


def test_of_vectors_per_class_those_asked_for() -> None:
    model = made("coop.csc", n_ctx=2)
    found = nearest_words(model, 1, classes=["fox", "cat", "fox", "wolf"])
    assert found.vectors is not None
    assert list(found.vectors) == ["fox", "cat"]
    assert "2 of 3 classes" in found.notes[0]
    assert found.vectors["fox"] != found.vectors["cat"]


@pytest.mark.parametrize("method", ["zero_shot", "vpt.shallow", "clip_lora"])
def test_methods_without_text_vectors_say_so(method: str) -> None:
    found = nearest_words(made(method))
    assert found.vectors is None
    assert found.missing == f"{method} has no text vectors, so there are no words near them."
