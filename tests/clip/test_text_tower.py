"""The text tower against open_clip's blocks, called one by one with the prompts put in by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dapt.clip.prompts import Prompts
from dapt.clip.text_tower import TextTower
from dapt.errors import NotSupportedError

NAMES = ["cat", "golden retriever"]


def by_hand(model, tokens, context, deep=()):
    x = model.token_embedding(tokens.ids)
    for row in range(len(tokens)):
        own = context[row] if context.dim() == 3 else context
        for number, slot in enumerate(tokens.slots[row].tolist()):
            x[row, slot] = own[number]
    x = x + model.positional_embedding
    for index, block in enumerate(model.transformer.resblocks):
        if 1 <= index <= len(deep):
            x[:, 1 : 1 + len(deep[index - 1])] = deep[index - 1]
        x = block(x, attn_mask=model.attn_mask)
    ends = torch.stack([row[end] for row, end in zip(model.ln_final(x), tokens.eot, strict=True)])
    return ends @ model.text_projection


@pytest.mark.parametrize("position", ["end", "middle", "front"])
@pytest.mark.parametrize("kind", ["shared", "class_specific", "deep"])
def test_prompts_in_place(clip, position, kind):
    tokens = clip.tokenizer.with_context(NAMES, 2, position=position)
    torch.manual_seed(0)
    context = torch.randn(2, 2, 24) if kind == "class_specific" else torch.randn(2, 24)
    deep = tuple(torch.randn(2, 24) for _ in range(3 if kind == "deep" else 0))
    ours = clip.text.encode(tokens, Prompts(context, deep))
    assert torch.allclose(ours, by_hand(clip.model, tokens, context, deep), atol=1e-5)


def test_the_context_is_written_over_its_slots_alone(clip):
    tokens = clip.tokenizer.with_context(NAMES, 2, position="front")
    plain = clip.text.embed(tokens)
    assert torch.equal(plain, clip.model.token_embedding(tokens.ids))
    context = torch.full((2, 24), 7.0)
    embedded = clip.text.embed(tokens, Prompts(text_ctx=context))
    assert (embedded == 7).all(dim=-1).nonzero().tolist() == [[0, 2], [0, 3], [1, 3], [1, 4]]
    changed = (embedded != plain).any(dim=-1)
    assert changed.sum() == 4
    without = clip.tokenizer.plain(["a cat"])  # no slots: nothing is written
    assert torch.equal(clip.text.embed(without, Prompts(text_ctx=context)), clip.text.embed(without))


def test_words_are_float32_whatever_the_model(clip):
    ids = torch.tensor([[5, 6], [7, 5]])
    found = clip.text.embed_words(ids)
    assert found.dtype == torch.float32
    assert torch.equal(found, clip.model.token_embedding.weight[ids])
    assert not found.requires_grad


def test_sizes_and_memory(clip):
    tower = clip.text
    assert (tower.width, tower.layers, tower.context_length, tower.dtype) == (24, 4, 32, torch.float32)
    tokens = clip.tokenizer.with_context(NAMES, 2)
    prompts = Prompts(torch.zeros(2, 24, requires_grad=True))
    each = tower.memory_per_text(tokens, prompts)
    assert each > 0
    tower.memory_mb = each * 1.5
    try:
        assert tower.texts_at_once(tokens, prompts) == 1
        assert tower.texts_at_once(tokens, prompts.detached()) == 2
        tower.memory_mb = each * 4.5
        assert [tower.texts_at_once(tokens, prompts, sharing) for sharing in (1, 2, 4, 100)] == [4, 2, 1, 1]
    finally:
        tower.memory_mb = None
    assert tower.texts_at_once(tokens, prompts) == 2


def test_what_is_no_text_tower():
    with pytest.raises(NotSupportedError, match="Linear is not open_clip's own text transformer"):
        TextTower(nn.Linear(2, 2))
