"""What is learned of the training classes names no others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from dapt.clip.prompts import NO_PROMPTS
from dapt.errors import NotSupportedError
from dapt.prompts.fixed import FixedClassPrompts
from helpers import tiny_clip


def test_the_training_classes_in_their_order_alone() -> None:
    clip = tiny_clip()
    made = FixedClassPrompts(SimpleNamespace(templates=["a {}"]), clip, ("cat", "dog"), torch.Generator())
    assert FixedClassPrompts.binds_classes(made.options)
    assert made() == NO_PROMPTS
    (tokens,) = made.texts(["cat", "dog"])
    assert torch.equal(tokens.ids, clip.tokenizer.plain(["a cat", "a dog"]).ids)
    for others in (["dog", "cat"], ["cat"], ["cat", "dog", "cow"], []):
        with pytest.raises(NotSupportedError, match="belongs to its training classes"):
            made.texts(others)
