"""The image towers: the frozen model's own blocks with visual prompts in place.

`NativeImageTower` loops over the blocks of open_clip's ViT; `HookedImageTower` splices prompts in through
hooks on public sub-modules and so also serves timm towers; `PromptFreeImageTower` serves everything else.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from dapt.clip.adapters import Adaptable
from dapt.clip.blocks import block_with_prompts, can_take_apart, read_first_token, whole_block
from dapt.clip.few_image_kernels import FewImageKernels
from dapt.clip.projection import Projection, last_linear, no_projection, run_tower
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.clip.savings import Savings
from dapt.errors import NotSupportedError


class ImageTower(Adaptable, ABC):
    """What the rest of the product needs from an image tower.

    Attributes:
        visual: the model's own image tower.
        width: token width, 0 where the tower has no tokens. layers: number of blocks.
        grid: patch rows and columns. first_patch: index of the first patch token.
        image_size: height and width the tower expects.
        checkpointing: recompute blocks in backward to save memory; towers without blocks take nothing that is
            trained and keep nothing for backward.
    """

    side = "image"
    visual: nn.Module
    width: int = 0
    layers: int = 0
    grid: tuple[int, int] = (0, 0)
    first_patch: int = 1
    image_size: tuple[int, int]
    checkpointing: bool = False

    @abstractmethod
    def encode(self, images: Tensor, prompts: Prompts = NO_PROMPTS) -> Tensor:
        """Image features ``[B, D]``, not normalised, of pixels ``[B, 3, H, W]``; see also `Prompts.projected`."""

    def projection(self) -> Projection:
        """The matrix that the tower ends with.

        Raises:
            NotSupportedError: it ends otherwise.
        """
        return last_linear(self.visual)

    def call(self, function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
        """``function(*tensors)``, recomputed in backward where `checkpointing` is on."""
        if self.checkpointing and torch.is_grad_enabled():
            recomputed: Tensor = self.recomputed(function, *tensors)
            return recomputed
        return function(*tensors)

    def copy_visual(self) -> nn.Module:
        """A copy of the model's own image tower, in which no prompts have their places."""
        return copy.deepcopy(self.visual)

    def last_norm(self) -> nn.Module:
        """The norm before the attention of the last block, where Grad-CAM and attention maps look.

        Raises:
            NotSupportedError: the tower is not a ViT.
        """
        raise NotSupportedError(
            f"{type(self.visual).__name__} has no transformer blocks to look at.",
            todo="Use a ViT backbone. Of the cues, --cue border and mask files (--masks) need none.",
        )

    def last_attention(self) -> nn.Module:
        """The attention module of the last block.

        Raises:
            NotSupportedError: the tower is not a ViT.
        """
        raise NotSupportedError(f"{type(self.visual).__name__} has no attention map.")

    @property
    def has_class_token(self) -> bool:
        """Whether token 0 is a class token."""
        return self.first_patch > 0 and self.width > 0

    def _check_depth(self, prompts: Prompts) -> None:
        if prompts.visual_deep and len(prompts.visual_deep) >= self.layers:
            raise NotSupportedError(
                f"{len(prompts.visual_deep) + 1} visual prompt layers do not fit a tower of {self.layers} blocks."
            )


class NativeImageTower(ImageTower):
    """open_clip's own VisionTransformer, run block by block.

    Visual prompts are appended after the patches, without positional embedding, before the pre-norm (which
    works token by token), and are taken off again before pooling.

    Args:
        visual: the model's image tower.
        savings: which exact savings to use; None: all.

    Attributes:
        blocks: the transformer blocks. apart: whether `dapt.clip.blocks` can take all of them apart.
        reads_class_token: whether the feature is read from the class token alone.
    """

    def __init__(self, visual: nn.Module, savings: Savings | None = None) -> None:
        self.visual = visual
        self.savings = savings or Savings()
        transformer: nn.Module = visual.transformer  # type: ignore[assignment]
        self.blocks: nn.ModuleList = transformer.resblocks  # type: ignore[assignment]
        self.width = int(transformer.width)  # type: ignore[arg-type]
        self.layers = len(self.blocks)
        self.grid = _pair(visual.grid_size)
        self.image_size = _pair(visual.image_size)
        self._dtype_source: Tensor = visual.conv1.weight  # type: ignore[assignment,union-attr]
        self.apart = all(can_take_apart(block) for block in self.blocks)
        # norm and pooling of the last token commute only where the class token alone is read
        self.reads_class_token = bool(getattr(visual, "attn_pool", None) is None and visual.pool_type == "tok")
        self._few = FewImageKernels(visual) if self.apart and self.reads_class_token else None

    def encode(self, images: Tensor, prompts: Prompts = NO_PROMPTS) -> Tensor:
        with self.adapted(prompts):
            return self._encode(images, prompts)

    def _encode(self, images: Tensor, prompts: Prompts) -> Tensor:
        recomputes = self.checkpointing and torch.is_grad_enabled()
        if self._few is not None and not recomputes and self._few.fits(self.savings, prompts):
            self._check_depth(prompts)
            return self._to_joint_space(self._few.read(images, prompts), prompts)
        x = self.embed(images, prompts)
        patches = x.shape[1]
        for index, block in enumerate(self.blocks):
            x = self._run_block(index, block, x, self.fresh_prompts(index, prompts, x.dtype), patches, prompts)
        if x.dim() == 2:  # the class token alone
            return self.finish(x, prompts)
        return self.read_pooled(x[:, :patches], prompts)

    def read_pooled(self, tokens: Tensor, prompts: Prompts = NO_PROMPTS) -> Tensor:
        """Features ``[B, D]`` of class token and patches ``[B, 1 + patches, width]`` that have passed all blocks."""
        pooled: Tensor = self.visual._pool(tokens)[0]  # type: ignore[operator]
        return self._to_joint_space(pooled, prompts)

    def embed(self, images: Tensor, prompts: Prompts) -> Tensor:
        """Class token and patches ``[B, 1 + patches, width]`` at the input of the first block.

        Raises:
            NotSupportedError: there are more layers of prompts than blocks.
        """
        self._check_depth(prompts)
        x: Tensor = self.visual._embeds(images.to(self._dtype_source.dtype))  # type: ignore[operator]
        return x

    def finish(self, tokens: Tensor, prompts: Prompts = NO_PROMPTS) -> Tensor:
        """Features ``[..., D]`` of class tokens ``[..., width]`` that have passed all blocks."""
        normed: Tensor = self.visual.ln_post(tokens)  # type: ignore[operator]
        return self._to_joint_space(normed, prompts)

    def _to_joint_space(self, pooled: Tensor, prompts: Prompts) -> Tensor:
        projection = self.visual.proj
        return pooled if projection is None or not prompts.projected else pooled @ projection  # type: ignore[operator]

    def projection(self) -> Projection:
        weight = self.visual.proj
        if not isinstance(weight, Tensor):
            raise no_projection(self.visual)
        return Projection(weight.detach())

    def fresh_prompts(self, index: int, prompts: Prompts, dtype: torch.dtype) -> Tensor | None:
        """The prompts ``[n, width]`` that enter at a block, or None."""
        if index == 0:
            if prompts.visual_ctx is None or not prompts.visual_ctx.shape[0]:
                return None
            normed: Tensor = self.visual.ln_pre(prompts.visual_ctx.to(dtype))  # type: ignore[operator]
            return normed
        if index > len(prompts.visual_deep) or not prompts.visual_deep[index - 1].shape[0]:
            return None
        return prompts.visual_deep[index - 1].to(dtype)

    def _run_block(
        self, index: int, block: nn.Module, x: Tensor, fresh: Tensor | None, patches: int, prompts: Prompts
    ) -> Tensor:
        """One block. `x` carries prompts behind its `patches` only where their outputs are read later."""
        use = self.savings
        last = index == self.layers - 1
        replaced_next = index < len(prompts.visual_deep)
        if fresh is not None and replaced_next and use.lean_prompts and self.apart:
            return self.call(lambda h, p: block_with_prompts(block, h, p, use), x[:, :patches], fresh)
        if fresh is not None:
            x = torch.cat([x[:, :patches], fresh.expand(x.shape[0], -1, -1)], dim=1)
        if last and use.read_one_token and self.apart and self.reads_class_token:
            return self.call(lambda h: read_first_token(block, h, use), x)
        if self.apart and (use.fused_gelu or use.onednn):
            return self.call(lambda h: whole_block(block, h, use), x)
        return self.call(block, x)

    def last_norm(self) -> nn.Module:
        return self.blocks[-1].ln_1  # type: ignore[return-value]

    def last_attention(self) -> nn.Module:
        return self.blocks[-1].attn  # type: ignore[return-value]


@dataclass(frozen=True)
class SplicePoints:
    """The public sub-modules where prompts enter and leave a ViT.

    Attributes:
        before: its input gets the prompts appended. blocks: the transformer blocks.
        after: a module whose input (or, with `after_output`, output) still carries the prompts to strip.
    """

    before: nn.Module
    blocks: nn.ModuleList
    after: nn.Module
    after_output: bool = False


class HookedImageTower(ImageTower):
    """Any ViT whose splice points are public sub-modules: timm and SigLIP towers, and native ones.

    The hooks are permanent and read the prompts of the current call; without prompts they do nothing. What is
    recomputed in backward is a block without its hooks: these have put the prompts into its input by then, and would
    see those of a later call.
    """

    def __init__(self, visual: nn.Module) -> None:
        self.visual = visual
        self._active: Prompts = NO_PROMPTS
        if hasattr(visual, "trunk"):
            self._describe_timm(visual)
        else:
            self._describe_native(visual)
        self.blocks = self._points.blocks
        self.layers = len(self.blocks)
        self._dtype_source: Tensor = next(visual.parameters())
        self._register()

    def _describe_timm(self, visual: nn.Module) -> None:
        trunk: nn.Module = visual.trunk  # type: ignore[assignment]
        self.width = int(trunk.embed_dim)  # type: ignore[arg-type]
        self.grid = _pair(trunk.patch_embed.grid_size)  # type: ignore[union-attr]
        self.first_patch = int(trunk.num_prefix_tokens)  # type: ignore[arg-type]
        self.image_size = _pair(visual.image_size)
        self._points = SplicePoints(trunk.norm_pre, trunk.blocks, trunk.norm)  # type: ignore[arg-type]

    def _describe_native(self, visual: nn.Module) -> None:
        transformer: nn.Module = visual.transformer  # type: ignore[assignment]
        self.width = int(transformer.width)  # type: ignore[arg-type]
        self.grid = _pair(visual.grid_size)
        self.image_size = _pair(visual.image_size)
        self._points = SplicePoints(
            visual.ln_pre,  # type: ignore[arg-type]
            transformer.resblocks,  # type: ignore[arg-type]
            transformer,
            after_output=True,
        )

    def _register(self) -> None:
        points = self._points
        before = points.before.register_forward_pre_hook(lambda module, args: (self._append(args[0]), *args[1:]))
        if points.after_output:
            after = points.after.register_forward_hook(lambda module, args, output: self._strip(output))
        else:
            after = points.after.register_forward_pre_hook(lambda module, args: (self._strip(args[0]), *args[1:]))
        self._hooks = [before, after]
        for index, block in enumerate(points.blocks):
            block.forward = partial(self._run_block, block.forward)
            if index:
                replace = block.register_forward_pre_hook(
                    lambda module, args, index=index: (self._replace(args[0], index), *args[1:])
                )
                self._hooks.append(replace)

    def copy_visual(self) -> nn.Module:
        twin = copy.deepcopy(self.visual, {id(self): self})
        ours = {hook.id for hook in self._hooks}
        for module in twin.modules():
            for hooks in (module._forward_pre_hooks, module._forward_hooks):
                for key in ours & set(hooks):
                    del hooks[key]
            forward = module.__dict__.get("forward")
            if isinstance(forward, partial) and forward.func == self._run_block:
                del module.__dict__["forward"]  # that of its class is in its place again
        return twin

    def _run_block(self, forward: Callable[..., Tensor], x: Tensor, **options: object) -> Tensor:
        return self.call(lambda h: forward(h, **options), x)

    @property
    def _count(self) -> int:
        return 0 if self._active.visual_ctx is None else self._active.visual_ctx.shape[0]

    def _append(self, x: Tensor) -> Tensor:
        if not self._count:
            return x
        assert self._active.visual_ctx is not None
        added = self._active.visual_ctx.to(x.dtype).expand(x.shape[0], -1, -1)
        return torch.cat([x, added], dim=1)

    def _replace(self, x: Tensor, index: int) -> Tensor:
        deep = self._active.visual_deep
        return replace_last(x, deep[index - 1]) if index <= len(deep) else x

    def _strip(self, x: Tensor) -> Tensor:
        return x[:, : -self._count] if self._count else x

    def encode(self, images: Tensor, prompts: Prompts = NO_PROMPTS) -> Tensor:
        self._check_depth(prompts)
        self._active = prompts
        try:
            with self.adapted(prompts):
                return run_tower(self.visual, images.to(self._dtype_source.dtype), projected=prompts.projected)
        finally:
            self._active = NO_PROMPTS

    def last_norm(self) -> nn.Module:
        block = self._points.blocks[-1]
        return block.norm1 if hasattr(block, "norm1") else block.ln_1  # type: ignore[return-value]

    def last_attention(self) -> nn.Module:
        return self._points.blocks[-1].attn  # type: ignore[return-value]


class PromptFreeImageTower(ImageTower):
    """A tower without places for prompts (ResNet and others): text-only methods work with it."""

    def __init__(self, visual: nn.Module, reason: str) -> None:
        self.visual = visual
        self.reason = reason
        self.image_size = _pair(visual.image_size)
        self._dtype_source: Tensor = next(visual.parameters())

    def encode(self, images: Tensor, prompts: Prompts = NO_PROMPTS) -> Tensor:
        if prompts.visual_ctx is not None:
            raise NotSupportedError(
                f"Visual prompts are not supported in this image tower: {self.reason}.",
                todo="Supported: open_clip's ViT and plain timm ViT or SigLIP towers. Text-only methods work.",
            )
        return run_tower(self.visual, images.to(self._dtype_source.dtype), projected=prompts.projected)


def make_image_tower(visual: nn.Module, savings: Savings | None = None) -> ImageTower:
    """The tower class that fits the model's image tower."""
    transformer = getattr(visual, "transformer", None)
    if transformer is not None and hasattr(transformer, "resblocks") and hasattr(visual, "_embeds"):
        if not getattr(transformer, "batch_first", True):
            return PromptFreeImageTower(visual, "it runs length-first; update open_clip")
        return NativeImageTower(visual, savings)
    trunk = getattr(visual, "trunk", None)
    if trunk is not None:
        parts = ("norm_pre", "blocks", "norm", "patch_embed", "num_prefix_tokens", "embed_dim")
        rotary = getattr(trunk, "rope", None) is not None
        if all(hasattr(trunk, part) for part in parts) and not rotary:
            return HookedImageTower(visual)
        kind = type(trunk).__name__
        return PromptFreeImageTower(visual, f"timm's {kind} {'rotates tokens by position' if rotary else ''}")
    return PromptFreeImageTower(visual, f"{type(visual).__name__} is not a vision transformer")


def replace_last(x: Tensor, values: Tensor) -> Tensor:
    """`x` ``[B, L, width]`` with its last tokens replaced by `values` ``[n, width]``."""
    kept = x.shape[1] - values.shape[0]
    return torch.cat([x[:, :kept], values.to(x.dtype).expand(x.shape[0], -1, -1)], dim=1)


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, (tuple, list)):
        return int(value[0]), int(value[1])
    return int(value), int(value)  # type: ignore[call-overload]
