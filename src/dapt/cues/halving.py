"""Batches that are halved where memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import torch

from dapt.console import warn
from dapt.errors import DaptError

J = TypeVar("J")
R = TypeVar("R")

_SIGNS = (
    "out of memory",  # CUDA, MPS
    "can't allocate memory",  # torch on a CPU
    "not enough memory",
    "failed to allocate memory",  # onnxruntime
    "cublas_status_alloc_failed",
    "bad_alloc",
    "bad allocation",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: of a GPU, of Apple's shared memory, or of the machine."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError | OSError) and any(sign in text for sign in _SIGNS)


class BatchSize:
    """How many things are computed at a time; made smaller where memory demands it, and never larger again.

    Args:
        size: to begin with. what: of whom, for the message.
    """

    def __init__(self, size: int, what: str) -> None:
        self.now = size
        self._what = what
        self._did_not_fit = 0

    def halve(self, tried: int) -> None:
        """After `tried` at a time did not fit."""
        self._did_not_fit = tried
        self.now = max(1, tried // 2)

    def fits(self) -> None:
        """Say once what does fit, after something did not."""
        if self._did_not_fit:
            warn(
                f"{self._what}: {self._did_not_fit} images at a time do not fit into memory; "
                f"{self.now} from now on (cue.batch_size={self.now})."
            )
            self._did_not_fit = 0


def in_batches(
    jobs: Iterable[J], size: BatchSize, run: Callable[[list[J]], list[R]], alone: Callable[[J], DaptError]
) -> Iterator[R]:
    """The results of `run` for all jobs, in their order; a batch for which memory runs out is done in halves.

    Args:
        jobs: taken as they are needed. size: at most so many in one call of `run`, which returns one result for each.
        alone: the error for a job that does not fit in a batch of one.

    Raises:
        DaptError: `alone`.
    """
    source, waiting = iter(jobs), list[J]()
    while True:
        waiting += islice(source, max(0, size.now - len(waiting)))
        if not waiting:
            return
        batch = waiting[: size.now]
        results = _tried(run, batch)
        if results is None:
            _free()
            if len(batch) == 1:
                raise alone(batch[0])
            size.halve(len(batch))
            continue
        size.fits()
        del waiting[: len(batch)]
        yield from results


def _tried(run: Callable[[list[J]], list[R]], batch: list[J]) -> list[R] | None:
    """None: memory ran out; what the failed attempt held is let go with its error, before the next one."""
    try:
        return run(batch)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return None


def _free() -> None:
    """Give back to a device what torch keeps of it; memory of the machine is free with the failed attempt's numbers."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        gc.collect()
        torch.mps.empty_cache()
