"""CoOp's context and ProGrad's start from a template."""

from __future__ import annotations

import pytest
import torch

from dapt.errors import ConfigError, NotSupportedError
from dapt.methods.coop import CoopOptions
from dapt.methods.prograd import ProGradOptions
from dapt.prompts.context import ContextPrompts, ProGradPrompts
from helpers import tiny_clip

NAMES = ["cat", "dog"]


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def build(clip, **options):
    return ContextPrompts(CoopOptions(**options), clip, NAMES, torch.Generator().manual_seed(0))


def prograd(clip, **options):
    return ProGradPrompts(ProGradOptions(**options), clip, NAMES, torch.Generator().manual_seed(0))


def embedded(clip, text: str) -> torch.Tensor:
    return clip.model.token_embedding.weight[clip.tokenizer.pieces(text)]


def test_one_context_for_all_or_one_for_each(clip) -> None:
    shared, own = build(clip, n_ctx=3), build(clip, n_ctx=3, class_specific=True)
    assert shared.ctx.shape == (3, 24)
    assert own.ctx.shape == (2, 3, 24)
    assert shared().text_ctx is shared.ctx
    assert not shared().class_specific
    assert own().class_specific
    assert (shared.fixed_classes, own.fixed_classes) == (False, True)
    assert shared.trains_text
    assert not shared.trains_visual


def test_names_of_other_classes(clip) -> None:
    own = build(clip, n_ctx=3, class_specific=True)
    assert len(own.texts(NAMES)[0]) == 2
    for others in (["dog", "cat"], ["cat"], [*NAMES, "cow"]):
        with pytest.raises(NotSupportedError, match="one context per training class"):
            own.texts(others)
        assert len(build(clip, n_ctx=3).texts(others)[0]) == len(others)


@pytest.mark.parametrize(("position", "slots"), [("end", [1, 2]), ("middle", [1, 3]), ("front", [2, 3])])
def test_where_the_name_stands(clip, position, slots) -> None:
    (tokens,) = build(clip, n_ctx=2, position=position).texts(["cat"])
    assert tokens.slots.tolist() == [slots]


def test_words_are_the_start_and_stay_in_the_text(clip) -> None:
    made = build(clip, ctx_init="a_photo of a")
    assert torch.equal(made.ctx, embedded(clip, "a photo of a"))
    assert torch.equal(made.texts(["cat"])[0].ids, clip.tokenizer.plain(["a photo of a cat."]).ids)


def test_prograd_starts_from_its_template_words_last(clip) -> None:
    made = prograd(clip, n_ctx=6, ctx_from_template=True, knowledge_template="a photo of {}, a pet.")
    assert torch.equal(made.ctx[3:], embedded(clip, "a photo of"))
    assert torch.equal(made.ctx[:3], torch.zeros(3, 24))
    assert made.ctx.requires_grad
    assert torch.equal(prograd(clip, n_ctx=6, ctx_from_template=True, knowledge_template="{}.").ctx, torch.zeros(6, 24))
    random = prograd(clip, n_ctx=6)
    assert float(random.ctx.detach().abs().min()) > 0


def test_a_template_of_more_words_than_vectors(clip) -> None:
    with pytest.raises(ConfigError, match="The words 'a photo of a' have 4 tokens, more than the 3 context vectors"):
        prograd(clip, n_ctx=3, ctx_from_template=True, knowledge_template="a photo of a {}.")
    with pytest.raises(ConfigError, match="context vectors are more than the 28"):
        build(clip, n_ctx=29)
