"""Where the model of a cue comes from, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from dapt.cues.model_place import Kind, digest_of_model, find_model, is_local, made_with_model
from dapt.errors import ModelError

KIND = Kind("CLIPSeg", ("clipseg",), "CIDAS/clipseg-rd64-refined")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    place.mkdir()
    (place / "config.json").write_text(json.dumps({"model_type": "clipseg"}))
    save_file({"weight": torch.ones(3)}, place / "model.safetensors")
    return place


def test_folders_are_told_from_names(folder: Path) -> None:
    assert find_model(str(folder), KIND) == folder
    assert find_model(f"local-dir:{folder}", KIND) == folder
    assert not is_local("CIDAS/clipseg-rd64-refined")
    assert all(is_local(name) for name in ("clipseg", "./a/b", "/a", "~/a", "a/b/c", "local-dir:a/b"))


def test_what_is_no_model_of_the_kind_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no model folder .*nothing"):
        find_model(str(tmp_path / "nothing"), KIND)
    with pytest.raises(ModelError, match="is a file, not the folder of a CLIPSeg model"):
        find_model(str(folder / "config.json"), KIND)
    with pytest.raises(ModelError, match=r"it has no config\.json") as caught:
        find_model(str(tmp_path), KIND)
    assert "CIDAS/clipseg-rd64-refined" in caught.value.todo
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match=r"a model of the kind 'bert', not CLIPSeg \(clipseg\)"):
        find_model(str(folder), KIND)


def test_damaged_folders_are_named(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4])
    with pytest.raises(ModelError, match="is incomplete"):
        find_model(str(folder), KIND)
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 600\n")
    with pytest.raises(ModelError, match="git-LFS pointer"):
        find_model(str(folder), KIND)
    weights.unlink()
    with pytest.raises(ModelError, match="without weights"):
        find_model(str(folder), KIND)


class _Hub:
    """The hub, with one repository of two files."""

    def __init__(self, folder: Path, *, fails: Exception | None = None) -> None:
        self.folder, self.fails, self.asked = folder, fails, []

    def model_info(self, name: str, **_: object) -> SimpleNamespace:
        if self.fails is not None:
            raise self.fails
        files = {"config.json": 10, "model.safetensors": 3 * 2**20, "flax_model.msgpack": 9 * 2**20}
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=key, size=size) for key, size in files.items()])

    def snapshot_download(self, name: str, *, local_files_only: bool = False, allow_patterns: object = None) -> str:
        if local_files_only:
            raise FileNotFoundError(name)
        self.asked.append(allow_patterns)
        return str(self.folder)


def _use(hub: _Hub, monkeypatch: pytest.MonkeyPatch) -> _Hub:
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: hub)
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub.snapshot_download)
    return hub


def test_a_download_is_announced(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    hub = _use(_Hub(folder), monkeypatch)
    assert find_model("CIDAS/clipseg-rd64-refined", KIND) == folder
    said = " ".join(capsys.readouterr().err.split())
    assert "Downloading CIDAS/clipseg-rd64-refined (3 MB) to " in said
    assert "Its licence: https://huggingface.co/CIDAS/clipseg-rd64-refined" in said
    assert hub.asked == [["model.safetensors", "*.json", "*.txt", "*.model"]]


def test_without_a_network_it_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use(_Hub(folder, fails=ConnectionError("Name or service not known")), monkeypatch)
    with pytest.raises(ModelError, match=r"not in the local cache .* could not be fetched") as caught:
        find_model("CIDAS/clipseg-rd64-refined", KIND)
    assert "cue.model=FOLDER" in caught.value.todo


def test_models_are_known_by_their_content(folder: Path) -> None:
    before = digest_of_model(folder)
    assert made_with_model(str(folder)) == {"weights": before}
    assert made_with_model("CIDAS/clipseg-rd64-refined") == {}
    save_file({"weight": torch.zeros(3)}, folder / "model.safetensors")
    assert digest_of_model(folder) != before
