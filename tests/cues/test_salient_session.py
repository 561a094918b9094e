"""Sessions of rembg: names, files, and what is refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from dapt.cues.salient_session import MODELS, is_file_name, open_session, weights_file
from dapt.errors import ModelError, NotSupportedError

FILE = Path(__file__).parent / "tiny_segmenter.onnx"


def test_files_are_told_from_names(tmp_path: Path) -> None:
    assert all(is_file_name(name) for name in ("a.onnx", "./a", "C:\\a", "local-dir:a"))
    assert not any(map(is_file_name, MODELS))
    assert weights_file(str(FILE)) == FILE
    assert weights_file(str(tmp_path / "none.onnx")) is None


@pytest.mark.parametrize("missing", ["rembg", "onnxruntime"])
def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(NotSupportedError, match=f"needs the package {missing}") as caught:
        open_session(str(FILE), "u2net", "cpu")
    assert "pip install 'dapt[salient]'" in caught.value.todo


def test_unknown_names() -> None:
    with pytest.raises(ModelError, match="knows no model 'u2nett'") as caught:
        open_session("u2nett", "u2net", "cpu")
    assert "'u2net'" in caught.value.todo


@pytest.mark.parametrize(
    ("inside", "what", "todo"),
    [
        ([], "it is empty", "Name a file: cue.model=model/FILE.onnx"),
        (["config.json", "a.bin"], "it holds no .onnx file, but a.bin, config.json", "clipseg, grounded_sam"),
        (["net.onnx", "x.txt"], "it holds net.onnx", "Name the file: cue.model=model/net.onnx"),
    ],
)
@pytest.mark.parametrize("written", ["model", "./model", "local-dir:model"])
def test_a_folder_is_told_what_it_lacks(tmp_path: Path, monkeypatch, written, inside, what, todo) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    for name in inside:
        Path("model", name).touch()
    with pytest.raises(ModelError, match=f"model is a folder, {what}. The cue salient takes one ONNX file") as caught:
        open_session(written, "u2net", "cpu")
    assert todo in caught.value.todo


@pytest.mark.long
def test_files_that_are_missing_damaged_or_of_another_kind(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    with pytest.raises(ModelError, match="There is no ONNX file"):
        open_session(str(tmp_path / "none.onnx"), "u2net", "cpu")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(FILE.read_bytes()[:-5000])
    with pytest.raises(ModelError, match="cannot be used as an ONNX model"):
        open_session(str(cut), "u2net", "cpu")
    vector = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", vector[:1], vector[1:])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "other.onnx")
    with pytest.raises(ModelError, match="is another kind of model: its input is") as caught:
        open_session(str(tmp_path / "other.onnx"), "u2net", "cpu")
    assert "one photo [1, 3, height, width]" in caught.value.todo


@pytest.mark.long
def test_logits_are_told_by_the_family(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    photo = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, None, None])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, None, None])
    mean = helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=1)
    graph = helper.make_graph([mean], "mean", [photo], [out])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "mean.onnx")
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:, 20:] = 255
    with pytest.raises(ModelError, match=r"returns values from -\d") as caught:
        open_session(str(tmp_path / "mean.onnx"), "u2net", "cpu")(picture)
    assert "cue.family=birefnet" in caught.value.todo
    found = open_session(str(tmp_path / "mean.onnx"), "birefnet", "cpu")(picture)
    assert found.shape == (320, 320)
    assert found[:, :100].max() < 0.5 < found[:, 220:].min()


@pytest.mark.long
def test_a_download_is_announced_and_its_failure_explained(tmp_path: Path, monkeypatch, capsys) -> None:
    import pooch

    monkeypatch.setenv("REMBG_HOME", str(tmp_path))
    monkeypatch.setenv("U2NET_HOME", "")

    def offline(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(ModelError, match=r"The model u2netp is not in .*could not be fetched: no network") as caught:
        open_session("u2netp", "u2net", "cpu")
    assert "put u2netp.onnx there" in caught.value.todo
    assert "Downloading u2netp (about 5 MB)" in capsys.readouterr().err


@pytest.mark.long
def test_named_models_that_are_there_are_not_fetched(tmp_path: Path, monkeypatch, capsys) -> None:
    place = tmp_path / "models" / "u2netp"
    place.mkdir(parents=True)
    monkeypatch.setenv("REMBG_HOME", str(tmp_path))
    monkeypatch.delenv("U2NET_HOME", raising=False)
    (place / "u2netp.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"u2netp\.onnx cannot be used as an ONNX model"):
        open_session("u2netp", "u2net", "cpu")
    assert "Downloading" not in capsys.readouterr().err
    assert weights_file("u2netp") == place / "u2netp.onnx"
