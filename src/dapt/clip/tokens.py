"""Tokenised texts with context slots, and the tokenizer facts they need.

Layout (METHODS of CoOp, arXiv 2109.01134): start token, context slots, class name, full stop, end token. The
context slots hold placeholder words whose embeddings are overwritten, so the ids keep their end-of-text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from dapt.errors import DataError, NotSupportedError

Position = Literal["end", "middle", "front"]
PLACEHOLDER = "X"


@dataclass(frozen=True)
class PromptTokens:
    """Ids of C texts and the context slots in them.

    Attributes:
        ids: ``[C, context length]``.
        eot: ``[C]`` index of the token that is read out.
        slots: ``[C, n]`` positions of the context slots, or None when no context is learned there.
        offset: index of the first position after the start token (0 where the tokenizer has none).
    """

    ids: Tensor
    eot: Tensor
    slots: Tensor | None
    offset: int

    def to(self, device: torch.device | str) -> PromptTokens:
        """The same on another device."""
        slots = None if self.slots is None else self.slots.to(device)
        return PromptTokens(self.ids.to(device), self.eot.to(device), slots, self.offset)

    def __len__(self) -> int:
        return self.ids.shape[0]

    def rows(self, start: int, stop: int) -> PromptTokens:
        """The texts from `start` up to `stop`."""
        slots = None if self.slots is None else self.slots[start:stop]
        return PromptTokens(self.ids[start:stop], self.eot[start:stop], slots, self.offset)

    @cached_property
    def common_prefix(self) -> int:
        """How many leading positions hold the same id in every text."""
        same = (self.ids == self.ids[:1]).all(dim=0)
        return int(same.long().cumprod(dim=0).sum())

    @cached_property
    def first_end(self) -> int:
        """Position of the earliest end-of-text."""
        return int(self.eot.min())

    @cached_property
    def last_end(self) -> int:
        """Position of the latest end-of-text."""
        return int(self.eot.max())

    @cached_property
    def slot_range(self) -> tuple[int, int]:
        """First and last position of any context slot, (-1, -1) without slots."""
        if self.slots is None or not self.slots.numel():
            return -1, -1
        return int(self.slots.min()), int(self.slots.max())

    @cached_property
    def plans(self) -> dict[Any, Any]:
        """Where the text tower keeps what it derives from these tokens once."""
        return {}


class Tokenizer:
    """Wraps an open_clip tokenizer: refuses texts that are too long, knows word pieces and slots.

    Args:
        tokenize: open_clip's callable, list of texts to ids ``[N, context length]``.
        context_length: positions of the text tower.
    """

    def __init__(self, tokenize: Callable[..., Tensor], context_length: int) -> None:
        self._tokenize = tokenize
        self.context_length = context_length
        self._special = self._pieces_around_nothing()
        self.offset = len(self._special[0])

    @property
    def own(self) -> Callable[..., Tensor]:
        """The model's own tokenizer."""
        return self._tokenize

    def _pieces_around_nothing(self) -> tuple[list[int], list[int]]:
        """The ids put before and after any text, found by tokenising a text and removing its word pieces."""
        word = self.pieces("a")
        ids = self._tokenize(["a"], context_length=self.context_length)[0].tolist()
        for start in range(len(ids) - len(word) + 1):
            if ids[start : start + len(word)] == word:
                after = ids[start + len(word)]
                return ids[:start], [after]
        raise NotSupportedError("This model's tokenizer does not keep the pieces of a word together.")

    def pieces(self, text: str) -> list[int]:
        """Ids of `text` without start, end and padding."""
        inner: Any = self._tokenize
        if hasattr(inner, "encode"):
            return list(inner.encode(text))
        hugging_face = getattr(inner, "tokenizer", None)
        if hugging_face is None:
            raise NotSupportedError(f"Tokenizers of type {type(inner).__name__} are not supported.")
        clean = getattr(inner, "clean_fn", None) or (lambda value: value)
        return list(hugging_face.encode(clean(text), add_special_tokens=False))

    def vocabulary(self) -> list[int]:
        """The ids of all word pieces; those that stand for no text (start, end, padding) are left out."""
        inner: Any = self._tokenize
        if not hasattr(inner, "encode"):
            inner = inner.tokenizer
        count = int(inner.vocab_size) if hasattr(inner, "encoder") else len(inner)
        special = set(inner.all_special_ids)
        return [number for number in range(count) if number not in special]

    def word(self, number: int) -> str:
        """A word piece as people read it; a hyphen at its end says that the word goes on, where the tokenizer knows."""
        inner: Any = self._tokenize
        if hasattr(inner, "encode"):
            text = str(inner.decode([number]))
            return text[:-1] if text.endswith(" ") else f"{text}-"
        return str(inner.tokenizer.decode([number])).strip()

    def ids(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids ``[N, context length]`` and the index ``[N]`` of each end-of-text token.

        Raises:
            DataError: a text does not fit the context length (it is never cut silently).
        """
        room = self.context_length - self.offset - len(self._special[1])
        lengths = [len(self.pieces(text)) for text in texts]
        for text, length in zip(texts, lengths, strict=True):
            if length > room:
                raise DataError(
                    f"The text '{text}' has {length} tokens, the model has room for {room}.",
                    todo="Use a shorter class name or template, or fewer context vectors (--n-ctx).",
                )
        ids = self._tokenize(list(texts), context_length=self.context_length)
        return ids, torch.tensor([self.offset + length for length in lengths])

    def plain(self, texts: Sequence[str]) -> PromptTokens:
        """Tokens of complete texts, without context slots."""
        ids, eot = self.ids(texts)
        return PromptTokens(ids, eot, None, self.offset)

    def with_context(
        self, names: Sequence[str], n_ctx: int, *, words: str | None = None, position: Position = "end"
    ) -> PromptTokens:
        """Tokens of ``"<context> <name>."`` with `n_ctx` context slots.

        Args:
            names: class names (underscores become spaces).
            n_ctx: number of learned context vectors.
            words: initial words; those beyond `n_ctx` stay in the text as fixed words. None: placeholders.
            position: where the slots stand: before the name, around it, or after it.
        """
        lead = words if words is not None else " ".join([PLACEHOLDER] * n_ctx)
        clean = [name.replace("_", " ") for name in names]
        ids, eot = self.ids([f"{lead} {name}.".strip() for name in clean])
        first = self.offset
        slots = torch.arange(first, first + n_ctx).repeat(len(clean), 1)
        if position == "end":
            return PromptTokens(ids, eot, slots, first)
        if words is not None and len(self.pieces(words)) != n_ctx:
            raise DataError(
                f"'{words}' has {len(self.pieces(words))} tokens, not {n_ctx}, and cannot stand around the name.",
                todo="Use simpler words, or position: end.",
            )
        before = n_ctx // 2 if position == "middle" else 0
        moved = []
        for row, name in enumerate(clean):
            length = len(self.pieces(name))
            context = list(range(first, first + n_ctx))
            name_at = list(range(first + n_ctx, first + n_ctx + length))
            order = context[:before] + name_at + context[before:]
            ids[row, first : first + len(order)] = ids[row, order]
            moved.append([*range(first, first + before), *range(first + before + length, first + n_ctx + length)])
        return PromptTokens(ids, eot, torch.tensor(moved, dtype=torch.long).view(len(clean), n_ctx), first)
