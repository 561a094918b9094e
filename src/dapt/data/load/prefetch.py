"""Working ahead in the background."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")

AHEAD = 2


def prefetch(load: Callable[[K], T], keys: Iterable[K], ahead: int = AHEAD) -> Generator[T, None, None]:
    """``map(load, keys)``, with `load` running in one thread up to `ahead` results before they are asked for.

    What `load` raises is raised here, in the place of its result. The thread ends with the iteration, also when
    that is given up early.

    Args:
        ahead: one at least.
    """
    left = iter(keys)
    pool = ThreadPoolExecutor(1, thread_name_prefix="dapt-prefetch")
    waiting: deque[Future[T]] = deque(pool.submit(load, key) for key in islice(left, max(ahead, 1)))
    try:
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(load, key) for key in islice(left, 1))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_threads(
    read: Callable[[K], T], batches: Iterable[Sequence[K]], threads: int, ahead: int = AHEAD
) -> Generator[list[T], None, None]:
    """``[[read(key) for key in batch] for batch in batches]``, the keys of a batch side by side, batches ahead of use.

    What `read` raises is raised here, in the place of its batch. Threads end with the iteration, also when that is
    given up early: what has not begun is left.

    Args:
        threads: that read, one at least. ahead: as for `prefetch`.
    """
    pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="dapt-read")
    reading = prefetch(lambda batch: list(pool.map(read, batch)), batches, ahead)
    try:
        for found in reading:  # noqa: UP028 - who gives up early comes to the end below first
            yield found
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        reading.close()
        pool.shutdown()
