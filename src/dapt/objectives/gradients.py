"""Gradient rules: how the gradients of several groups of loss terms become the one that the optimiser sees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

Gradients = list[Tensor]


class GradientRule(ABC):
    """A rule over the groups that the loss terms name (`Term.group`)."""

    @abstractmethod
    def combine(self, groups: Mapping[str, Gradients]) -> Gradients:
        """One gradient per parameter from the gradients of each group, all in the same order of parameters."""


class ProjectAway(GradientRule):
    """ProGrad's rule (Zhu et al. 2023, ICCV, arXiv 2205.14865), for each parameter tensor on its own.

    With ``a`` the gradient of the main terms and ``b`` that of the general knowledge: where they disagree (``a . b``
    is negative), the part of ``a`` along ``b`` is taken away, ``a - strength (a . u) u`` with ``u = b / |b|``;
    otherwise ``a`` stays as it is. ``b`` itself is never followed. Where ``b`` is zero nothing disagrees with it.

    Args:
        general: name of the group of ``b``; all other groups together are ``a``. strength: lambda, 1 takes the
            whole part away.
    """

    def __init__(self, general: str, strength: float = 1.0) -> None:
        self.general = general
        self.strength = strength

    def combine(self, groups: Mapping[str, Gradients]) -> Gradients:
        others = [gradients for name, gradients in groups.items() if name != self.general]
        main = [torch.stack(parts).sum(dim=0) for parts in zip(*others, strict=True)]
        general = groups.get(self.general)
        if general is None:
            return main
        return [self._project(a, b) for a, b in zip(main, general, strict=True)]

    def _project(self, a: Tensor, b: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(b)
        along = torch.where(length > 0, (a * b).sum() / length, torch.zeros_like(length))
        direction = torch.where(length > 0, b / length, torch.zeros_like(b))
        return a - self.strength * along.clamp(max=0.0) * direction


class Tempered(GradientRule):
    """Gradients of further terms beside those of the main ones, all parameters taken together.

    Args:
        main: name of the group of the main terms. balance: scale the gradient of each further group to its share of the
            size of the main one's. project: take away what of a further gradient contradicts the main one, as
            `ProjectAway` does; the main one itself is always followed.

    Attributes:
        shares: by group, how large its gradient is to be beside the main one where sizes are balanced (1 unless said).
    """

    def __init__(self, main: str, *, balance: bool, project: bool) -> None:
        self.main = main
        self.balance = balance
        self.shares: Mapping[str, float] = {}
        self._project = ProjectAway(main) if project else None

    def combine(self, groups: Mapping[str, Gradients]) -> Gradients:
        main = groups.get(self.main)
        others = {name: gradients for name, gradients in groups.items() if name != self.main}
        if main is None:
            return [torch.stack(parts).sum(dim=0) for parts in zip(*others.values(), strict=True)]
        found = list(main)
        for name, gradients in others.items():
            used = gradients
            if self.balance:
                own = size_of(gradients)
                factor = torch.where(own > 0, self.shares.get(name, 1.0) * size_of(main) / own, torch.zeros_like(own))
                used = [factor * part for part in gradients]
            if self._project is not None:
                used = self._project.combine({name: used, self.main: main})
            found = [a + b for a, b in zip(found, used, strict=True)]
        return found


def size_of(gradients: Gradients) -> Tensor:
    """The Euclidean length of gradients of several parameters taken together."""
    lengths = torch.stack([torch.linalg.vector_norm(part) for part in gradients])
    length: Tensor = torch.linalg.vector_norm(lengths)
    return length


def combined_gradients(
    rule: GradientRule,
    groups: Mapping[str, Tensor],
    parameters: Sequence[nn.Parameter],
    reduce: Callable[[Tensor], Tensor] = lambda gradient: gradient,
) -> Gradients:
    """Differentiate each group, and let the rule make one gradient of each parameter's.

    Args:
        groups: scalar loss of each group, all from one forward pass.
        parameters: what is trained. reduce: mean over the processes of a data-parallel run.
    """
    found: dict[str, Gradients] = {}
    left = len(groups)
    for name, loss in groups.items():
        left -= 1
        if not loss.requires_grad:
            continue
        gradients = torch.autograd.grad(loss, parameters, retain_graph=left > 0, allow_unused=True)
        found[name] = [
            reduce(torch.zeros_like(parameter) if gradient is None else gradient)
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
    return rule.combine(found)


def backward_by_rule(
    rule: GradientRule,
    groups: Mapping[str, Tensor],
    parameters: Sequence[nn.Parameter],
    reduce: Callable[[Tensor], Tensor] = lambda gradient: gradient,
) -> None:
    """Put the combined gradients into ``.grad``, see `combined_gradients`; what is not trained is passed over."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter, gradient in zip(trained, combined_gradients(rule, groups, trained, reduce), strict=True):
        parameter.grad = gradient
