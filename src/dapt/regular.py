"""Opening files whose paths come from elsewhere: regular files only, up to a size.

A pipe that nobody writes to, or a terminal, would be waited for without end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class IrregularError(OSError):
    """A path that leads to something else than a file, or nowhere; `strerror` completes "it ..."."""


def open_regular(path: Path, most: int | None = None) -> BinaryIO:
    """Open a file for reading; links are followed.

    Args:
        path: the file. most: bytes it may have.

    Raises:
        FileNotFoundError: there is nothing. IrregularError: it is a link to nothing, or no regular file.
        OSError: it may not be read, or is larger than `most`.
    """
    what = irregular(path)
    if what:
        raise IrregularError(errno.EINVAL, f"it is {what}", str(path))
    # what is there may have been exchanged since: a pipe is not waited for, and found out below
    file = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        found = os.fstat(file.fileno())
        what = _kind(found.st_mode)
        if what:
            raise IrregularError(errno.EINVAL, f"it is {what}", str(path))
        if most is not None and found.st_size > most:
            raise too_large(path, found.st_size, most)
    except BaseException:
        file.close()
        raise
    return file


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of up to `most` bytes.

    Raises:
        OSError: see `open_regular`.
    """
    with open_regular(path, most) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(size + 1)  # a buffer of what is asked for is made first
    if len(content) > size:
        raise OSError(errno.EAGAIN, "it grew while it was read", str(path))
    return content


def read_text(path: Path, most: int) -> str:
    """`read_bytes` as UTF-8, without the mark that some programs put in front, line ends as ``\\n``.

    Raises:
        OSError: see `open_regular`. UnicodeDecodeError: it is no UTF-8.
    """
    return read_bytes(path, most).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def irregular(path: Path) -> str:
    """What there is instead of a file, completing "it is ..."; empty for files, and where there is nothing."""
    try:
        return _kind(path.stat().st_mode)
    except FileNotFoundError:
        return f"a link to {path.readlink()}, which is not there" if path.is_symlink() else ""
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a link that leads to itself"
        return ""  # opening it tells


def reason(error: Exception) -> str:
    """What an error says, without its number and path."""
    return getattr(error, "strerror", None) or str(error)


def too_large(path: Path, size: int, most: int) -> OSError:
    """The error for a file of more bytes than are read."""
    return OSError(errno.EFBIG, f"it has {_shown(size)}, files of up to {_shown(most)} are read", str(path))


def _shown(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size:,} bytes"


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    return next((f"{what}, not a file" for test, what in KINDS if test(mode)), "no regular file")
