"""A run as a CLIP that other tools load: the frozen model with updated weights, and class features beside it.

That is possible where a method leaves the way of the image alone but for weights: learned class texts become rows of a
matrix, low-rank updates and a trained projection are merged, and logits are ``f @ W^T + b`` of the features ``f`` of an
ordinary CLIP. Prompts within the image tower, texts that depend on the image and what acts on features or logits in
other ways are no part of an ordinary CLIP, so they are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dapt.clip.adapters import updates_of
from dapt.clip.load import load_clip
from dapt.clip.prompts import Prompts
from dapt.errors import NotSupportedError
from dapt.export.choices import GRAPHS
from dapt.model.prompted_clip import PromptedClip
from dapt.prompts.base import PromptArchitecture
from dapt.prompts.probe import ProbePrompts
from dapt.prompts.projection import ProjectionPrompts


@dataclass(frozen=True)
class PlainClip:
    """A CLIP and the classes of a run.

    Attributes:
        model: an open_clip model, with updated weights. weight: ``[C, D]``. offset: ``[C]``.
        unit_features: image features are divided by their length before ``f @ weight^T + offset``.
        plain_texts: the texts of each class, from which the model's own text tower makes the same class features; None
            where these are learned.
    """

    model: nn.Module
    weight: Tensor
    offset: Tensor
    unit_features: bool
    plain_texts: list[list[str]] | None


def refusal(model: PromptedClip, to: str) -> NotSupportedError | None:
    """Why a model cannot be exported in a format; None: it can, as far as its method decides that."""
    own, method = model.prompts, model.made_with.method
    if own.conditional:
        return NotSupportedError(
            f"{method} runs the text tower for every image: its class texts depend on the image.",
            todo="Use a method whose class texts are fixed after training, such as coop or maple.",
        )
    reason = None if to in GRAPHS else _not_plain(own, own.at_rest())
    if reason is None:
        return None
    return NotSupportedError(
        f"{method} {reason}, so no ordinary CLIP does what the run does.",
        where=f"--to {to}",
        todo=f"Use --to {' or '.join(GRAPHS)}.",
    )


def _not_plain(own: PromptArchitecture, prompts: Prompts) -> str | None:
    kind, base = type(own), PromptArchitecture
    if prompts.visual_ctx is not None or prompts.visual_deep:
        return "has prompts within the image tower"
    if kind.map_image is not base.map_image and not isinstance(own, ProjectionPrompts):
        return "maps image features after the tower"
    if kind.adjust_logits is not base.adjust_logits and not isinstance(own, ProbePrompts):
        return "acts on the logits"
    return None


@torch.no_grad()
def make_plain_clip(model: PromptedClip, to: str) -> PlainClip:
    """The CLIP of a run.

    Raises:
        NotSupportedError: see `refusal`.
    """
    refused = refusal(model, to)
    if refused is not None:
        raise refused
    own, prompts = model.prompts, model.prompts.at_rest()
    features = model.plain().texts
    texts, line = features[: len(model.names)], model.line_of(features)
    scale = model.clip.logit_scale
    weight, offset = line if line is not None else (scale * texts, torch.full((len(texts),), model.clip.logit_bias))
    if isinstance(own, ProbePrompts):
        weight, offset = own.weight, own.bias
    written = line is None and prompts.text_ctx is None and not prompts.text_deep
    return PlainClip(
        _merged(model, prompts),
        weight.float().contiguous(),
        offset.float().contiguous(),
        own.unit_features,
        _plain_texts(model) if written else None,
    )


def _merged(model: PromptedClip, prompts: Prompts) -> nn.Module:
    """A fresh copy of the frozen model with updated weights in their places."""
    own = model.prompts
    twin: nn.Module = load_clip(model.clip.spec).model
    names = {module: name for name, module in model.clip.model.named_modules()}
    for side in ("image", "text"):
        for update in updates_of(prompts, side):
            place = twin.get_submodule(names[update.place.module])
            getattr(place, update.place.name).copy_(update.weight())
    if isinstance(own, ProjectionPrompts):
        visual = twin.get_submodule("visual")
        projection = getattr(visual, "proj", None)
        if isinstance(projection, Tensor):
            projection.copy_(own.visual_proj)
        else:
            visual.get_submodule("head.proj").weight.copy_(own.visual_proj.t())  # type: ignore[operator]
    return twin


def _plain_texts(model: PromptedClip) -> list[list[str]] | None:
    """The texts of each class, where a method has templates and nothing but the text tower makes features of them."""
    templates = getattr(model.prompts.options, "templates", None)
    if not templates or model.prompts.class_features(model.names) is not None:
        return None
    clean = [name.replace("_", " ") for name in model.names]
    return [[template.replace("{}", name) for template in templates] for name in clean]
