"""The folder of a demonstration: nothing of anybody else's is ever touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.demo.folder import SETTINGS, open_folder
from dapt.demo.plan import DemoSettings
from dapt.errors import ConfigError, DaptError

CONTENTS = ("data", "results.json")


def opened(out: Path, settings: DemoSettings | None = None, **how: bool) -> None:
    open_folder(out, settings or DemoSettings(), CONTENTS, **how)


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    out = tmp_path / "out"
    opened(out)
    (out / "data").mkdir()
    (out / "data" / "scene.png").write_text("")
    (out / "results.json").write_text("{}")
    (out / "my notes.txt").write_text("mine")
    return out


def test_overwrite_removes_only_what_a_demo_makes(demo: Path) -> None:
    opened(demo, DemoSettings(seeds=5), overwrite=True)
    assert sorted(path.name for path in demo.iterdir()) == [SETTINGS, "my notes.txt"]
    assert "seeds: 5" in (demo / SETTINGS).read_text()


def test_resume_needs_the_same_settings(demo: Path) -> None:
    opened(demo, resume=True)
    assert (demo / "data" / "scene.png").is_file()
    with pytest.raises(ConfigError, match="other settings"):
        opened(demo, DemoSettings(seeds=5), resume=True)
    with pytest.raises(ConfigError, match="holds a demo"):
        opened(demo)


@pytest.mark.parametrize("text", ["", "host: maple\n", "scene_seed: many\n", "services: {web: 1}\n", "- a list\n"])
def test_somebody_elses_settings_file(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS).write_text(text)
    (tmp_path / "data").mkdir()
    for how in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(ConfigError, match="holds something else"):
            opened(tmp_path, **how)
    assert (tmp_path / SETTINGS).read_text() == text
    assert (tmp_path / "data").is_dir()


def test_what_a_killed_write_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".{SETTINGS}.x7.part").write_text("half")
    opened(tmp_path)
    assert (tmp_path / SETTINGS).is_file()


def test_a_linked_folder_is_emptied_not_followed(tmp_path: Path, demo: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (demo / "data").rename(elsewhere)
    (demo / "data").symlink_to(elsewhere)
    opened(demo, overwrite=True)
    assert not (demo / "data").exists()
    assert (elsewhere / "scene.png").is_file()


def test_places_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DaptError, match="Choose another folder"):
            opened(out)

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(DaptError, match="cannot be used: Permission denied"):
        opened(tmp_path / "locked")
