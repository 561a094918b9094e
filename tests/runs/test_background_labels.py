"""What L_b aims at where that is settled before training."""

from __future__ import annotations

import pytest
import torch
from backgrounds import ITEMS, image, masks

from dapt.config import DaptOptions
from dapt.runs.background_labels import background_labels, plain_name
from dapt.runs.untuned_views import background_logits, text_features
from helpers import tiny_clip

OPTIONS = DaptOptions(enabled=True, words=["grass", "sky", "Old Wall", "sand"])
TEXTS = ["a clean origami grass.", "a clean origami sky.", "a clean origami Old Wall.", "a clean origami sand."]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("tree-merged", "tree"),
        ("sky-other-merged", "sky"),
        ("wall-brick", "wall brick"),
        ("water-other", "water"),
        ("earth, ground", "earth"),
        ("Door;double door", "door"),
        ("playing_field", "playing field"),
        ("other", ""),
        (" ", ""),
    ],
)
def test_names_of_categories(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_first_the_cue_then_the_untuned_model_then_nothing() -> None:
    clip = tiny_clip()
    stuff = {"0": ["sky-other-merged", "grass"], "1": ["old_wall"], "2": [], "4": ["other", "sand"]}
    found = background_labels(OPTIONS, clip, ITEMS, masks(), stuff, image)
    seen = background_logits(clip, ITEMS, masks(), TEXTS, image).argmax(dim=1).tolist()
    assert found.labels.tolist() == [1, 2, seen[2], seen[3], 3]
    assert found.labels.dtype == torch.long
    assert (found.from_cue, found.from_view, found.without) == (3, 2, 0)
    found = background_labels(OPTIONS, clip, ITEMS, masks(), {}, image, batch_size=2)
    assert found.labels.tolist() == [seen[0], -1, *seen[2:]]
    assert found.counts() == {"background_from_cue": 0, "background_from_view": 4, "background_nearest": 1}
    assert "1 has no cue, so the nearest text is theirs" in found.summary()


def test_a_name_that_is_no_word_becomes_the_most_similar_one() -> None:
    clip = tiny_clip()
    similar = text_features(clip, ["a clean origami meadow."]) @ text_features(clip, TEXTS).t()
    found = background_labels(OPTIONS, clip, ITEMS[:1], masks()[:1], {"0": ["meadow"]}, image)
    assert found.labels.tolist() == [int(similar.argmax())]


def test_further_classes_of_the_released_code_are_not_counted() -> None:
    words = [f"word {number}" for number in range(26)] + ["sky"]
    options = DaptOptions(enabled=True, words=words, released=True)
    found = background_labels(options, tiny_clip(), ITEMS[:1], masks()[:1], {"0": ["sky"]}, image)
    assert found.labels.tolist() == [24]  # of the 25 that are background
