"""What is looked at before a run: leaks stop it, unless they are allowed or the split is a published one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from dapt.config import make_config
from dapt.errors import DataError
from dapt.runs import quick_look as module
from dapt.runs.evaluate_run import evaluate_saved
from dapt.runs.run_data import load_run_data
from dapt.runs.select_file import write_selection
from dapt.runs.train import run_training
from helpers import draw


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes in split folders, six training and four test images each."""
    root = tmp_path / "data"
    for label, name in enumerate(("red_square", "blue_disc")):
        for number in range(10):
            path = root / ("train" if number < 6 else "test") / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(name, 100 * label + number)[0].save(path)
    return root


def leak(data: Path, train: str = "0.png", name: str = "copy.png") -> None:
    shutil.copy(data / "train" / "red_square" / train, data / "test" / "red_square" / name)


def settings(data: Path, spec: str, **more: object):
    return make_config({"data": str(data), "model": spec, "method": "zero_shot", "shots": 0, **more})


def test_clean_data_is_said(data: Path, tiny_spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load_run_data(settings(data, tiny_spec)).leaks is None
    assert "no image is there twice among the 20 of this run" in capsys.readouterr().err


def test_a_leak_stops_the_run_before_an_image_is_decoded(
    data: Path, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leak(data)
    monkeypatch.setattr("dapt.runs.run_data.checked_part", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(DataError, match="1 test image is equal to training images") as found:
        run_training(settings(data, tiny_spec, out=str(tmp_path / "run")))
    assert "--allow-leaks" in found.value.todo
    assert not (tmp_path / "run").exists()


def test_allowed_leaks_are_recorded(data: Path, tiny_spec: str, tmp_path: Path, capsys) -> None:
    leak(data)
    run = tmp_path / "run"
    results = run_training(settings(data, tiny_spec, out=str(run), allow_leaks=True))
    assert results.leaks == {
        "test_images": 1,
        "allowed_by": "allow_leaks",
        "first_names": ["test/red_square/copy.png"],
    }
    assert "leaks" in results.flags
    assert json.loads((run / "results.json").read_text())["leaks"]["test_images"] == 1
    assert "allow_leaks: true" in (run / "run.yaml").read_text()
    assert "1 test image is equal" in (run / "log.txt").read_text()
    capsys.readouterr()
    record, path = evaluate_saved(run, device="cpu")
    assert record.metrics["test/accuracy"] == results.metrics["test/accuracy"]
    assert json.loads(path.read_text())["leaks"] == {**results.leaks, "allowed_by": "allow_leaks of the run"}
    assert "because the run was trained with --allow-leaks" in capsys.readouterr().err


def test_allowing_leaks_where_there_are_none_changes_nothing(data: Path, tiny_spec: str, tmp_path: Path) -> None:
    plain = run_training(settings(data, tiny_spec, out=str(tmp_path / "a")))
    allowed = run_training(settings(data, tiny_spec, out=str(tmp_path / "b"), allow_leaks=True))
    assert plain.leaks is None
    assert allowed.leaks is None
    assert allowed.flags == plain.flags == []
    assert allowed.metrics == plain.metrics
    assert (tmp_path / "a" / "split.json").read_bytes() == (tmp_path / "b" / "split.json").read_bytes()


def test_only_the_images_of_the_run_count(data: Path, tiny_spec: str) -> None:
    used = {item.name for item in load_run_data(settings(data, tiny_spec, shots=2)).train.items}
    unused = next(f"{n}.png" for n in range(6) if f"train/red_square/{n}.png" not in used)
    leak(data, unused)
    assert load_run_data(settings(data, tiny_spec, shots=2)).leaks is None
    with pytest.raises(DataError, match="equal to training images"):
        load_run_data(settings(data, tiny_spec))


def test_held_back_classes_are_tested_on_too(data: Path, tiny_spec: str) -> None:
    shutil.copy(data / "train" / "blue_disc" / "0.png", data / "test" / "red_square" / "wrong.png")
    with pytest.raises(DataError, match="equal to training images"):
        load_run_data(settings(data, tiny_spec, subset="base"))


def test_a_published_split_decides(
    data: Path, tiny_spec: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leak(data)
    monkeypatch.setattr(module.CATALOG, "names", lambda: [str(data)])
    monkeypatch.setattr("dapt.runs.division.load_data", lambda *_, **__: read(data))
    from dapt.data.read.folder import read_folder

    def read(root: Path):
        return read_folder(root)

    found = load_run_data(settings(data, tiny_spec))
    assert found.leaks is not None
    assert found.leaks["allowed_by"] == "published split"
    assert "1 test image is equal" in capsys.readouterr().err


def test_warnings_that_stop_nothing(data: Path, tiny_spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(data / "train" / "red_square" / "0.png", data / "train" / "blue_disc" / "wrong.png")
    (data / "val" / "red_square").mkdir(parents=True)
    shutil.copy(data / "train" / "red_square" / "1.png", data / "val" / "red_square" / "x.png")
    shutil.rmtree(data / "test" / "blue_disc")
    assert load_run_data(settings(data, tiny_spec)).leaks is None
    told = capsys.readouterr().err.replace("\n", " ")
    for words in ("under different classes", "also in another split", "1 class has no test image (blue disc)"):
        assert words in told


def test_one_class_is_told(data: Path, tiny_spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train", "test"):
        shutil.rmtree(data / split / "blue_disc")
    load_run_data(settings(data, tiny_spec))
    assert "only one class" in capsys.readouterr().err


def test_names_are_looked_at(data: Path, tiny_spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "names.json").write_text(json.dumps(["飞机", "0"]), encoding="utf-8")
    run_training(settings(data, tiny_spec, out=str(tmp_path / "b"), names=str(tmp_path / "names.json")))
    told = capsys.readouterr().err
    assert "1 class name is a number" in told
    assert "hardly known to this model's text tower" in told


def test_selecting_images_goes_on(data: Path, tiny_spec: str, tmp_path: Path) -> None:
    leak(data)
    config = settings(data, tiny_spec, method="maple", select="uniform", fraction=0.5)
    write_selection(config, tmp_path / "selected.json")
    assert (tmp_path / "selected.json").is_file()


def test_missing_images_are_left_to_the_reader(data: Path, tiny_spec: str) -> None:
    (data / "train" / "red_square" / "0.png").unlink()
    (data / "train" / "red_square" / "0.png").symlink_to(data / "gone.png")
    Image.new("RGB", (4, 4)).save(data / "train" / "red_square" / "small.png")
    with pytest.raises(DataError, match=r"0\.png"):
        load_run_data(settings(data, tiny_spec))
