"""A folder that appears whole or not at all, and never in the place of what is somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError
from dapt.export.new_folder import NewFolder


def fill(out: Path, content: str = "x", *, overwrite: bool = False) -> None:
    with NewFolder(out).filled(overwrite=overwrite) as place:
        assert not (out / "model.bin").exists() or overwrite
        (place / "model.bin").write_text(content)
        (place / "model.json").write_text("{}")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    fill(out)
    assert names(out) == [".dapt.json", "model.bin", "model.json"]
    assert names(out.parent) == ["out"]


@pytest.mark.parametrize("error", [ValueError("x"), OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_or_not_at_all(tmp_path: Path, error: BaseException) -> None:
    out = tmp_path / "out"
    kind = DaptError if isinstance(error, OSError) else type(error)

    def write(place: Path) -> None:
        (place / "model.bin").write_text("half")
        raise error

    with pytest.raises(kind), NewFolder(out).filled(overwrite=False) as place:
        write(place)
    assert names(tmp_path) == []


def test_an_earlier_export_is_replaced_on_request(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fill(out)
    with pytest.raises(ConfigError, match=r"holds an exported model.\W.*--out.*\n.*--overwrite"):
        NewFolder(out).check({}, overwrite=False)
    fill(out, "new", overwrite=True)
    assert (out / "model.bin").read_text() == "new"
    with pytest.raises(ValueError, match="x"), NewFolder(out).filled(overwrite=True):
        raise ValueError("x")
    assert (out / "model.bin").read_text() == "new", "what was there is left until the new one is whole"


def test_what_a_killed_export_has_left_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".out.1.part").mkdir()
    fill(tmp_path / "out")
    assert ".out.1.part is of an export that was killed" in capsys.readouterr().err
    assert (tmp_path / "out").is_dir()


def test_strangers_are_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds what dapt did not write"):
        NewFolder(out).check({}, overwrite=True)
    (out / "mine.txt").unlink()
    fill(out)
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"mine\.txt"):
        fill(out, overwrite=True)
    assert (out / "mine.txt").read_text() == "mine"


def test_it_is_apart_from_what_is_read(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with pytest.raises(ConfigError, match="lies within the photos"):
        NewFolder(photos / "out").check({"the photos": photos}, overwrite=False)
