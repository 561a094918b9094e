"""Folders of version 0.1.0: known by what is in them, and never mistaken for something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dapt.old_folders import MASKS_KEYS, RUN_KEYS, SPLIT_KEYS, holds_keys, is_old_masks, is_old_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of version 0.1.0, as far as it is looked at."""
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(dict.fromkeys(RUN_KEYS, 1)))
    (tmp_path / "split.json").write_text(json.dumps({key: [] for key in SPLIT_KEYS}))
    return tmp_path


def test_a_run(run: Path) -> None:
    assert is_old_run(run)
    assert not is_old_masks(run)


@pytest.mark.parametrize("key", ["data", "precision", "cache_mb"])
def test_a_run_has_every_setting(run: Path, key: str) -> None:
    (run / "run.yaml").write_text(yaml.safe_dump(dict.fromkeys(RUN_KEYS - {key}, 1)))
    assert not is_old_run(run)


@pytest.mark.parametrize("file", ["run.yaml", "split.json"])
@pytest.mark.parametrize("content", [None, "", "[]", "{", "a: [", "{}"])
def test_a_run_has_both_files_whole(run: Path, file: str, content: str | None) -> None:
    (run / file).unlink()
    if content is not None:
        (run / file).write_text(content)
    assert not is_old_run(run)


def test_masks(tmp_path: Path) -> None:
    path = tmp_path / "masks.json"
    assert not is_old_masks(tmp_path)
    path.write_text(json.dumps({**dict.fromkeys(MASKS_KEYS, 0), "more": 1}))
    assert is_old_masks(tmp_path)
    assert not is_old_run(tmp_path)
    path.write_text(json.dumps({"settings": {}, "images": 3}))
    assert not is_old_masks(tmp_path)


def test_keys_of_a_json_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": 1, "b": null}')
    assert holds_keys(path, {"a", "b"})
    assert holds_keys(path, set())
    assert not holds_keys(path, {"a", "c"})
    path.write_text('["a"]')
    assert not holds_keys(path, {"a"})
    assert not holds_keys(tmp_path / "no.json", set())
    assert not holds_keys(tmp_path, set())
