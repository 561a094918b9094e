"""CLIP-LoRA: low-rank updates of attention weights, trained in place of prompts.

Zanella & Ben Ayed 2024, Low-Rank Few-Shot Adaptation of Vision-Language Models, CVPRW, arXiv 2405.18541; low-rank
updates are from Hu et al. 2022, LoRA, ICLR, arXiv 2106.09685. `dapt.clip.adapters` says how the updates get into the
towers, and why peft would not do.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dapt.clip.adapters import AdaptedPrompts, Place, Update, attention_places
from dapt.clip.frozen import FrozenClip
from dapt.errors import ConfigError
from dapt.methods.clip_lora import ClipLoraOptions
from dapt.prompts.untrained import UntrainedPrompts
from dapt.seeds import mix_seed


class LowRank(nn.Module):
    """The update ``b @ a`` of one projection: `a` ``[rank, in]``, `b` ``[out, rank]``.

    It starts at zero: `a` from U(-1/sqrt(in), 1/sqrt(in)), which is how torch starts a linear layer, `b` at 0.
    """

    def __init__(self, inputs: int, outputs: int, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.a = nn.Parameter(torch.empty(rank, inputs).uniform_(-bound, bound, generator=generator))
        self.b = nn.Parameter(torch.zeros(outputs, rank))


class LowRankAdapters(UntrainedPrompts):
    """`image.i.p.a` ``[r, in]`` and `image.i.p.b` ``[out, r]`` for block i and projection p (q, k, v, o); `text` alike.

    In a training step (training mode, with gradient) the call draws which input channels are dropped, for all that is
    encoded with what it returns. The draw depends on the seed of the run and on `steps`, the number of training steps,
    alone, so a resumed run repeats it.

    Raises:
        NotSupportedError: the attention of an adapted tower is of another kind.
        ConfigError: more layers than a tower has, or a greater rank than its matrices have.
    """

    recordable = True
    options: ClipLoraOptions

    def __init__(
        self, options: ClipLoraOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        self._places: dict[str, dict[int, list[Place]]] = {}
        sides = {"both": ("image", "text"), "vision": ("image",), "text": ("text",)}[options.encoder]
        for side, tower in (("image", clip.image), ("text", clip.text)):
            self._places[side] = self._chosen(attention_places(tower, side, clip.spec), side) if side in sides else {}
            self.add_module(side, self._start(self._places[side], generator))
        self.trains_visual = "image" in sides
        self.trains_context = self.trains_deep_text = "text" in sides
        self.register_buffer("seed", torch.randint(2**31, (), generator=generator))
        self.seed: Tensor
        self.register_buffer("steps", torch.tensor(0))
        self.steps: Tensor
        self._held: Tensor | None = None
        self._counted: tuple[list[tuple[Tensor, int]], int, int] | None = None

    def _chosen(self, places: list[list[Place]], side: str) -> dict[int, list[Place]]:
        """The adapted weights by block."""
        count = len(places) if self.options.last_layers is None else self.options.last_layers
        if count > len(places):
            raise ConfigError(
                f"{count} adapted layers are more than the {len(places)} of the {side} tower.",
                where="prompt.last_layers",
                todo=f"Use {len(places)} or less, or none for all.",
            )
        wanted = set(self.options.projections)
        return {
            index: [place for place in places[index] if wanted.intersection(place.projections)]
            for index in range(len(places) - count, len(places))
        }

    def _start(self, places: dict[int, list[Place]], generator: torch.Generator) -> nn.ModuleDict:
        """The updates of a tower before training."""
        sides = [min(place.size) for weights in places.values() for place in weights]
        if sides and self.options.rank > min(sides):
            raise ConfigError(
                f"A rank of {self.options.rank} is more than a matrix of {min(sides)} rows or columns can have.",
                where="prompt.rank",
                todo=f"Use {min(sides)} or less.",
            )
        blocks = nn.ModuleDict()
        for index, weights in places.items():
            blocks[str(index)] = nn.ModuleDict(
                {
                    name: LowRank(*place.size, self.options.rank, generator)
                    for place in weights
                    for name in place.projections
                    if name in self.options.projections
                }
            )
        return blocks

    def forward(self) -> AdaptedPrompts:
        masks = self._masks()
        image, text = (
            tuple(
                self._update(f"{side}.{index}", place, masks) for index, weights in blocks.items() for place in weights
            )
            for side, blocks in self._places.items()
        )
        return AdaptedPrompts(image_updates=image, text_updates=text)

    def _update(self, block: str, place: Place, masks: dict[str, Tensor]) -> Update:
        parts: list[tuple[Tensor, Tensor] | None] = []
        for projection in place.projections:
            name = f"{block}.{projection}"
            part = self.get_submodule(name) if projection in self.options.projections else None
            if isinstance(part, LowRank):
                parts.append((part.a * masks[name] if name in masks else part.a, part.b))
            else:
                parts.append(None)
        some_a, some_b = next(part for part in parts if part is not None)
        nothing = torch.zeros_like(some_a), torch.zeros_like(some_b)
        a, b = (torch.stack([(part or nothing)[side] for part in parts]) for side in (0, 1))
        return Update(place, a, b, self.options.alpha / self.options.rank**0.5)

    def _masks(self) -> dict[str, Tensor]:
        """Factors ``[in]`` of the columns of every `a` in a training step; elsewhere none."""
        if not (self.training and torch.is_grad_enabled()):
            return {}
        factors = self._held if self._recording else self._drawn()
        if factors is None:
            return {}
        widths = self._widths()
        return dict(zip(widths, torch.split(factors, list(widths.values())), strict=True))

    def hold(self) -> None:
        wide = sum(self._widths().values())
        self._held = torch.ones(wide, device=self.seed.device) if self.options.dropout else None

    def draw(self) -> None:
        factors = self._drawn()
        if factors is not None and self._held is not None:
            self._held.copy_(factors)

    def _widths(self) -> dict[str, int]:
        """How many input channels each update has."""
        return {name: part.a.shape[1] for name, part in self.named_modules() if isinstance(part, LowRank)}

    def _drawn(self) -> Tensor | None:
        """The factors of all updates in the next training step, which is counted; None: nothing is dropped."""
        seed, steps = self._count()
        rate = self.options.dropout
        if not rate:
            return None
        generator = torch.Generator().manual_seed(mix_seed(seed, steps))
        factors = (torch.rand(sum(self._widths().values()), generator=generator) >= rate) / (1 - rate)
        device = self.seed.device
        return factors.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else factors.to(device)

    def _count(self) -> tuple[int, int]:
        """Seed, and number of the training step that begins; a GPU is waited for only where others wrote them."""
        if self.steps.device.type == "cpu" or self.steps.is_inference() or self.seed.is_inference():
            self.steps += 1
            return int(self.seed), int(self.steps)
        known = self._counted
        if known is not None:
            same = zip(known[0], self._written(), strict=True)
            known = known if all(a is b and one == other for (a, one), (b, other) in same) else None
        self.steps += 1
        seed, steps = (int(self.seed), int(self.steps)) if known is None else (known[1], known[2] + 1)
        self._counted = self._written(), seed, steps
        return seed, steps

    def _written(self) -> list[tuple[Tensor, int]]:
        """The tensors of seed and steps, and how often each has been written."""
        return [(value, value._version) for value in (self.seed, self.steps)]
