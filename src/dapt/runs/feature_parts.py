"""The folder beside a file of features in which `dapt features` keeps what it has computed, until the file is whole.

A part holds the features of so many images that follow each other. It is written whole or not at all, so that a killed
command loses one part at most. ``about.json`` says what decides the features and of which images they are; parts of
other settings or images are not gone on with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from dapt.console import warn
from dapt.data.items import Item
from dapt.data.load.images import RefusedImageError
from dapt.data.masks.mask_entries import state_of
from dapt.digests import content_digest
from dapt.environment import cores
from dapt.errors import ConfigError, DaptError, DataError
from dapt.files import read_json, write_bytes, write_json
from dapt.model.prompts_file import metadata_of
from dapt.runs.output_folder import OutputFolder

ENDING = ".parts"  # behind the name of the file
KIND = "features"
ABOUT = "about.json"
LEFT_OUT, DIGEST = "left_out", "digest"  # in the metadata of a part


@dataclass(frozen=True)
class Part:
    """Features of images that follow each other in the list.

    Attributes:
        features: ``[n, D]``. places: ``[n]``, of their images in the list. left_out: why others could not be read.
    """

    features: Tensor
    places: Tensor
    left_out: tuple[DataError, ...] = ()


def has_parts(out: Path) -> bool:
    """Whether a command that writes a file of features was killed, and left its folder of parts."""
    return _folder_of(out).is_dir()


def _folder_of(out: Path) -> Path:
    return out.with_name(f"{out.name}{ENDING}")


class FeatureParts:
    """The parts of one file of features.

    Args:
        out: the file. count: number of images. size: of a part, in images.

    Attributes:
        path: the folder.
    """

    def __init__(self, out: Path, count: int, size: int) -> None:
        self.path = _folder_of(out)
        self.ranges = [range(start, min(start + size, count)) for start in range(0, count, size)]
        self._names = [f"{number:06d}.safetensors" for number in range(len(self.ranges))]
        self._folder = OutputFolder(self.path, KIND, "--out", last=(), other="another file")
        self._about: dict[str, Any] = {}

    @property
    def begun(self) -> bool:
        """Whether there is something to go on with."""
        return (self.path / ABOUT).is_file()

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """Whether the folder may be used; changes nothing.

        Raises:
            ConfigError: it holds something else, or parts that are neither gone on with nor replaced.
        """
        self._folder.check(overwrite=overwrite, resume=resume)

    def check_same(self, about: Mapping[str, Any]) -> None:
        """Whether what is there was made with the same settings, of the same images.

        Args:
            about: both, as JSON values.

        Raises:
            ConfigError: it was not; names what differs.
        """
        if not self.begun:
            return
        found = read_json(self.path / ABOUT)
        before = found if isinstance(found, dict) else {}
        changed = [key for key in sorted({*before, *about}) if before.get(key) != about.get(key)]
        if changed:
            named = [key.replace("_", " ") for key in changed if key != "list"] or ["images"]
            raise ConfigError(
                f"The features in {self.path} were started with other settings or images: {', '.join(named)}.",
                where="--out",
                todo="Repeat those it was started with, or pass --overwrite to start again.",
            )

    @contextmanager
    def writing(self, about: Mapping[str, Any], *, overwrite: bool, resume: bool) -> Iterator[None]:
        """Be the only writer; what is not gone on with is removed first.

        Raises:
            ConfigError: as `check` and `check_same`. DaptError: the folder is in use, or cannot be made.
        """
        files = [ABOUT, *self._names]
        if resume:
            self.check_same(about)
        try:
            with self._folder.open(files, overwrite=overwrite, resume=resume, keep=files):
                self.check_same(about)  # again, now that nobody else writes
                self._about = dict(about)
                try:
                    yield
                except BaseException:
                    if not self.begun:  # nothing was computed: nothing stays
                        self.clear()
                    raise
        finally:
            self._folder.remove()

    def clear(self) -> None:
        """Remove all parts; the folder goes when `writing` ends."""
        self._folder.clear([ABOUT, *self._names])

    def absent(self) -> list[int]:
        """The numbers of the parts that are not there."""
        return [number for number, name in enumerate(self._names) if not (self.path / name).is_file()]

    def tidy(self) -> None:
        """Remove what is left of the parts of a file that is whole.

        Raises:
            ConfigError: as `check`. DaptError: the folder is in use, or the file system refuses.
        """
        with self._folder.open([ABOUT, *self._names], overwrite=False, resume=True):
            self.clear()
        self._folder.remove()

    def missing(self) -> list[int]:
        """The numbers of the parts that are still to be computed; damaged ones are said, and are among them."""
        return [number for number in range(len(self.ranges)) if not self._is_whole(number)]

    def _is_whole(self, number: int) -> bool:
        if not (self.path / self._names[number]).is_file():
            return False
        try:
            self.read(number)
        except DaptError as error:
            warn(f"{error.what} Its features are computed again.")
            return False
        return True

    def keep(self, number: int, part: Part) -> None:
        """Write a part, within `writing`.

        Raises:
            DaptError: the file system refuses.
        """
        if not self.begun:
            write_json(self.path / ABOUT, self._about, make_parents=False)
        tensors = {"features": part.features.contiguous(), "places": part.places}
        left_out = json.dumps([[error.what, isinstance(error, RefusedImageError)] for error in part.left_out])
        metadata = {LEFT_OUT: left_out, DIGEST: content_digest([tensors, left_out])}
        write_bytes(self.path / self._names[number], save(tensors, metadata=metadata), make_parents=False)

    def read(self, number: int) -> Part:
        """A part that was written.

        Raises:
            DaptError: it is damaged, or cannot be read.
        """
        path = self.path / self._names[number]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DaptError(f"Could not read {path}: {error.strerror or error}.") from error
        try:
            tensors, metadata = load(content), metadata_of(content)
            good = metadata[DIGEST] == content_digest([tensors, metadata[LEFT_OUT]])
            left_out = [(RefusedImageError if refused else DataError)(what) for what, refused in _left_out(metadata)]
        except Exception as error:  # safetensors has no error of its own for a damaged file
            raise DaptError(f"{path} is damaged.") from error
        if not good:
            raise DaptError(f"{path} is damaged: its checksum does not fit.")
        return Part(tensors["features"], tensors["places"], tuple(left_out))


def _left_out(metadata: Mapping[str, str]) -> list[tuple[str, bool]]:
    return [(str(what), bool(refused)) for what, refused in json.loads(metadata[LEFT_OUT])]


def list_digest(items: Sequence[Item]) -> str:
    """A checksum of a list of images: their names in their order, their sizes and times of change."""
    with ThreadPoolExecutor(cores()) as pool:
        states = pool.map(_state, items)
        digest = hashlib.sha256()
        for item, state in zip(items, states, strict=True):
            digest.update(f"{item.name}\0{state}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _state(item: Item) -> str:
    try:
        size, time = state_of(item.path)
    except DataError:  # whoever reads it says so
        return "gone"
    return f"{size} {time}"
