"""The text tower of a CLIP by few kernels, see `few_kernels.py` and `spread.py`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.few_kernels import attention, by_few_kernels, overwrite, runs_by_few_kernels
from dapt.clip.savings import Savings
from dapt.clip.spread import Spread, TextSet, can_spread, make_spread
from dapt.clip.tokens import PromptTokens

Context = Tensor | None


class FewTextKernels:
    """A causal text tower that reads the end-of-text and whose blocks can be taken apart.

    Args:
        blocks, embedding, norm: of the tower; the norm is the last one.
    """

    def __init__(self, blocks: nn.ModuleList, embedding: nn.Embedding, norm: nn.Module) -> None:
        self._blocks = by_few_kernels(blocks)  # type: ignore[arg-type]
        self._embedding = embedding
        self._norm = norm

    def fits(self, use: Savings, sets: Sequence[TextSet], count: int) -> bool:
        """Whether texts with so many deep prompts are to be computed this way."""
        weight = self._embedding.weight
        return bool(self._blocks) and runs_by_few_kernels(use, weight) and can_spread(sets, count)

    def plan(self, sets: Sequence[TextSet], count: int, kind: torch.dtype) -> Spread:
        """How the texts are packed; made once per first of the token sets."""
        kept = sets[0].tokens.plans
        key = ("spread", count, kind, *((id(each.tokens), each.shared) for each in sets))
        if key not in kept:
            with torch.inference_mode(False):
                # the sets are kept too, so that nothing else gets their ids
                kept[key] = make_spread(sets, count, kind), list(sets)
        plan: Spread = kept[key][0]
        return plan

    def read(
        self,
        sets: Sequence[TextSet],
        contexts: Sequence[Context],
        deep: Sequence[Tensor],
        positions: Tensor,
        kind: torch.dtype,
    ) -> Tensor:
        """The end-of-text ``[C, width]`` of all texts of all sets behind the last block, normed.

        Args:
            sets: the texts. contexts: what is written into the slots of each set, see `Prompts.text_ctx`.
            deep: deep prompts. positions: positional embedding. kind: type of the blocks.
        """
        plan = self.plan(sets, deep[0].shape[0] if deep else 0, kind)
        x = self._embed(sets, contexts, positions, plan, kind)
        for index, block in enumerate(self._blocks):
            if 1 <= index <= len(deep):
                x = overwrite(x, deep[index - 1], plan.deep, plan.stays)
            padded = block.attended(x, lambda projected, heads: attention(plan.pad(projected), heads, causal=True))
            if index < len(self._blocks) - 1:
                x = block.after(x, plan.pack(padded))
            else:
                x = block.after(x.index_select(0, plan.end_rows), plan.pack_ends(padded))
        return self._blocks[-1].norm(self._norm, x)

    def _embed(
        self, sets: Sequence[TextSet], contexts: Sequence[Context], positions: Tensor, plan: Spread, kind: torch.dtype
    ) -> Tensor:
        """The packed tokens ``[N, width]`` at the input of the first block."""
        x = self._constant(sets, contexts, positions, plan, kind)
        written = False
        for each, group, context in zip(sets, plan.groups, contexts, strict=True):
            slots = each.tokens.slots
            if context is None or slots is None or not slots.shape[1]:
                continue
            rows, which = _slot_rows(each.tokens, slots, plan, group.first, context.dim() == 3)
            values = context.to(kind).flatten(0, -2)
            x = x.index_add(0, rows, values if which is None else values.index_select(0, which))
            written = True
        return x if written else x.clone()  # deep prompts are written into it

    def _constant(
        self, sets: Sequence[TextSet], contexts: Sequence[Context], positions: Tensor, plan: Spread, kind: torch.dtype
    ) -> Tensor:
        """What of them is not learned: words, none in learned slots, and positions; made once."""
        kept = sets[0].tokens.plans
        used = tuple(context is not None for context in contexts)
        words = self._embedding.weight
        state = tuple((part.data_ptr(), -1 if part.is_inference() else part._version) for part in (words, positions))
        key = ("constant", id(plan), used)
        if key in kept and kept[key][0] == state:
            found: Tensor = kept[key][1]
            return found
        with torch.inference_mode(False), torch.no_grad():
            every, places = [], torch.arange(plan.longest, device=words.device)
            for each, one in zip(sets, used, strict=True):
                ids = F.pad(each.tokens.ids, (0, 1))[:, : plan.longest]
                embedded = self._embedding(ids).to(kind)
                slots = each.tokens.slots
                if one and slots is not None and slots.shape[1]:
                    learned = torch.zeros_like(ids, dtype=torch.bool).scatter(1, slots, True)
                    embedded = embedded.masked_fill(learned.unsqueeze(-1), 0)
                every.append(embedded + positions.to(kind)[places.clamp_max(len(positions) - 1)])
            made = torch.cat(every).flatten(0, 1).index_select(0, plan.kept)
        kept[key] = state, made
        return made


def _slot_rows(
    tokens: PromptTokens, slots: Tensor, plan: Spread, first: int, own: bool
) -> tuple[Tensor, Tensor | None]:
    """The packed rows of the context slots, each once, and which context vector belongs into each.

    Args:
        first: of the texts among all. own: every text has its own vectors, ``C * n`` in all, instead of n.

    Returns:
        rows ``[R]``; vectors ``[R]``, or None: as they come.
    """
    key = ("slots", id(plan), own)
    if key not in tokens.plans:
        with torch.inference_mode(False):
            rows = plan.table[first : first + len(slots)].gather(1, slots)
            found: tuple[Tensor, Tensor | None]
            if own:
                found = rows.flatten(), None
            elif bool((rows == rows[:1]).all()):
                found = rows[0].clone(), None
            else:
                places = rows.flatten().cpu()
                unique = {int(row): at % slots.shape[1] for at, row in enumerate(places)}
                each, which = (torch.tensor(list(part), device=slots.device) for part in (unique, unique.values()))
                found = each, which
        tokens.plans[key] = plan, found  # with the plan, so that nothing else gets its id
    result: tuple[Tensor, Tensor | None] = tokens.plans[key][1]
    return result
