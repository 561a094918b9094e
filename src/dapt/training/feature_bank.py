"""Features of frozen image towers, kept on disk: what one run has computed, later ones read.

A file holds one view of a list of images, a row for each, by what the tower makes of it: the whole image, with DAPT its
foreground and its background, and what is known of the mask. Its name is a hash of all that decides the rows (backbone,
content of the images, transform, seed and number of the view), so that nothing in it is ever out of date. Rows are kept
in half precision, and are used as they are kept, so that the first run trains on the numbers of later ones. Files
appear whole or not at all; of processes that want the same rows one makes them, and the others wait and read them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import load, save
from torch import Tensor

from dapt.console import say, warn
from dapt.errors import DaptError
from dapt.files import make_folder, write_bytes

SUFFIX = ".safetensors"
LOCKS = ".locks"  # in the folder: an empty file for each beginning of names, which says nothing once nobody holds it
ABOUT = "about"  # under which a file keeps what decided its rows, as JSON
DIGITS = 32
POLL_S = 0.2


class FeatureBank:
    """A folder of features.

    Args:
        folder: where they are. made_with: all that decides features beside images, masks and views: JSON values.

    Attributes:
        folder: as given. read, made: numbers of files that were read and written.
    """

    def __init__(self, folder: Path, made_with: Mapping[str, Any]) -> None:
        self.folder = folder
        self.read = self.made = 0
        self._made_with = dict(made_with)
        self._works = self._locks = True
        self._damaged: set[str] = set()

    def key(self, images: Sequence[str], view: Mapping[str, Any]) -> str:
        """The name of a view of some images.

        Args:
            images: a digest of the content of each, in their order. view: what else decides the rows: JSON values.
        """
        parts = json.dumps([self._made_with, list(images), dict(view)], sort_keys=True)
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]

    def summary(self) -> str:
        """What was read and written so far, in a line."""
        return f"features: {self.read} files read, {self.made} written in {self.folder}"

    def has(self, key: str) -> bool:
        """Whether something is kept under a name that was not found damaged."""
        return key not in self._damaged and self._path(key).is_file()

    @contextmanager
    def making(self, key: str) -> Iterator[None]:
        """Inside, rows of a name are made and saved: other processes that want to make them wait until that is done.

        Whoever has come in looks again whether they are there. A process that dies lets the next one in. Nothing but
        work hangs on it: where a file cannot be locked, which is said, several processes make the same rows.
        """
        lock = self._lock_for(key) if self._works and self._locks else None
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    def _lock_for(self, key: str) -> FileLock | None:
        """The lock of a name, once it is held; None: there can be none, which was said."""
        path = self.folder / LOCKS / f"{key[:2]}.lock"
        try:
            make_folder(path.parent)
        except OSError as error:
            self._fails(f"{path.parent} cannot be made: {error.strerror or error}.")
            return None
        lock = FileLock(str(path))
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                say(f"features: another process is computing some of these; waiting for it ({path})")
                lock.acquire(poll_interval=POLL_S)
        except (OSError, NotImplementedError) as error:
            self._locks = False
            warn(f"{path} cannot be locked ({error}): processes side by side may compute the same features.")
            return None
        return lock

    def load(self, key: str, count: int, *, exactly: bool = False) -> dict[str, Tensor]:
        """The rows kept under a name; empty: there are none of `count` images.

        Args:
            exactly: in the type in which they are kept, not in float32.
        """
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._fails(f"{path} cannot be read: {error.strerror or error}.")
            return {}
        try:
            rows: dict[str, Tensor] = load(content)
        except Exception as error:  # safetensors has no error of its own for a damaged file
            self._is_damaged(key, str(error).splitlines()[0])
            return {}
        if any(not values.dim() or len(values) != count for values in rows.values()):
            self._is_damaged(key, "rows of another number of images")
            return {}
        self._damaged.discard(key)
        self.read += 1
        if exactly:
            return rows
        return {name: values.float() if values.is_floating_point() else values for name, values in rows.items()}

    def save(self, key: str, rows: Mapping[str, Tensor], about: Mapping[str, Any], *, exactly: bool = False) -> None:
        """Keep rows; a folder that cannot be written to is said once, and done without.

        Args:
            rows: as `rounded`. about: for people who find the file. exactly: in the type that they have.
        """
        if not self._works:
            return
        held = {name: (values if exactly else _halved(values)).contiguous().cpu() for name, values in rows.items()}
        told = {ABOUT: json.dumps({**self._made_with, **about}, sort_keys=True)}
        try:
            write_bytes(self._path(key), save(held, metadata=told))
        except DaptError as error:
            self._fails(error.what)
            return
        self._damaged.discard(key)
        self.made += 1

    def _is_damaged(self, key: str, reason: str) -> None:
        if key not in self._damaged:
            warn(f"{self._path(key)} is damaged ({reason}); its features are computed again.")
        self._damaged.add(key)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}{SUFFIX}"

    def _fails(self, reason: str) -> None:
        self._works = False
        warn(f"Features are not kept from here on. {reason}")


def fits_half(values: Tensor) -> bool:
    """Whether no number is beyond what half precision holds."""
    return not values.numel() or float(values.abs().max()) <= torch.finfo(torch.float16).max


def _halved(values: Tensor) -> Tensor:
    return values.half() if values.is_floating_point() and fits_half(values) else values


def rounded(values: Tensor) -> Tensor:
    """Features as they are kept, in float32."""
    return values.half().float() if fits_half(values) else values.float()
