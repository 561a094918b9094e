"""Nothing old is passed off as new: changed inputs, exchanged files, other protocols, options that alter figures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from helpers import make_folder


@pytest.fixture
def train(tiny_spec: str) -> list[object]:
    """The beginning of a command that takes a second."""
    return ["train", "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 2, "--quiet"]


def refused(dapt, words: str, *command: object) -> None:
    code, _, err = dapt(*command)
    assert code == 2, err
    assert words in err
    assert "Traceback" not in err


def done(dapt, *command: object) -> str:
    code, _, err = dapt(*command)
    assert code == 0, err
    return err


def blacken(photos: Path) -> None:
    for number, path in enumerate(sorted(photos.rglob("*.png"))):
        with Image.open(path) as picture:
            size = picture.size
        Image.new("RGB", size).save(path, dpi=(number + 1, 1))  # their bytes differ: equal ones stop a run


def test_a_finished_run_on_changed_images_is_not_passed_off(dapt, train, photos: Path, tmp_path: Path) -> None:
    command = [*train, photos, "--out", tmp_path / "run"]
    done(dapt, *command)
    done(dapt, *command, "--resume")
    blacken(photos)
    refused(dapt, "have changed since the run", *command, "--resume")


def test_a_protocol_does_not_mix_old_and_new_data(dapt, train, photos: Path, tmp_path: Path) -> None:
    command = [*train, photos, "--protocol", "few_shot", "--out", tmp_path / "protocol"]
    done(dapt, *command, "--over", "1")
    blacken(photos)
    refused(dapt, "have changed since the run", *command, "--over", "1,2", "--resume")


@pytest.mark.long
def test_a_protocol_goes_on_with_more_points_only(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "protocol"
    command = [*train, photos, "--protocol", "few_shot", "--out", out]
    done(dapt, *command, "--over", "1,2")
    before = (out / "protocol.json").read_bytes()
    refused(dapt, "few_shot with the point 1 shots, which is not asked for now", *command, "--over", "2", "--resume")
    other = [*train[:-3], "--quiet", photos, "--protocol", "data_efficient", "--over", "0.5", "--out", out]
    refused(dapt, "protocol.json holds the protocol few_shot", *other, "--resume")
    assert (out / "protocol.json").read_bytes() == before
    done(dapt, *command, "--over", "1,2,4", "--resume")
    done(dapt, *command, "--over", "2", "--overwrite")
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["2shot"]


def test_exchanged_prompts_are_refused(dapt, train, photos: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    done(dapt, *train, photos, "--out", one)
    done(dapt, *train, photos, "--seed", 2, "--out", other)
    shutil.copy(other / "prompts.safetensors", one)
    image = photos / "red_square" / "00.png"
    for command in (["eval", one], ["predict", one, image], ["masks", photos, "--run", one, "--out", tmp_path / "m"]):
        refused(dapt, "prompts.safetensors is not as dapt wrote it", *command)


def test_own_data_by_name_is_not_tested_on_what_was_trained_on(dapt, train, photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done(dapt, *train, photos, "--shots", 0, "--out", run)
    extra = make_folder(tmp_path / "extra", per_class=16)
    for path in extra.rglob("*.png"):
        target = photos / path.relative_to(extra)
        if not target.exists():
            shutil.copy(path, target)
    for more in ([], [photos], [photos.parent / "." / photos.name]):
        refused(dapt, "images of photos were trained on", "eval", run, *more)


def test_figures_of_other_options_are_kept_apart(dapt, train, table: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done(dapt, *train, table, "--out", run)
    for options in (["--mask-format", "binary"], ["--mask-format", "labels"], ["--mask-format", "binary"]):
        done(dapt, "eval", run, *options)
    found = [json.loads(path.read_text()) for path in (run / "eval").glob("*.json")]
    assert sorted(each["asked"]["mask_format"] for each in found) == ["binary", "labels"]


def test_pictures_and_masks_do_not_land_in_the_data_of_a_run(dapt, train, table: Path, photos: Path, tmp_path) -> None:
    of_table, of_photos = tmp_path / "of_table", tmp_path / "of_photos"
    done(dapt, *train, table, "--out", of_table)
    done(dapt, *train, photos, "--out", of_photos)
    image = Path(shutil.copy(photos / "red_square" / "00.png", tmp_path / "new.png"))
    refused(dapt, "lies within", "predict", of_table, image, "--explain", table.parent / "images")
    refused(dapt, "lies within", "predict", of_photos, image, "--explain", photos / "red_square")
    refused(dapt, "lies within", "predict", of_photos, image, "--explain", photos / "new")
    command = ["masks", table, "--run", of_photos, "--out", photos / "masks"]
    refused(dapt, "lies within the data of the run", *command)
    assert not (photos / "masks").exists()


def test_nothing_else_goes_into_the_folder_of_a_protocol(dapt, train, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "protocol"
    command = [*train, photos, "--protocol", "few_shot", "--over", "1", "--out", out]
    done(dapt, *command)
    refused(dapt, "which dapt fills", "masks", photos, "--cue", "random", "--out", out / "masks")
    refused(dapt, "which dapt fills", *train, photos, "--out", out / "mine")
    done(dapt, *train, photos, "--shots", 1, "--out", out / "1shot", "--resume")  # one of its own
    done(dapt, *command, "--overwrite")


def test_a_project_with_files_called_like_those_of_a_run(dapt, train, photos: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "run.yaml").write_text("method: coop\n")
    select = ["data", "select", photos, "--select", "uniform", "--fraction", 0.5, "--out", project / "split.json"]
    done(dapt, *select, "--model", train[2])
    files = ["--config", project / "run.yaml", "--split-file", project / "split.json", "--shots", 0]
    done(dapt, "train", photos, "--model", train[2], "--epochs", 1, *files, "--out", project / "runs" / "a")


def test_a_folder_with_an_index_may_hold_its_runs(dapt, train, table: Path, monkeypatch) -> None:
    monkeypatch.chdir(table.parent)
    done(dapt, *train, ".")
    refused(dapt, "index.csv", *train, ".", "--out", ".", "--overwrite")
    refused(dapt, "of the data", *train, ".", "--out", "images/x")


def test_a_long_name_of_data(dapt, train, photos: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    long = photos.rename(photos.parent / ("n" * 245))
    done(dapt, *train, long)
