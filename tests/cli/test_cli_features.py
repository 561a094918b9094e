"""`dapt features` from end to end."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers import REPOSITORY, make_folder

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")


def test_both_kinds_hold_the_same(dapt, table: Path, tiny_spec: str, tmp_path: Path) -> None:
    for name in ("f.safetensors", "f.parquet"):
        code, _, err = dapt("features", table, "--model", tiny_spec, "--out", tmp_path / name, "--device", "cpu")
        assert code == 0, err
        assert "32 images with 32 numbers of float32: 0.0 MB" in " ".join(err.split())
    tensors, frame = load_file(tmp_path / "f.safetensors"), pd.read_parquet(tmp_path / "f.parquet")
    assert np.array_equal(np.stack(frame["feature"]), tensors["features"])
    assert np.array_equal(frame["label"], tensors["labels"])
    with (tmp_path / "f.csv").open(newline="") as file:
        names = list(csv.DictReader(file))
    for key in ("image", "classname", "split"):
        assert frame[key].tolist() == [row[key] for row in names]
    assert set(frame["split"]) == {"train", "val", "test"}


def test_interrupted_and_resumed(dapt, photos: Path, tiny_spec: str, tmp_path: Path, monkeypatch) -> None:
    from dapt.runs.feature_parts import FeatureParts

    given = ["features", photos, "--model", tiny_spec, "--out", tmp_path / "f.parquet", "--device", "cpu"]
    keep = FeatureParts.keep
    monkeypatch.setattr("dapt.runs.write_features.PART", 8)

    def stop(self: FeatureParts, number: int, part: object) -> None:
        if number:
            raise KeyboardInterrupt
        keep(self, number, part)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureParts, "keep", stop)
        code, _, err = dapt(*given, "--batch-size", 8)
    assert code == 130
    assert "--resume" in err
    code, _, err = dapt(*given, "--batch-size", 8)
    assert code == 2
    assert "Pass --resume to go on with it" in " ".join(err.split())
    code, _, err = dapt(*given, "--batch-size", 8, "--resume")
    assert code == 0, err
    assert len(pd.read_parquet(tmp_path / "f.parquet")) == 32
    code, _, err = dapt(*given)
    assert code == 2
    assert "--overwrite" in err


def test_features_of_a_run(dapt, tiny_spec: str, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", per_class=4, classes=2)
    given = ["--method", "vpt", "--depth", 2, "--shots", 1, "--epochs", 1, "--batch-size", 2, "--device", "cpu"]
    code, _, err = dapt("train", photos, "--model", tiny_spec, *given, "--out", tmp_path / "run")
    assert code == 0, err
    for name, how in (("plain", ["--model", tiny_spec]), ("tuned", ["--run", tmp_path / "run"])):
        out = tmp_path / f"{name}.safetensors"
        code, _, err = dapt("features", photos, *how, "--out", out, "--device", "cpu", "--quiet")
        assert (code, err) == (0, "")
    plain, tuned = (load_file(tmp_path / f"{name}.safetensors")["features"] for name in ("plain", "tuned"))
    assert plain.shape == tuned.shape == (8, 32)
    assert not np.allclose(plain, tuned)
    code, _, err = dapt("features", photos, "--run", tmp_path / "run", "--out", tmp_path / "run" / "f.parquet")
    assert code == 2
    assert "lies within the run" in err


def test_the_example_of_the_docs(dapt, photos: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    page = (REPOSITORY / "docs" / "features.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for name in ("photos.safetensors", "photos.parquet"):
        assert dapt("features", photos, "--model", "demo", "--out", tmp_path / name, "--device", "cpu")[0] == 0
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert re.fullmatch(r"nearest neighbour: [01]\.\d+\ndemo\n", capsys.readouterr().out)
