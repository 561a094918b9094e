"""The exact savings of the towers, each with a switch.

All of them compute the same mathematics with less work or memory; they are on by default, tests hold each one
equal to the way without it, and `benchmarks/` measures what each one brings (docs/performance.md).

On a GPU a step takes as long as its kernels are many, so there the same savings are had another way (`few_kernels.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

import torch
from torch import Tensor

from dapt.clip.linear import has_a_choice
from dapt.clip.linear_choice import Choice, choose
from dapt.clip.linear_times import Product

Profile = Literal["auto", "cpu", "cuda"]
ON_A_GPU = ("cut_texts", "share_prefix", "pack_texts", "read_one_token", "fused_gelu")  # what few kernels stand for


@dataclass
class Savings:
    """Which savings are used.

    Attributes:
        cut_texts: texts end at the longest end-of-text; causal towers cannot see what comes after it.
        share_prefix: the leading tokens that all texts have in common (start, context, fixed words) are computed
            once per block; all texts use their keys and values.
        pack_texts: what follows the prefix is computed without padding, each text up to its own end.
        read_one_token: the last block computes the token that is read (class token, end-of-text) and no other.
        lean_prompts: visual prompts that the next block replaces serve as keys and values only, once per batch.
        fused_gelu: QuickGELU as one operation that keeps one tensor for backward.
        onednn: frozen linear layers run by oneDNN (float32 on x86 CPUs); ``auto``: where it was measured to be faster.
        detach_views: views and texts into which no gradient flows keep nothing for backward.
        skip_unread: views and texts that no active loss term reads are not computed.
        keep_constant_texts: text features that depend on nothing trained are computed once.
        profile: how they are had. ``cpu``: with the least arithmetic; ``cuda``: with the fewest kernels that keep
            nearly all of it; ``auto``: as the device of the tensors wants it.
        products: the frozen layers of the towers, by which libraries are measured. choice: which one ``auto`` stands
            for; None: that is found out by the first product.
    """

    cut_texts: bool = True
    share_prefix: bool = True
    pack_texts: bool = True
    read_one_token: bool = True
    lean_prompts: bool = True
    fused_gelu: bool = True
    onednn: bool | Literal["auto"] = "auto"
    detach_views: bool = True
    skip_unread: bool = True
    keep_constant_texts: bool = True
    profile: Profile = "auto"
    products: tuple[Product, ...] = field(default=(), compare=False, repr=False)
    choice: Choice | None = field(default=None, compare=False, repr=False)

    def set_all(self, on: bool) -> None:
        """Switch every saving on or off."""
        for name in SWITCHES:
            setattr(self, name, on)
        self.onednn = "auto" if on else False

    def by_onednn(self, x: Tensor) -> bool:
        """Whether oneDNN multiplies `x` by frozen weights; the first time, that may have to be measured."""
        if self.onednn != "auto":
            return self.onednn
        if not has_a_choice(x) or torch.compiler.is_compiling():
            return False
        return self.settled().onednn

    def settled(self) -> Choice:
        """What ``auto`` stands for, which never changes again."""
        if self.choice is None:
            self.choice = choose(self.products)
        return self.choice

    def few_kernels(self, device: torch.device) -> bool:
        """Whether towers on `device` run by few kernels: not where a saving that this includes is switched off."""
        asked = device.type == "cuda" if self.profile == "auto" else self.profile == "cuda"
        return asked and all(getattr(self, name) for name in ON_A_GPU)


SWITCHES = tuple(each.name for each in fields(Savings) if each.name not in ("profile", "products", "choice"))
