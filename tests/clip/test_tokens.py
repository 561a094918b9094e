"""Tokenised texts: where the context stands, what is common to them, and what does not fit."""

from __future__ import annotations

from types import SimpleNamespace

import open_clip
import pytest
import torch

from dapt.clip.tokens import PromptTokens, Tokenizer
from dapt.errors import DataError, NotSupportedError

LENGTH = 16


@pytest.fixture(scope="module")
def simple():
    return open_clip.SimpleTokenizer(context_length=LENGTH)


@pytest.fixture(scope="module")
def tokenizer(simple):
    return Tokenizer(simple, LENGTH)


def words(simple, ids) -> list[str]:
    """The word pieces of a row, without padding."""
    kept = ids.tolist()
    kept = kept[: kept.index(simple.eot_token_id) + 1]
    return [simple.decoder[token].replace("</w>", "") for token in kept]


def test_plain_texts_are_open_clips(simple, tokenizer):
    tokens = tokenizer.plain(["a cat", "Golden  Retriever!"])
    assert torch.equal(tokens.ids, simple(["a cat", "Golden  Retriever!"]))
    assert tokens.slots is None
    assert tokens.slot_range == (-1, -1)
    assert tokens.offset == 1
    assert (tokens.ids[torch.arange(2), tokens.eot] == simple.eot_token_id).all()
    assert words(simple, tokens.ids[0]) == ["<start_of_text>", "a", "cat", "<end_of_text>"]


@pytest.mark.parametrize(
    ("position", "cat", "pole", "slots"),
    [
        ("end", "a photo of a cat .", "a photo of a flag pole .", [[1, 2, 3, 4], [1, 2, 3, 4]]),
        ("middle", "a photo cat of a .", "a photo flag pole of a .", [[1, 2, 4, 5], [1, 2, 5, 6]]),
        ("front", "cat a photo of a .", "flag pole a photo of a .", [[2, 3, 4, 5], [3, 4, 5, 6]]),
    ],
)
def test_where_the_context_stands(simple, tokenizer, position, cat, pole, slots):
    tokens = tokenizer.with_context(["cat", "flag_pole"], 4, words="a photo of a", position=position)
    assert [" ".join(words(simple, row)[1:-1]) for row in tokens.ids] == [cat, pole]
    assert tokens.slots.tolist() == slots
    assert tokens.eot.tolist() == [7, 8]


def test_an_odd_number_of_vectors_around_the_name(simple, tokenizer):
    tokens = tokenizer.with_context(["cat"], 3, position="middle")
    assert words(simple, tokens.ids[0])[1:-1] == ["x", "cat", "x", "x", "."]
    assert tokens.slots.tolist() == [[1, 3, 4]]


def test_fewer_vectors_than_words_and_none(simple, tokenizer):
    tokens = tokenizer.with_context(["cat"], 2, words="a photo of a")
    assert words(simple, tokens.ids[0])[1:-1] == ["a", "photo", "of", "a", "cat", "."]
    assert tokens.slots.tolist() == [[1, 2]]
    nothing = tokenizer.with_context(["cat", "dog"], 0)
    assert words(simple, nothing.ids[0])[1:-1] == ["cat", "."]
    assert nothing.slots.shape == (2, 0)
    assert nothing.slot_range == (-1, -1)


def test_words_that_cannot_stand_around_the_name(tokenizer):
    with pytest.raises(DataError, match="'a photo of a' has 4 tokens, not 2, and cannot stand around the name"):
        tokenizer.with_context(["cat"], 2, words="a photo of a", position="front")


def test_what_texts_have_in_common(tokenizer):
    tokens = tokenizer.with_context(["cat", "dog", "flag pole"], 2)
    assert tokens.common_prefix == 3
    assert (tokens.first_end, tokens.last_end, tokens.slot_range) == (5, 6, (1, 2))
    part = tokens.rows(1, 3)
    assert len(part) == 2
    assert torch.equal(part.ids, tokens.ids[1:])
    assert part.eot.tolist() == [5, 6]
    assert part.slots.tolist() == [[1, 2]] * 2
    assert tokens.rows(0, 1).common_prefix == LENGTH
    moved = tokens.to("meta")
    assert {moved.ids.device.type, moved.eot.device.type, moved.slots.device.type} == {"meta"}
    assert tokenizer.plain(["a"]).to("meta").slots is None


def test_texts_are_never_cut(tokenizer):
    room = LENGTH - 2
    assert tokenizer.plain(["cat " * room]).eot.tolist() == [LENGTH - 1]
    with pytest.raises(DataError, match=f"has {room + 1} tokens, the model has room for {room}"):
        tokenizer.plain(["fine", "cat " * (room + 1)])
    with pytest.raises(DataError, match="the model has room for"):
        tokenizer.with_context(["cat"], room - 1)


class HuggingFace:
    """Of the kind that open_clip makes for Hugging Face models: no start token, another end, texts cleaned."""

    tokenizer = SimpleNamespace(encode=lambda text, add_special_tokens: [10 + ord(letter) for letter in text])
    clean_fn = staticmethod(str.lower)

    def __call__(self, texts: list[str], context_length: int) -> torch.Tensor:
        rows = [[*self.tokenizer.encode(text.lower(), False), 1] for text in texts]
        return torch.tensor([row + [0] * (context_length - len(row)) for row in rows])


def test_tokenizers_of_hugging_face():
    tokenizer = Tokenizer(HuggingFace(), 8)
    assert tokenizer.pieces("AB") == [107, 108]
    tokens = tokenizer.plain(["AB", "abc"])
    assert tokens.offset == 0
    assert tokens.eot.tolist() == [2, 3]
    assert tokenizer.plain(["a" * 7]).eot.tolist() == [7]
    with pytest.raises(DataError, match="room for 7"):
        tokenizer.plain(["a" * 8])


class Words:
    """The word pieces of a Hugging Face tokenizer."""

    all_special_ids = (1,)
    pieces = ("a", "</s>", "\u2581cat", "s")

    def __len__(self) -> int:
        return len(self.pieces)

    def decode(self, ids: list[int]) -> str:
        return "".join(self.pieces[number] for number in ids).replace("\u2581", " ")

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        return [10 + ord(letter) for letter in text]


def test_words_of_the_vocabulary(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(HuggingFace, "tokenizer", Words())
    tokenizer = Tokenizer(HuggingFace(), 8)
    assert [tokenizer.word(number) for number in tokenizer.vocabulary()] == ["a", "cat", "s"]
    tokenizer = Tokenizer(open_clip.SimpleTokenizer(context_length=8), 8)
    ids = tokenizer.vocabulary()
    assert len(ids) == 49408 - 2, "without start and end"
    assert [tokenizer.word(number) for number in tokenizer.pieces("a photograph")] == ["a", "photograph"]
    pieces = [tokenizer.word(number) for number in tokenizer.pieces("photographyx")]
    assert len(pieces) > 1
    assert pieces[0].endswith("-"), "it goes on"
    assert pieces[-1] == pieces[-1].rstrip("-")


def test_tokenizers_that_cannot_be_used():
    with pytest.raises(NotSupportedError, match="Tokenizers of type function are not supported"):
        Tokenizer(lambda texts, context_length: torch.zeros(1, 8, dtype=torch.long), 8)

    class Scattering(HuggingFace):
        def __call__(self, texts: list[str], context_length: int) -> torch.Tensor:
            return torch.zeros(len(texts), context_length, dtype=torch.long)

    with pytest.raises(NotSupportedError, match="does not keep the pieces of a word together"):
        Tokenizer(Scattering(), 8)


def test_derived_values_belong_to_their_tokens():
    ids = torch.tensor([[0, 5, 9], [0, 6, 9]])
    one, other = (PromptTokens(ids, torch.tensor([2, 2]), None, 1) for _ in range(2))
    one.plans["x"] = 1
    assert other.plans == {}
    assert one.common_prefix == 1  # the equal ends behind the difference do not count
