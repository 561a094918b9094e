"""Low-rank updates of attention weights, which travel with the prompts.

A tower that is given `AdaptedPrompts` runs with ``W + scale * B A`` in place of each adapted weight ``W``, and puts
``W`` back when it is done. So whatever reads the weight, the exact savings included, reads the updated one; a call
without updates is a call of the untouched model; and nothing of the model changes. A library that wraps layers (peft,
say) would not do, because the towers take attention apart and never call its layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dapt.clip.prompts import Prompts
from dapt.errors import NotSupportedError

QKV, OUT = ("q", "k", "v"), ("o",)


@dataclass(frozen=True)
class Place:
    """A frozen weight of an attention layer: parameter `name` of `module`.

    Attributes:
        projections: which of ``q``, ``k``, ``v``, ``o`` it holds, below each other.
    """

    module: nn.Module
    name: str
    projections: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Inputs and outputs of one projection."""
        weight = self.read()
        return weight.shape[1], weight.shape[0] // len(self.projections)

    def read(self) -> Tensor:
        """What stands there now."""
        weight: Tensor = getattr(self.module, self.name)
        return weight

    def write(self, weight: Tensor) -> None:
        """Let `weight` stand there; unlike an assignment, this takes tensors that are no parameters."""
        self.module._parameters[self.name] = weight  # type: ignore[assignment]


@dataclass(frozen=True)
class Update:
    """``scale * b @ a``, for the weight at a place.

    Attributes:
        a: ``[n, rank, in]``. b: ``[n, out, rank]``; n the number of projections, zeros where one has no update.
    """

    place: Place
    a: Tensor
    b: Tensor
    scale: float

    def weight(self) -> Tensor:
        """The updated weight, summed in float32 at least and rounded once to the type of the weight."""
        frozen = self.place.read()
        wide = frozen.to(torch.promote_types(frozen.dtype, torch.float32))
        blocks = wide.reshape(len(self.a), -1, wide.shape[1])
        updated = torch.baddbmm(blocks, self.b.to(wide), self.a.to(wide), alpha=self.scale)
        return updated.view_as(frozen).to(frozen.dtype)

    def detached(self) -> Update:
        """The same, through which no gradient flows."""
        return replace(self, a=self.a.detach(), b=self.b.detach())


@dataclass(frozen=True)
class AdaptedPrompts(Prompts):
    """Prompts with updates of the weights of the two towers."""

    image_updates: tuple[Update, ...] = ()
    text_updates: tuple[Update, ...] = ()

    def detached(self) -> AdaptedPrompts:
        plain = super().detached()
        image, text = (tuple(u.detached() for u in part) for part in (self.image_updates, self.text_updates))
        kept = (plain.text_ctx, plain.text_deep, plain.visual_ctx, plain.visual_deep, plain.projected)
        return AdaptedPrompts(*kept, image, text)


def updates_of(prompts: Prompts, side: str) -> tuple[Update, ...]:
    """The updates for the ``image`` or ``text`` tower that come with `prompts`."""
    if not isinstance(prompts, AdaptedPrompts):
        return ()
    return prompts.image_updates if side == "image" else prompts.text_updates


Weights = Sequence[tuple[Place, Tensor]]


class Adaptable:
    """A tower that takes updates.

    Attributes:
        side: ``image`` or ``text``.
    """

    side = ""
    _weights: Weights = ()

    @contextmanager
    def adapted(self, prompts: Prompts) -> Iterator[None]:
        """Inside, the weights are those that `prompts` ask for."""
        with self._holding([(update.place, update.weight()) for update in updates_of(prompts, self.side)]):
            yield

    def recomputed(self, function: Callable[..., Any], *tensors: Any) -> Any:
        """``function(*tensors)``, recomputed in backward with the weights of now; the towers draw nothing."""
        held = self._holding(self._weights)(function)
        return checkpoint(held, *tensors, use_reentrant=False, preserve_rng_state=False)

    @contextmanager
    def _holding(self, weights: Weights) -> Iterator[None]:
        outside = self._weights
        before = [(place, place.read()) for place, _ in weights]
        self._weights = weights
        for place, weight in weights:
            place.write(weight)
        try:
            yield
        finally:
            self._weights = outside
            for place, weight in before:
                place.write(weight)


def attention_places(tower: object, side: str, spec: str) -> list[list[Place]]:
    """The weights of the attention layer of each block of a tower.

    Args:
        side: ``image`` or ``text``. spec: name of the model, for messages.

    Raises:
        NotSupportedError: the tower has no blocks, or attention of another kind.
    """
    blocks: nn.ModuleList | None = getattr(tower, "blocks", None)
    problem = "it is not built of open_clip's or timm's plain transformer blocks" if blocks is None else ""
    found = []
    for block in blocks or ():
        attention = getattr(block, "attn", None)
        found.append(_places(attention))
        if not found[-1]:
            problem = f"queries, keys and values of {type(attention).__name__} are not one weight"
    if problem:
        raise NotSupportedError(
            f"Low-rank adapters have no place in the {side} tower of {spec}: {problem}.",
            todo="Supported: torch.nn.MultiheadAttention and timm's attention. To adapt the other tower alone, use "
            f"clip_lora.{'text' if side == 'image' else 'vision'}.",
        )
    return found


def _places(attention: Any) -> list[Place]:
    if isinstance(attention, nn.MultiheadAttention) and attention.in_proj_weight is not None:
        return [Place(attention, "in_proj_weight", QKV), Place(attention.out_proj, "weight", OUT)]
    qkv, out = getattr(attention, "qkv", None), getattr(attention, "proj", None)  # timm's names
    if isinstance(qkv, nn.Linear) and isinstance(out, nn.Linear) and qkv.out_features == 3 * out.in_features:
        return [Place(qkv, "weight", QKV), Place(out, "weight", OUT)]
    return []
