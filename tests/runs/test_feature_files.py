"""What may be in the place of files of features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dapt.errors import ConfigError
from dapt.runs.feature_files import FeatureFile, FeatureTable


class TextFile(FeatureFile):
    """A kind for these tests: a file and one beside it, known by their first word."""

    @property
    def outputs(self) -> tuple[Path, ...]:
        return (self.path, self.path.with_suffix(".names"))

    def is_ours(self, path: Path) -> bool:
        return path.read_text().startswith("ours")

    def about(self) -> dict[str, Any]:
        raise NotImplementedError

    def write(self, table: FeatureTable) -> None:
        raise NotImplementedError


@pytest.fixture
def file(tmp_path: Path) -> TextFile:
    return TextFile(tmp_path / "f.text")


def test_earlier_files_are_replaced_if_asked(file: TextFile) -> None:
    file.check(replace=False)
    file.outputs[1].write_text("ours")
    with pytest.raises(ConfigError, match=r"f\.names exists\.[\s\S]*--overwrite"):
        file.check(replace=False)
    file.check(replace=True)
    file.remove()
    assert not any(path.exists() for path in file.outputs)


def test_what_killed_writes_left_is_removed(file: TextFile, tmp_path: Path) -> None:
    names = (".f.text.0123abcd.part", ".f.names.0123abcd.part", ".g.text.0123abcd.part")
    for name in names:
        (tmp_path / name).write_text("half")
    file.sweep()
    assert [path.name for path in tmp_path.iterdir()] == [names[2]]


@pytest.mark.parametrize("place", [0, 1])
def test_others_never_are(file: TextFile, place: int) -> None:
    file.outputs[place].write_text("theirs")
    with pytest.raises(ConfigError, match="dapt did not write it"):
        file.check(replace=True)
    file.outputs[place].unlink()
    file.outputs[place].mkdir()
    with pytest.raises(ConfigError, match="dapt did not write it"):
        file.check(replace=True)
