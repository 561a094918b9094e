"""Texts for towers that run by few kernels: packed for everything but attention, padded for that, in one call.

As in `packing.py` the leading tokens that the texts of a set have in common are computed once, and the rest of each
text has no padding. Here all of it is one tensor of tokens, and so that attention is one call for all texts of all
sets, its queries, keys and values are copied to ``[texts, S, ...]``, those of the prefix to every text. One more token
stands in for the padding. Nothing that is read depends on it, so its gradient is zero, and so is that of the padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dapt.clip.tokens import PromptTokens


@dataclass(frozen=True)
class TextSet:
    """Texts that share their first tokens.

    Attributes:
        tokens: the texts. shared: P, how many leading tokens are computed once.
    """

    tokens: PromptTokens
    shared: int


@dataclass(frozen=True)
class Group:
    """Where the tokens of a set stand.

    Attributes:
        first, texts: its texts among all. shared: P. prefix: packed row of its first token.
        deep: packed row of the first of its tokens that deep prompts replace. copies: how often these are there.
    """

    first: int
    texts: int
    shared: int
    prefix: int
    deep: int
    copies: int


@dataclass(frozen=True)
class Spread:
    """N packed tokens of C texts: the prefixes of all sets, the rest of each text, the one that stands in for padding.

    Attributes:
        longest: S, the padded length. groups: the sets. count: n, how many deep prompts there are.
        table: ``[C, S]`` the packed row of each padded position.
        given: ``[C * S]`` the packed row that has the value of a position back, see `pack`.
        rows: ``[N - sum of P]`` the padded place, in ``C * S``, of each token behind the prefixes.
        kept: ``[N]`` the padded place of every token, that of a prefix in the first text of its set.
        ends, end_rows: ``[C]`` padded place and packed row of each end-of-text.
        stays: ``[N, 1]`` 0 where deep prompts are written, else 1.
    """

    longest: int
    groups: tuple[Group, ...]
    count: int
    table: Tensor
    given: Tensor
    rows: Tensor
    kept: Tensor
    ends: Tensor
    end_rows: Tensor
    stays: Tensor

    @property
    def prefixes(self) -> int:
        """How many tokens are computed once."""
        return sum(group.shared for group in self.groups)

    def deep(self, x: Tensor) -> list[Tensor]:
        """The tokens of ``[N, width]`` that deep prompts replace, a view ``[copies, n, width]`` per set."""
        return [
            x[group.deep : group.deep + group.copies * self.count].view(group.copies, self.count, -1)
            for group in self.groups
        ]

    def pad(self, packed: Tensor) -> Tensor:
        """``[N, width]`` as ``[C, S, width]``."""
        padded: Tensor = _Pad.apply(packed, self)
        return padded

    def pack(self, padded: Tensor) -> Tensor:
        """``[C, S, width]`` as ``[N, width]``."""
        packed: Tensor = _Pack.apply(padded, self)
        return packed

    def pack_ends(self, padded: Tensor) -> Tensor:
        """The end-of-text of each text of ``[C, S, width]``: ``[C, width]``."""
        return padded.flatten(0, 1).index_select(0, self.ends)


def can_spread(sets: Sequence[TextSet], count: int) -> bool:
    """Whether all texts are longer than where deep prompts, `count` of them, are written."""
    return all(each.tokens.first_end >= each.tokens.offset + count for each in sets)


def make_spread(sets: Sequence[TextSet], count: int, kind: torch.dtype) -> Spread:
    """Plan for the texts of `sets`, in which `count` deep prompts follow the start token.

    Args:
        sets: those for which `can_spread` holds. kind: of the tokens.
    """
    device = sets[0].tokens.ids.device
    shared = [_shared(each, count) for each in sets]
    lengths = torch.cat([each.tokens.eot.cpu() + 1 for each in sets])
    longest = int(lengths.max())
    longest += int(bool((lengths == longest).all()))  # there is always some padding
    position = torch.arange(longest)
    inside = position < lengths.unsqueeze(1)
    table = torch.full((len(lengths), longest), -1)
    groups: list[Group] = []
    first, row = 0, 0
    for each, prefix in zip(sets, shared, strict=True):
        texts = slice(first, first + len(each.tokens))
        table[texts, :prefix] = row + torch.arange(prefix)
        groups.append(Group(first, len(each.tokens), prefix, row, row + each.tokens.offset, 1))
        first, row = first + len(each.tokens), row + prefix
    order: list[Tensor] = []
    for number, (each, group) in enumerate(zip(sets, groups, strict=True)):
        start = each.tokens.offset
        if count and group.shared < start + count:  # every text has its own
            own = torch.zeros_like(inside)
            own[group.first : group.first + group.texts, start : start + count] = True
            row = _give(table, own, row, order)
            groups[number] = Group(
                group.first, group.texts, group.shared, group.prefix, row - group.texts * count, group.texts
            )
    row = _give(table, inside & (table < 0), row, order)
    padding = (~inside).flatten().nonzero()[:1, 0]
    table[~inside] = row
    given = table.clone()
    for group in groups:  # those of the first text alone
        given[group.first + 1 : group.first + group.texts, : group.shared] = row
    rows = torch.cat([*order, padding])
    heads = [group.first * longest + torch.arange(group.shared) for group in groups]
    texts_ends = torch.arange(len(lengths)) * longest + lengths - 1
    stays = torch.ones(row + 1, 1, dtype=kind)
    for group in groups if count else ():
        stays[group.deep : group.deep + group.copies * count] = 0
    return Spread(
        longest,
        tuple(groups),
        count,
        table.to(device),
        given.flatten().to(device),
        rows.to(device),
        torch.cat([*heads, rows]).to(device),
        texts_ends.to(device),
        table.flatten()[texts_ends].to(device),
        stays.to(device),
    )


def _shared(each: TextSet, count: int) -> int:
    """How many leading tokens are computed once: deep prompts are written to all of them or to none."""
    start = each.tokens.offset
    return each.shared if not count or each.shared >= start + count else min(each.shared, start)


def _give(table: Tensor, chosen: Tensor, row: int, order: list[Tensor]) -> int:
    """Give the `chosen` places of `table` the rows from `row` on; returns the next one."""
    places = chosen.flatten().nonzero().squeeze(1)
    table.view(-1)[places] = row + torch.arange(len(places))
    order.append(places)
    return row + len(places)


class _Pad(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, packed: Tensor, plan: Spread) -> Tensor:
        ctx.plan = plan
        return packed.index_select(0, plan.table.view(-1)).view(*plan.table.shape, -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        plan: Spread = ctx.plan
        gradient = gradient.contiguous()
        packed = gradient.new_empty(len(plan.kept), gradient.shape[-1])
        for group in plan.groups:
            if group.shared:
                own = gradient[group.first : group.first + group.texts, : group.shared]
                torch.sum(own, dim=0, out=packed[group.prefix : group.prefix + group.shared])
        torch.index_select(gradient.flatten(0, 1), 0, plan.rows, out=packed[plan.prefixes :])
        return packed, None


class _Pack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, padded: Tensor, plan: Spread) -> Tensor:
        ctx.plan = plan
        return padded.flatten(0, 1).index_select(0, plan.kept)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        plan: Spread = ctx.plan
        # a prefix was read in the first text of its set alone, and so it gets its gradient there alone
        return gradient.index_select(0, plan.given).view(*plan.table.shape, -1), None
