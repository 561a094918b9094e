"""Standard output and standard error that may be full, closed, or a pipe that nobody reads.

What a command prints on standard output is its result: if part of it is not delivered, the exit code is not 0. What it
says on standard error is not, so losing that stops nothing.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any

BROKEN_PIPE = 141  # as a program has that is ended by SIGPIPE (128 + 13), which Python ignores
FAILED = 2


class OutputLostError(Exception):
    """Standard output took no more; `deliver` says so, quietly where the reader of a pipe has gone."""


class _Stream(io.FileIO):
    """A file descriptor that is written to until that fails, and takes everything from then on.

    Args:
        closed: it was closed before the program started. needed: what is lost raises `OutputLostError`, once.

    Attributes:
        lost: why something was not written, or None.
    """

    def __init__(self, descriptor: int, *, closed: bool, needed: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._was_closed = closed
        self._needed = needed
        self.lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.lost is None:
            try:
                if self._was_closed:
                    raise OSError(errno.EBADF, os.strerror(errno.EBADF))
                return super().write(data)
            except OSError as error:
                self.lost = error
                if self._needed:
                    raise OutputLostError from error
        return len(data)


class Streams:
    """The streams of this program; making it puts them in place of `sys.stdout` and `sys.stderr`."""

    def __init__(self) -> None:
        self._out = _guard("stdout", 1, needed=True)
        guard_stderr()

    def deliver(self, code: int) -> int:
        """Write out what is still held back; the exit code, given that of the command.

        A command that was done has 141 where the reader of a pipe has gone and 2 where standard output is full or
        closed; then standard error says so. Another code stays.
        """
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OutputLostError:
            pass
        lost = None if self._out is None else self._out.lost
        if lost is None:
            return code
        if isinstance(lost, BrokenPipeError):
            return code or BROKEN_PIPE
        print(f"error: Not everything could be written to standard output: {lost.strerror}.", file=sys.stderr)
        return code or FAILED


def guard_stderr() -> None:
    """Let nothing stop for a standard error that is full or closed; for every process that says something."""
    _guard("stderr", 2, needed=False)


def _guard(name: str, descriptor: int, *, needed: bool) -> _Stream | None:
    """Replace a standard stream by one that can fail; None where it is no file of the system's."""
    stream = getattr(sys, name)
    closed = stream is None
    if closed:
        _occupy(descriptor)  # or the next file that is opened would be taken for the stream
    elif sys.platform == "win32" or not isinstance(stream, io.TextIOWrapper):
        return None
    else:
        stream.flush()
        descriptor = stream.fileno()
    raw = _Stream(descriptor, closed=closed, needed=needed)
    encoding = "utf-8" if closed else stream.encoding
    direct = not needed or raw.isatty()
    # a name that the terminal cannot show is no reason to fail, and none to lose it
    text = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=direct)
    setattr(sys, name, text)
    return raw


def _occupy(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != descriptor:
        os.dup2(nothing, descriptor)
        os.close(nothing)
