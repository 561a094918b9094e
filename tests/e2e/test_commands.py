"""The commands as a user types them, on small data made here."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import make_folder


@pytest.fixture
def run(dapt, photos: Path, tmp_path: Path) -> Path:
    out = tmp_path / "run"
    masks = photos.parent / "photos-masks"
    code, _, err = dapt(
        "train", photos, "--model", "demo", "--depth", 3, "--dapt", "--masks", masks, "--epochs", 2, "--shots", 4,
        "--out", out,
    )  # fmt: skip
    assert code == 0, err
    assert "foreground cues: 16 of 16 images" in err
    return out


def test_eval_writes_the_same_metrics_object(dapt, run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    code, out, _ = dapt("eval", run)
    assert code == 0
    assert "test/accuracy" in out
    again = json.loads((run / "eval" / "photos-test.json").read_text())
    for key, value in results["metrics"].items():
        assert again["metrics"][key] == (None if value is None else pytest.approx(value, abs=1e-6)), key


def test_eval_on_other_data_matches_classes_by_name(dapt, run: Path, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other", classes=2, first=100)
    target = tmp_path / "other.json"
    code, _, err = dapt("eval", run, other, "--json", target)
    assert code == 0, err
    result = json.loads(target.read_text())
    assert set(result["per_class"]) == {"red square", "blue disc"}
    assert result["counts"]["classes"] == 2
    assert result["data"] == "other"


def test_eval_subsets(dapt, run: Path) -> None:
    for classes in ("base", "novel", "red square,blue disc"):
        code, out, _ = dapt("eval", run, "--classes", classes)
        assert code == 0
        assert "2 classes" in out


def test_eval_with_other_names(dapt, run: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("azure disc\nleaf bar\ncrimson box\nsnow ring\n")
    code, _, err = dapt("eval", run, "--names", names, "--json", tmp_path / "x.json")
    assert code == 0, err
    assert "azure disc" in json.loads((tmp_path / "x.json").read_text())["per_class"]


def test_predict_formats(dapt, run: Path, photos: Path, tmp_path: Path) -> None:
    folder = photos / "red_square"
    code, out, _ = dapt("predict", run, folder, "--format", "json", "--top", 2, "-q")
    assert code == 0
    rows = json.loads(out)
    assert len(rows) == 8
    assert all(len(row["predictions"]) == 2 for row in rows)
    probabilities = [entry["probability"] for entry in rows[0]["predictions"]]
    assert probabilities == sorted(probabilities, reverse=True)
    code, out, _ = dapt("predict", run, folder / "00.png", "--format", "csv", "-q")
    table = list(csv.DictReader(io.StringIO(out)))
    assert [row["rank"] for row in table] == ["1", "2", "3", "4"]
    assert sum(float(row["probability"]) for row in table) == pytest.approx(1, abs=1e-4)
    code, out, _ = dapt("predict", run, folder / "00.png", "--classes", "cat, dog", "-q")
    assert code == 0
    assert "cat" in out
    pictures = tmp_path / "pictures"
    code, _, _ = dapt("predict", run, folder / "00.png", photos / "blue_disc" / "00.png", "--explain", pictures, "-q")
    assert code == 0
    made = sorted(pictures.iterdir())
    assert [path.name for path in made] == ["00-2.png", "00.png"]
    with Image.open(made[0]) as picture:
        assert picture.width > 3 * 224
        assert np.asarray(picture).std() > 10


def test_masks_resume_preview_and_later_use(dapt, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "cam"
    arguments = ["masks", photos, "--cue", "gradcam", "--model", tiny_spec, "--out", out]
    code, _, err = dapt(*arguments, "--preview")
    assert code == 0, err
    files = sorted(out.rglob("*.png"))
    assert len(files) == 32
    assert (out / "preview.jpg").is_file()
    statistics = json.loads((out / "masks.json").read_text())
    assert statistics["images"] == 32
    assert 0 <= statistics["coverage_percent"]["mean"] <= 100
    for path in files:
        with Image.open(path) as mask:
            assert mask.size == (48, 40)
            assert set(np.unique(mask)) <= {0, 255}
    before = {path: path.stat().st_mtime_ns for path in files}
    files[0].unlink()
    code, _, err = dapt(*arguments)
    assert code == 0
    assert "31 of 32 masks exist already" in err
    assert files[0].is_file()
    assert all(path.stat().st_mtime_ns == before[path] for path in files[1:])
    code, _, err = dapt(
        "train", photos, "--model", "demo", "--depth", 3, "--dapt", "--masks", out, "--epochs", 1, "--shots", 2,
        "--out", tmp_path / "r",
    )  # fmt: skip
    assert code == 0, err
    assert "foreground cues" in err


def test_masks_with_a_run_and_comparison(dapt, table: Path, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "cam"
    code, _, err = dapt("masks", table, "--cue", "gradcam", "--run", run, "--out", out, "--compare", "--split", "test")
    assert code == 0, err
    quality = json.loads((out / "masks.json").read_text())["against_own_masks"]
    assert quality["images"] == 8
    assert 0 <= quality["iou"] <= 100
    copy = tmp_path / "copy"
    code, _, _ = dapt("masks", table, "--cue", "dataset", "--out", copy, "--compare", "--split", "test")
    assert code == 0
    quality = json.loads((copy / "masks.json").read_text())["against_own_masks"]
    assert (quality["iou"], quality["foreground_kept"], quality["background_kept"]) == (100.0, 100.0, 0.0)


def test_configuration_file(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        f"data: {table}\nmodel: {tiny_spec}\nmethod: ivlp\ndepth: 3\nshots: 2\nepochs: 1\n"
        f"dapt: {{margin: 1.0, words: [grass, sky]}}\ncue: random\nout: {tmp_path / 'r'}\n"
    )
    code, _, err = dapt("train", "--config", path, "--seed", 3, "--set", "dapt.visual_weight=0.4")
    assert code == 0, err
    import yaml

    written = yaml.safe_load((tmp_path / "r" / "run.yaml").read_text())
    assert written["seed"] == 3
    assert written["dapt"]["margin"] == 1.0
    assert written["dapt"]["visual_weight"] == 0.4
    assert written["dapt"]["words"] == ["grass", "sky"]
    assert written["cue"]["source"] == "random"
    path.write_text("data: x\nmethod: [1")
    code, _, err = dapt("train", "--config", path)
    assert code == 2
    assert "not valid YAML" in err


def test_python_api(photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    import dapt

    run = dapt.train(
        photos, model=tiny_spec, method="maple", depth=3, dapt=True, cue="gradcam", shots=4, epochs=1,
        out=str(tmp_path / "run"),
    )  # fmt: skip
    assert 0 <= run.metrics["test/accuracy"] <= 100
    first = run.predict([photos / "red_square" / "00.png"], top=2)[0]
    again = dapt.load(run.save(tmp_path / "copy").folder)
    second = again.predict([photos / "red_square" / "00.png"], top=2)[0]
    assert first == second
    assert again.predict([photos], classes=["x", "y"])[0].classes in (("x", "y"), ("y", "x"))
    assert again.evaluate()["metrics"]["test/accuracy"] == pytest.approx(run.metrics["test/accuracy"])
    with pytest.raises(dapt.DaptError, match="exists"):
        run.save(tmp_path / "copy")


@pytest.mark.long
@pytest.mark.slow
def test_installed_program(photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    """The real process: exit codes, and nothing but results on standard output."""
    common = [sys.executable, "-m", "dapt"]
    out = tmp_path / "run"
    arguments = ["train", photos, "--model", tiny_spec, "--depth", "3", "--epochs", "1", "--shots", "2", "--out", out]
    done = subprocess.run([*common, *map(str, arguments)], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "epoch 1/1" in done.stderr
    again = subprocess.run([*common, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "Traceback" not in again.stderr


def test_a_run_is_not_tested_on_what_it_was_trained_on(dapt, run: Path, photos: Path) -> None:
    more = np.random.default_rng(0).integers(0, 255, (48, 40, 3), dtype=np.uint8)
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        for number in range(5):  # further photos: the folder is divided otherwise from now on
            Image.fromarray(more).save(folder / f"0-{number}.png")
    code, _, err = dapt("eval", run)
    assert code == 2
    assert "were trained on" in err
    assert not (run / "eval").exists()
    assert dapt("eval", run, "--split", "train")[0] == 0
