"""`dapt audit` as a user meets it: on drawn scenes, with the bundled model, trained runs and their composites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torchvision.io import read_image

from helpers import make_folder


@pytest.fixture
def scenes(dapt, tmp_path: Path) -> Path:
    """A few scenes of four classes, half of the test images on a foreign background."""
    settings = ["scenes=classes", "classes=4", "train_per_class=1", "test_per_class=2", "size=64"]
    code, _, err = dapt(
        "demo", "--data-only", tmp_path / "scenes", *(part for each in settings for part in ("--set", each))
    )
    assert code == 0, err
    return tmp_path / "scenes" / "index.csv"


def test_a_backbone_is_audited_and_its_composites_are_data(dapt, scenes: Path, tmp_path: Path) -> None:
    places = ["--out", tmp_path / "o", "--write", tmp_path / "w", "--device", "cpu"]
    lands = make_folder(tmp_path / "lands", per_class=1, classes=2)
    code, out, err = dapt("audit", "demo", scenes, "--backgrounds", lands, *places)
    assert code == 0, err
    for word in ("zero-shot demo", "mixed_same", "mixed_rand", "mixed_other", "BG-gap", "answers changed"):
        assert word in out
    assert (tmp_path / "o" / "index.html").is_file()
    record = json.loads((tmp_path / "o" / "audit.json").read_text())
    assert record["images"] == 8
    assert record["backgrounds"]["images"] == 2
    table = (tmp_path / "w" / "mixed_other" / "index.csv").read_text()
    assert table.count(",red_square/") + table.count(",blue_disc/") == 8
    code, out, err = dapt(
        "audit", "demo", tmp_path / "w" / "mixed_rand", "--json", tmp_path / "again.json", "--device", "cpu"
    )
    assert code == 0, err
    again = json.loads((tmp_path / "again.json").read_text())
    written, asked = again["models"][0]["accuracy"]["original"], record["models"][0]["accuracy"]["mixed_rand"]
    assert (written["value"], written["images"]) == (asked["value"], asked["images"])
    assert len(list((tmp_path / "w" / "mixed_rand" / "images").iterdir())) == 8
    assert read_image(str(tmp_path / "w" / "mixed_rand" / "images" / "000000.png")).shape == (3, 64, 64)


@pytest.mark.long
def test_figures_of_what_was_written_are_those_of_the_audit(dapt, arguments, table: Path, tmp_path: Path) -> None:
    assert dapt(*arguments)[0] == 0
    code, out, err = dapt(
        "audit", tmp_path / "r", "demo", table, "--json", tmp_path / "a.json", "--write", tmp_path / "w"
    )
    assert code == 0, err
    assert "zero-shot demo against r" in out
    record = json.loads((tmp_path / "a.json").read_text())
    for variant, figure in record["models"][0]["accuracy"].items():
        code, _, err = dapt("eval", tmp_path / "r", tmp_path / "w" / variant, "--json", tmp_path / f"{variant}.json")
        assert code == 0, err
        metrics = json.loads((tmp_path / f"{variant}.json").read_text())["metrics"]
        assert metrics["test/accuracy"] == figure["value"], variant
    train = ["--model", "demo", "--method", "coop", "--shots", 1, "--epochs", 1, "--out", tmp_path / "t"]
    code, _, err = dapt("audit", table, "--split", "all", "--write", tmp_path / "all")
    assert code == 0, err
    code, _, err = dapt("train", tmp_path / "all" / "mixed_rand", *train)
    assert code == 0, err


@pytest.mark.long
@pytest.mark.slow
def test_a_run_that_learned_backgrounds_has_a_gap(dapt, tmp_path: Path) -> None:
    """Trained on scenes where each class has its own background, a model leans on it."""
    settings = ["scenes=classes", "classes=8", "train_per_class=8", "test_per_class=24", "size=64"]
    options = [part for each in settings for part in ("--set", each)]
    assert dapt("demo", "--data-only", tmp_path / "scenes", *options)[0] == 0
    train = ["--model", "demo", "--method", "maple", "--shots", 8, "--epochs", 6, "--batch-size", 8, "--lr", 0.05]
    assert dapt("train", tmp_path / "scenes", *train, "--out", tmp_path / "r", "--device", "cpu")[0] == 0
    code, _, err = dapt("audit", tmp_path / "r", tmp_path / "scenes", "--json", tmp_path / "a.json", "--device", "cpu")
    assert code == 0, err
    (model,) = json.loads((tmp_path / "a.json").read_text())["models"]
    assert model["bg_gap"]["low"] > 0
    assert model["accuracy"]["mixed_same"]["value"] > model["accuracy"]["mixed_rand"]["low"]


@pytest.mark.long
def test_guesses_are_said_everywhere(dapt, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", per_class=3)
    places = ["--out", tmp_path / "o", "--device", "cpu"]
    code, out, err = dapt("audit", "demo", photos, *places)
    assert code == 2
    assert "has no masks" in err
    code, out, err = dapt("audit", "demo", photos, "--cue", "gradcam", *places)
    assert code == 0, err
    assert "masks are guesses" in err
    assert "Masks are guesses of the cue gradcam." in " ".join(out.split())
    assert "Masks are guesses of the cue gradcam." in (tmp_path / "o" / "index.html").read_text()
    assert json.loads((tmp_path / "o" / "audit.json").read_text())["masks"]["guessed"]
    assert dapt("masks", photos, "--cue", "gradcam", "--model", "demo", "--out", tmp_path / "m")[0] == 0
    code, out, err = dapt("audit", "demo", photos, "--masks", tmp_path / "m", "--device", "cpu")
    assert code == 0, err
    assert "Masks are guesses of the cue gradcam, from" in " ".join(out.split())


@pytest.mark.long
def test_bad_input(dapt, scenes: Path, tmp_path: Path) -> None:
    for given, message in (
        (["demo", "demo", scenes], "named twice"),
        (["demo", scenes, "--masks", tmp_path / "nowhere"], "nowhere"),
        (["demo", scenes, "--split", "tset"], "Did you mean 'test'"),
        (["demo", scenes, "--classes", "ufo"], "ufo"),
        (["demo", scenes, "--out", scenes.parent / "images"], "did not write"),
        (["demo", scenes, "--json", scenes], "is the data"),
        (["demo", scenes, "--out", tmp_path / "x", "--write", tmp_path / "x"], "same folder"),
        (["demo", scenes, "--cue", "gradcma"], "Did you mean 'gradcam'"),
    ):
        code, out, err = dapt("audit", *given)
        assert (code, out) == (2, ""), given
        assert message in err
        assert "Traceback" not in err
