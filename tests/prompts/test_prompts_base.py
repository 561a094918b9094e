"""What all prompt architectures share: starting values, room for prompts, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.errors import ConfigError, NotSupportedError
from dapt.prompts.base import (
    PromptArchitecture,
    check_depth,
    check_text_count,
    check_visual_count,
    deep_vectors,
    in_order,
    need_text,
    need_visual,
    random_vectors,
    seeded,
    start_context,
    word_vectors,
)
from helpers import tiny_clip

RESNET = {"vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 16}}


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Smallest(PromptArchitecture):
    """An architecture with the two required parts alone."""

    def forward(self) -> Prompts:
        return Prompts()

    def texts(self, names) -> list[PromptTokens]:
        return [self._tokenizer.plain(list(names))]


def test_what_an_architecture_does_unless_it_says_otherwise(clip) -> None:
    made = Smallest.create(None, clip, ("a", "b"), generator(), lambda *a, **k: pytest.fail("no other model"))
    assert made.names == ["a", "b"]
    logits = torch.rand(2, 3)
    assert made.adjust_logits(logits, torch.rand(2, 4)) is logits
    assert made.map_image(logits) is logits
    for answer in (made.class_features(["a"]), made.background_features(["x"]), made.teacher_logits(logits)):
        assert answer is None
    assert made.saved_options() == {}
    assert not Smallest.binds_classes(None)
    assert not made.trains_text
    made.trains_deep_text = True
    assert made.trains_text
    with pytest.raises(NotImplementedError):
        made.contexts(logits)


def test_only_what_is_trained_is_counted(clip) -> None:
    made = Smallest(None, clip, ["a"], generator())
    assert made.count() == 0
    made.one = nn.Parameter(torch.zeros(2, 3))
    made.fixed = nn.Parameter(torch.zeros(100), requires_grad=False)
    made.register_buffer("kept", torch.zeros(7))
    assert made.count() == 6


def test_random_vectors_are_small_and_repeat() -> None:
    vectors = random_vectors(100, 50, generator=generator(3))
    assert torch.equal(vectors, random_vectors(100, 50, generator=generator(3)))
    assert vectors.requires_grad
    assert float(vectors.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert abs(float(vectors.detach().mean())) < 1e-3


def test_own_initialisation_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    with seeded(generator(1)):
        first = nn.Linear(3, 3).weight
    with seeded(generator(1)):
        assert torch.equal(nn.Linear(3, 3).weight, first)
    with seeded(generator(2)):
        assert not torch.equal(nn.Linear(3, 3).weight, first)
    assert torch.equal(torch.get_rng_state(), before)


def test_vectors_of_words(clip) -> None:
    table = clip.model.token_embedding.weight
    vectors = word_vectors(clip, "a_photo of", 2)
    assert torch.equal(vectors, table[clip.tokenizer.pieces("a photo")])
    with torch.no_grad():
        vectors.zero_()  # a copy
    assert table[clip.tokenizer.pieces("photo")].abs().sum() > 0
    with pytest.raises(ConfigError, match="The words 'a photo' have 2 tokens, 3 context vectors were asked for"):
        word_vectors(clip, "a photo", 3)


def test_where_the_context_starts(clip) -> None:
    context, words = start_context(clip, "a_photo of a", 2, generator())
    assert words == "a photo of a"
    assert torch.equal(context, word_vectors(clip, "a photo", 2))
    for given, count in (("a photo of a", 5), (None, 2), ("", 2)):
        context, words = start_context(clip, given, count, generator())
        assert words is None
        assert torch.equal(context, random_vectors(count, 24, generator=generator()))
    assert start_context(clip, "a photo of a", 3, generator(), longest=2)[1] is None


def test_deep_prompts_by_rising_block() -> None:
    values = deep_vectors(2, 12, 3, generator())
    assert set(values) == {str(block) for block in range(1, 12)}
    for number, vectors in enumerate(values.values()):
        vectors.data.fill_(number)
    ordered = in_order(values)
    assert [values[str(block)] is ordered[block - 1] for block in range(1, 12)] == [True] * 11
    assert in_order(deep_vectors(2, 1, 3, generator())) == ()


def test_room_for_prompts(clip) -> None:
    assert check_depth(3, 3, "image") == 3
    with pytest.raises(ConfigError, match="Prompt depth 4 is more than the 3 layers of the image tower"):
        check_depth(4, 3, "image")
    room = 32 - 1 - 3  # the start token; a name, the full stop, the end
    assert check_text_count(clip, room) == room
    assert clip.tokenizer.with_context(["cat"], room).slots.shape == (1, room)
    with pytest.raises(ConfigError, match=f"{room + 1} context vectors are more than the {room}"):
        check_text_count(clip, room + 1)
    assert check_visual_count(clip, 160) == 160
    with pytest.raises(ConfigError, match=r"161 visual prompts beside 16 patches[\s\S]*Use 160 or less"):
        check_visual_count(clip, 161)


def test_towers_without_places(clip) -> None:
    need_visual(clip)
    need_text(clip)
    with pytest.raises(NotSupportedError, match="no place for visual prompts: ModifiedResNet is not a vision"):
        need_visual(tiny_clip(**RESNET))
