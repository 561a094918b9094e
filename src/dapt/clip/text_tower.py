"""The text tower: the frozen model's own blocks, with prompts written in place.

Two exact savings for causal towers, each switchable: the sequence is cut at the longest end-of-text (later
positions cannot be seen), and the positions that are the same for all texts (start token, learned context,
fixed words) are computed once per layer, their keys and values shared by all classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dapt.clip.blocks import can_take_apart, shared_prefix_block, suffix_mask
from dapt.clip.tokens import PromptTokens
from dapt.errors import NotSupportedError
from dapt.prompts.value import NO_PROMPTS, Prompts


class TextTower:
    """Runs a native open_clip text tower.

    Args:
        host: the module that owns `token_embedding`, `positional_embedding`, `transformer`, `ln_final`,
            `text_projection`: the CLIP itself, or its `.text`.

    Attributes:
        width: token width. layers: number of blocks. context_length: number of positions.
        cut: cut texts at the longest end-of-text. share_prefix: compute common leading tokens once.
    """

    def __init__(self, host: nn.Module) -> None:
        problem = _unsupported(host)
        if problem:
            raise NotSupportedError(
                f"Prompts in this text tower are not supported: {problem}.",
                todo="Supported: open_clip's own text transformer (CLIP, SigLIP and their relatives).",
            )
        self.host = host
        self._transformer: nn.Module = host.transformer  # type: ignore[assignment]
        self._blocks: nn.ModuleList = self._transformer.resblocks  # type: ignore[assignment]
        self._embedding: nn.Embedding = host.token_embedding  # type: ignore[assignment]
        self._positions: Tensor = host.positional_embedding  # type: ignore[assignment]
        self.width = int(self._embedding.embedding_dim)
        self.layers = len(self._blocks)
        self.context_length = int(self._positions.shape[0])
        self._mask: Tensor | None = host.attn_mask  # type: ignore[assignment]
        self._pool_type = str(getattr(host, "pool_type", getattr(host, "text_pool_type", "argmax")))
        self._reads_end = self._pool_type in ("argmax", "eos") and self._mask is not None
        self.cut = True
        self.share_prefix = True
        self.checkpointing = False

    @property
    def dtype(self) -> torch.dtype:
        """The compute type of the blocks."""
        kind: torch.dtype = self._transformer.get_cast_dtype()  # type: ignore[operator]
        return kind

    def embed_words(self, ids: Tensor) -> Tensor:
        """Token embeddings ``[..., width]`` of `ids`, in float32, for starting a context from words."""
        with torch.no_grad():
            words: Tensor = self._embedding(ids.to(self._embedding.weight.device))
            return words.float()

    def embed(self, tokens: PromptTokens, prompts: Prompts = NO_PROMPTS) -> Tensor:
        """Token embeddings ``[C, L, width]`` with the context written in, before positions are added."""
        with torch.no_grad():
            x: Tensor = self._embedding(tokens.ids).to(self.dtype)
        if tokens.slots is None or prompts.text_ctx is None or tokens.slots.shape[1] == 0:
            return x
        context = prompts.text_ctx.to(x.dtype).expand(len(tokens), -1, -1)
        return x.scatter(1, tokens.slots.unsqueeze(-1).expand(-1, -1, self.width), context)

    def encode(self, tokens: PromptTokens, prompts: Prompts = NO_PROMPTS) -> Tensor:
        """Text features ``[C, D]``, not normalised.

        Raises:
            NotSupportedError: more deep prompts than the tower has blocks.
        """
        if len(prompts.text_deep) >= self.layers:
            raise NotSupportedError(
                f"{len(prompts.text_deep) + 1} text prompt layers do not fit a tower of {self.layers} blocks."
            )
        length = int(tokens.eot.max()) + 1 if self.cut and self._reads_end else tokens.ids.shape[1]
        tokens = PromptTokens(tokens.ids[:, :length], tokens.eot, tokens.slots, tokens.offset)
        x = self.embed(tokens, prompts) + self._positions[:length].to(self.dtype)
        shared = self._shared_length(tokens, prompts)
        if shared:
            x = self._run_shared(x[:1, :shared], x[:, shared:], tokens.offset, prompts.text_deep)
            read = tokens.eot - shared
        else:
            x = self._run(x, tokens.offset, prompts.text_deep)
            read = tokens.eot
        return self._read_out(x, read)

    def _shared_length(self, tokens: PromptTokens, prompts: Prompts) -> int:
        """How many leading positions can be computed once for all texts (0: none)."""
        if not (self.share_prefix and self._reads_end and len(tokens) > 1):
            return 0
        if not all(can_take_apart(block) for block in self._blocks):
            return 0
        shared = min(tokens.common_prefix(), int(tokens.eot.min()))
        if prompts.class_specific:
            assert tokens.slots is not None
            shared = min(shared, int(tokens.slots.min()))
        if prompts.text_deep and shared < tokens.offset + prompts.text_deep[0].shape[0]:
            return 0
        return shared

    def _run(self, x: Tensor, offset: int, deep: tuple[Tensor, ...]) -> Tensor:
        """All blocks over whole sequences ``[C, L, width]``."""
        mask = None if self._mask is None else self._mask[: x.shape[1], : x.shape[1]]
        for index, block in enumerate(self._blocks):
            if 1 <= index <= len(deep):
                x = _overwrite(x, offset, deep[index - 1])
            x = self._call(lambda h, block=block: block(h, attn_mask=mask), x)
        return x

    def _run_shared(self, prefix: Tensor, suffix: Tensor, offset: int, deep: tuple[Tensor, ...]) -> Tensor:
        """All blocks with the prefix computed once; returns the suffixes ``[C, S, width]``."""
        mask = suffix_mask(prefix.shape[1], suffix.shape[1], suffix.device)
        for index, block in enumerate(self._blocks):
            if 1 <= index <= len(deep):
                prefix = _overwrite(prefix, offset, deep[index - 1])
            prefix, suffix = self._call(
                lambda p, s, block=block: shared_prefix_block(block, p, s, mask), prefix, suffix
            )
        return suffix

    def _call(self, function: Callable[..., Any], *tensors: Tensor) -> Any:
        if self.checkpointing and torch.is_grad_enabled():
            return checkpoint(function, *tensors, use_reentrant=False)
        return function(*tensors)

    def _read_out(self, x: Tensor, end: Tensor) -> Tensor:
        if self._pool_type == "last":
            x = x[:, -1]
        elif self._pool_type == "first":
            x = x[:, 0]
        else:
            x = x[torch.arange(x.shape[0], device=x.device), end]
        x = self.host.ln_final(x)  # type: ignore[operator]
        projection: Any = self.host.text_projection
        if projection is None:
            return x
        projected: Tensor = projection(x) if isinstance(projection, nn.Linear) else x @ projection
        return projected


def _overwrite(x: Tensor, start: int, values: Tensor) -> Tensor:
    """`x` with positions start..start+n replaced by `values` ``[n, width]``."""
    count = values.shape[0]
    middle = values.to(x.dtype).expand(x.shape[0], -1, -1)
    return torch.cat([x[:, :start], middle, x[:, start + count :]], dim=1)


def _unsupported(host: nn.Module) -> str:
    """Why prompts cannot be written into this text tower, or an empty string."""
    needed = ("token_embedding", "positional_embedding", "transformer", "ln_final", "text_projection")
    if not all(hasattr(host, part) for part in needed):
        return f"{type(host).__name__} is not open_clip's own text transformer"
    if not hasattr(host.transformer, "resblocks"):
        return "its transformer has no list of residual blocks"
    if getattr(host, "cls_emb", None) is not None:
        return "it appends a class embedding to the text (CoCa)"
    if getattr(host, "use_pad_mask", False):
        return "it masks padding"
    if not getattr(host.transformer, "batch_first", True):
        return "it runs length-first; update open_clip"
    return ""
