"""Worker processes: they end when their parent does, and one that is killed becomes a message."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from dapt.errors import DaptError
from dapt.streams import guard_stderr

PATIENCE = 30.0  # seconds


def tells_mistakes() -> bool:
    """Whether this process tells of a user's mistakes: of those that torchrun starts on a machine only the first."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("LOCAL_RANK", "0") == "0"


def leave_it_to_the_first() -> None:
    """Return at once in a process that tells mistakes; in another one wait until torchrun has ended it.

    torchrun ends all of its processes as soon as one has failed; would this one be that, the first had no time to tell
    what is wrong. Returns after `PATIENCE` seconds: then the first goes on, and the mistake is one of this process.
    """
    if tells_mistakes():
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(PATIENCE)


@contextmanager
def worker_pool(
    workers: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes; on an error or an interrupt they are stopped at once.

    Args:
        workers: how many. initializer: called in each of them first, with `arguments`.

    Raises:
        DaptError: a worker was killed from outside.
    """
    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
        initargs=(initializer, arguments),
    )
    try:
        yield pool
    except BaseException as error:
        for child in multiprocessing.active_children():
            if child not in others:
                child.terminate()
        if isinstance(error, BrokenProcessPool):
            raise DaptError(
                "A worker process was killed from outside, most likely because memory ran out.",
                todo="What was finished is kept. Go on with --resume --jobs 1.",
            ) from error
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    guard_stderr()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which stops its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
