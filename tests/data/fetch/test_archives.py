"""Archives: unpacked whole, or refused with nothing written."""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import shutil
import signal
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapt.data.fetch import archives as module
from dapt.data.fetch.archives import DamagedError, is_archive, unpack
from dapt.data.fetch.download import SourceError
from dapt.errors import DataError

FILES = {
    "photos/cat/1.jpg": b"cat " * 5000,
    "photos/dog/1.jpg": random.Random(0).randbytes(30_000),
    "readme.txt": b"hi",
}


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes], *extra: tarfile.TarInfo) -> Path:
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as file:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
        for entry in extra:
            file.addfile(entry)
    return path


def make(path: Path, files: dict[str, bytes]) -> Path:
    return make_zip(path, files) if path.suffix == ".zip" else make_tar(path, files)


def test_wanted_files_only(tmp_path: Path, target: Path, work: Path) -> None:
    for name in ("a.zip", "a.tar.gz"):
        archive = make(tmp_path / name, {**FILES, "set/deep/list.json": b"[]"})
        names = unpack(archive, target, work, wanted=lambda path: path.name == "list.json")
        assert names == ["set/deep/list.json"]
        assert tree(target) == {"set/deep/list.json": b"[]"}
        assert unpack(archive, target / "in", work, inside="set", wanted=lambda path: path.suffix == ".json") == [
            "deep/list.json"
        ]
        with pytest.raises(SourceError, match="holds none of the files that are needed"):
            unpack(archive, target, work, wanted=lambda path: False)
        shutil.rmtree(target)


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def refused(archive: Path, target: Path, work: Path, message: str, **how: str) -> DataError:
    """Unpack, expecting a refusal that names the archive and leaves nothing."""
    with pytest.raises(DataError, match=message) as caught:
        unpack(archive, target, work, **how)
    assert archive.name in caught.value.message
    assert not target.exists()
    assert list(work.iterdir()) == []
    return caught.value


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.ZIP"])
def test_every_format(tmp_path: Path, target: Path, work: Path, name: str) -> None:
    archive = (make_zip if name.lower().endswith(".zip") else make_tar)(tmp_path / name, FILES)
    assert is_archive(name)
    assert unpack(archive, target, work) == ["photos", "readme.txt"]
    assert tree(target) == FILES
    assert list(work.iterdir()) == []
    assert archive.exists()


def test_what_is_no_archive(tmp_path: Path) -> None:
    assert not is_archive("split.json")
    assert not is_archive("labels.mat")


def test_merged_into_what_is_there(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", FILES)
    for name, content in {
        "photos/cat/1.jpg": b"older",
        "photos/cat/2.jpg": b"mine",
        "photos/own/3.jpg": b"mine",
    }.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    unpack(archive, target, work)
    assert tree(target) == {**FILES, "photos/cat/2.jpg": b"mine", "photos/own/3.jpg": b"mine"}


def test_file_in_place_of_a_folder(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", FILES)
    target.mkdir()
    (target / "photos").write_text("a file")
    with pytest.raises(DataError, match="holds a folder where a file is already"):
        unpack(archive, target, work)
    assert tree(target) == {"photos": b"a file"}
    (target / "photos").unlink()
    (target / "readme.txt").mkdir()
    with pytest.raises(DataError, match="holds a file where a folder is already"):
        unpack(archive, target, work)
    assert tree(target) == {}


def test_onto_another_disk(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where renaming is refused because of that, files are copied, each whole."""
    archive = make_zip(tmp_path / "a.zip", FILES)
    replace = Path.replace

    def refuse(self: Path, place: Path) -> Path:
        if work in self.parents and target in Path(place).parents:
            raise OSError(18, "Invalid cross-device link")
        return replace(self, place)

    monkeypatch.setattr(Path, "replace", refuse)
    unpack(archive, target, work)
    assert tree(target) == FILES


def test_folder_within(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_tar(tmp_path / "a.tar.gz", FILES)
    assert unpack(archive, target, work, inside="photos") == ["cat", "dog"]
    assert tree(target) == {name.removeprefix("photos/"): content for name, content in FILES.items() if "/" in name}
    with pytest.raises(DataError, match="holds no folder 'pictures'"):
        unpack(archive, target, work, inside="pictures")


def test_archive_within(tmp_path: Path, target: Path, work: Path) -> None:
    inner = make_tar(tmp_path / "pictures.tar.gz", FILES).read_bytes()
    archive = make_zip(tmp_path / "a.zip", {"set/pictures.tar.gz": inner, "set/other.tar": b"", "set/show.m": b"x"})
    assert unpack(archive, target, work, inner=r"pictures\.tar\.gz$", inside="photos") == ["cat", "dog"]
    assert "dog/1.jpg" in tree(target)
    with pytest.raises(DataError, match="no archive that matches 'images'"):
        unpack(archive, target, work, inner="images")


def test_dangerous_archive_within(tmp_path: Path, target: Path, work: Path) -> None:
    inner = make_tar(tmp_path / "pictures.tar.gz", {"../x": b""}).read_bytes()
    archive = make_zip(tmp_path / "a.zip", {"set/pictures.tar.gz": inner})
    refused(archive, target, work, r"pictures\.tar\.gz in .*a\.zip", inner="pictures")


@pytest.mark.parametrize("kind", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "a/../../x", "a/..", "C:/x", "c:x", "\\x", "..\\x", "a\\..\\..\\x", "\\\\host\\share"]
)
def test_paths_that_lead_outside(tmp_path: Path, target: Path, work: Path, name: str, kind: str) -> None:
    archive = make(tmp_path / kind, {**FILES, name: b"evil"})
    refused(archive, target, work, "leads outside the folder")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize(
    ("name", "to", "message"),
    [
        ("photos/l", "/etc/passwd", "leads outside"),
        ("l", "../../x", "leads outside"),
        ("l", "photos", "does not lead to a file"),
        ("l", "absent", "does not lead to a file"),
        ("l", "l", "does not lead to a file"),
    ],
)
def test_links_that_are_refused(
    tmp_path: Path, target: Path, work: Path, name: str, to: str, message: str, kind: bytes
) -> None:
    refused(make_tar(tmp_path / "a.tar", FILES, special(name, kind, to)), target, work, message)


def test_files_written_through_a_link_are_refused(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_tar(
        tmp_path / "a.tar", {"d/real": b"x", "d/link/x": b"evil"}, special("d/link", tarfile.SYMTYPE, "real")
    )
    refused(archive, target, work, "is a file and a folder")


def test_links_to_files_become_copies(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_tar(
        tmp_path / "a.tar",
        FILES,
        special("photos/dog/soft.jpg", tarfile.SYMTYPE, "../cat/1.jpg"),
        special("hard.jpg", tarfile.LNKTYPE, "photos/dog/1.jpg"),
    )
    unpack(archive, target, work)
    copies = {"photos/dog/soft.jpg": FILES["photos/cat/1.jpg"], "hard.jpg": FILES["photos/dog/1.jpg"]}
    assert tree(target) == {**FILES, **copies}
    assert not any(path.is_symlink() for path in target.rglob("*"))


def test_link_in_a_zip(tmp_path: Path, target: Path, work: Path) -> None:
    for to, good in (("1.jpg", True), ("../../../x", False)):
        archive = make_zip(tmp_path / "a.zip", FILES)
        entry = zipfile.ZipInfo("photos/cat/link.jpg")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        with zipfile.ZipFile(archive, "a") as file:
            file.writestr(entry, to)
        if good:
            unpack(archive, target / "good", work)
            assert tree(target / "good")["photos/cat/link.jpg"] == FILES["photos/cat/1.jpg"]
        else:
            refused(archive, target / "bad", work, "leads outside")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices(tmp_path: Path, target: Path, work: Path, kind: bytes) -> None:
    refused(make_tar(tmp_path / "a.tar", FILES, special("dev", kind)), target, work, "'dev' is a device or pipe")


@pytest.mark.parametrize("kind", ["a.zip", "a.tar"])
def test_two_members_of_one_name(tmp_path: Path, target: Path, work: Path, kind: str) -> None:
    refused(make(tmp_path / kind, {"a/1.jpg": b"", "a/./1.jpg": b""}), target, work, r"'a/1\.jpg' and 'a/\./1\.jpg'")
    refused(make(tmp_path / kind, {"a": b"", "a/1.jpg": b""}), target, work, "'a' is a file and a folder")


def test_names_that_differ_by_case(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make_zip(tmp_path / "a.zip", {"A.jpg": b"1", "a.jpg": b"2"})
    with monkeypatch.context() as patch:
        patch.setattr(module, "_ignores_case", lambda folder: True)
        refused(archive, target, work, r"'A\.jpg' and 'a\.jpg' are one file here")
    (tmp_path / "case").mkdir()
    if not (tmp_path / "CASE").exists():
        unpack(archive, target, work)
        assert tree(target) == {"A.jpg": b"1", "a.jpg": b"2"}


def test_password_and_empty(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"a.jpg": b"1"})
    content = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + at] |= 1
    archive.write_bytes(content)
    refused(archive, target, work, "locked with a password")
    refused(make_zip(tmp_path / "b.zip", {}), target, work, "holds no file")


def test_what_macos_adds_is_left_out(tmp_path: Path, target: Path, work: Path) -> None:
    unpack(make_zip(tmp_path / "a.zip", {"a.jpg": b"1", "__MACOSX/._a.jpg": b"2"}), target, work)
    assert tree(target) == {"a.jpg": b"1"}


def test_too_little_space(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_space", lambda folder: 40_000)
    refused(
        make_zip(tmp_path / "a.zip", FILES), target, work, r"a\.zip unpacks to 50\.0 kB, the disk has 40\.0 kB left"
    )
    unpack(make_zip(tmp_path / "b.zip", {"a.jpg": bytes(30_000)}), target, work)


def test_full_disk(tmp_path: Path, target: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, written: object, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.shutil, "copyfileobj", full)
    refused(make_zip(tmp_path / "a.zip", FILES), target, work, r"a\.zip could not be unpacked: No space left")


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
def test_damaged(tmp_path: Path, target: Path, work: Path, name: str) -> None:
    whole = make(tmp_path / name, FILES).read_bytes()
    archive = tmp_path / name
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x55
    for content in (b"", b"not an archive" * 100, whole[: len(whole) // 2], whole[:-200], bytes(flipped)):
        if name == "a.tar" and content in (bytes(flipped), whole[:-200]):
            continue  # tar has no sums for content, and ends in ten kilobytes of zeros
        archive.write_bytes(content)
        error = refused(archive, target, work, "is damaged, or is no archive")
        assert isinstance(error, DamagedError)
        assert "download it again" in error.todo


def test_tar_with_garbage_between_entries(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_tar(tmp_path / "a.tar", {"1.jpg": b"x" * 512, "2.jpg": b"y" * 512})
    content = bytearray(archive.read_bytes())
    content[1024:1500] = b"\x55" * 476
    archive.write_bytes(content)
    refused(archive, target, work, "an entry cannot be read")


@given(st.sampled_from([".zip", ".tar", ".tar.gz"]), st.integers(0, 10**6), st.integers(1, 255), st.booleans())
def test_any_damage_is_an_error_for_users(
    tmp_path_factory: pytest.TempPathFactory, ending: str, at: int, flip: int, cut: bool
) -> None:
    """Whatever byte is wrong, either all is unpacked, or a `DataError` is raised and nothing is."""
    folder = tmp_path_factory.mktemp("damage")
    archive = make(folder / f"a{ending}", FILES)
    content = bytearray(archive.read_bytes())
    at %= len(content)
    content[at] ^= flip
    archive.write_bytes(content[:at] if cut else content)
    try:
        unpack(archive, folder / "data", folder / "work")
    except DataError:
        assert not (folder / "data").exists()
    assert list((folder / "work").iterdir()) == []


def _unpack_slowly(archive: Path, target: Path, work: Path) -> None:
    copy = module.shutil.copyfileobj

    def slow(*arguments: object) -> None:
        copy(*arguments)
        time.sleep(0.2)

    module.shutil.copyfileobj = slow
    unpack(archive, target, work)


def test_killed_process_leaves_nothing_half(tmp_path: Path, target: Path, work: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {f"photos/{number}.jpg": b"x" * 1000 for number in range(50)})
    process = multiprocessing.get_context("fork").Process(target=_unpack_slowly, args=(archive, target, work))
    process.start()
    deadline = time.monotonic() + 60
    while not list(work.rglob("2.jpg")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not target.exists()
    unpack(archive, target, work)
    assert len(tree(target)) == 50
