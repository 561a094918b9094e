"""`dapt export` as a whole: a folder or a reason, checked; every method in the long matrix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DataError, ModelError
from dapt.export import choices as choices_module
from dapt.export.choices import Choices
from dapt.export.export_run import export_run
from export.conftest import train


def test_a_folder_that_was_checked(lora, tmp_path: Path, dapt) -> None:
    out = tmp_path / "out"
    code, printed, err = dapt("export", lora.run, "--to", "openclip", "--out", out, "--check", lora.photos)
    assert code == 0, err
    assert "largest difference of a probability" in printed
    assert "same answer: 100.0%" in printed
    assert "with the library's own preprocessing" in printed
    about = json.loads((out / "model.json").read_text())
    assert about["check"]["images"] == 32
    assert about["check"]["largest"] <= about["check"]["tolerance"] == choices_module.EXACT
    assert sorted(path.name for path in out.iterdir()) == [
        *(".dapt.json", "classes.safetensors", "model.json", "open_clip_config.json", "open_clip_model.safetensors"),
    ]
    again = dapt("export", lora.run, "--to", "openclip", "--out", out)
    assert again[0] == 2
    assert "--overwrite" in again[2]
    code, printed, err = dapt("export", lora.run, "--to", "openclip", "--out", out, "--overwrite")
    assert code == 0, err
    assert "not checked" in printed


def test_nothing_is_written_above_the_tolerance(lora, tmp_path: Path) -> None:
    given = Choices("openclip", check=lora.photos, tolerance=0.0)
    with pytest.raises(ModelError, match="Nothing was written"):
        export_run(lora.run, tmp_path / "out", given)
    assert not list(tmp_path.iterdir())


def test_mistakes_are_found_before_anything_is_loaded(maple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: object, **how: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr("dapt.export.export_run.load_run", never)
    monkeypatch.setattr("dapt.export.export_run.need_packages", lambda to: None)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match="holds no image"):
        export_run(maple.run, tmp_path / "out", Choices("onnx", precision="int8", calibrate=empty))
    with pytest.raises(DataError, match="There is no image or folder"):
        export_run(maple.run, tmp_path / "out", Choices("onnx", check=tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="lies within the run"):
        export_run(maple.run, maple.run / "out", Choices("onnx"))
    with pytest.raises(ConfigError, match="no run"):
        export_run(tmp_path / "nowhere", tmp_path / "out", Choices("onnx"))
    assert not (tmp_path / "out").exists()


def test_a_method_that_is_refused(maple, tmp_path: Path, dapt) -> None:
    code, _, err = dapt("export", maple.run, "--to", "openclip", "--out", tmp_path / "out")
    assert code == 2
    assert "maple has prompts within the image tower" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_a_program_in_float16(maple, tmp_path: Path) -> None:
    found = export_run(maple.run, tmp_path / "out", Choices("torch-export", precision="16", check=maple.photos))
    assert found.comparison is not None
    assert found.megabytes < found.ours


@pytest.mark.long
@pytest.mark.parametrize("method", ["clip_adapter", "linear_probe", "prolip", "tip_adapter"])
def test_what_follows_the_image_tower_as_onnx(method: str, tmp_path: Path, tiny_spec: str) -> None:
    """Prompts and texts are constants of one kind; that `plain()` is right for every method, its own tests hold."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("sklearn")
    made = train(tmp_path, tiny_spec, method)
    assert export_run(made.run, tmp_path / "out", Choices("onnx", check=made.photos)).comparison is not None
