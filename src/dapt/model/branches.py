"""Parts of a step that do not depend on each other, side by side on a GPU.

Only while a step is recorded as a CUDA graph (`dapt.training.graph_step`): there they are branches that the GPU
runs at once, forward and, because autograd goes back on the streams of the forward pass, backward. A step that the
host starts kernel by kernel would gain nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor

from dapt.clip.adapters import updates_of
from dapt.clip.prompts import Prompts

Join = Callable[[Iterable[Tensor]], None]


class Beside:
    """Another stream of a device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    @contextmanager
    def branch(self, read: Iterable[Tensor]) -> Iterator[Join]:
        """Inside, kernels are started beside those that the present stream gets afterwards.

        Args:
            read: tensors of the present stream that are read inside.

        Returns:
            lets the present stream wait; called with the tensors made inside before these are read.
        """
        main = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(main)
        for tensor in read:
            tensor.record_stream(self._stream)

        def join(made: Iterable[Tensor]) -> None:
            main.wait_stream(self._stream)
            for tensor in made:
                tensor.record_stream(main)

        with torch.cuda.stream(self._stream):
            yield join


@cache
def _beside(device: torch.device, number: int) -> Beside:
    return Beside(device)


def beside_others(device: torch.device, number: int = 0) -> Beside | None:
    """Another stream of `device`, one for each number, while a step is recorded there; else None."""
    if device.type != "cuda":
        return None
    with torch.cuda.device(device):
        beside = _beside(device, number)  # made before a step is recorded
        return beside if torch.cuda.is_current_stream_capturing() else None


def tensors_of(prompts: Prompts) -> list[Tensor]:
    """The vectors of `prompts`, and what it updates weights with."""
    parts = [prompts.text_ctx, *prompts.text_deep, prompts.visual_ctx, *prompts.visual_deep]
    for side in ("text", "image"):
        for update in updates_of(prompts, side):
            parts += [update.a, update.b]
    return [part for part in parts if part is not None]
