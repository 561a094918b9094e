"""Low-rank updates: worked out by hand, in place while a tower runs and gone afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dapt.clip.adapters import Adaptable, AdaptedPrompts, Place, Update, attention_places, updates_of
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.errors import NotSupportedError


def linear(*rows: list[float]) -> nn.Linear:
    layer = nn.Linear(len(rows[0]), len(rows), bias=False).requires_grad_(False)
    layer.weight.copy_(torch.tensor(rows))
    return layer


def test_an_update_by_hand():
    """Two projections of one output each; the second has no update."""
    place = Place(linear([1.0, 2.0], [3.0, 4.0]), "weight", ("q", "k"))
    assert place.size == (2, 1)
    update = Update(place, torch.tensor([[[1.0, -1.0]], [[5.0, 5.0]]]), torch.tensor([[[3.0]], [[0.0]]]), 0.5)
    assert update.weight().tolist() == [[2.5, 0.5], [3, 4]]
    assert place.read().tolist() == [[1, 2], [3, 4]]


def test_the_sum_is_rounded_once_to_the_type_of_the_weight():
    layer = linear([256.0]).half()
    update = Update(Place(layer, "weight", ("o",)), torch.tensor([[[1.0]]]), torch.tensor([[[0.1]]]), 2.0)
    assert update.weight().dtype == torch.float16
    assert update.weight().item() == torch.tensor(256.2).half().item()


class Tower(Adaptable):
    side = "image"

    def __init__(self) -> None:
        self.layer = linear([2.0])

    def update(self, b: torch.Tensor) -> Update:
        return Update(Place(self.layer, "weight", ("o",)), torch.ones(1, 1, 1), b.view(1, 1, 1), 1.0)


def test_the_weight_is_there_inside_alone():
    tower, own = Tower(), None
    own = tower.layer.weight
    prompts = AdaptedPrompts(image_updates=(tower.update(torch.tensor(3.0)),))
    with tower.adapted(prompts):
        assert tower.layer(torch.ones(1)).item() == 5
    assert tower.layer.weight is own
    with pytest.raises(ValueError, match="inside"), tower.adapted(prompts):
        raise ValueError("inside")
    assert tower.layer.weight is own
    with tower.adapted(NO_PROMPTS):
        assert tower.layer.weight is own
    with tower.adapted(AdaptedPrompts(text_updates=prompts.image_updates)):  # of the other tower
        assert tower.layer.weight is own


def test_backward_recomputes_with_the_weights_of_the_call():
    tower = Tower()
    b = torch.tensor(3.0, requires_grad=True)
    x = torch.tensor([4.0], requires_grad=True)
    with tower.adapted(AdaptedPrompts(image_updates=(tower.update(b),))):
        y = tower.recomputed(lambda x: tower.layer(x) ** 2, x)
    assert y.item() == (5 * 4) ** 2
    with tower.adapted(AdaptedPrompts(image_updates=(tower.update(torch.tensor(100.0)),))):
        y.backward()  # whatever stands there now
    assert x.grad.item() == 2 * 20 * 5
    assert b.grad.item() == 2 * 20 * 4
    assert tower.layer.weight.item() == 2


def test_updates_travel_with_the_prompts():
    tower = Tower()
    update = tower.update(torch.tensor(3.0, requires_grad=True))
    prompts = AdaptedPrompts(text_ctx=torch.zeros(1, 2), image_updates=(update,))
    assert updates_of(prompts, "image") == (update,)
    assert updates_of(prompts, "text") == ()
    assert updates_of(Prompts(), "image") == ()
    plain = prompts.detached()
    assert plain.image_updates[0].weight().item() == 5
    assert not plain.image_updates[0].weight().requires_grad
    assert plain.text_ctx is not None


def test_places_of_a_tower(clip):
    places = attention_places(clip.image, "image", "tiny")
    assert len(places) == 3
    qkv, out = places[1]
    block = clip.image.blocks[1]
    assert (qkv.module, qkv.projections, qkv.size) == (block.attn, ("q", "k", "v"), (32, 32))
    assert (out.module, out.projections, out.size) == (block.attn.out_proj, ("o",), (32, 32))

    class Timm(nn.Module):
        def __init__(self, tripled: int) -> None:
            super().__init__()
            self.attn = nn.Module()
            self.attn.qkv, self.attn.proj = nn.Linear(4, tripled), nn.Linear(4, 4)

    tower = nn.Module()
    tower.blocks = nn.ModuleList([Timm(12)])
    assert [place.size for place in attention_places(tower, "image", "tiny")[0]] == [(4, 4), (4, 4)]
    tower.blocks = nn.ModuleList([Timm(12), Timm(8)])
    with pytest.raises(NotSupportedError, match=r"in the text tower of tiny: queries[\s\S]*use clip_lora\.vision"):
        attention_places(tower, "text", "tiny")
    with pytest.raises(NotSupportedError, match=r"plain transformer blocks[\s\S]*use clip_lora\.text"):
        attention_places(object(), "image", "tiny")
