"""What a process does to files: seen one operation at a time, and ended or refused at a chosen one.

A `Watch` numbers the operations that change something below the folders of interest, as the interpreter's audit events
tell them (open for writing, rename, remove, ...), and three that it wraps itself: write, the middle of a write, and
fsync. At a number it kills its own process, or makes the operation fail as a full disk does.
"""

# Paths are text here: that is how the operations tell them.
# ruff: noqa: PTH100, PTH112, PTH115, PTH117, PTH118, PTH120

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events: which arguments are paths, and which the file descriptors of the folders that these begin in.
PATHS = {
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.chmod": ((0, 2),),
    "os.utime": ((0, 3),),
    "os.chown": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.setxattr": ((0, None),),
}
GROWING = ("open", "write", "half", "os.mkdir", "os.link", "os.symlink")  # what needs room on a disk


class Watch:
    """Operations of this process on files below some folders.

    Args:
        inside: these folders, whether they are there or not. kill: end the process by SIGKILL at the operation with
            this number, counted from 1, before it happens (a `half` is the middle of a write). kill_at: likewise at an
            operation of this kind, on a file with this text in its path, the n-th time. full: from that number on
            nothing grows any more; an operation that needs no room goes on. dead: from that number on everything fails,
            as on a disk that has become read-only. broken: this operation alone fails with
            an input/output error. short: every write of several bytes writes half of them, as systems may. remove: at
            this operation somebody else removes this folder.
        record: file that receives the operations when the process ends by itself.
    """

    def __init__(
        self,
        inside: list[str],
        *,
        kill: int | None = None,
        kill_at: tuple[str, str, int] | None = None,
        full: int | None = None,
        dead: int | None = None,
        broken: int | None = None,
        short: bool = False,
        remove: tuple[int, str] | None = None,
        record: str | None = None,
    ) -> None:
        self._inside = [os.path.abspath(path) for path in inside]
        self._kill, self._full, self._broken, self._dead, self._short = kill, full, broken, dead, short
        self._kill_at = list(kill_at) if kill_at is not None else None
        self._remove = remove
        self._record = record
        self.seen: list[list[str]] = []
        self.new: list[int] = []
        self._state: object = None
        self.outside: list[list[str]] = []
        self.failed: list[str] = []
        self._busy = False

    def start(self) -> None:
        """Watch from now on; this cannot be undone."""
        original_open, original_fsync, original_sync = io.open, os.fsync, os.sync
        watch = self

        def fsync(handle: Any) -> None:
            number = handle if isinstance(handle, int) else handle.fileno()
            watch.operation("fsync", [_path_of(number)])
            original_fsync(handle)

        def sync() -> None:
            watch.operation("sync", watch._inside)
            original_sync()

        def opened(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            path = _path_of(file) if isinstance(file, int) else os.path.abspath(os.fsdecode(file))
            if not set(mode) & set("wax+") or not watch.is_inside(path):
                return original_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
            plain = mode.replace("b", "").replace("t", "")
            raw = _WatchedFile(watch, path, file, plain, closefd, opener)
            if buffering == 0:
                return raw
            buffer: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)

        def plain(file: Any, mode: str = "r", closefd: bool = True, opener: Any = None) -> Any:
            return opened(file, mode + "b", 0, closefd=closefd, opener=opener)

        for name, module in list(sys.modules.items()):
            if name.startswith("dapt.") and getattr(module, "FileIO", None) is io.FileIO:
                module.FileIO = plain  # type: ignore[attr-defined]
        os.fsync = os.fdatasync = fsync
        os.sync = sync
        io.open = builtins.open = opened
        sys.addaudithook(self._hook)

    def is_inside(self, path: str) -> bool:
        """Whether a path is one of the watched folders or lies below one."""
        return any(path == folder or path.startswith(folder + os.sep) for folder in self._inside)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._busy:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool(flags & WRITING)
            if isinstance(path, (str, bytes, os.PathLike)) and writes and not os.path.isdir(path):
                self.operation("open", [os.path.abspath(os.fsdecode(path))])
        elif event in PATHS:
            paths = [_absolute(arguments, *places) for places in PATHS[event]]
            if event != "os.mkdir" or not os.path.isdir(paths[0]):  # it is tried where a folder may be there
                self.operation(event, paths)

    def operation(self, kind: str, paths: list[str]) -> None:
        """Note one operation; it may be the last one."""
        parents = kind == "fsync" and any(os.path.dirname(folder) == paths[0] for folder in self._inside)
        if not parents and not any(map(self.is_inside, paths)):
            if kind != "fsync":
                self.outside.append([kind, *paths])
            return
        self.seen.append([kind, *paths])
        number = len(self.seen)
        if self._record:
            self._note_state(kind, number)
        if self._kill_at is not None and kind == self._kill_at[0] and self._kill_at[1] in paths[0]:
            self._kill_at[2] -= 1
            if self._kill_at[2] == 0:
                self.die()
        if number == self._kill:
            self.die()
        if self._remove is not None and number == self._remove[0]:
            self._busy = True
            shutil.rmtree(self._remove[1])
            self._busy = False
        if self._full is not None and number >= self._full and kind in GROWING:
            self.fail(errno.ENOSPC, kind, paths[0])
        if self._dead is not None and number >= self._dead:
            self.fail(errno.EROFS, kind, paths[0])
        if number == self._broken:
            self.fail(errno.EIO, kind, paths[0])

    def _note_state(self, kind: str, number: int) -> None:
        """Whether a kill at this operation would leave other files than one at the operation before."""
        self._busy = True
        state = [_state(folder) for folder in self._inside]
        self._busy = False
        if state != self._state or kind == "half":
            self.new.append(number)
        self._state = state

    def fail(self, code: int, kind: str, path: str) -> None:
        """Fail as the system call does: a write and a sync do not name their file."""
        self.failed.append(path)
        named = () if kind in ("write", "half", "fsync") else (path,)
        raise OSError(code, os.strerror(code), *named)

    def die(self) -> None:
        """End this process at once, without any clearing up."""
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()

    @property
    def next_breaks(self) -> bool:
        """Whether the next operation is where the process is to be killed, or the first one to fail."""
        return len(self.seen) + 1 in (self._kill, self._full, self._dead, self._broken)

    @property
    def short(self) -> bool:
        """Whether writes are cut short."""
        return self._short

    def finish(self) -> None:
        """Write the record."""
        if self._record:
            self._busy = True
            found = {"seen": self.seen, "new": self.new, "outside": self.outside, "failed": self.failed}
            with Path(self._record).open("w") as file:
                json.dump(found, file)


class _WatchedFile(io.FileIO):
    """A file whose writes are operations; a long one can be ended in its middle."""

    def __init__(self, watch: Watch, path: str, file: Any, mode: str, closefd: bool, opener: Any) -> None:
        super().__init__(file, mode, closefd, opener)
        self._watch = watch
        self._path = path

    def write(self, data: Any) -> int:
        """Write once."""
        view = memoryview(data).cast("B")
        self._watch.operation("write", [self._path])
        half = len(view) // 2
        if half and self._watch.next_breaks:
            super().write(view[:half])
        if half:
            self._watch.operation("half", [self._path])
        return super().write(view[:half] if half and self._watch.short else view) or 0


def _state(folder: str) -> object:
    """All names below a folder with what tells one content from another."""
    found = []
    for inside, _, names in os.walk(folder):
        found.append((inside,))
        for name in sorted(names):
            state = os.lstat(os.path.join(inside, name))
            found.append((inside, name, state.st_size, state.st_ino))
    return sorted(found)


def _path_of(handle: int) -> str:
    """The path of an open file or folder."""
    return os.readlink(f"/proc/self/fd/{handle}")


def _absolute(arguments: tuple[Any, ...], place: int, folder: int | None) -> str:
    path = arguments[place]
    if isinstance(path, int):
        return _path_of(path)
    text = os.fsdecode(path)
    handle = arguments[folder] if folder is not None and folder < len(arguments) else -1
    if not os.path.isabs(text) and isinstance(handle, int) and handle >= 0:
        return os.path.normpath(os.path.join(_path_of(handle), text))
    return os.path.abspath(text)
