"""Finished runs that are evaluated again, moved, or may not be written into."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from helpers import make_folder


@pytest.fixture
def train(tiny_spec: str) -> list[object]:
    """The beginning of a command that takes a second."""
    return ["train", "--model", tiny_spec, "--depth", 2, "--epochs", 1, "--shots", 2, "--quiet"]


@pytest.fixture
def run(dapt, train, photos: Path, tmp_path: Path) -> Path:
    """A finished run."""
    code, _, err = dapt(*train, photos, "--out", tmp_path / "run")
    assert code == 0, err
    return tmp_path / "run"


def figures(run: Path) -> dict[str, dict]:
    return {path.name: json.loads(path.read_text()) for path in sorted((run / "eval").glob("*.json"))}


@pytest.mark.long
def test_figures_of_other_data_with_the_same_name_are_kept(dapt, run: Path, tmp_path: Path) -> None:
    first, second = (make_folder(tmp_path / each / "birds", first=100) for each in "ab")
    (second / "red_square").rename(second / "crimson")
    for data in (first, second, first, second):
        code, _, err = dapt("eval", run, data)
        assert code == 0, err
    found = figures(run)
    assert sorted(each["asked"]["place"] for each in found.values()) == [str(first), str(second)]
    assert found["birds-test.json"]["asked"]["place"] == str(first)
    assert "holds the figures of something else and is kept" in err
    code, _, err = dapt("eval", run)
    assert code == 0, err
    assert dapt("eval", run)[0] == 0
    assert len(figures(run)) == 3


def test_how_much_of_other_data_is_looked_at_is_said(dapt, run: Path, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "holiday", first=100)
    code, _, err = dapt("eval", run, photos)
    assert code == 0, err
    assert "holiday: 32 of its 32 images are looked at, those of all splits, as it has no splits of its own." in err
    err = dapt("eval", run, photos, "--split", "test")[2]
    assert "holiday: the 8 images of the share that dapt would test on are looked at, not the 16 of train and 8" in err
    assert "are looked at" not in dapt("eval", run)[2]


def test_a_finished_run_is_called_so(dapt, train, run: Path, photos: Path) -> None:
    code, _, err = dapt(*train, photos, "--out", run)
    assert code == 2
    assert f"{run} exists and holds a finished run.\nPass --overwrite to train it again, or another --out." in err


def test_a_run_that_is_all_warm_up_says_so(dapt, train, photos: Path, tmp_path: Path) -> None:
    code, _, err = dapt(*train, photos, "--out", tmp_path / "a")
    assert code == 0
    assert "Every epoch of this run is warm-up, at the rate 1e-05" in err
    code, _, err = dapt(*train, photos, "--epochs", 2, "--out", tmp_path / "b")
    assert code == 0
    assert "warm-up" not in err


def test_paths_in_tables_keep_their_end(dapt, run: Path, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / ("a long name " * 8).strip() / "photos")
    code, out, err = dapt("predict", run, photos / "red_square" / "07.png", "--top", 1)
    assert code == 0, err
    assert "07.png" in "".join(line.split("│")[1].strip() for line in out.splitlines() if "│" in line)


def test_figures_of_long_lists_of_classes_are_told_apart(dapt, train, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos")
    plain = [f"a very long name of a class of images number {number}" for number in range(4)]
    for old, new in zip(sorted(photos.iterdir()), plain, strict=True):
        old.rename(photos / new)
    run = tmp_path / "run"
    assert dapt(*train, photos, "--out", run)[0] == 0
    for chosen in (plain[:2], plain[1:], plain[:1] + plain[2:]):
        code, _, err = dapt("eval", run, "--classes", ",".join(chosen))
        assert code == 0, err
    assert len(figures(run)) == 3


@pytest.mark.long
def test_the_configuration_of_a_moved_run_means_that_run(dapt, train, run: Path, photos: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    run.rename(moved)
    before = (moved / "results.json").read_bytes()
    code, _, err = dapt("train", "--config", moved / "run.yaml", "--resume")
    assert code == 0, err
    assert f"The run in {moved} was made in {run}; it is the one that is meant." in err
    assert not run.exists()
    code, _, err = dapt("train", "--config", moved / "run.yaml", "--seed", 7, "--overwrite")
    assert code == 0, err
    assert not run.exists()
    assert json.loads((moved / "results.json").read_text())["seed"] == 7
    assert (moved / "results.json").read_bytes() != before
    code, _, err = dapt("train", "--config", moved / "run.yaml", "--out", tmp_path / "new")  # an own folder wins
    assert code == 0, err
    assert (tmp_path / "new" / "results.json").is_file()


def test_a_run_that_cannot_be_written_into_says_so_at_once(dapt, run: Path, tmp_path, monkeypatch) -> None:
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: not (mode & os.W_OK and Path(path) == run) and real(path, mode, **more)
    )
    monkeypatch.setattr("dapt.runs.load_run.load_run", None)  # before anything is loaded
    code, _, err = dapt("eval", run)
    assert code == 2
    assert f"The run folder {run} cannot be written into." in err
    assert "--json FILE" in err
    monkeypatch.undo()
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: not (mode & os.W_OK and Path(path) == run) and real(path, mode, **more)
    )
    assert dapt("eval", run, "--json", tmp_path / "figures.json")[0] == 0


def test_a_run_whose_split_was_removed_is_not_tested_on_what_it_was_trained_on(dapt, run: Path, tmp_path) -> None:
    (run / "split.json").unlink()
    code, _, err = dapt("eval", run)
    assert code == 2
    assert "split.json" in err
    (run / ".dapt.json").unlink()  # as version 0.1.0 left it
    shutil.rmtree(run / "eval", ignore_errors=True)
    assert dapt("eval", run)[0] == 0
