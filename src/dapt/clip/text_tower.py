"""The text tower: the frozen model's own blocks, with prompts written in place.

Causal towers are run with exact savings, each switchable (savings.py): texts are cut at their end-of-text, the
positions that are the same for all texts (start token, learned context, fixed words) are computed once, and the
last block computes the token that is read. Classes beyond a memory budget are recomputed in backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from dapt.clip.adapters import Adaptable, updates_of
from dapt.clip.blocks import can_take_apart
from dapt.clip.few_text_kernels import FewTextKernels
from dapt.clip.packing import Packing, make_packing, packed_block, read_ends
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.clip.savings import Savings
from dapt.clip.spread import TextSet
from dapt.clip.tokens import PromptTokens
from dapt.errors import NotSupportedError

KEPT_PER_TOKEN = 14  # widths of activations that one block keeps per token: q, k, v, residuals, MLP, copies


class TextTower(Adaptable):
    """Runs a native open_clip text tower.

    Args:
        host: the module that owns `token_embedding`, `positional_embedding`, `transformer`, `ln_final`,
            `text_projection`: the CLIP itself, or its `.text`.
        savings: which exact savings to use; None: all.

    Attributes:
        blocks: the transformer blocks. width: token width. layers: number of blocks.
        apart: whether `dapt.clip.blocks` can take all of them apart.
        context_length: number of positions.
        checkpointing: recompute blocks in backward. memory_mb: activations kept for backward; texts beyond
            it are encoded in chunks that are recomputed in backward. None: no limit.
    """

    side = "text"

    def __init__(self, host: nn.Module, savings: Savings | None = None) -> None:
        problem = _unsupported(host)
        if problem:
            raise NotSupportedError(
                f"Prompts in this text tower are not supported: {problem}.",
                todo="Supported: open_clip's own text transformer (CLIP, SigLIP and their relatives).",
            )
        self.host = host
        self._transformer: nn.Module = host.transformer  # type: ignore[assignment]
        self.blocks: nn.ModuleList = self._transformer.resblocks  # type: ignore[assignment]
        self._embedding: nn.Embedding = host.token_embedding  # type: ignore[assignment]
        self._positions: Tensor = host.positional_embedding  # type: ignore[assignment]
        self.width = int(self._embedding.embedding_dim)
        self.layers = len(self.blocks)
        self.context_length = int(self._positions.shape[0])
        self._pool_type = str(getattr(host, "pool_type", getattr(host, "text_pool_type", "argmax")))
        self._reads_end = self._pool_type in ("argmax", "eos") and self._mask is not None
        self.apart = all(can_take_apart(block) for block in self.blocks)
        self.savings = savings or Savings()
        few = self.apart and self._reads_end
        self._few = FewTextKernels(self.blocks, self._embedding, host.ln_final) if few else None  # type: ignore[arg-type]
        self.checkpointing = False
        self.memory_mb: float | None = None

    @property
    def dtype(self) -> torch.dtype:
        """The compute type of the blocks."""
        kind: torch.dtype = self._transformer.get_cast_dtype()  # type: ignore[operator]
        return kind

    @property
    def _mask(self) -> Tensor | None:
        """Of causal attention: read anew, because moving the model puts another tensor there."""
        mask: Tensor | None = self.host.attn_mask  # type: ignore[assignment]
        return mask

    @property
    def words(self) -> int:
        """How many token embeddings there are."""
        return int(self._embedding.num_embeddings)

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

    def encode(self, tokens: PromptTokens, prompts: Prompts = NO_PROMPTS, sharing: int = 1) -> Tensor:
        """Text features ``[C, D]``, not normalised.

        Args:
            sharing: among how many calls before the next backward `memory_mb` is divided.

        Raises:
            NotSupportedError: more deep prompts than the tower has blocks.
        """
        self._check_depth(prompts)
        with self.adapted(prompts):
            return self._encode_in_chunks(tokens, prompts, self.texts_at_once(tokens, prompts, sharing))

    def encode_together(self, sets: Sequence[PromptTokens], prompts: Prompts = NO_PROMPTS) -> Tensor | None:
        """Text features of all sets below each other, from one pass by few kernels.

        None: they are not computed that way, or do not fit into memory at once.

        Raises:
            NotSupportedError: as `encode`.
        """
        with self.adapted(prompts):
            fits = all(self.texts_at_once(tokens, prompts, len(sets)) >= len(tokens) for tokens in sets)
            if not fits or not self._runs_by_few_kernels(sets, prompts):
                return None
            self._check_depth(prompts)
            return self._read_by_few_kernels([(tokens, prompts) for tokens in sets])

    def _check_depth(self, prompts: Prompts) -> None:
        if len(prompts.text_deep) >= self.layers:
            raise NotSupportedError(
                f"{len(prompts.text_deep) + 1} text prompt layers do not fit a tower of {self.layers} blocks."
            )

    def _encode_in_chunks(self, tokens: PromptTokens, prompts: Prompts, count: int) -> Tensor:
        if count >= len(tokens):
            return self._encode(tokens, prompts)
        parts = []
        for start in range(0, len(tokens), count):
            part = self._rows(tokens, start, start + count)
            context = prompts.text_ctx
            if prompts.class_specific:
                assert context is not None
                context = context[start : start + count]
            parts.append(
                self.recomputed(
                    lambda part, context: self._encode(part, replace(prompts, text_ctx=context)), part, context
                )
            )
        return torch.cat(parts)

    def _rows(self, tokens: PromptTokens, start: int, stop: int) -> PromptTokens:
        """The texts from `start` up to `stop`; the same object in every step, so that its plan is made once."""
        key = ("rows", start, stop)
        if key not in tokens.plans:
            with torch.inference_mode(False):
                tokens.plans[key] = tokens.rows(start, stop)
        part: PromptTokens = tokens.plans[key]
        return part

    def memory_per_text(self, tokens: PromptTokens, prompts: Prompts) -> float:
        """About how many MB one text keeps for backward."""
        plan = self._plan(tokens, prompts)
        positions = self._length(tokens) if plan is None else plan.tokens / len(tokens)
        return positions * self.layers * self.width * KEPT_PER_TOKEN * self.dtype.itemsize / 2**20

    def texts_at_once(self, tokens: PromptTokens, prompts: Prompts, sharing: int = 1) -> int:
        """How many texts fit the memory budget at once; all of them when nothing is kept for backward."""
        parts = [prompts.text_ctx, *prompts.text_deep, *(u.b for u in updates_of(prompts, self.side))]
        trained = any(part is not None and part.requires_grad for part in parts)
        if self.memory_mb is None or not trained or not torch.is_grad_enabled():
            return len(tokens)
        return max(1, int(self.memory_mb / sharing / self.memory_per_text(tokens, prompts)))

    def _length(self, tokens: PromptTokens) -> int:
        """How many positions are computed."""
        return tokens.last_end + 1 if self.savings.cut_texts and self._reads_end else tokens.ids.shape[1]

    def _encode(self, tokens: PromptTokens, prompts: Prompts) -> Tensor:
        if self._runs_by_few_kernels([tokens], prompts):
            return self._read_by_few_kernels([(tokens, prompts)])
        plan = self._plan(tokens, prompts)
        if plan is not None:
            return self._project(self._run_packed(tokens, prompts, plan))
        length = self._length(tokens)
        tokens = PromptTokens(tokens.ids[:, :length], tokens.eot, tokens.slots, tokens.offset)
        x = self.embed(tokens, prompts) + self._positions[:length].to(self.dtype)
        return self._project(self._pool(self._run(x, tokens.offset, prompts.text_deep), tokens.eot))

    def _plan(self, tokens: PromptTokens, prompts: Prompts) -> Packing | None:
        """How the texts are packed; None: they are run whole."""
        use = self.savings
        if not (use.cut_texts and use.share_prefix and self._reads_end and self.apart):
            return None
        shared = _shared(tokens, prompts)
        if prompts.text_deep and shared < tokens.offset + prompts.text_deep[0].shape[0]:
            return None
        key = (shared, use.pack_texts)
        if key not in tokens.plans:
            with torch.inference_mode(False):  # it is kept, for calls with gradient too
                tokens.plans[key] = make_packing(tokens.eot, shared, packed=use.pack_texts)
        plan: Packing = tokens.plans[key]
        return plan

    def _runs_by_few_kernels(self, sets: Sequence[PromptTokens], prompts: Prompts) -> bool:
        if self._few is None or (self.checkpointing and torch.is_grad_enabled()):
            return False
        count = prompts.text_deep[0].shape[0] if prompts.text_deep else 0
        return self._few.fits(self.savings, [TextSet(tokens, 0) for tokens in sets], count)

    def _read_by_few_kernels(self, sets: Sequence[tuple[PromptTokens, Prompts]]) -> Tensor:
        assert self._few is not None
        texts = [TextSet(tokens, _shared(tokens, prompts)) for tokens, prompts in sets]
        contexts = [prompts.text_ctx for _, prompts in sets]
        return self._to_joint_space(self._few.read(texts, contexts, sets[0][1].text_deep, self._positions, self.dtype))

    def _run_packed(self, tokens: PromptTokens, prompts: Prompts, plan: Packing) -> Tensor:
        """All blocks with the prefix computed once; returns the end-of-text of each text ``[C, width]``."""
        shared, stop = plan.shared, plan.shared + plan.longest
        positions = self._positions.to(self.dtype)
        one = tokens.rows(0, 1)
        prefix = self.embed(one, NO_PROMPTS if prompts.class_specific else prompts)[:, :shared] + positions[:shared]
        cut = PromptTokens(tokens.ids[:, :stop], tokens.eot, tokens.slots, tokens.offset)
        context_in_rest = tokens.slot_range[1] >= shared  # otherwise the rest is constant
        whole = self.embed(cut, prompts if context_in_rest else NO_PROMPTS)
        rest = (whole[:, shared:] + positions[shared:stop]).flatten(0, 1).index_select(0, plan.picked)
        offset, deep, use = tokens.offset, prompts.text_deep, self.savings
        for index, block in enumerate(self.blocks):
            if 1 <= index <= len(deep):
                prefix = _overwrite(prefix, offset, deep[index - 1])
            if index == self.layers - 1 and use.read_one_token:
                ends: Tensor = self._call(lambda p, r, block=block: read_ends(block, p, r, plan, use), prefix, rest)
                return ends
            prefix, rest = self._call(lambda p, r, block=block: packed_block(block, p, r, plan, use), prefix, rest)
        return rest[plan.ends]

    def _run(self, x: Tensor, offset: int, deep: tuple[Tensor, ...]) -> Tensor:
        """All blocks over whole sequences ``[C, L, width]``."""
        mask = None if self._mask is None else self._mask[: x.shape[1], : x.shape[1]]
        for index, block in enumerate(self.blocks):
            if 1 <= index <= len(deep):
                x = _overwrite(x, offset, deep[index - 1])
            x = self._call(lambda h, block=block: block(h, attn_mask=mask), x)
        return x

    def _call(self, function: Callable[..., Any], *tensors: Tensor) -> Any:
        if self.checkpointing and torch.is_grad_enabled():
            return self.recomputed(function, *tensors)
        return function(*tensors)

    def _pool(self, x: Tensor, end: Tensor) -> Tensor:
        """The token that is read, ``[C, width]``."""
        if self._pool_type == "last":
            return x[:, -1]
        if self._pool_type == "first":
            return x[:, 0]
        return x[torch.arange(x.shape[0], device=x.device), end]

    def _project(self, x: Tensor) -> Tensor:
        return self._to_joint_space(self.host.ln_final(x))  # type: ignore[operator]

    def _to_joint_space(self, x: Tensor) -> Tensor:
        projection: Any = self.host.text_projection
        if projection is None:
            return x
        projected: Tensor = projection(x) if isinstance(projection, nn.Linear) else x @ projection
        return projected


def _shared(tokens: PromptTokens, prompts: Prompts) -> int:
    """How many leading tokens are the same in all texts."""
    shared = min(tokens.common_prefix, tokens.first_end)
    first_slot = tokens.slot_range[0]
    return min(shared, first_slot) if prompts.class_specific and first_slot >= 0 else shared


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
