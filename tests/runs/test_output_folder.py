"""A folder of one kind of thing that has no last file: it is never finished, and removed by its writer."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.runs.output_folder import OutputFolder

FILES = ("a", "b")


def folder_in(tmp_path: Path) -> OutputFolder:
    return OutputFolder(tmp_path / "o.parts", "things", "--out", last=(), other="another file")


def interrupted(folder: OutputFolder) -> None:
    with suppress(KeyboardInterrupt), folder.open(FILES, overwrite=False) as root:
        (root / "a").write_text("a")
        raise KeyboardInterrupt


def test_it_goes_on_with_what_stays(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    interrupted(folder)
    with pytest.raises(ConfigError, match=r"an unfinished part of things[\s\S]*--resume [\s\S]*another file"):
        folder.check(overwrite=False)
    with folder.open(FILES, overwrite=False, resume=True, keep=FILES) as root:
        assert (root / "a").is_file()
    with folder.open(FILES, overwrite=True) as root:
        assert not (root / "a").exists()


def test_its_writer_removes_it(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    with folder.open(FILES, overwrite=False) as root:
        (root / "b").write_text("b")
        folder.clear(FILES)
    folder.remove()
    assert not root.exists()


def test_what_is_not_ours_keeps_the_folder(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    with folder.open(FILES, overwrite=False) as root:
        (root / "mine").write_text("mine")
        folder.clear(FILES)
    folder.remove()
    assert [path.name for path in root.iterdir()] == ["mine"]
    with pytest.raises(ConfigError, match="what dapt did not write, so it is left alone"):
        folder.check(overwrite=True)
