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


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", per_class=4)


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
    monkeypatch.setattr("dapt.runs.write_features.PART", 4)

    def stop(self: FeatureParts, number: int, part: object) -> None:
        if number:
            raise KeyboardInterrupt
        keep(self, number, part)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureParts, "keep", stop)
        code, _, err = dapt(*given, "--batch-size", 4)
    assert code == 130
    assert "--resume" in err
    code, _, err = dapt(*given, "--batch-size", 4)
    assert code == 2
    assert "Pass --resume to go on with it" in " ".join(err.split())
    code, _, err = dapt(*given, "--batch-size", 4, "--resume")
    assert code == 0, err
    assert len(pd.read_parquet(tmp_path / "f.parquet")) == 16
    code, _, err = dapt(*given)
    assert code == 2
    assert "--overwrite" in err


def test_every_option_is_handed_on(dapt, caught, tmp_path: Path) -> None:
    calls = caught("dapt.runs.write_features.write_features")
    plain = ["features", "photos", "--out", tmp_path / "f.parquet"]
    given = ["--model", "demo", "--run", "r", "--split", "val", "--dtype", "float16", "--raw", "--batch-size", 7]
    given += ["--workers", 3, "--names", "n", "--root", "d", "--own-split", "--skip-bad", "--device", "cpu"]
    assert dapt(*plain)[0] == dapt(*plain, *given, "--precision", "bf16", "--resume")[0] == 0
    (default, named), (_, options) = calls
    assert default == ("photos", tmp_path / "f.parquet")
    assert {key: value for key, value in named.items() if value} == {
        "split": "all",
        "dtype": "float32",
        "batch_size": 100,
        "device": "auto",
    }
    assert options == {
        **{"model_spec": "demo", "run": Path("r"), "split": "val", "dtype": "float16", "raw": True, "batch_size": 7},
        **{"workers": 3, "names": "n", "root": "d", "own_split": True, "skip_bad": True, "device": "cpu"},
        **{"precision": "bf16", "overwrite": False, "resume": True},
    }


def test_the_example_of_the_docs(dapt, photos: Path, tiny_spec: str, tmp_path: Path, monkeypatch, capsys) -> None:
    page = (REPOSITORY / "docs" / "features.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for name in ("photos.safetensors", "photos.parquet"):
        assert dapt("features", photos, "--model", tiny_spec, "--out", tmp_path / name, "--device", "cpu")[0] == 0
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert re.fullmatch(rf"nearest neighbour: [01]\.\d+\n{re.escape(tiny_spec)}\n", capsys.readouterr().out)
