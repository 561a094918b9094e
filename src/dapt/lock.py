"""One writer per folder: a lock that ends with its process, and a note of who holds it."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from dapt.console import say, warn
from dapt.errors import ConfigError, DaptError
from dapt.files import make_folder, parse_json, remove_file, write_json
from dapt.regular import read_text

LOCK = ".lock"
OWNER = ".owner.json"
MANIFEST = ".dapt.json"  # with it a folder is known to be dapt's own, see `dapt.owned`
# Children of a killed process hold its lock until they notice, a few seconds later.
ORPHANS_S = 15.0
NOTE_S = 0.5
NOTE_BYTES = 65_536


@dataclass(frozen=True)
class Owner:
    """Who holds a folder.

    Attributes:
        pid: number of the process. host: name of its machine. started: when it took the folder, local time.
    """

    pid: int
    host: str
    started: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} (since {self.started})"

    @property
    def is_gone(self) -> bool:
        """Whether the process is known to have ended; of other machines that is not known."""
        if self.host != socket.gethostname():
            return False
        if not 0 < self.pid < 2**31:  # no number of a process
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # somebody else's, so it is there
            return False
        return False


class InUseError(ConfigError):
    """Another process writes into a folder."""


class FolderLock:
    """Exclusive use of a folder, as a context or by `take` and `release`; readers need none.

    The operating system frees the lock of a process that dies, whatever kills it. Its note stays, and the next owner
    says that it takes over.

    Args:
        folder: made if it is absent. within: a folder above it that is not made: it has to be there.
    """

    def __init__(self, folder: Path, within: Path | None = None) -> None:
        self.folder = folder
        self._within = within
        self._lock = FileLock(str(folder / LOCK))

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return bool(self._lock.is_locked)

    def take(self, wait_s: float = 0.0) -> None:
        """Become the only writer; nothing happens where this object is that already.

        Args:
            wait_s: how long to wait for another owner to finish.

        Raises:
            InUseError: another process is.
            ConfigError: a file of somebody else's is in the place of the lock or its note.
            DaptError: the folder cannot be used.
        """
        if self.held:
            return
        self._check_notes()
        try:
            make_folder(self.folder, self._within)
            if not self.folder.is_dir():  # filelock would make it again, and what is above it
                raise FileNotFoundError(errno.ENOENT, "it was removed meanwhile", str(self.folder))
            self._acquire(wait_s)
        except OSError as error:
            other = error.filename if str(error.filename) != str(self.folder) else None
            raise DaptError(
                f"The folder {self.folder} cannot be used: {error.strerror or error}.",
                where=str(other or ""),
                todo="Choose another folder.",
            ) from error
        before = read_owner(self.folder)
        if before is not None:
            say(f"{self.folder} was held by {before}, which is gone; its lock is taken over.")
        try:
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            write_json(self.folder / OWNER, asdict(Owner(os.getpid(), socket.gethostname(), now)), make_parents=False)
        except BaseException:
            self._lock.release()
            raise

    def _check_notes(self) -> None:
        linked = (self.folder / LOCK).is_symlink()
        if linked or OWNER in foreign_notes(self.folder):
            raise ConfigError(
                f"{self.folder / (LOCK if linked else OWNER)} is in the way: dapt did not write it.",
                todo="Move it elsewhere, or choose another folder.",
            )

    def _acquire(self, wait_s: float) -> None:
        try:
            self._lock.acquire(timeout=wait_s)
        except Timeout:
            owner = self._holder()
            if owner is not None and owner.is_gone:
                try:
                    self._lock.acquire(timeout=ORPHANS_S)
                    return
                except Timeout:
                    owner = read_owner(self.folder)
            raise InUseError(
                f"{self.folder} is in use by {owner or 'another process'}.",
                todo="Wait until that has ended, or choose another folder.",
            ) from None

    def _holder(self) -> Owner | None:
        """Who holds the lock; who has just taken it notes that a moment later."""
        deadline = time.monotonic() + NOTE_S
        while (owner := read_owner(self.folder)) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return owner

    def release(self) -> None:
        """Give the folder back."""
        if self.held:
            try:
                if self.folder.is_dir():  # it may have been removed meanwhile
                    remove_file(self.folder / OWNER)
            finally:
                self._lock.release()

    def abandon(self) -> None:
        """Give the folder back after a failure, which is the one to tell: a note that cannot be removed stays."""
        try:
            self.release()
        except DaptError as error:
            warn(f"The next process will say that it takes over the lock of this one. {error.what}")

    def __enter__(self) -> FolderLock:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.release()
        else:
            self.abandon()


def foreign_notes(folder: Path) -> list[str]:
    """Which of `LOCK` and `OWNER` are there and none of dapt's: its lock is empty, its note says who holds the folder.

    In a folder with a manifest, which is dapt's own, they are dapt's, damaged or not.
    """
    if os.path.lexists(folder / MANIFEST):
        return []
    found = []
    try:
        state = (folder / LOCK).lstat()
        if state.st_size or not stat.S_ISREG(state.st_mode):
            found.append(LOCK)
    except (FileNotFoundError, NotADirectoryError):
        pass  # no lock
    note = folder / OWNER
    if os.path.lexists(note) and read_owner(folder) is None and os.path.lexists(note):  # or its owner has just ended
        found.append(OWNER)
    return found


def read_owner(folder: Path) -> Owner | None:
    """The note of the present or last owner; None where there is none, or none that can be read."""
    try:
        tree = parse_json(read_text(folder / OWNER, NOTE_BYTES))
        return Owner(int(tree["pid"]), str(tree["host"]), str(tree["started"]))
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None
