"""Tip-Adapter's cache of training images.

Zhang et al. 2022, Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification, ECCV, arXiv 2111.03930.
Every training image votes for its class, the more the nearer it is; the votes are added to the zero-shot logits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, unit
from dapt.console import say
from dapt.methods.tip_adapter import TipAdapterOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.fixed import FixedClassPrompts
from dapt.prompts.kept_rows import check_rows, empty_rows

LEAST, BETAS, ALPHAS = 0.1, 200, 20  # the released grid: where it starts, and its number of values
CHUNK = 256  # validation images at a time in the search


class CachePrompts(FixedClassPrompts):
    """`keys` ``[N, D]``, the unit-length feature of each training image, `key_labels` ``[N]``, `alpha` and `beta`."""

    looks_first = True
    options: TipAdapterOptions

    def __init__(
        self, options: TipAdapterOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        size = options.cache_size or 0
        self.keys = nn.Parameter(torch.zeros(size, clip.embed_dim), requires_grad=self.trains_logits)
        self.register_buffer("key_labels", torch.zeros(size, dtype=torch.long))
        self.key_labels: Tensor
        self.register_buffer("alpha", torch.tensor(options.alpha))
        self.alpha: Tensor
        self.register_buffer("beta", torch.tensor(options.beta))
        self.beta: Tensor

    @classmethod
    def check_saved(cls, options: TipAdapterOptions, tensors: Mapping[str, Tensor]) -> None:
        check_rows(options.cache_size, tensors.get("keys"), "cache", "keys")

    def saved_options(self) -> dict[str, Any]:
        return {"cache_size": len(self.keys)}

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """A cache has as many keys as the one that is loaded."""
        keys = empty_rows(self.keys, state_dict, f"{prefix}keys")
        if keys is not None:
            self.keys = nn.Parameter(keys, self.trains_logits)
            self.key_labels = self.key_labels.new_zeros(len(keys))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @torch.no_grad()
    def prepare(self, seen: TrainingSet) -> None:
        device = self.keys.device
        keys = unit(seen.features(self.options.views)).to(device)
        self.keys = nn.Parameter(keys, requires_grad=self.trains_logits)
        self.key_labels = seen.labels.to(device)
        if self.options.search and len(seen.val_labels):
            self._search(seen)
        else:
            say(f"alpha {self.options.alpha:g} and beta {self.options.beta:g} are not searched")

    def _search(self, seen: TrainingSet) -> None:
        """Choose `alpha` and `beta` by the validation images."""
        features = unit(seen.val_features()).to(self.keys.device)
        zero_shot = seen.clip.logits(features, seen.class_features())
        alphas, betas = grid(self.options.alpha_max, ALPHAS), grid(self.options.beta_max, BETAS)
        labels = seen.val_labels.to(features.device)
        correct = count_correct(zero_shot, features @ self.keys.t(), self.key_labels, labels, alphas, betas)
        best = int(correct.argmax())  # the first of several; beta is the outer index, as released
        self.alpha.fill_(alphas[best % len(alphas)])
        self.beta.fill_(betas[best // len(alphas)])
        accuracy = 100 * int(correct.max()) / len(labels)
        say(
            f"alpha {float(self.alpha):.3f} and beta {float(self.beta):.3f} by {len(labels)} validation images "
            f"(accuracy {accuracy:.1f}%)"
        )

    def adjust_logits(self, logits: Tensor, features: Tensor) -> Tensor:
        affinity = features @ self.keys.t()
        return logits + self.alpha * votes(affinity, self.key_labels, self.beta, logits.shape[1])


class TunedCachePrompts(CachePrompts):
    """Tip-Adapter-F: the same with trained `keys`."""

    recordable = True
    trains_logits = True


def votes(affinity: Tensor, key_labels: Tensor, beta: Tensor | float, classes: int) -> Tensor:
    """``exp(-beta (1 - a)) @ one_hot(labels)``, ``[B, classes]``, of affinities a ``[B, N]``.

    Args:
        key_labels: ``[N]`` class of each key. classes: number of columns; those that no key has stay zero.
    """
    near = torch.exp(-beta * (1.0 - affinity))
    # the shape, because len() would fix the size of the batch in an export
    return near.new_zeros(near.shape[0], classes).index_add(1, key_labels, near)


def grid(end: float, count: int) -> list[float]:
    """`count` equally spaced values from 0.1 up to `end`, which is left out."""
    return [LEAST + index * (end - LEAST) / count for index in range(count)]


def count_correct(
    zero_shot: Tensor,
    affinity: Tensor,
    key_labels: Tensor,
    labels: Tensor,
    alphas: Sequence[float],
    betas: Sequence[float],
) -> Tensor:
    """How many images are classified correctly with each pair of strengths, ``[len(betas), len(alphas)]``.

    Args:
        zero_shot: ``[M, C]`` logits. affinity: ``[M, N]`` to the keys. key_labels: ``[N]``. labels: ``[M]``.
    """
    weights = torch.tensor(alphas, device=zero_shot.device, dtype=zero_shot.dtype)[:, None, None]
    correct = torch.zeros(len(betas), len(alphas), dtype=torch.long, device=zero_shot.device)
    for start in range(0, len(labels), CHUNK):
        part = slice(start, start + CHUNK)
        for number, beta in enumerate(betas):
            added = votes(affinity[part], key_labels, beta, zero_shot.shape[1])
            predicted = (zero_shot[part] + weights * added).argmax(dim=2)  # [alphas, images]
            correct[number] += (predicted == labels[part]).sum(dim=1)
    return correct
