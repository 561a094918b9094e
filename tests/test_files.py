"""Files appear whole or not at all; names are registered once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError, did_you_mean
from dapt.files import (
    PART,
    append_bytes,
    leftovers,
    part_of,
    read_json,
    whole_file,
    write_bytes,
    write_files,
    write_json,
)
from dapt.registry import Registry


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def half_way() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert read_json(path) == {"old": 1}
    assert [other.name for other in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("failing", ["fsync", "close"])
def test_operating_system_errors_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"dapt.files.os.{failing}", full)
    with pytest.raises(DaptError, match=r"Could not write .*a\.bin: No space left on device"):
        write_bytes(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [other.name for other in tmp_path.iterdir()] == ["a.bin"]
    (tmp_path / "file").write_text("")
    with pytest.raises(DaptError, match="Could not write"):
        write_json(tmp_path / "file" / "below.json", {})


def test_the_message_names_the_file_that_failed(tmp_path: Path) -> None:
    path, source = tmp_path / "copy.zip", tmp_path / "absent.zip"

    def copy() -> None:
        with whole_file(path) as temporary:
            shutil.copyfile(source, temporary)

    with pytest.raises(DaptError, match=r"Could not use .*absent\.zip: No such file") as caught:
        copy()
    assert f"{path} was left as it was" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_short_write_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    real = os.fstat

    def shorter(handle: int) -> os.stat_result:
        found = list(real(handle))
        found[6] -= 1
        return os.stat_result(found)

    monkeypatch.setattr("dapt.files.os.fstat", shorter)
    with pytest.raises(DaptError, match="only 2 of 3 bytes were written"):
        write_bytes(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"


def test_a_file_is_synced_renamed_and_its_folder_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, str]] = []
    fsync, replace = os.fsync, Path.replace

    def name(handle: int) -> str:
        return Path(f"/proc/self/fd/{handle}").readlink().name

    monkeypatch.setattr("dapt.files.os.fsync", lambda handle: (done.append(("sync", name(handle))), fsync(handle))[1])
    monkeypatch.setattr(Path, "replace", lambda path, to: (done.append(("rename", path.name)), replace(path, to))[1])
    write_bytes(tmp_path / "below" / "a.bin", b"new")
    part = done[-3][1]
    assert PART.fullmatch(part)
    assert done == [("sync", tmp_path.name), ("sync", part), ("rename", part), ("sync", "below")]


def test_parts_are_found_by_the_names_they_belong_to(tmp_path: Path) -> None:
    long = "ä" * 120
    parts = [part_of(tmp_path / name) for name in ("a.json", "b.json", long)]
    for part in parts:
        assert len(part.name.encode()) <= 255
        part.write_text("half")
    assert leftovers(tmp_path, ["a.json", long]) == sorted([parts[0], parts[2]])
    assert leftovers(tmp_path / "absent", ["a.json"]) == []


@pytest.mark.parametrize(
    ("value", "place"),
    [({"a": [1.0, {"b": float("nan")}]}, r"a\.1\.b is nan"), ([float("inf")], "0 is inf"), (float("-inf"), "-inf")],
)
def test_no_number_that_json_does_not_know(tmp_path: Path, value: object, place: str) -> None:
    with pytest.raises(DaptError, match=place):
        write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b.json").write_text('{"a": NaN}')
    with pytest.raises(DaptError, match="NaN is no number"):
        read_json(tmp_path / "b.json")


def test_names_that_are_not_utf8_survive_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"photo-\xff.jpg")
    write_json(tmp_path / "a.json", {name: "ä"})
    assert read_json(tmp_path / "a.json") == {name: "ä"}


@pytest.mark.parametrize("content", ["{", "[" * 200_000, "\xe9".encode("latin-1")])
def test_json_that_cannot_be_parsed(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DaptError, match=r"x\.json is not valid JSON"):
        read_json(path)


def test_hints() -> None:
    assert did_you_mean("mapel", ["maple", "coop"]) == "Did you mean 'maple'?"
    assert did_you_mean("zzz", ["maple", "coop"]) == "Available: coop, maple."
    assert did_you_mean("x", []) == ""


def test_registry() -> None:
    registry: Registry[int] = Registry("thing", "dapt.methods")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="registered twice"):
        registry.add("one", 2)
    registry.add("one", 3, overwrite=True)
    assert registry.get("one") == 3
    with pytest.raises(ConfigError, match="no thing 'on'"):
        registry.get("on")


def test_a_new_method_is_one_file(tmp_path: Path) -> None:
    """A file dropped into dapt/methods registers itself; nothing else is touched."""
    import subprocess
    import sys

    program = (
        "import dapt.methods, sys\n"
        f"dapt.methods.__path__.append({str(tmp_path)!r})\n"
        "from dapt.cli.app import run\nsys.exit(run(['methods', 'list']))"
    )
    (tmp_path / "mine.py").write_text(
        "from dapt.methods.base import Method, MethodOptions, add_method\n"
        "add_method(Method('mine', 'my own', 'none', 'mine:Prompts', MethodOptions))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "mine" in {line.split()[0] for line in done.stdout.splitlines()}


def test_many_files_are_written_together(tmp_path: Path) -> None:
    contents = {tmp_path / f"folder{number % 2}" / f"{number}.txt": str(number).encode() for number in range(20)}
    write_files(contents.items(), within=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == contents
    write_files([])


def test_many_files_of_which_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(DaptError, match=r"Could not write .*b: "):
        write_files([(tmp_path / "a", b"1"), (tmp_path / "b", b"2"), (tmp_path / "c", b"3")])
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    assert not (tmp_path / "c").exists()
    with pytest.raises(DaptError, match="removed meanwhile"):
        write_files([(tmp_path / "gone" / "a", b"1")], within=tmp_path / "gone")


def test_a_file_that_grows_is_as_it_was_where_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "records"
    assert not append_bytes(path, b"new", 3)  # it is not there
    path.write_bytes(b"old and half")
    assert not append_bytes(path, b"new", 20)  # it is shorter
    assert append_bytes(path, b"!", 3)
    assert path.read_bytes() == b"old!"

    def full(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("dapt.files.os.fsync", full)
    with pytest.raises(DaptError, match="records: No space left on device"):
        append_bytes(path, b"more", 4)
    assert path.read_bytes() == b"old!"
