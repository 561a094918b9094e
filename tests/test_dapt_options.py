"""The options of DAPT: what they refuse, and which words are in use."""

from __future__ import annotations

from typing import Any

import pytest

from dapt.config import BACKGROUND_WORDS, make_config
from dapt.config_text import apply_settings, to_yaml
from dapt.dapt_options import AUTO_COUNT, DaptOptions
from dapt.errors import ConfigError


def dapt(**changes: Any) -> DaptOptions:
    return make_config({"data": "-", "dapt": changes}).dapt


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"words": "grass"}, "a list of words, as in"),
        ({"words": 3}, "dapt.words"),
        ({"words": []}, "dapt.words"),
        ({"words": ["grass", 3]}, "dapt.words"),
        ({"words": "auto", "released": True}, "not auto"),
        ({"chosen_words": ["grass"]}, "belongs to dapt.words=auto"),
        ({"min_area": 0.5, "max_area": 0.5}, "no mask is between"),
        ({"min_area": -0.1}, "dapt.min_area"),
        ({"max_area": 1.5}, "dapt.max_area"),
        ({"trust": "scores"}, "dapt.trust"),
        ({"background_label": "far"}, "dapt.background_label"),
        ({"word_count": 33}, "there are 32 words"),
        (
            {"margin_kind": "relative"},
            "takes dapt.margin for a share, at most 1, and it is 1.5: add",
        ),
        (
            {"variant": "swap", "views": "attention"},
            "dapt.variant=swap fills hidden pixels (it sets",
        ),
    ],
)
def test_what_is_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dapt(**changes)
    assert named in caught.value.what


def test_the_words_in_use() -> None:
    assert dapt().used_words == list(BACKGROUND_WORDS)
    assert dapt(word_count=2, template="see {}").texts == ["see ground", "see land"]
    assert not dapt().chooses_words
    undecided = dapt(words="auto", word_count=60)
    assert undecided.chooses_words
    assert (undecided.auto_count, dapt(words="auto").auto_count, AUTO_COUNT) == (60, 25, 25)
    with pytest.raises(ConfigError, match="chooses words for the training images"):
        undecided.texts  # noqa: B018
    assert undecided.distractors == 0
    decided = dapt(words="auto", word_count=60, chosen_words=["moss", "sky"])
    assert not decided.chooses_words
    assert decided.used_words == ["moss", "sky"]


def test_guards_are_off_by_default() -> None:
    assert not dapt().guards
    assert dapt(min_area=0.01).guards
    assert dapt(max_area=0.99).guards


def test_auto_from_the_command_line_and_back_from_yaml() -> None:
    tree = apply_settings({"data": "x", "dapt": True}, ["dapt.words=auto", "dapt.trust=score", "dapt.max_area=0.9"])
    config = make_config(tree)
    assert (config.dapt.words, config.dapt.trust, config.dapt.max_area) == ("auto", "score", 0.9)
    assert "words: auto" in to_yaml(config)
    assert "chosen_words" not in to_yaml(config)


@pytest.mark.parametrize("given", [{"words": ["a", " "]}, {"words": "auto", "chosen_words": [""]}])
def test_a_word_is_not_empty(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="a word is empty"):
        make_config({"data": "-", "method": "maple", "dapt": given})
