"""Zip and tar archives as lists of entries, read with a ceiling on what they may claim."""

from __future__ import annotations

import bz2
import gzip
import lzma
import posixpath
import re
import shutil
import stat
import struct
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

from dapt.data.fetch.download import show_bytes
from dapt.errors import DataError
from dapt.limits import (
    ARCHIVE_ALWAYS,
    ARCHIVE_ANNOUNCED,
    ARCHIVE_DIRECTORY,
    ARCHIVE_HEADER,
    ARCHIVE_MEMBERS,
    ARCHIVE_MEMBERS_ALWAYS,
    ARCHIVE_MEMBERS_PER_IMAGE,
    ARCHIVE_RATIO,
    ARCHIVE_SHARED_KEYS,
)
from dapt.regular import open_regular

PIECE = 2**20  # bytes that are copied at a time
ZIP_HEADER = 30  # bytes before an entry of a zip, at least
_UNPACK: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
    b"]\x00\x00": lzma.LZMAFile,
}
_LONG_NUMBER = re.compile(rb"\d{1000}")  # in a tar's header: some versions of `tarfile` search it for minutes
_ZIP_END, _ZIP64_PLACE, _ZIP64_END = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"


class ExcessError(Exception):
    """An archive that claims more than it may; the text completes "the archive is refused: ..."."""


@dataclass
class Ceiling:
    """What may come out of an archive, and out of the archives in it together.

    Attributes:
        members: entries. size: bytes; for a tar also of the unpacked stream itself. packed: bytes of the archive.
    """

    members: int
    size: int
    packed: int

    def check(self, members: int, size: int) -> None:
        """Refuse what is above the ceiling.

        Raises:
            ExcessError: it is.
        """
        if members > self.members:
            raise ExcessError(f"it has more than {self.members:,} entries")
        if size > self.size:
            raise ExcessError(
                f"it unpacks to {show_bytes(size)}, more than the {show_bytes(self.size)} that an archive of "
                f"{show_bytes(self.packed)} may"
            )


def ceiling_of(packed: int, *, images: int | None = None, megabytes: int | None = None) -> Ceiling:
    """The ceiling for an archive; see `dapt.limits`.

    Args:
        packed: its bytes. images, megabytes: number of images of the data set and size of its download, where the
            catalog tells them.
    """
    members, size = ARCHIVE_MEMBERS, ARCHIVE_RATIO * packed
    if images is not None:
        members = min(members, max(ARCHIVE_MEMBERS_ALWAYS, ARCHIVE_MEMBERS_PER_IMAGE * images))
    if megabytes is not None:
        size = min(size, ARCHIVE_ANNOUNCED * max(megabytes * 10**6, packed))
    return Ceiling(members, max(ARCHIVE_ALWAYS, size), packed)


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    Attributes:
        name: as stored. kind: ``file``, ``folder``, ``link`` or ``other``. size: unpacked bytes.
        target: of a link, relative to the top of the archive. start: where its content begins in a tar.
    """

    name: str
    kind: str
    size: int = 0
    target: str = ""
    start: int = 0

    @property
    def path(self) -> PurePosixPath:
        """Where it goes, relative to the folder unpacked into."""
        return PurePosixPath(self.name.replace("\\", "/"))


class Archive(ABC):
    """An open archive."""

    @abstractmethod
    def members(self) -> list[Member]:
        """All entries, in the order in which they are stored.

        Raises:
            ExcessError: they claim more than they may.
        """

    @abstractmethod
    def copy(self, member: Member, written: IO[bytes]) -> None:
        """Write the content of a file: as many bytes as it declares, never more.

        Raises:
            ValueError: there are others.
        """


@contextmanager
def open_archive(path: Path, ceiling: Ceiling) -> Iterator[Archive]:
    """A zip, or a tar packed in any of the usual ways.

    Raises:
        ExcessError: it claims more than it may. Others: it is damaged.
    """
    with open_regular(path) as file:
        if path.name.lower().endswith(".zip"):
            _check_directory(file)
            with zipfile.ZipFile(file) as zipped:
                yield _Zip(zipped, path, ceiling)
        else:
            start = file.read(6)
            file.seek(0)
            unpack = next((unpack for mark, unpack in _UNPACK.items() if start.startswith(mark)), None)
            yield _Tar(_Stream(unpack(file) if unpack else file, ceiling), ceiling)


class _Exactly:
    """The first `size` bytes of a stream, for `shutil.copyfileobj`."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        content = self._stream.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(content)
        return content


def _copy(source: IO[bytes], written: IO[bytes], size: int) -> None:
    part = _Exactly(source, size)
    shutil.copyfileobj(part, written, PIECE)
    if part.left:
        raise ValueError(f"an entry ends {part.left} bytes too early")


class _Zip(Archive):
    def __init__(self, file: zipfile.ZipFile, path: Path, ceiling: Ceiling) -> None:
        self._file = file
        self._path = path
        self._ceiling = ceiling

    def members(self) -> list[Member]:
        entries = self._file.infolist()
        self._ceiling.check(len(entries), 0)
        self._check_places(entries)
        return [self._member(entry) for entry in entries]

    def _check_places(self, entries: list[zipfile.ZipInfo]) -> None:
        """Entries that share content would unpack to any multiple of it."""
        end = self._file.start_dir
        for entry in sorted(entries, key=lambda entry: entry.header_offset, reverse=True):
            if entry.header_offset + ZIP_HEADER + entry.compress_size > end:
                raise ExcessError(f"its entry '{entry.filename}' overlaps with another")
            end = entry.header_offset

    def _member(self, entry: zipfile.ZipInfo) -> Member:
        mode = entry.external_attr >> 16
        if entry.flag_bits & 1:
            raise DataError(f"{self._path} is locked with a password.", todo="Unpack it by hand.")
        if entry.is_dir():
            return Member(entry.filename, "folder")
        if stat.S_ISLNK(mode):
            with self._file.open(entry) as content:
                target = content.read(4096).decode()
            return Member(entry.filename, "link", target=_beside(entry.filename, target))
        special = stat.S_IFMT(mode) not in (0, stat.S_IFREG)
        return Member(entry.filename, "other" if special else "file", entry.file_size)

    def copy(self, member: Member, written: IO[bytes]) -> None:
        with self._file.open(member.name) as source:
            _copy(source, written, member.size)
            if source.read(1):  # reading on to the end compares the sum
                raise ValueError("an entry has more bytes than it declares")


def _check_directory(file: BinaryIO) -> None:
    """`zipfile` reads the whole table of contents before it tells anything of it.

    Raises:
        ExcessError: it is larger than that of any data set.
    """
    length = file.seek(0, 2)
    start = max(0, length - 2**16 - 22)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_ZIP_END)
    if at < 0 or len(tail) < at + 22:
        return  # `zipfile` says that it is damaged
    (size,) = struct.unpack("<L", tail[at + 12 : at + 16])
    if at >= 20 and tail[at - 20 : at - 16] == _ZIP64_PLACE:
        (told,) = struct.unpack("<Q", tail[at - 12 : at - 4])
        for place in (told, start + at - 20 - 56):
            if 0 <= place <= length - 56:
                file.seek(place)
                record = file.read(56)
                if record.startswith(_ZIP64_END):
                    size = max(size if size < 2**32 - 1 else 0, struct.unpack("<Q", record[40:48])[0])
        file.seek(0)
    if min(size, length) > ARCHIVE_DIRECTORY:
        raise ExcessError(
            f"its table of contents has {show_bytes(size)}, more than the {show_bytes(ARCHIVE_DIRECTORY)} that are read"
        )


class _Stream:
    """What `tarfile` reads of a tar, with a ceiling on its length and on the bytes that describe one entry."""

    def __init__(self, plain: BinaryIO, ceiling: Ceiling) -> None:
        self._plain = plain
        self._ceiling = ceiling
        self._left: int | None = None

    def expect_header(self) -> None:
        """From now on an entry is described."""
        self._left = ARCHIVE_HEADER

    def expect_content(self) -> None:
        """From now on it is read as much as is asked for."""
        self._left = None

    def read(self, size: int = -1) -> bytes:
        if self._left is not None:
            if not 0 <= size <= self._left:
                raise ExcessError(f"an entry is described in more than {show_bytes(ARCHIVE_HEADER)}")
            self._left -= size
        content = self._plain.read(size)
        if self._left is not None and _LONG_NUMBER.search(content):
            raise ExcessError("an entry is described by a number of more than 1000 digits")
        self._ceiling.check(0, self._plain.tell())
        return content

    def seek(self, place: int, whence: int = 0) -> int:
        if whence == 0:
            self._ceiling.check(0, place)
        return self._plain.seek(place, whence)

    def tell(self) -> int:
        return self._plain.tell()


class _Tar(Archive):
    def __init__(self, stream: _Stream, ceiling: Ceiling) -> None:
        self._stream = stream
        self._ceiling = ceiling

    def members(self) -> list[Member]:
        found: list[Member] = []
        self._stream.expect_header()
        with tarfile.open(fileobj=cast(IO[bytes], self._stream), mode="r:") as file:
            while (entry := file.next()) is not None:
                if entry.size < 0 or entry.issparse():
                    what = "has a negative size" if entry.size < 0 else "is a sparse file"
                    raise ExcessError(f"its entry '{entry.name}' {what}")
                if len(file.pax_headers) > ARCHIVE_SHARED_KEYS:
                    raise ExcessError(f"it sets more than {ARCHIVE_SHARED_KEYS} values for all its entries")
                found.append(self._member(entry))
                self._ceiling.check(len(found), entry.offset_data + entry.size if entry.isreg() else 0)
                file.members = []  # type: ignore[attr-defined]  # it would keep them all
                self._stream.expect_header()
            end = file.offset
        self._stream.expect_content()
        self._check_end(end)
        return found

    def _member(self, entry: tarfile.TarInfo) -> Member:
        if entry.isdir():
            return Member(entry.name, "folder")
        if entry.issym():
            return Member(entry.name, "link", target=_beside(entry.name, entry.linkname))
        if entry.islnk():
            return Member(entry.name, "link", target=posixpath.normpath(entry.linkname))
        return Member(entry.name, "file" if entry.isreg() else "other", entry.size, start=entry.offset_data)

    def _check_end(self, end: int) -> None:
        """`tarfile` takes garbage between two entries for the end, and does not read a compressed stream to its sum."""
        self._stream.seek(end)
        if self._stream.read(512).strip(b"\0"):
            raise tarfile.ReadError("an entry cannot be read")
        while self._stream.read(PIECE):
            continue

    def copy(self, member: Member, written: IO[bytes]) -> None:
        self._stream.seek(member.start)
        _copy(cast(IO[bytes], self._stream), written, member.size)


def _beside(name: str, target: str) -> str:
    """The target of a symbolic link, from the top of the archive; a path that leads outside keeps its ``..``."""
    return target if target.startswith("/") else posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
