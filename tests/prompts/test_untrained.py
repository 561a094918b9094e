"""Zero-shot CLIP: hand-written texts, nothing trained."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from dapt.clip.prompts import NO_PROMPTS
from dapt.prompts.untrained import UntrainedPrompts
from helpers import tiny_clip


def test_one_text_per_class_and_template() -> None:
    clip = tiny_clip()
    options = SimpleNamespace(templates=["a photo of a {}.", "{} and {}"])
    made = UntrainedPrompts(options, clip, ["x"], torch.Generator())
    first, second = made.texts(["flag_pole", "cat"])  # of any classes
    assert torch.equal(first.ids, clip.tokenizer.plain(["a photo of a flag pole.", "a photo of a cat."]).ids)
    assert torch.equal(second.ids, clip.tokenizer.plain(["flag pole and flag pole", "cat and cat"]).ids)
    assert first.slots is None
    assert made() == NO_PROMPTS
    assert made.count() == 0
    assert [made.trains_text, made.trains_visual, made.trains_logits] == [False] * 3
