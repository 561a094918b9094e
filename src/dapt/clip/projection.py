"""The matrix with which an image tower ends, and the tower without it.

CLIP maps what its image tower has read, ``h``, into the joint space by one matrix: ``f = h W``. A method that trains
that matrix (ProLIP) runs the tower without it, see `Prompts.projected`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dapt.errors import NotSupportedError

LAST = "proj"  # of open_clip's towers around timm models: the name of the last layer of their head


@dataclass(frozen=True)
class Projection:
    """``f = h @ weight + bias``.

    Attributes:
        weight: ``[image width, D]``. bias: ``[D]``, or None.
    """

    weight: Tensor
    bias: Tensor | None = None


def no_projection(visual: nn.Module) -> NotSupportedError:
    """The refusal of an image tower that does not end with one matrix."""
    head = dict(getattr(visual, "head", nn.Module()).named_children())
    how = "ends with an MLP" if "mlp" in head else "does not end with a projection matrix of its own"
    return NotSupportedError(
        f"The image tower ({type(visual).__name__}) {how}, so there is none to train.",
        todo="Use an open_clip ViT or a timm tower with a linear projection, or another method, such as coop.",
    )


def last_linear(visual: nn.Module) -> Projection:
    """The last layer of open_clip's tower around a timm model; a bias stays beside the matrix.

    Raises:
        NotSupportedError: this is another tower, or it ends with an MLP, with attention pooling or without a layer.
    """
    linear = getattr(getattr(visual, "head", None), LAST, None)
    if not hasattr(visual, "trunk") or not isinstance(linear, nn.Linear):
        raise no_projection(visual)
    return Projection(linear.weight.detach().t(), None if linear.bias is None else linear.bias.detach())


def run_tower(visual: nn.Module, pixels: Tensor, *, projected: bool) -> Tensor:
    """Features ``[B, D]`` of a whole tower, or ``[B, image width]`` before its last layer (see `last_linear`).

    Raises:
        NotSupportedError: it has no such layer.
    """
    x: Tensor
    if projected:
        x = visual(pixels)
        return x
    last_linear(visual)
    x = visual.trunk(pixels)  # type: ignore[operator]
    for name, layer in visual.head.named_children():  # type: ignore[union-attr]
        if name != LAST:
            x = layer(x)
    return x
