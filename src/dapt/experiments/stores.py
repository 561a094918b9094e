"""Experiments whose folder is no folder of this machine but an address that fsspec knows (``s3://bucket/runs``).

Runs are made in a scratch folder of the machine that carries them out. It is brought to the address whole once the run
has ended, the results last; what an interrupted run has kept goes there too, and comes back when it goes on. Whoever
starts the experiment keeps a mirror of the address, without checkpoints, in the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dapt.console import warn
from dapt.errors import ConfigError, DaptError
from dapt.experiments.executors.base import Job
from dapt.lock import LOCK, OWNER, FolderLock
from dapt.paths import user_cache
from dapt.results import ProtocolResults, RunResults

LAST = ("results.json", "protocol.json")  # with which a folder is done
STAYS = (LOCK, OWNER)  # of a folder of this machine
CHECKPOINT = "last.ckpt"
CHECK = ".dapt-check"


def is_address(place: str) -> bool:
    """Whether a folder is named by an address rather than a path."""
    return "://" in place


def mirror_of(address: str) -> Path:
    """The folder of this machine in which an address is mirrored."""
    return user_cache() / "experiments" / hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:16]


class Store:
    """A folder at an address.

    Args:
        address: of the folder.

    Raises:
        ConfigError: fsspec, or what it needs for such addresses, is not installed, or knows no such address.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        try:
            import fsspec

            self._files, root = fsspec.core.url_to_fs(self.address)
        except (ImportError, ValueError) as error:
            raise ConfigError(
                f"{address} cannot be used: {error}", todo="Install what it names (s3fs for s3://, gcsfs for gs://)."
            ) from error
        self._root = root.rstrip("/")

    def check(self) -> None:
        """Whether it can be written into.

        Raises:
            ConfigError: it cannot.
        """
        self._try(lambda: self._put(CHECK, b"dapt"), "written into")
        self._try(lambda: self._files.rm(self._at(CHECK)), "written into")

    def names(self, inside: str = "") -> dict[str, int]:
        """Files below a folder in it, by path within that, with their sizes; hidden ones of other programs as well."""
        where = self._at(inside)

        def find() -> dict[str, Any]:
            self._files.invalidate_cache()
            found: dict[str, Any] = self._files.find(where, detail=True)
            return found

        found = self._try(find, "read")
        return {path.removeprefix(where).lstrip("/"): int(about.get("size") or 0) for path, about in found.items()}

    def pull(self, inside: str, folder: Path, *, without: Iterable[str] = ()) -> bool:
        """Make a folder of this machine what the store holds; whether it holds anything.

        Args:
            without: names of files that are not brought.
        """
        there = {path: size for path, size in self.names(inside).items() if path.rpartition("/")[2] not in without}
        for here in [path for path in folder.rglob("*") if path.is_file() and path.name not in STAYS]:
            if here.relative_to(folder).as_posix() not in there:
                here.unlink()
        for path, size in there.items():
            target = folder / path
            if (
                target.is_file()
                and target.stat().st_size == size
                and target.name not in ("experiment.json", ".dapt.json")
            ):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            content = self._try(partial(self._files.cat_file, self._at(inside, path)), "read")
            target.write_bytes(content)
        return bool(there)

    def push(self, folder: Path, inside: str) -> None:
        """Make a folder in the store what one of this machine holds: the results leave it first, and come last."""
        here = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        here = [path for path in here if path.rpartition("/")[2] not in STAYS]
        there = self.names(inside)
        last = [path for path in here if path in LAST]
        self._remove(inside, [path for path in there if path in LAST])
        for path in [path for path in here if path not in LAST] + last:
            self._try(partial(self._put, f"{inside}/{path}".lstrip("/"), (folder / path).read_bytes()), "written into")
        self._remove(inside, [path for path in there if path not in here and path not in LAST])

    def write(self, path: str, content: bytes) -> None:
        """Write one file."""
        self._try(lambda: self._put(path, content), "written into")

    def _remove(self, inside: str, paths: Iterable[str]) -> None:
        for path in paths:
            self._try(partial(self._files.rm, self._at(inside, path)), "written into")

    def _put(self, path: str, content: bytes) -> None:
        where = self._at(path)
        with suppress(NotImplementedError):
            self._files.makedirs(where.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(where, content)

    def _at(self, *parts: str) -> str:
        return "/".join([self._root, *(part for part in parts if part)])

    def _try(self, call: Callable[[], Any], what: str) -> Any:
        try:
            return call()
        except Exception as error:  # of any library behind fsspec: no such bucket, no rights, no network
            told = f"{type(error).__name__}: {error}" if not isinstance(error, OSError) else str(error)
            raise ConfigError(
                f"{self.address} cannot be {what}: {told}.", todo="Look at its name and rights."
            ) from error


def scratch_of(job: Job) -> Path:
    """Where a run that belongs into a store is made on this machine: the same place when it goes on here."""
    mark = hashlib.sha256(str(job.store).encode()).hexdigest()[:16]
    user = getattr(os, "getuid", lambda: 0)()
    return Path(tempfile.gettempdir()) / f"dapt-scratch-{user}" / mark


def local_job(job: Job) -> Job:
    """A run of a store as one in the scratch folder of this machine; any other run as it is."""
    if job.store is None:
        return job
    out = str(scratch_of(job) / job.name)
    config = job.config.model_copy(update={"out": out})
    return replace(job, config=config, settings={**job.settings, "out": out}, store=None, within=None)


def in_store(job: Job, carry_out: Callable[[Job], RunResults | ProtocolResults]) -> RunResults | ProtocolResults:
    """Carry out a run of a store in a scratch folder, and bring that to the store, however the run ends.

    Raises:
        DaptError: as `carry_out`, or the store cannot be used.
    """
    assert job.store is not None
    store, made = Store(job.store), local_job(job)
    scratch = scratch_of(job)
    folder = Path(made.config.out or "")
    with FolderLock(scratch):
        if store.names():
            store.pull("", folder)
        try:
            results = carry_out(made)
        except BaseException:
            try:
                if folder.is_dir():
                    store.push(folder, "")
            except DaptError as error:  # the failure of the run is the one to tell
                warn(f"What it has kept was not brought to {job.store}: {error.what}")
            raise
        store.push(folder, "")
    shutil.rmtree(scratch, ignore_errors=True)
    return results
