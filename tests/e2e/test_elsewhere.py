"""Reports from the field: a run is asked about other data, and weights come from elsewhere (skips where absent)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from helpers import SHARED

EIGHTS = SHARED / "field" / "06-eval-on-fewer-classes"
WEIGHTS = SHARED / "field" / "13-weights-and-checkpoints"
NAMES = (
    "airplane balloon bicycle boat bus butterfly cactus car chair clock crab duck fish flower kite lamp mushroom "
    "penguin snake snowman tent tree turtle umbrella"
).split()


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four classes, of which zero-shot learns the names alone."""
    root = tmp_path_factory.mktemp("trained") / "data"
    for number, name in enumerate(NAMES):
        for index in range(4):
            path = root / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (9 * number, 40 * index, 90)).save(path)
    return root


@pytest.mark.skipif(not EIGHTS.is_dir(), reason="the reports are not beside the project")
def test_two_of_twenty_four_classes(dapt, names: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    run, file = tmp_path / "run", tmp_path / "f.json"
    code, _, err = dapt("train", names, "--model", "demo", "--method", "zero_shot", "--out", run)
    assert code == 0, err
    code, out, err = dapt("eval", run, EIGHTS / "other", "--json", file)
    assert code == 0, err
    found = json.loads(file.read_text())
    assert round(found["metrics"]["test/accuracy"], 1) == 89.6
    assert (found["counts"]["images"], found["counts"]["images_there"]) == (48, 48)
    assert (found["counts"]["classes"], found["counts"]["classes_asked"]) == (2, 24)
    assert "48 of 48 images, 2 of 24 trained classes" in out
    code, out, err = dapt("eval", run, EIGHTS / "other", "--classes", "data", "--json", file)
    assert code == 0, err
    assert json.loads(file.read_text())["metrics"]["test/accuracy"] > 89.6, "two names are easier than twenty-four"


@pytest.mark.long
@pytest.mark.skipif(not EIGHTS.is_dir(), reason="the reports are not beside the project")
def test_a_probe_of_twenty_four_classes_is_asked_about_two(dapt, names: Path, tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "f.json"
    assert dapt("train", names, "--model", "demo", "--method", "linear_probe", "--out", run)[0] == 0
    code, _, err = dapt("eval", run, EIGHTS / "other", "--json", file)
    assert code == 0, err
    assert json.loads(file.read_text())["counts"]["images"] == 48
    code, _, err = dapt("eval", run, EIGHTS / "other", "--classes", "data", "--json", file)
    assert code == 0, err
    assert json.loads(file.read_text())["counts"]["classes"] == 2


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the reports are not beside the project")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.safetensors", "is in the transformers layout"),
        ("pytorch_model.bin", "is in the transformers layout"),
        ("ddp.pt", "is in the transformers layout"),
        ("lfs.safetensors", "is a git-LFS pointer"),
        ("page.pt", "is a web page"),
        ("trunc.pt", "is incomplete: 3,000 of at least 790,676 bytes"),
        ("coop/prompt_learner/model.pth.tar-50", "is a prompt checkpoint of Dassl"),
    ],
)
def test_weights_of_others(dapt, photos: Path, tmp_path: Path, name: str, said: str) -> None:
    code, _, err = dapt("train", photos, "--model", f"ViT-B-16:{WEIGHTS / name}", "--out", tmp_path / "run")
    assert code == 2
    assert said in err


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the reports are not beside the project")
@pytest.mark.parametrize("place", ["coop", "coop/prompt_learner", "coop/prompt_learner/model.pth.tar-50"])
def test_prompts_of_others_are_no_run(dapt, photos: Path, place: str) -> None:
    for command in (("eval", WEIGHTS / place), ("predict", WEIGHTS / place, photos)):
        code, _, err = dapt(*command)
        assert code == 2
        assert "is a prompt checkpoint of Dassl" in err
        assert "does not read these yet" in err
