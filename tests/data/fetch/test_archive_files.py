"""Archives as lists of entries: names, kinds, sizes and targets, and content copied whole."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from dapt.data.fetch.archive_files import Ceiling, ExcessError, Member, ceiling_of, open_archive
from dapt.errors import DataError
from dapt.limits import ARCHIVE_ALWAYS, ARCHIVE_MEMBERS, ARCHIVE_MEMBERS_ALWAYS

ROOM = Ceiling(100, 10**6, 1000)


def make_tar(path: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:

        def add(name: str, kind: bytes, content: bytes = b"", target: str = "") -> None:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(content), target
            archive.addfile(entry, io.BytesIO(content))

        add("a", tarfile.DIRTYPE)
        add("a/one.txt", tarfile.REGTYPE, b"first")
        add("a/soft", tarfile.SYMTYPE, target="../two.txt")
        add("a/hard", tarfile.LNKTYPE, target="./a/one.txt")
        add("pipe", tarfile.FIFOTYPE)
        add("two.txt", tarfile.REGTYPE, b"second")
    return path


@pytest.mark.parametrize(
    ("name", "mode"), [("x.tar", "w"), ("x.tgz", "w:gz"), ("x.tar.bz2", "w:bz2"), ("x.tar.xz", "w:xz"), ("odd", "w:gz")]
)
def test_entries_of_a_tar(tmp_path: Path, name: str, mode: str) -> None:
    with open_archive(make_tar(tmp_path / name, mode), ROOM) as archive:
        found = archive.members()
        assert [(member.name, member.kind, member.size, member.target) for member in found] == [
            ("a", "folder", 0, ""),
            ("a/one.txt", "file", 5, ""),
            ("a/soft", "link", 0, "two.txt"),
            ("a/hard", "link", 0, "a/one.txt"),
            ("pipe", "other", 0, ""),
            ("two.txt", "file", 6, ""),
        ]
        for member, content in ((found[5], b"second"), (found[1], b"first")):  # in any order
            written = io.BytesIO()
            archive.copy(member, written)
            assert written.getvalue() == content


def test_entries_of_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "X.ZIP"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/", "")
        archive.writestr("a/one.txt", "x" * 1000)
        link = zipfile.ZipInfo("a/up")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "../../b")
    with open_archive(path, ROOM) as archive:
        found = archive.members()
        assert [(member.name, member.kind, member.size, member.target) for member in found] == [
            ("a/", "folder", 0, ""),
            ("a/one.txt", "file", 1000, ""),
            ("a/up", "link", 0, "../b"),
        ]
        written = io.BytesIO()
        archive.copy(found[1], written)
        assert written.getvalue() == b"x" * 1000


def test_names_of_windows_become_paths() -> None:
    assert Member("a\\b\\c.txt", "file").path == PurePosixPath("a/b/c.txt")


def test_an_entry_is_copied_whole_or_not(tmp_path: Path) -> None:
    with open_archive(make_tar(tmp_path / "x.tar"), ROOM) as archive:
        member = archive.members()[-1]
        longer = Member(member.name, member.kind, 10**5, start=member.start)
        with pytest.raises(ValueError, match="bytes too early"):
            archive.copy(longer, io.BytesIO())


def test_a_locked_zip(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "secret")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag of encryption in the table of contents
    path.write_bytes(content)
    with open_archive(path, ROOM) as archive, pytest.raises(DataError, match="locked with a password"):
        archive.members()


def test_more_than_the_ceiling(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "x.tar")
    with (
        open_archive(path, Ceiling(5, 10**6, 1000)) as archive,
        pytest.raises(ExcessError, match="more than 5 entries"),
    ):
        archive.members()
    with open_archive(path, Ceiling(6, 10**6, 1000)) as archive:
        assert len(archive.members()) == 6
    with pytest.raises(ExcessError, match=r"it unpacks to 2\.0 kB, more than the 2\.0 kB that an archive of 10 bytes"):
        Ceiling(1, 1999, 10).check(1, 2000)
    Ceiling(1, 2000, 10).check(1, 2000)


def test_ceilings_of_archives() -> None:
    gigabyte = 10**9
    assert ceiling_of(10) == Ceiling(ARCHIVE_MEMBERS, ARCHIVE_ALWAYS, 10)  # small ones may hold lists
    assert ceiling_of(gigabyte) == Ceiling(ARCHIVE_MEMBERS, 100 * gigabyte, gigabyte)
    assert ceiling_of(gigabyte, images=1000, megabytes=2000).size == 10 * 2 * gigabyte
    assert ceiling_of(gigabyte, megabytes=1).size == 10 * gigabyte  # more came than was announced
    assert ceiling_of(10, images=3).members == ARCHIVE_MEMBERS_ALWAYS
    assert ceiling_of(10, images=10_000).members == 200_000
    assert ceiling_of(10, images=10**9).members == ARCHIVE_MEMBERS
