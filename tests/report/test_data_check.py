"""Checking data and writing what was found: the files are ours or new, apart from the data, and whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DataError
from dapt.report.data_check import check_and_write


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_files_are_written_and_written_again(photos: Path, tmp_path: Path, own_cache: Path) -> None:
    files = {"json_file": tmp_path / "out" / "a.json", "html_file": tmp_path / "out" / "a.html"}
    report = check_and_write(str(photos), **files)
    assert report.good
    first = files["json_file"].read_bytes()
    assert json.loads(first)["classes"] == ["blue disc", "green bar", "red square", "white ring"]
    check_and_write(str(photos), **files)
    assert files["json_file"].read_bytes() == first
    assert (own_cache / "dapt" / "looks.sqlite").is_file()


def test_without_a_cache(photos: Path, own_cache: Path) -> None:
    check_and_write(str(photos), cache=False)
    assert not own_cache.exists()


@pytest.mark.parametrize("option", ["json_file", "html_file"])
def test_files_of_others_are_left_alone(photos: Path, tmp_path: Path, option: str) -> None:
    (tmp_path / "mine").write_text("{}")
    with pytest.raises(ConfigError, match="dapt did not write it"):
        check_and_write(str(photos), **{option: tmp_path / "mine"})
    assert (tmp_path / "mine").read_text() == "{}"
    with pytest.raises(ConfigError, match="lies within the data"):
        check_and_write(str(photos), **{option: photos / "new"})


def test_mistakes(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name the same file"):
        check_and_write(str(photos), json_file=tmp_path / "a", html_file=tmp_path / "a")
    with pytest.raises(DataError, match="no data"):
        check_and_write(str(tmp_path / "gone"))


def test_the_tokenizer_of_a_model(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("red square\nRed Square\nblue disc\nthe same words as ever " + "again " * 30)
    report = check_and_write(str(photos), model="demo", names=str(tmp_path / "names.txt"))
    assert {one.kind for one in report.findings} == {"same_tokens", "too_long"}
