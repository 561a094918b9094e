"""Mistakes through the command line: exit code 2, a clear message, nothing half-written."""

from __future__ import annotations

import csv
import os
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from helpers import make_csv, spoil_png


@pytest.fixture
def train(dapt, tiny_spec: str, tmp_path: Path):
    """`dapt train` on the tiny model into tmp_path/run, expected to fail; returns the message."""
    out = tmp_path / "run"

    def call(*arguments: object, code: int = 2, model: str = tiny_spec) -> str:
        extra = () if "--depth" in arguments else ("--depth", 3)
        found, _, err = dapt(
            "train", *arguments, "--model", model, *extra, "--epochs", 1, "--shots", 4, "--device", "cpu", "--out", out
        )
        assert found == code, err
        assert "Traceback" not in err
        if code == 2:
            assert not out.exists(), "a run folder was left behind"
            message = err[err.index("error: ") :].strip()
            assert 1 <= len(message.splitlines()) <= 3
        return err

    return call


def edit(path: Path, at: int, **values: str) -> None:
    rows = list(csv.DictReader(path.open()))
    rows[at].update(values)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_no_such_data(train, table: Path) -> None:
    assert "Did you mean 'table'" in train(table.parent.parent / "tabel")


def test_no_such_model(train, table: Path) -> None:
    assert "Did you mean 'ViT-B-16'" in train(table, model="ViT-B-61/openai")
    assert "no model folder" in train(table, model="local-dir:/no/such")


def test_no_such_method_cue_or_key(train, dapt, table: Path) -> None:
    assert "Did you mean 'maple'" in train(table, "--method", "mapel")
    assert "Did you mean 'gradcam'" in train(table, "--dapt", "--cue", "gradcamm")
    assert "Did you mean 'margin'" in train(table, "--set", "dapt.margn=1")
    assert (
        "no device 'cuda:99'" in dapt("train", table, "--model", "demo", "--device", "cuda:99")[2]
        or torch.cuda.device_count() > 99
    )


def test_no_such_run(dapt, tmp_path: Path) -> None:
    (tmp_path / "runs" / "butterflies").mkdir(parents=True)
    for command in (["eval"], ["predict"]):
        arguments = [*command, tmp_path / "runs" / "buterflies", *(["x.jpg"] if command == ["predict"] else [])]
        if command == ["predict"]:
            Image.new("RGB", (8, 8)).save(tmp_path / "x.jpg")
            arguments[-1] = tmp_path / "x.jpg"
        code, _, err = dapt(*arguments)
        assert code == 2
        assert "Did you mean 'butterflies'" in err
    code, _, err = dapt("eval", tmp_path / "runs" / "butterflies")
    assert code == 2
    assert "holds no finished run" in err


def test_class_folder_without_image(train, photos: Path) -> None:
    (photos / "nothing_here").mkdir()
    assert "nothing_here holds no image" in train(photos)


@pytest.mark.parametrize("damage", ["truncated", "text", "missing"])
def test_damaged_image(train, dapt, table: Path, tmp_path: Path, damage: str) -> None:
    victims = [table.parent / "images" / f"red_square_{index}.png" for index in (0, 3)]  # one train, one test
    for victim in victims:
        if damage == "truncated":
            victim.write_bytes(victim.read_bytes()[:200])
        elif damage == "text":
            victim.write_text("this is not a picture")
        else:
            victim.unlink()
    message = train(table)
    assert "red_square_0.png" in message
    assert "--skip-bad" in message
    message = train(table, "--skip-bad", code=0)
    assert "1 damaged or missing image is left out" in message
    import json

    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["counts"]["bad_images"] == 2
    assert results["counts"]["train"] == 15


@pytest.mark.parametrize("workers", [0, 1])
def test_damage_that_only_decoding_finds(dapt, table: Path, tiny_spec: str, tmp_path: Path, workers: int) -> None:
    """A test image with a whole header and end is met at evaluation; with --skip-bad it is left out before."""
    victim = table.parent / "images" / "red_square_3.png"
    spoil_png(victim)
    arguments = ["train", table, "--model", tiny_spec, "--depth", 3, "--epochs", 1, "--shots", 4, "--device", "cpu"]
    arguments += ["--set", f"workers={workers}"]
    code, _, err = dapt(*arguments, "--out", tmp_path / "a")
    assert code == 2
    assert "Traceback" not in err
    assert err[err.index("error: ") :].startswith(f"error: {victim} is damaged")
    code, _, err = dapt(*arguments, "--out", tmp_path / "b", "--skip-bad")
    assert code == 0
    assert "1 damaged or missing image is left out" in err


def test_mask_of_another_shape_names_both(train, table: Path) -> None:
    Image.new("L", (30, 40), 255).save(table.parent / "masks" / "red_square_0.png")
    message = train(table, "--dapt")
    assert "masks/red_square_0.png (30 x 40)" in message
    assert "images/red_square_0.png (48 x 40)" in message


def test_unreadable_mask(train, table: Path) -> None:
    (table.parent / "masks" / "red_square_0.png").write_bytes(b"no picture")
    assert "masks/red_square_0.png cannot be read" in train(table, "--dapt")
    assert "1 unreadable" in train(table, "--dapt", "--skip-bad", code=0)


def test_black_and_missing_masks_are_counted(train, table: Path) -> None:
    Image.new("L", (48, 40), 0).save(table.parent / "masks" / "red_square_0.png")
    edit(table, 1, mask="")
    message = train(table, "--dapt", code=0)
    assert "the DAPT terms skip 2 images (1 empty, 1 without a file)" in message


def test_no_masks_at_all(train, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "None of the images has a mask" in train(photos, "--dapt", "--masks", tmp_path / "empty")
    assert "no mask folder" in train(photos, "--dapt", "--masks", tmp_path / "absent")


@pytest.mark.parametrize(
    ("at", "values", "message"),
    [
        (2, {"split": "tset"}, "line 4: there is no split 'tset'"),
        (2, {"image": "../../secret.png"}, "lies outside the folder of the index"),
        (2, {"label": "x"}, "the label 'x' is not a number"),
    ],
)
def test_csv_mistakes(train, table: Path, at: int, values: dict, message: str) -> None:
    edit(table, at, **values)
    assert message in train(table)


def test_csv_without_needed_columns(train, tmp_path: Path) -> None:
    path = tmp_path / "photos.csv"
    path.write_text("what,label\na,0\n")
    assert "no 'image' column" in train(path)
    path.write_text("image,note\na.png,x\n")
    assert "neither a 'label' nor a 'classname' column" in train(path)
    path.write_text("image,label\n")
    assert "no rows" in train(path)


def test_more_shots_than_images_uses_all(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    code, _, err = dapt(
        "train", table, "--model", tiny_spec, "--depth", 3, "--shots", 16, "--epochs", 1, "--out", tmp_path / "r"
    )
    assert code == 0
    assert "fewer than 16 training images" in err
    assert "all of theirs are used" in err


def test_model_pickle_with_code_is_never_executed(train, table: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "executed").touch, ())

    path = tmp_path / "evil.pt"
    torch.save({"state_dict": Evil()}, path)
    assert "never run" in train(table, model=f"ViT-B-32:{path}")
    assert not (tmp_path / "executed").exists()


def test_resume_state_with_code_is_never_executed(dapt, arguments: list[object], tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "executed").touch, ())

    assert dapt(*arguments)[0] == 0
    (tmp_path / "r" / "results.json").unlink()
    (tmp_path / "r" / "last.ckpt").write_bytes(pickle.dumps({"epoch": Evil()}))
    code, _, err = dapt(*arguments, "--resume")
    assert code == 2
    assert "was refused" in err
    assert not (tmp_path / "executed").exists()


def test_existing_output_folder(dapt, arguments: list[object], tmp_path: Path) -> None:
    assert dapt(*arguments)[0] == 0
    before = (tmp_path / "r" / "results.json").read_text()
    code, _, err = dapt(*arguments)
    assert code == 2
    assert "holds a finished run" in err
    assert "--overwrite" in err
    assert (tmp_path / "r" / "results.json").read_text() == before
    code, _, err = dapt(*arguments, "--resume")
    assert code == 0
    assert "finished already" in err
    code, _, err = dapt(*arguments, "--resume", "--lr", 0.5)
    assert code == 2
    assert "was started with lr=0.0035, now it is 0.5" in err
    assert dapt(*arguments, "--overwrite")[0] == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not delete")
    code, _, err = dapt(*arguments[:-1], tmp_path / "mine", "--overwrite")
    assert code == 2
    assert "not a run folder" in err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "do not delete"


def test_wrong_backbone_is_refused_with_both_named(
    dapt, arguments: list[object], tiny_spec: str, tmp_path: Path
) -> None:
    from helpers import save_tiny_model

    out = tmp_path / "r"
    arguments[arguments.index("demo")] = tiny_spec  # two of one shape
    assert dapt(*arguments)[0] == 0
    other = save_tiny_model(tmp_path / "other", seed=5)
    code, _, err = dapt("eval", out, "--model", other)
    assert code == 2
    assert tiny_spec in err
    assert other in err
    assert "weights are different" in err


def test_other_classes_for_class_specific_prompts(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "r"
    arguments = ["train", table, "--model", tiny_spec, "--method", "coop.csc", "--n-ctx", 2]
    assert dapt(*arguments, "--epochs", 1, "--shots", 4, "--out", out)[0] == 0
    image = table.parent / "images" / "red_square_0.png"
    code, _, err = dapt("predict", out, image, "--classes", "cat,dog")
    assert code == 2
    assert "one context per training class" in err


DISK_FULL = """
import resource, signal, sys
from dapt.cli.app import run
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import dapt.runs.evaluate_run  # imports may write caches; the limit comes after them
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.long
def test_disk_full_keeps_the_old_file(dapt, arguments: list[object], tmp_path: Path) -> None:
    """A file-size limit stands in for a full disk: the write fails half-way."""
    out = tmp_path / "r"
    assert dapt(*arguments)[0] == 0
    target = tmp_path / "figures.json"
    assert dapt("eval", out, "--json", target)[0] == 0
    before = target.read_text()
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, "eval", str(out), "--json", str(target), "-q"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2, done.stderr
    assert f"Could not write {target}" in done.stderr
    assert target.read_text() == before
    assert [path.name for path in tmp_path.glob(".figures*")] == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 64


def test_prediction_mistakes(dapt, arguments: list[object], table: Path, tmp_path: Path) -> None:
    out = tmp_path / "r"
    assert dapt(*arguments)[0] == 0
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no jpeg")
    for images, message in (
        ([tmp_path / "absent.jpg"], "no image or folder"),
        ([broken], "broken.jpg is damaged"),
        ([broken, "--format", "xml"], "no format 'xml'"),
    ):
        code, _, err = dapt("predict", out, *images)
        assert code == 2
        assert message in err
    good = table.parent / "images" / "red_square_0.png"
    code, printed, err = dapt("predict", out, broken, good, "--skip-bad", "--format", "csv", "--top", 1)
    assert code == 0
    assert "1 damaged image was left out" in err
    assert len(printed.strip().splitlines()) == 2


def test_eval_mistakes(dapt, arguments: list[object], tmp_path: Path) -> None:
    out = tmp_path / "r"
    assert dapt(*arguments)[0] == 0
    for extra, message in (
        (["--split", "tset"], "Did you mean 'test'"),
        (["--classes", "red sqare"], "Did you mean 'red square'"),
        (["--mask-format", "colour"], "no mask format"),
        ([make_csv(tmp_path / "other", classes=2).parent / "absent"], "There is no data"),
    ):
        code, _, err = dapt("eval", out, *extra)
        assert code == 2
        assert message in err
