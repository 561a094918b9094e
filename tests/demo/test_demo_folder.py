"""The folder of a demonstration: nothing of anybody else's is ever touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.demo.contents import demo_files, demo_runs, scene_files
from dapt.demo.demo_folder import SETTINGS, DemoFolder
from dapt.demo.setting import DemoSettings
from dapt.errors import ConfigError, DaptError
from dapt.files import part_of
from dapt.owned import MANIFEST

SMALL = DemoSettings(classes=2, train_per_class=1, test_per_class=2, shots=1, seeds=1)
FIVE = SMALL.model_copy(update={"seeds": 5})


def opened(out: Path, settings: DemoSettings = SMALL, **how: bool) -> None:
    with DemoFolder(out, settings, demo_files(settings), demo_runs(settings)).open(**how):
        pass


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if not path.name.startswith("."))


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """What an unfinished demonstration looks like."""
    out = tmp_path / "out"
    opened(out)
    for name in demo_files(SMALL)[1:]:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("{}")
    return out


def test_overwrite_removes_what_a_demo_makes(demo: Path) -> None:
    opened(demo, FIVE, overwrite=True)
    assert names(demo) == [SETTINGS]
    assert "seeds: 5" in (demo / SETTINGS).read_text()


@pytest.mark.parametrize(
    ("mine", "shown"),
    [
        ("my notes.txt", "my notes.txt"),
        ("data/images/holiday.jpg", "data/images/holiday.jpg"),
        ("data/notes/a.txt", "data/notes/"),
        ("runs/mine/run.yaml", "runs/"),
    ],
)
def test_overwrite_is_refused_where_something_else_lies(demo: Path, mine: str, shown: str) -> None:
    (demo / mine).parent.mkdir(parents=True, exist_ok=True)
    (demo / mine).write_text("mine")
    before = sorted(demo.rglob("*"))
    with pytest.raises(ConfigError, match=f"holds what dapt did not write: {shown}"):
        opened(demo, FIVE, overwrite=True)
    assert sorted(demo.rglob("*")) == before
    assert (demo / mine).read_text() == "mine"


def test_a_demo_of_the_version_without_manifests(demo: Path) -> None:
    (demo / ".dapt.json").unlink()
    opened(demo, FIVE, overwrite=True)
    assert names(demo) == [SETTINGS]


def test_a_removal_that_was_killed_is_finished(demo: Path) -> None:
    (demo / SETTINGS).unlink()  # it goes first
    opened(demo, FIVE, resume=True)
    assert names(demo) == [SETTINGS]
    assert "seeds: 5" in (demo / SETTINGS).read_text()


def test_scenes_are_listed_as_they_are_drawn(tmp_path: Path) -> None:
    from dapt.demo.run import draw_scenes

    draw_scenes(tmp_path / "data", SMALL)
    drawn = {path.relative_to(tmp_path / "data").as_posix() for path in (tmp_path / "data").rglob("*.*")}
    assert drawn == set(scene_files(SMALL))


def test_resume_needs_the_same_settings(demo: Path) -> None:
    opened(demo, resume=True)
    assert (demo / "data" / "index.csv").is_file()
    with pytest.raises(ConfigError, match="other settings"):
        opened(demo, FIVE, resume=True)
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
    part = part_of(tmp_path / MANIFEST)
    part.write_text("half")
    opened(tmp_path)
    assert not part.exists()
    assert (tmp_path / SETTINGS).is_file()


def test_a_linked_folder_is_neither_emptied_nor_followed(tmp_path: Path, demo: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (demo / "data").rename(elsewhere)
    (demo / "data").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="holds what dapt did not write: data"):
        opened(demo, overwrite=True)
    assert (elsewhere / "index.csv").is_file()


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
