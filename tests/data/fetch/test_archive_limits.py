"""Archives that claim more than they may: refused before anything is written, in little time and memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import pytest
from test_archives import make_tar, make_zip, refused, tree

from dapt.data.fetch import archive_files, archives
from dapt.data.fetch.archive_files import Ceiling, ceiling_of
from dapt.data.fetch.archives import DamagedError, unpack
from dapt.limits import ARCHIVE_ALWAYS, ARCHIVE_HEADER, ARCHIVE_MEMBERS


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture(autouse=True)
def little_time() -> object:
    start = time.process_time()
    yield
    assert time.process_time() - start < 20  # seconds


def zeros(count: int) -> bytes:
    """A raw deflate stream of so many MiB of zeros, made without compressing them all."""
    packed = zlib.compressobj(9, wbits=-15)
    once = packed.compress(bytes(2**20)) + packed.flush(zlib.Z_FULL_FLUSH)
    return once * count + zlib.compressobj(9, wbits=-15).flush()


def checksum(count: int) -> int:
    found = 0
    for _ in range(count):
        found = zlib.crc32(bytes(2**20), found)
    return found


class Entry:
    """One file of a zip written by hand."""

    def __init__(self, name: str, data: bytes, size: int, crc: int, method: int = 8) -> None:
        self.name, self.data, self.size, self.crc, self.method = name.encode(), data, size, crc, method

    def local(self) -> bytes:
        sizes = (len(self.data), self.size, len(self.name), 0)
        head = struct.pack("<4sHHHHHLLLHH", b"PK\x03\x04", 20, 0, self.method, 0, 33, self.crc, *sizes)
        return head + self.name

    def central(self, at: int, packed: int, extra: bytes = b"") -> bytes:
        size = 2**32 - 1 if extra else self.size
        return (
            struct.pack(
                "<4sHHHHHHLLLHHHHHLL",
                *(b"PK\x01\x02", 20, 20, 0, self.method, 0, 33, self.crc, packed, size),
                *(len(self.name), len(extra), 0, 0, 0, 0, at),
            )
            + self.name
            + extra
        )


def end(entries: int, size: int, at: int) -> bytes:
    return struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, min(entries, 65535), min(entries, 65535), size, at, 0)


def plain_zip(path: Path, entry: Entry, extra: bytes = b"") -> Path:
    body = entry.local() + entry.data
    central = entry.central(0, len(entry.data), extra)
    path.write_bytes(body + central + end(1, len(central), len(body)))
    return path


# ---- what is normal


def test_what_data_sets_hold_is_unpacked(tmp_path: Path, target: Path, work: Path) -> None:
    """Small archives may consist of lists; large ones hold photographs."""
    files = {"list.txt": b"n01440764 1\n" * 10**6, "deep/" * 60 + "a.txt": b"a"}
    for name in ("a.zip", "a.tar.gz", "a.tar.xz"):
        make = make_zip if name.endswith("zip") else make_tar
        assert (tmp_path / name).exists() or make(tmp_path / name, files).stat().st_size < 10**6
        unpack(tmp_path / name, target / name, work)
        assert tree(target / name) == files


def test_the_ceiling() -> None:
    assert ceiling_of(0) == Ceiling(ARCHIVE_MEMBERS, ARCHIVE_ALWAYS, 0)
    assert ceiling_of(10**9).size == 10**11
    assert ceiling_of(10**9, images=100, megabytes=1000) == Ceiling(10_000, 10**10, 10**9)
    assert ceiling_of(2 * 10**9, images=10**9, megabytes=1000) == Ceiling(ARCHIVE_MEMBERS, 2 * 10**10, 2 * 10**9)
    assert ceiling_of(10**6, images=3000).members == 60_000


# ---- bombs


def test_zip_that_fills_the_disk(tmp_path: Path, target: Path, work: Path) -> None:
    """296 kB that became 290 MB."""
    bomb = plain_zip(tmp_path / "a.zip", Entry("a.jpg", zeros(290), 290 * 2**20, checksum(290)))
    assert bomb.stat().st_size < 320_000
    with zipfile.ZipFile(bomb) as file:  # it is a good archive otherwise
        assert file.testzip() is None
    refused(bomb, target, work, r"it unpacks to 304\.1 MB, more than the 67\.1 MB that an archive of .* kB may")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_tar(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch, pack) -> None:
    monkeypatch.setattr(archive_files, "ARCHIVE_ALWAYS", 3 * 2**20)
    plain = make_tar(tmp_path / "a.tar", {"a.jpg": bytes(4 * 2**20)})
    (tmp_path / "a.tar.gz").write_bytes(pack(plain.read_bytes()))
    error = refused(tmp_path / "a.tar.gz", target, work, r"it unpacks to 4\.\d MB, more than the 3\.1 MB")
    assert "Nothing was unpacked" in error.todo


def test_stream_behind_the_end(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tar is over, hundreds of megabytes may follow, which are read to compare the sum."""
    monkeypatch.setattr(archive_files, "ARCHIVE_ALWAYS", 3 * 2**20)
    plain = make_tar(tmp_path / "a.tar", {"a.jpg": b"a"}).read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(plain + bytes(5 * 2**20)))
    refused(tmp_path / "a.tar.gz", target, work, "more than the 3.1 MB")


def test_gzip_that_lies_about_its_size(tmp_path: Path, target: Path, work: Path) -> None:
    content = bytearray(gzip.compress(make_tar(tmp_path / "a.tar", {"a.jpg": b"a" * 9999}).read_bytes()))
    content[-4:] = struct.pack("<I", 100)
    (tmp_path / "a.tar.gz").write_bytes(content)
    assert isinstance(refused(tmp_path / "a.tar.gz", target, work, "is damaged"), DamagedError)


def header(name: str, size: int, kind: bytes) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_tar_with_a_header_of_gigabytes(tmp_path: Path, target: Path, work: Path, kind: bytes) -> None:
    """1.5 MB that took 90 seconds and 2 GB."""
    size = 1500 * 2**20
    packed = zlib.compressobj(9, wbits=31)
    first = packed.compress(header("x", size, kind)) + packed.flush(zlib.Z_FULL_FLUSH)
    bomb = tmp_path / "a.tar.gz"
    bomb.write_bytes(first + zeros(1500) + bytes(8))
    assert bomb.stat().st_size < 2 * 10**6
    refused(bomb, target, work, "an entry is described in more than 65.5 kB")


def test_tar_with_many_headers_for_one_entry(tmp_path: Path, target: Path, work: Path) -> None:
    """Each is read within the one before: Python's stack would end."""
    one = header("x", 512, b"x") + b"11 path=ab\n".ljust(512, b"\0")
    (tmp_path / "a.tar").write_bytes(one * 2000 + header("a", 0, b"0") + bytes(1024))
    refused(tmp_path / "a.tar", target, work, "an entry is described in more than 65.5 kB")


def test_tar_with_a_number_without_end(tmp_path: Path, target: Path, work: Path) -> None:
    """Some versions of Python search such a header for minutes."""
    content = b"1" * (ARCHIVE_HEADER - 1024)
    (tmp_path / "a.tar").write_bytes((header("x", len(content), b"x") + content) + header("a", 0, b"0") + bytes(1024))
    refused(tmp_path / "a.tar", target, work, "by a number of more than 1000 digits")


def test_tar_with_values_for_all_entries(tmp_path: Path, target: Path, work: Path) -> None:
    """Every entry would have a copy of them."""
    for count, good in ((50, True), (101, False)):
        with tarfile.open(
            tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT, pax_headers={f"k{n}": "v" for n in range(count)}
        ) as file:
            file.addfile(tarfile.TarInfo("a.jpg"))
        if good:
            assert unpack(tmp_path / "a.tar", target / "good", work) == ["a.jpg"]
        else:
            refused(tmp_path / "a.tar", target / "bad", work, "sets more than 100 values for all its entries")


@pytest.mark.parametrize("pax", [False, True])
def test_sparse_tar(tmp_path: Path, target: Path, work: Path, pax: bool) -> None:
    """A file of holes takes a few bytes in the archive, and gigabytes on the disk."""
    if pax:
        entry = tarfile.TarInfo("a.jpg")
        keys = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "a.jpg"}
        entry.pax_headers = {**keys, "GNU.sparse.map": "0,0", "GNU.sparse.size": str(2**40)}
        content = entry.tobuf(tarfile.PAX_FORMAT)
    else:
        block = bytearray(header("a.jpg", 0, b"S"))
        block[483:495] = b"\x80" + (2**40).to_bytes(11, "big")
        block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256)
        content = bytes(block)
    (tmp_path / "a.tar").write_bytes(content + bytes(1024))
    refused(tmp_path / "a.tar", target, work, "is a sparse file|it unpacks to 1099")


def test_tar_with_a_negative_size(tmp_path: Path, target: Path, work: Path) -> None:
    """Some versions of Python read such an entry again and again."""
    for kind in (b"0", b"x"):
        block = bytearray(header("a.jpg", 0, kind))
        block[124:136] = b"\xff" + (2**88 - 1024).to_bytes(11, "big")
        block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 256)
        (tmp_path / "a.tar").write_bytes(bytes(block) + bytes(1024))
        refused(tmp_path / "a.tar", target, work, "has a negative size|an entry is described|is damaged")


def test_tar_that_claims_terabytes(tmp_path: Path, target: Path, work: Path) -> None:
    (tmp_path / "a.tar").write_bytes(header("a.jpg", 2**40, b"0") + bytes(2048))
    refused(tmp_path / "a.tar", target, work, r"it unpacks to 1099\.5 GB")


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_too_many_entries(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make = make_zip if name.endswith("zip") else make_tar
    archive = make(tmp_path / name, {f"{number}.jpg": b"" for number in range(20)})
    monkeypatch.setattr(archive_files, "ARCHIVE_MEMBERS", 19)
    refused(archive, target, work, "it has more than 19 entries")
    monkeypatch.setattr(archive_files, "ARCHIVE_MEMBERS", 20)
    assert len(unpack(archive, target, work)) == 20


def test_zip_with_a_large_table_of_contents(
    tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read to be counted."""
    archive = make_zip(tmp_path / "a.zip", {f"{number}.jpg": b"" for number in range(20)})
    monkeypatch.setattr(archive_files, "ARCHIVE_DIRECTORY", 500)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *a: pytest.fail("it was read"))
    refused(archive, target, work, r"its table of contents has 1\.\d kB, more than the 500 bytes that are read")


def test_zip64_with_a_large_table_of_contents(
    tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry("a.jpg", b"", 0, 0, method=0)
    body, central = entry.local(), entry.central(0, 0)
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(central), len(body)) + struct.pack(
        "<4sLQL", b"PK\x06\x07", 0, len(body) + len(central), 1
    )
    (tmp_path / "a.zip").write_bytes(body + central + record + end(65535, 2**32 - 1, 2**32 - 1))
    unpack(tmp_path / "a.zip", target / "good", work)
    monkeypatch.setattr(archive_files, "ARCHIVE_DIRECTORY", 40)
    refused(tmp_path / "a.zip", target / "bad", work, "its table of contents has 51 bytes")


def test_zip_whose_entries_share_content(tmp_path: Path, target: Path, work: Path) -> None:
    """Five thousand entries of one stream: 10 MB would become terabytes, and this 300 kB 2.5 GB."""
    entry = Entry("a", zlib.compress(bytes(5000), 9)[2:-4], 5000, zlib.crc32(bytes(5000)))
    body = entry.local() + entry.data
    central = b"".join(
        Entry(f"{number:04}", b"", entry.size, entry.crc).central(0, len(entry.data)) for number in range(5000)
    )
    (tmp_path / "a.zip").write_bytes(body + central + end(5000, len(central), len(body)))
    assert ARCHIVE_ALWAYS > 5000 * 5000  # it is not the size that gives it away
    refused(tmp_path / "a.zip", target, work, "overlaps with another")


def test_zip_that_contains_its_own_entries(tmp_path: Path, target: Path, work: Path) -> None:
    """The quoted kind: the content of the first entry is the second entry with its header."""
    inner = Entry("b", b"x" * 100, 100, zlib.crc32(b"x" * 100), method=0)
    quoted = inner.local() + inner.data
    outer = Entry("a", quoted, len(quoted), zlib.crc32(quoted), method=0)
    body = outer.local() + quoted
    central = outer.central(0, len(quoted)) + inner.central(len(outer.local()), 100)
    (tmp_path / "a.zip").write_bytes(body + central + end(2, len(central), len(body)))
    refused(tmp_path / "a.zip", target, work, "its entry 'a' overlaps with another")


@pytest.mark.parametrize("declared", [100, 5000])
def test_zip_that_lies_about_its_size(tmp_path: Path, target: Path, work: Path, declared: int) -> None:
    """Never more is written than was declared, and what is not that is damaged."""
    content = bytes(range(256)) * 8
    bomb = plain_zip(tmp_path / "a.zip", Entry("a.jpg", zlib.compress(content)[2:-4], declared, zlib.crc32(content)))
    assert isinstance(refused(bomb, target, work, "is damaged"), DamagedError)


def test_zip64_that_lies_about_its_size(tmp_path: Path, target: Path, work: Path) -> None:
    content = b"a" * 100
    packed = zlib.compress(content)[2:-4]
    entry = Entry("a.jpg", packed, 100, zlib.crc32(content))
    for size, message in ((2**60, r"it unpacks to 1152921504\.6 GB"), (50, "is damaged"), (101, "is damaged")):
        bomb = plain_zip(tmp_path / "a.zip", entry, struct.pack("<HHQ", 1, 8, size))
        refused(bomb, target, work, message)


def test_links_count_as_what_they_copy(
    tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_files, "ARCHIVE_ALWAYS", 10**6)
    links = []
    for number in range(200):
        link = tarfile.TarInfo(f"{number}.jpg")
        link.type, link.linkname = tarfile.LNKTYPE, "a.jpg"
        links.append(link)
    archive = make_tar(tmp_path / "a.tar.gz", {"a.jpg": bytes(100_000)}, *links)
    refused(archive, target, work, r"it unpacks to 20\.1 MB, more than the 1\.0 MB")


def test_archives_within_share_a_ceiling(
    tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_files, "ARCHIVE_ALWAYS", 10**6)
    monkeypatch.setattr(archive_files, "ARCHIVE_RATIO", 1)
    inner = {
        f"{number}.tar.gz": make_tar(tmp_path / "x.tar.gz", {f"{number}.jpg": bytes(300_000)}).read_bytes()
        for number in range(4)
    }
    archive = make_zip(tmp_path / "a.zip", inner)
    refused(archive, target, work, r"it unpacks to 300\.\d kB, more than the 100\.0 kB", inner=r"\.tar\.gz$")
    monkeypatch.setattr(archive_files, "ARCHIVE_ALWAYS", 2 * 10**6)
    assert len(unpack(archive, target, work, inner=r"\.tar\.gz$")) == 4


def test_folders_without_end(tmp_path: Path, target: Path, work: Path) -> None:
    for name in ("a.zip", "a.tar"):
        make = make_zip if name.endswith("zip") else make_tar
        refused(make(tmp_path / name, {"a/" * 900 + "b": b""}), target, work, "more than 64 folders deep")


def test_what_is_written_is_never_more_than_declared(tmp_path: Path) -> None:
    written = io.BytesIO()
    archive_files._copy(io.BytesIO(b"abcdef"), written, 4)
    assert written.getvalue() == b"abcd"
    with pytest.raises(ValueError, match="ends 4 bytes too early"):
        archive_files._copy(io.BytesIO(b"ab"), io.BytesIO(), 6)


def test_the_disk_is_asked_before(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "free_space", lambda folder: 10)
    monkeypatch.setattr(archive_files.shutil, "copyfileobj", lambda *a: pytest.fail("it was written"))
    for name in ("a.zip", "a.tar"):
        make = make_zip if name.endswith("zip") else make_tar
        refused(make(tmp_path / name, {"a.jpg": bytes(11)}), target, work, "the disk has 10 bytes left")
