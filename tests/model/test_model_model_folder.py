"""The folder of a saved model: replaced as a whole, and never over anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError
from dapt.lock import FolderLock
from dapt.model.model_folder import write_model_folder
from dapt.owned import Manifest, read_manifest, write_manifest


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_prompts_and_a_description_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    write_model_folder(folder, b"prompts", {"method": "coop", "classes": ["dög"]})
    found = contents(folder)
    assert found["prompts.safetensors"] == b"prompts"
    assert json.loads(found["config.json"]) == {"method": "coop", "classes": ["dög"]}
    manifest = read_manifest(folder)
    assert (manifest.kind, set(manifest.files)) == ("model", {"config.json", "prompts.safetensors"})


def test_a_model_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    write_model_folder(tmp_path / "m", b"one", {"n": 1})
    write_model_folder(tmp_path / "m", b"two", {"n": 2})
    found = contents(tmp_path / "m")
    assert found["prompts.safetensors"] == b"two"
    assert json.loads(found["config.json"]) == {"n": 2}


def test_an_empty_folder_will_do_and_one_with_other_things_will_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_model_folder(tmp_path / "empty", b"one", {})
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds what dapt did not write: notes\.txt"):
        write_model_folder(mine, b"one", {})
    assert contents(mine) == {"notes.txt": b"mine"}


@pytest.mark.parametrize("kind", ["run", "masks", "protocol"])
def test_folders_of_another_kind(tmp_path: Path, kind: str) -> None:
    write_manifest(tmp_path, Manifest(kind))
    with pytest.raises(ConfigError, match=f"holds a {kind}, not a saved model"):
        write_model_folder(tmp_path, b"one", {})
    if kind != "protocol":
        with pytest.raises(ConfigError, match="which dapt fills"):
            write_model_folder(tmp_path / "inside", b"one", {})


def test_what_cannot_be_written_as_json_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DaptError, match=r"config\.json"):
        write_model_folder(tmp_path / "m", b"one", {"lr": float("nan")})
    assert not (tmp_path / "m").exists()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    write_model_folder(tmp_path / "m", b"one", {})
    with FolderLock(tmp_path / "m"), pytest.raises(ConfigError, match="is in use by"):
        write_model_folder(tmp_path / "m", b"two", {})
    assert contents(tmp_path / "m")["prompts.safetensors"] == b"one"
