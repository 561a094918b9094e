"""Protocols and selection as a user types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.experiments.protocols.base import get_protocol
from dapt.experiments.protocols.cross_dataset import CROSS_DATASET
from dapt.experiments.protocols.data_efficient import FRACTIONS
from dapt.experiments.protocols.domain_generalisation import IMAGENET_VARIANTS
from dapt.experiments.protocols.few_shot import FEW_SHOTS
from dapt.runs.run_names import data_name
from helpers import make_csv, make_folder

SHORT = ("--method", "maple", "--n-ctx", 2, "--depth", 2, "--epochs", 1, "--quiet")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another data set with some of the classes."""
    return make_csv(tmp_path / "other", classes=2, first=100)


def rows(folder: Path) -> dict[str, dict[str, float | None]]:
    """Figures by row of protocol.json."""
    return {row["point"]: row["metrics"] for row in json.loads((folder / "protocol.json").read_text())["rows"]}


def test_few_shot_is_one_run_per_shot_count(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "few"
    code, shown, err = dapt(
        "train", table, "--model", tiny_spec, *SHORT, "--protocol", "few_shot", "--over", "1,2", "--out", out
    )
    assert code == 0, err
    assert list(rows(out)) == ["1 shots", "2 shots"]
    for count in (1, 2):
        results = json.loads((out / f"{count}shot" / "results.json").read_text())
        assert results["shots"] == count
        assert results["metrics"] == rows(out)[f"{count} shots"]
    assert "2 shots" in shown


def test_few_shot_takes_the_epochs_that_were_published_for_each_shot_count() -> None:
    plan = get_protocol("few_shot").plan({"data": "photos", "method": "coop"}, Path("out"))
    epochs = [plan.runs[f"{shots} shots"].epochs for shots in FEW_SHOTS]
    assert epochs == [50, 100, 100, 200, 200]


def test_a_point_named_twice() -> None:
    with pytest.raises(ConfigError, match="names 2 twice"):
        get_protocol("few_shot", ["1", "2", "2"])


def test_base_to_novel_gives_both_halves_and_their_mean(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "b2n"
    code, shown, err = dapt("train", table, "--model", tiny_spec, *SHORT, "--protocol", "base_to_novel", "--out", out)
    assert code == 0, err
    (metrics,) = rows(out).values()
    base, novel = metrics["test/accuracy_base"], metrics["test/accuracy_novel"]
    assert metrics["test/harmonic_mean"] == pytest.approx(2 * base * novel / (base + novel) if base + novel else 0)
    assert f"{metrics['test/harmonic_mean']:.2f}" in shown
    assert "test/harmonic_mean" in shown


def test_cross_dataset_trains_once_and_averages_the_targets(
    dapt, table: Path, other: Path, tiny_spec: str, tmp_path: Path
) -> None:
    out, photos = tmp_path / "xd", make_folder(tmp_path / "fresh" / "photos", first=200)
    code, shown, err = dapt(
        "train", table, "--model", tiny_spec, *SHORT, "--protocol", "cross_dataset", "--over", f"{other},{photos}",
        "--out", out,
    )  # fmt: skip
    assert code == 0, err
    found = rows(out)
    assert list(found) == ["table", "other", "photos"]
    average = json.loads((out / "protocol.json").read_text())["average"]
    expected = (found["other"]["test/accuracy"] + found["photos"]["test/accuracy"]) / 2
    assert average["test/accuracy"] == pytest.approx(expected)
    assert "average of 2" in shown
    # the same figures as dapt eval gives
    code, _, err = dapt(
        "eval", out / "source", other, "--split", "test", "--classes", "data", "--json", tmp_path / "again.json"
    )
    assert code == 0, err
    assert json.loads((tmp_path / "again.json").read_text())["metrics"] == found["other"]


def test_a_missing_target_is_found_before_training(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "xd"
    code, _, err = dapt(
        "train", table, "--model", tiny_spec, *SHORT, "--protocol", "cross_dataset", "--root", tmp_path / "empty",
        "--out", out,
    )  # fmt: skip
    assert code == 2
    assert f"{len(CROSS_DATASET)} of {len(CROSS_DATASET)} data sets" in err
    assert "dapt data download" in err
    assert not out.exists()


def test_data_efficient_goes_over_fractions(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "de"
    code, _, err = dapt(
        "train", table, "--model", tiny_spec, *SHORT, "--shots", 0, "--protocol", "data_efficient", "--over", "0.5,1",
        "--select", "herding", "--out", out,
    )  # fmt: skip
    assert code == 0, err
    assert list(rows(out)) == ["50%", "100%"]
    half = json.loads((out / "herding0.5" / "results.json").read_text())
    whole = json.loads((out / "herding1" / "results.json").read_text())
    assert half["coreset"]["fraction"] == 0.5
    assert whole["coreset"] is None
    assert half["counts"]["train"] < whole["counts"]["train"] == half["counts"]["train_candidates"]


def test_an_interrupted_protocol_goes_on(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "few"
    command = ("train", table, "--model", tiny_spec, *SHORT, "--protocol", "few_shot", "--over", "1,2", "--out", out)
    assert dapt(*command)[0] == 0
    before = rows(out)
    first = (out / "1shot" / "results.json").stat().st_mtime_ns
    (out / "protocol.json").unlink()
    shutil.rmtree(out / "2shot")
    assert dapt(*command)[0] == 2  # the folder exists
    code, _, err = dapt(*command, "--resume")
    assert code == 0, err
    assert rows(out) == before
    assert (out / "1shot" / "results.json").stat().st_mtime_ns == first
    code, _, err = dapt(*command, "--resume", "--lr", 0.5)
    assert code == 2
    assert "lr=" in err
    assert dapt(*command, "--overwrite", "--lr", 0.5)[0] == 0


def test_overwrite_leaves_other_folders_alone(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    keep = make_folder(tmp_path / "holiday")
    code, _, err = dapt(
        "train", table, "--model", tiny_spec, *SHORT, "--protocol", "few_shot", "--out", keep, "--overwrite"
    )
    assert code == 2
    assert "leaves it alone" in err
    assert any(keep.rglob("*.png"))


def test_overwrite_keeps_runs_of_others(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    assert dapt("train", table, "--model", tiny_spec, *SHORT, "--shots", 1, "--out", out / "mine")[0] == 0
    command = ("train", table, "--model", tiny_spec, *SHORT, "--protocol", "few_shot", "--over", "1", "--out", out)
    code, _, err = dapt(*command, "--overwrite")
    assert code == 2
    assert "(mine)" in err
    assert (out / "mine" / "results.json").is_file()


def test_overwrite_deletes_nothing_before_the_new_protocol_is_known_to_work(
    dapt, table: Path, tiny_spec: str, tmp_path: Path
) -> None:
    out = tmp_path / "few"
    command = ("--model", tiny_spec, *SHORT, "--protocol", "few_shot", "--out", out)
    assert dapt("train", table, *command, "--over", "1,2")[0] == 0
    before = rows(out)
    assert dapt("train", tmp_path / "misspelt", *command, "--over", "1", "--overwrite")[0] == 2
    assert rows(out) == before
    assert (out / "1shot" / "results.json").is_file()
    code, _, err = dapt("train", table, *command, "--over", "1", "--overwrite")
    assert code == 0, err
    assert list(rows(out)) == ["1 shots"]
    assert not (out / "2shot").exists(), "what the new protocol does not have is gone"


def test_resume_looks_at_the_targets_again(dapt, table: Path, other: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "xd"
    command = ("train", table, "--model", tiny_spec, *SHORT, "--protocol", "cross_dataset", "--out", out)
    assert dapt(*command, "--over", other)[0] == 0
    namesake = make_csv(tmp_path / "elsewhere" / "other", classes=4)
    code, _, err = dapt(*command, "--over", namesake, "--resume")
    assert code == 0, err
    assert dapt("eval", out / "source", namesake, "--json", tmp_path / "again.json")[0] == 0
    assert rows(out)["other"] == json.loads((tmp_path / "again.json").read_text())["metrics"]


def test_no_test_images_is_said_before_training(dapt, tiny_spec: str, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "all" / "train")
    code, _, err = dapt(
        "train", photos.parent, "--model", tiny_spec, *SHORT, "--protocol", "few_shot", "--out", tmp_path / "out"
    )
    assert code == 2
    assert "no labelled test images" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--protocol", "base-to-new"), "base_to_novel"),
        (("--protocol", "few_shot", "--over", "many"), "shots"),
        (("--protocol", "few_shot", "--subset", "base"), "all classes"),
        (("--protocol", "base_to_novel", "--over", "1"), "over nothing"),
        (("--protocol", "base_to_novel", "--method", "clap"), "belongs to its training classes"),
        (("--protocol", "domain_generalisation"), "of ImageNet"),
        (("--over", "1,2"), "--protocol"),
        (("--jobs", 2), "--protocol"),
        (("--protocol", "data_efficient", "--over", "50,100"), "0.5 for 50%"),
        (("--protocol", "data_efficient", "--over", "nan"), "between 0 and 1"),
        (("--protocol", "data_efficient", "--fraction", 0.5, "--select", "grand"), "--over"),
        (("--protocol", "few_shot", "--over", "0"), "an image per class"),
    ],
)
def test_mistakes(dapt, options: tuple[object, ...], words: str, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    code, _, err = dapt("train", table, "--model", tiny_spec, *options, "--out", tmp_path / "out")
    assert code == 2
    assert words in err
    assert not (tmp_path / "out").exists()


def test_published_points() -> None:
    assert FEW_SHOTS == (1, 2, 4, 8, 16)
    assert FRACTIONS == (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
    assert len(CROSS_DATASET) == 10
    plan = get_protocol("domain-generalisation").plan({"data": "imagenet", "method": "maple.cross"}, Path("out"))
    assert [step.data for step in plan.evaluations] == list(IMAGENET_VARIANTS)
    assert list(plan.runs) == ["imagenet"]
    assert data_name("hf:someone/photos?image=img") == "photos"


def test_select_writes_a_split_file_to_train_on(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out, sheet = tmp_path / "chosen.json", tmp_path / "chosen.jpg"
    code, _, err = dapt(
        "data", "select", table, "--model", tiny_spec, "--select", "grand", "--fraction", 0.5, "--out", out,
        "--preview", sheet, "--set", "n_ctx=2", "--set", "depth=2",
    )  # fmt: skip
    assert code == 0, err
    split = json.loads(out.read_text())
    assert split["selection"]["method"] == "grand"
    assert sheet.stat().st_size > 1000
    run = tmp_path / "run"
    command = ("train", table, "--model", tiny_spec, *SHORT, "--shots", 0)
    code, _, err = dapt(*command, "--split-file", out, "--out", run)
    assert code == 0, err
    used = json.loads((run / "split.json").read_text())
    assert [row[0] for row in used["train"]] == [row[0] for row in split["train"]]
    chosen = tmp_path / "chosen"
    code, _, err = dapt(*command, "--select", "grand", "--fraction", 0.5, "--out", chosen)
    assert code == 0, err
    chosen_by_run = json.loads((chosen / "split.json").read_text())["train"]
    assert [row[0] for row in chosen_by_run] == [row[0] for row in split["train"]]
    assert dapt("data", "select", table, "--select", "grand", "--fraction", 0.5, "--out", out)[0] == 2


def test_split_files_of_other_data_are_refused(dapt, table: Path, photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "chosen.json"
    # drawing at random needs no model, so none is named, let alone downloaded
    code, _, err = dapt("data", "select", table, "--select", "uniform", "--fraction", 0.5, "--out", out)
    assert code == 0, err
    code, _, err = dapt("train", photos, "--model", tiny_spec, *SHORT, "--split-file", out, "--out", tmp_path / "run")
    assert code == 2
    assert "images that photos does not have" in err


def test_the_command_that_select_prints_works(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "chosen.json"
    names = tmp_path / "names.txt"
    names.write_text("one\ntwo\nthree\nfour\n")
    code, _, err = dapt(
        "data", "select", table, "--select", "uniform", "--fraction", 0.5, "--subset", "base", "--shots", 4,
        "--set", f"names={names}", "--out", out,
    )  # fmt: skip
    assert code == 0, err
    printed = next(line for line in err.splitlines() if "train on it with" in line).split(": dapt ")[1].split()
    code, _, err = dapt(*printed, "--model", tiny_spec, *SHORT, "--out", tmp_path / "run")
    assert code == 0, err
    split, used = json.loads(out.read_text()), json.loads((tmp_path / "run" / "split.json").read_text())
    assert [row[0] for row in used["train"]] == [row[0] for row in split["train"]]
    assert {row[2] for row in used["train"]} == {"one", "two"}
    assert [row[0] for row in used["val"]] == [row[0] for row in split["val"]]
