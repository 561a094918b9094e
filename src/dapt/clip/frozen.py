"""`FrozenClip`: one frozen model with its two towers, tokenizer and preprocessing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dapt.clip.image_tower import ImageTower, NativeImageTower, make_image_tower
from dapt.clip.linear import HAS_ONEDNN
from dapt.clip.linear_choice import Choice
from dapt.clip.linear_times import BATCH, TEXT_TOKENS, Product, block_products
from dapt.clip.logits import class_logits
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.clip.savings import Savings
from dapt.clip.text_tower import TextTower
from dapt.clip.tokens import PromptTokens, Tokenizer
from dapt.errors import NotSupportedError


@dataclass(frozen=True)
class Preprocess:
    """How the model wants its pixels: normalisation per channel, interpolation, and how test images are resized
    (``shortest``: to cover the model's size, then centre crop; ``longest``: to fit into it, with black beside it;
    ``squash``: to the model's size whatever the aspect).
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"


class PromptFreeTextTower:
    """A text tower without places for prompts (Hugging Face encoders, CoCa): image-only methods work."""

    def __init__(self, model: nn.Module, reason: NotSupportedError) -> None:
        self._model = model
        self._reason = reason
        self.width = 0
        self.layers = 0
        self.words = 0
        self.context_length = int(model.context_length)  # type: ignore[arg-type]
        self.checkpointing = False
        self.memory_mb: float | None = None  # nothing is kept: this tower takes no prompts

    def encode(self, tokens: PromptTokens, prompts: Prompts = NO_PROMPTS, sharing: int = 1) -> Tensor:
        """Text features ``[C, D]`` of the model's own text encoder.

        Raises:
            NotSupportedError: prompts were given.
        """
        if prompts.text_ctx is not None or prompts.text_deep:
            raise self._reason
        features: Tensor = self._model.encode_text(tokens.ids)  # type: ignore[operator]
        return features

    def embed_words(self, ids: Tensor) -> Tensor:
        """Refuses: there is nowhere to write words.

        Raises:
            NotSupportedError: always.
        """
        raise self._reason


class FrozenClip:
    """A CLIP whose weights never change: no gradients, evaluation mode.

    Args:
        model: an open_clip model; it is frozen in place.
        tokenize: its open_clip tokenizer.
        preprocess: its pixel normalisation.
        spec: the text that named it, for messages and run files.

    Attributes:
        image, text: the two towers. tokenizer: see `Tokenizer`. embed_dim: size D of the joint space.
        logit_scale: exp of the learned scale, a float tensor. logit_bias: 0 unless the model has one.
        savings: the exact savings in use, shared with the towers.
    """

    def __init__(self, model: nn.Module, tokenize: Callable[..., Tensor], preprocess: Preprocess, spec: str) -> None:
        self.model = model.eval().requires_grad_(False)
        self.spec = spec
        self.preprocess = preprocess
        visual: nn.Module = model.visual  # type: ignore[assignment]
        self.savings = Savings()
        self.image: ImageTower = make_image_tower(visual, self.savings)
        host = getattr(model, "text", None)
        self.text: TextTower | PromptFreeTextTower
        try:
            self.text = TextTower(host if isinstance(host, nn.Module) else model, self.savings)
        except NotSupportedError as reason:
            self.text = PromptFreeTextTower(model, reason)
        self.savings.products = self._frozen_products()
        self.tokenizer = Tokenizer(tokenize, self.text.context_length)
        scale: Tensor = model.logit_scale  # type: ignore[assignment]
        bias: Any = getattr(model, "logit_bias", None)
        self.logit_scale = scale.detach().float().exp().squeeze()
        self.logit_bias = 0.0 if bias is None else float(bias)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def embed_dim(self) -> int:
        """Size of the joint embedding space."""
        if self._embed_dim is None:
            with torch.no_grad():
                self._embed_dim = int(self.text.encode(self.tokenizer.plain(["a"]).to(self.device)).shape[-1])
        return self._embed_dim

    _embed_dim: int | None = None

    def _frozen_products(self) -> tuple[Product, ...]:
        """The frozen layers of the towers that are run block by block, for the tokens of a usual step."""
        found: tuple[Product, ...] = ()
        if isinstance(self.image, NativeImageTower) and self.image.apart:
            height, width = self.image.grid
            found += block_products(list(self.image.blocks), BATCH * (1 + height * width))
        if isinstance(self.text, TextTower) and self.text.apart:
            found += block_products(list(self.text.blocks), TEXT_TOKENS)
        return found

    @property
    def has_a_choice(self) -> bool:
        """Whether two libraries could multiply by the weights of the towers, see `Savings.onednn`."""
        kinds = {value.dtype for value in self.model.parameters()}
        usual = bool(self.savings.products) and self.savings.onednn == "auto"
        return HAS_ONEDNN and usual and self.device.type == "cpu" and kinds == {torch.float32}

    @property
    def multiplied_by(self) -> Choice | None:
        """The library that does, if there is a choice; found out where it is not known yet."""
        return self.savings.settled() if self.has_a_choice else None

    def to(self, device: torch.device | str) -> FrozenClip:
        """Move the weights; the model is the caller's own, so whoever else uses it sees them move."""
        self.model.to(device)
        self.logit_scale = self.logit_scale.to(device)
        return self

    def set_checkpointing(self, on: bool) -> None:
        """Recompute blocks in backward instead of keeping their activations."""
        self.image.checkpointing = on
        self.text.checkpointing = on

    def encode_text(self, tokens: PromptTokens, prompts: Prompts = NO_PROMPTS, sharing: int = 1) -> Tensor:
        """Unit-length text features ``[C, D]`` in float32; `sharing`: see `TextTower.encode`."""
        return unit(self.text.encode(tokens, prompts, sharing))

    def encode_together(self, sets: Sequence[PromptTokens], prompts: Prompts = NO_PROMPTS) -> list[Tensor] | None:
        """Features of several sets of texts as by `encode_text`, in one pass; None: that is not worth it."""
        together = self.text.encode_together(sets, prompts) if isinstance(self.text, TextTower) else None
        return None if together is None else list(torch.split(unit(together), [len(tokens) for tokens in sets]))

    def encode_image(self, pixels: Tensor, prompts: Prompts = NO_PROMPTS) -> Tensor:
        """Unit-length image features ``[B, D]`` in float32 of normalised pixels ``[B, 3, H, W]``."""
        return unit(self.image.encode(pixels, prompts))

    def logits(self, image_features: Tensor, text_features: Tensor) -> Tensor:
        """``exp(scale) * f @ t^T (+ bias)``, ``[B, C]``, see `class_logits`."""
        return class_logits(image_features, text_features, self.logit_scale, self.logit_bias)

    def describe(self) -> dict[str, Any]:
        """Sizes and a fingerprint, stored with learned prompts to refuse a wrong backbone later."""
        return {
            "spec": self.spec,
            "embed_dim": self.embed_dim,
            "image_width": self.image.width,
            "image_layers": self.image.layers,
            "image_size": list(self.image.image_size),
            "text_width": self.text.width,
            "text_layers": self.text.layers,
            "context_length": self.text.context_length,
            "fingerprint": self.fingerprint(),
        }

    def fingerprint(self) -> str:
        """A short hash of norms and embeddings, which keep full precision whatever the compute type."""
        digest = hashlib.sha256()
        for name, value in sorted(self.model.state_dict().items()):
            norm = value.dim() == 1 and ("ln_" in name or "norm" in name)
            if norm or "embed" in name:
                if value.dim() > 1:  # a few thousand numbers of a large table are enough
                    value = value.flatten()[:: max(1, value.numel() // 4096)]
                digest.update(name.encode())
                digest.update(value.detach().cpu().half().numpy().tobytes())
        return digest.hexdigest()[:16]


def unit(features: Tensor) -> Tensor:
    """Divide by the L2 norm, in at least float32."""
    if features.dtype in (torch.float16, torch.bfloat16):
        features = features.float()
    length: Tensor = torch.linalg.vector_norm(features, dim=-1, keepdim=True)
    return features / length
