"""`dapt train hf:...` through the command line, on data sets saved on disk."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

datasets = pytest.importorskip("datasets")

from hub_data import save, with_classes  # noqa: E402


@pytest.fixture
def train(dapt, tiny_spec: str, tmp_path: Path):
    """`dapt train` on the tiny model, data root and run folder in tmp_path."""

    def call(data: object, *arguments: object) -> tuple[int, str]:
        code, _, err = dapt(
            "train", data, "--root", tmp_path / "root", "--model", tiny_spec, "--depth", 3, "--epochs", 1, "--shots", 4,
            "--device", "cpu", "--out", tmp_path / "run", *arguments,
        )  # fmt: skip
        assert "Traceback" not in err
        return code, err

    return call


def test_train_and_evaluate(train, dapt, tmp_path: Path) -> None:
    parts = {"train": with_classes(24), "validation": with_classes(8, first=50), "test": with_classes(16, first=90)}
    path = save(datasets.DatasetDict(parts), tmp_path / "drawings")
    code, err = train(path)
    assert code == 0, err
    assert "Writing 48 images" in err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["counts"]["train"], results["counts"]["val"], results["counts"]["test"]) == (16, 8, 16)
    assert 0 <= results["metrics"]["test/accuracy"] <= 100
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    assert "images/train/" in json.dumps(split)
    code, _, err = dapt("eval", tmp_path / "run")
    assert code == 0, err
    assert "was written to" in err
    again = next((tmp_path / "run" / "eval").glob("*.json"))
    assert json.loads(again.read_text())["metrics"]["test/accuracy"] == results["metrics"]["test/accuracy"]


def test_masks_of_the_data_set_are_cues(train, tmp_path: Path) -> None:
    path = save(with_classes(40, "mask"), tmp_path / "drawings")
    code, err = train(path, "--dapt", "--cue", "dataset")
    assert code == 0, err
    first = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert {"L_v"} <= set(first)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["metrics"]["cue/foreground_attention"] is not None


def test_mistakes(train, photos: Path, tmp_path: Path) -> None:
    unlabelled = save(with_classes(8).remove_columns("label"), tmp_path / "unlabelled")
    for data, message in (
        (f"hf:{photos}", "leave out 'hf:'"),
        ("hf:/no/such/place", "There is no folder '/no/such/place'"),
        (unlabelled, "no column of classes"),
        (f"{unlabelled}?label=", "no labelled training images"),
        (f"{unlabelled}?labl=image", "Did you mean 'label'"),
    ):
        code, err = train(data)
        assert code == 2, err
        assert message in err
        assert not (tmp_path / "run").exists()
    damaged = with_classes(8).cast_column("image", datasets.Image(decode=False)).to_dict()
    for value in damaged["image"]:
        value["bytes"] = value["bytes"][:100]
    features = with_classes(8).features
    code, err = train(save(datasets.Dataset.from_dict(damaged, features=features), tmp_path / "damaged"))
    assert code == 2
    assert "damaged" in err
    assert not (tmp_path / "run").exists()


PROGRAM = """
import sys
import datasets
from pathlib import Path
real = datasets.load_dataset_builder
folder = Path(sys.argv[1])
datasets.load_dataset_builder = lambda *_, **__: real(
    "parquet", data_files=str(folder / "train.parquet"), cache_dir=str(folder / "cache")
)
import dapt.data.hub.read_hub as hub
hub._download_size = lambda *_: "12.3 MB"
from dapt.data.resolve import load_data
data = load_data("hf:owner/drawings", root=str(folder / "root"))
print(len(data.chosen("all")))
"""


@pytest.mark.parametrize(("answer", "agreed"), [(b"y\n", True), pytest.param(b"n\n", False, marks=pytest.mark.long)])
def test_question_in_a_real_terminal(tmp_path: Path, answer: bytes, agreed: bool) -> None:
    with_classes(20).to_parquet(str(tmp_path / "train.parquet"))
    environment = {name: value for name, value in os.environ.items() if name != "DAPT_YES"}
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(program, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 1000)
        assert b"12.3 MB" in shown
        os.write(ours, answer)
        while process.poll() is None:  # what a full terminal cannot take would stop the program
            try:
                shown += os.read(ours, 1000)
            except OSError:  # how Linux says that the other end is closed
                break
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(ours)
    assert (out.strip() == "20") == agreed, shown
    assert (b"Nothing was downloaded" in shown) != agreed
    assert (tmp_path / "root").exists() == agreed
