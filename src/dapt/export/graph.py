"""The module that is exported: pixels, or pictures of any size, to probabilities.

The way from a picture to pixels is that of `dapt.data.load.transforms`, written so that no step looks at the size of
the picture: sizes are arithmetic within the graph, and parts are cut out by index. As torchvision does with bytes, each
axis is resized by itself, the width first, and rounded to whole numbers in between.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.frozen import Preprocess
from dapt.data.load.transforms import STRIP
from dapt.errors import NotSupportedError
from dapt.export.choices import IN_GRAPH
from dapt.model.plain import PlainModel
from dapt.model.prompted_clip import PromptedClip

BYTE = 255.0
EXAMPLE = (2, 70, 90)  # a batch of pictures by which the graph is traced: no size in it is special
OUTPUTS = ("probabilities", "logits")


class PixelGraph(nn.Module):
    """Probabilities and logits ``[B, C]`` of normalised pixels ``[B, 3, H, W]``.

    Args:
        plain: the model. classes: how many of its columns are classes. temperature: logits are divided by it.
    """

    input_name = "pixels"

    def __init__(self, plain: PlainModel, classes: int, temperature: float = 1.0) -> None:
        super().__init__()
        self.plain = plain
        self._classes = classes
        self._temperature = temperature

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        logits = self.plain(pixels)[:, : self._classes] / self._temperature
        return logits.softmax(dim=1), logits


class PictureGraph(nn.Module):
    """Probabilities and logits ``[B, C]`` of pictures of one size, uint8 ``[B, height, width, 3]``, RGB and upright.

    Args:
        inner: what follows. size: height and width of the pixels. how: their resizing and normalisation.

    Raises:
        NotSupportedError: the model wants its pictures in a way that the graph has not.
    """

    input_name = "image"

    def __init__(self, inner: PixelGraph, size: tuple[int, int], how: Preprocess) -> None:
        super().__init__()
        check_preprocess(size, how)
        self.inner = inner
        self._size = size
        self._squash = how.resize_mode == "squash"
        self._mode = how.interpolation if how.interpolation in ("bilinear", "nearest") else "bicubic"
        self.register_buffer("mean", BYTE * torch.tensor(how.mean).view(3, 1, 1))
        self.register_buffer("std", BYTE * torch.tensor(how.std).view(3, 1, 1))
        self.mean: Tensor
        self.std: Tensor

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        x = image.permute(0, 3, 1, 2).float()
        height: Any
        width: Any
        height, width = self._size
        if not self._squash:
            x = _cut_strip(x)
            rows, columns = x.shape[2], x.shape[3]
            short = torch.sym_min(rows, columns)
            height, width = height * rows // short, width * columns // short
        x = self._resize(self._resize(x, (x.shape[2], width)), (height, width))
        if not self._squash:
            x = _cut(_cut(x, 2, self._size[0]), 3, self._size[1])
        probabilities, logits = self.inner((x - self.mean) / self.std)
        return probabilities, logits

    def _resize(self, x: Tensor, size: tuple[Any, Any]) -> Tensor:
        if self._mode == "nearest":
            return F.interpolate(x, size=size, mode="nearest")
        resized = F.interpolate(x, size=size, mode=self._mode, antialias=True)
        return (resized + 0.5).floor().clamp(0.0, BYTE)  # halves up, as with bytes


def check_preprocess(size: tuple[int, int], how: Preprocess) -> None:
    """Refuse ways of resizing that are not written as a graph.

    Raises:
        NotSupportedError: naming the way.
    """
    if how.resize_mode == "longest" or (how.resize_mode != "squash" and size[0] != size[1]):
        raise NotSupportedError(
            f"A graph does not resize by '{how.resize_mode}' to {size[0]} x {size[1]}: squares and 'squash' only.",
            todo="Leave --preprocess in-graph out.",
        )


def _cut_strip(x: Tensor) -> Tensor:
    """The middle of pictures that are very long and narrow, as at test."""
    rows, columns = x.shape[2], x.shape[3]
    return _cut(_cut(x, 2, torch.sym_min(rows, STRIP * columns)), 3, torch.sym_min(columns, STRIP * rows))


def _cut(x: Tensor, axis: int, size: Any) -> Tensor:
    """So many of the middle, the first as torchvision's centre crop rounds it: half to even."""
    spare = x.shape[axis] - size
    half = spare // 2
    return x.index_select(axis, torch.arange(size, device=x.device) + half + (spare % 2) * (half % 2))


def make_graph(model: PromptedClip, half: PromptedClip | None, preprocess: str, temperature: float) -> nn.Module:
    """The module to export.

    Args:
        half: the same model with its image tower in float16, where that is asked for; class features, their scale and
            the softmax stay in float32 and are those of `model`. preprocess: see `Choices`.

    Raises:
        NotSupportedError: class texts depend on the image, or the way of resizing is not written as a graph.
    """
    plain = model.plain()
    if half is not None:
        plain = _with_constants(half.plain(), plain)
    graph = PixelGraph(plain, len(model.names), temperature)
    if preprocess != IN_GRAPH:
        return graph.eval()
    return PictureGraph(graph, model.clip.image.image_size, model.clip.preprocess).eval()


def _with_constants(half: PlainModel, whole: PlainModel) -> PlainModel:
    half.texts.copy_(whole.texts)
    for ours, theirs in ((half.line_weight, whole.line_weight), (half.line_offset, whole.line_offset)):
        if ours is not None and theirs is not None:
            ours.copy_(theirs)
    return half


def trace(graph: nn.Module, size: tuple[int, int]) -> torch.export.ExportedProgram:
    """The graph as `torch.export` takes it, for any number of pictures (and of any size, where it takes pictures)."""
    batch, height, width = EXAMPLE
    dynamic = torch.export.Dim.DYNAMIC
    if isinstance(graph, PictureGraph):
        example = torch.zeros(batch, height, width, 3, dtype=torch.uint8)
        shapes: dict[int, Any] = {0: dynamic, 1: dynamic, 2: dynamic}
    else:
        example, shapes = torch.zeros(batch, 3, *size), {0: dynamic}
    with torch.no_grad():
        return torch.export.export(graph, (example,), dynamic_shapes={str(graph.input_name): shapes})
