"""Many files are looked at once; what an interrupted scan has seen is not looked at again."""

from __future__ import annotations

from pathlib import Path

import pytest
from checked_data import good_look, scene

from dapt.data.check import scan as module
from dapt.data.check.scan import scan


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are looked at."""
    names: list[str] = []

    def look(path: Path):
        names.append(path.name)
        if path.name == "stop":
            raise KeyboardInterrupt
        return good_look(digest=path.name)

    monkeypatch.setattr(module, "look_at", look)
    return names


def made(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_text(name)
    return [folder / name for name in names]


def test_in_order(tmp_path: Path, seen: list[str]) -> None:
    paths = made(tmp_path, *(f"{n}" for n in range(30)))
    assert [look.digest for look in scan(paths, None)] == [f"{n}" for n in range(30)]


def test_a_second_scan_reads_what_is_new(tmp_path: Path, seen: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    paths = made(tmp_path, "a", "b")
    first = scan(paths, tmp_path / "cache")
    paths += made(tmp_path, "c")
    (tmp_path / "b").write_text("changed")
    del seen[:]
    again = scan(paths, tmp_path / "cache")
    assert sorted(seen) == ["b", "c"]
    assert again[0] == first[0]
    assert "1 of 3 images are known" in capsys.readouterr().err


def test_an_interrupted_scan_goes_on(tmp_path: Path, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 2)
    paths = made(tmp_path, "a", "b", "c", "d", "stop")
    with pytest.raises(KeyboardInterrupt):
        scan(paths, tmp_path / "cache")
    del seen[:]
    assert len(scan(paths[:4], tmp_path / "cache")) == 4
    assert seen == []


def test_files_that_are_gone(tmp_path: Path) -> None:
    scene(1).save(tmp_path / "a.png")
    looks = scan([tmp_path / "a.png", tmp_path / "gone.png"], tmp_path / "cache")
    assert not looks[0].problem
    assert "gone.png" in looks[1].problem
