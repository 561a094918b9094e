"""Calls to one tracker, carried out by a thread of its own, so that no network makes a training wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Call = Callable[[], None]
LONGEST = 160  # letters of an error


class Delivery:
    """A queue of calls, carried out in order.

    Args:
        name: of the tracker.

    Attributes:
        failures: calls that failed, and those that were not made because the first one had. first: how the first one
            failed; empty: none did.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.failures = 0
        self.first = ""
        self._given_up = False
        self._queue: SimpleQueue[tuple[Call | None, bool]] = SimpleQueue()
        threading.Thread(target=self._carry_out, name=f"dapt-{name}", daemon=True).start()

    def put(self, call: Call, *, needed: bool = False) -> None:
        """Take a call.

        Args:
            needed: without it there is no use in those that follow.
        """
        self._queue.put((call, needed))

    def wait(self, seconds: float) -> bool:
        """Wait until all calls so far have been made; False: they were not, after so many seconds."""
        reached = threading.Event()
        self._queue.put((reached.set, False))
        return reached.wait(seconds)

    def close(self) -> None:
        """Let the thread end after the calls so far."""
        self._queue.put((None, False))

    def _carry_out(self) -> None:
        while True:
            call, needed = self._queue.get()
            if call is None:
                return
            if self._given_up and not isinstance(getattr(call, "__self__", None), threading.Event):
                self.failures += 1
                continue
            try:
                call()
            except BaseException as error:  # of somebody else's package: SystemExit and KeyboardInterrupt, too
                self.failures += 1
                self.first = self.first or _told(error)
                self._given_up |= needed


def _told(error: BaseException) -> str:
    """An error in one line that is not too long."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
