"""The costly part of a training step as one CUDA graph: the host starts it at once instead of kernel by kernel.

A step is some thousand small kernels, and a GPU is done with most of them before the host has started the next. What
is recorded is everything up to the gradients; the optimiser, whose learning rate changes, stays outside. The numbers
are those of the step that was recorded: the same kernels run on the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import fields, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dapt.console import say
from dapt.data.batch import Batch
from dapt.prompts.base import PromptArchitecture

Figures = dict[str, Tensor]
Found = tuple[Figures, list[Tensor | None]]
WARM_UP = 3  # steps before one is recorded: kernels are loaded, constant texts encoded, plans made


class Recorder(Protocol):
    """What records a function that computes on a device."""

    def warm(self, run: Callable[[], Figures]) -> Figures:
        """Run it as it will be recorded."""

    def record(self, run: Callable[[], Found]) -> tuple[Found, Callable[[], None]]:
        """The tensors that hold its results, and what computes them again, in place.

        Raises:
            RuntimeError: it does what cannot be recorded.
        """


class CudaRecorder:
    """Records CUDA graphs of `device`."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def warm(self, run: Callable[[], Figures]) -> Figures:
        """Run it on the stream on which it will be recorded."""
        now = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(now)
        with torch.cuda.stream(self._stream):
            found = run()
        now.wait_stream(self._stream)
        return found

    def record(self, run: Callable[[], Found]) -> tuple[Found, Callable[[], None]]:
        """Results and replay of a graph.

        Raises:
            RuntimeError: it waits for the device, say.
        """
        now = torch.cuda.current_stream(self._device)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self._device):  # torch waits for the current one before it records
            try:
                # other threads pin memory meanwhile, which the strictest mode would forbid them
                with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                    found = run()
            finally:
                torch.cuda.set_stream(now)  # a recording that fails leaves its own one behind
        return found, graph.replay


class GraphStep:
    """Computes gradients and figures of batches; after a few batches of a stage from a recording.

    Batches of another shape (the last one of an epoch, perhaps) are computed as they come. A step that cannot be
    recorded is told once, and from then on all are.

    Args:
        run: computes a batch of an epoch, leaves gradients in `parameters` and returns figures; it may not read them.
        prompts: what it draws anew in every step, see `PromptArchitecture.draw`.
    """

    def __init__(
        self,
        run: Callable[[Batch, int], Figures],
        parameters: Iterable[nn.Parameter],
        prompts: PromptArchitecture,
        recorder: Recorder,
    ) -> None:
        self._run = run
        self._parameters = list(parameters)
        self._prompts = prompts
        self._recorder = recorder
        self._impossible = False
        self._stage: Hashable = None
        self._shape: Hashable = None
        self._warmed = 0
        self._inputs: Batch | None = None
        self._found: Found = {}, []
        self._replay: Callable[[], None] | None = None

    @property
    def recorded(self) -> bool:
        """Whether there is a recording."""
        return self._replay is not None

    def __call__(self, batch: Batch, epoch: int, stage: Hashable) -> Figures:
        """Figures of a batch, which the next call may overwrite, and its gradients.

        Args:
            stage: batches of one stage are computed by the same operations.
        """
        if self._impossible:
            return self._run(batch, epoch)
        if stage != self._stage:
            self.forget(stage)
        if self._shape is None:
            self._shape = _shape(batch)
        if self._shape != _shape(batch):
            return self._run(batch, epoch)
        if self._warmed < WARM_UP:
            self._warmed += 1
            return self._recorder.warm(lambda: self._run(batch, epoch))
        if self._replay is None:
            self._record(batch, epoch)
        return self._run(batch, epoch) if self._replay is None else self._play(batch)

    def forget(self, stage: Hashable = None) -> None:
        """Give the memory of a recording back, and begin another stage."""
        self._stage, self._shape, self._warmed = stage, None, 0
        self._inputs, self._found, self._replay = None, ({}, []), None
        for parameter in self._parameters:
            parameter.grad = None

    def _record(self, batch: Batch, epoch: int) -> None:
        inputs = _copy(batch)

        def run() -> Found:
            with self._prompts.recording():
                figures = self._run(inputs, epoch)
            return figures, [parameter.grad for parameter in self._parameters]

        self._prompts.hold()
        try:
            self._found, self._replay = self._recorder.record(run)
            self._inputs = inputs
        except RuntimeError as error:
            self._impossible = True
            self.forget()
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            say(f"The training step cannot be recorded as a CUDA graph and is slower without: {reason}")

    def _play(self, batch: Batch) -> Figures:
        assert self._inputs is not None
        assert self._replay is not None
        given = _tensors(batch)
        for name, part in _tensors(self._inputs).items():
            part.copy_(given[name], non_blocking=True)
        self._prompts.draw()
        self._replay()
        figures, gradients = self._found
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        return figures


def _copy(batch: Batch) -> Batch:
    """The batch with tensors of its own."""
    own: dict[str, Any] = {
        field.name: part.clone() for field in fields(batch) if isinstance(part := getattr(batch, field.name), Tensor)
    }
    if batch.before is not None:
        pixels, mask, usable = batch.before
        own["before"] = (pixels.clone(), mask.clone(), usable.clone())
    return replace(batch, **own)


def _tensors(batch: Batch) -> dict[str, Tensor]:
    parts = {field.name: getattr(batch, field.name) for field in fields(batch)}
    found = {name: part for name, part in parts.items() if isinstance(part, Tensor)}
    return found | {f"before {number}": part for number, part in enumerate(batch.before or ())}


def _shape(batch: Batch) -> Hashable:
    return batch.multi_label, tuple((name, part.shape, part.dtype) for name, part in _tensors(batch).items())
