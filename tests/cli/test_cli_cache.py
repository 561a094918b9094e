"""`dapt cache`: a training keeps features, the next one reads them, and they can be removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import make_folder


@pytest.fixture
def train(dapt, tiny_spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAPT_FEATURES", str(tmp_path / "features"))
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "masks"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    photos = make_folder(tmp_path / "photos", per_class=4)

    def begin(out: str, method: str, *more: object) -> tuple[int, str, str]:
        given = ["train", photos, "--model", tiny_spec, "--method", method, "--shots", 2, "--device", "cpu"]
        return dapt(*given, "--no-baselines", "--out", tmp_path / out, *more)

    return begin


def test_kept_read_listed_removed(dapt, train, tmp_path: Path) -> None:
    code, _, err = train("one", "coop", "--epochs", 3, "--set", "features=on")
    assert code == 0, err
    assert "features of 3 views of" in err
    assert f"features: 0 files read, 10 written in {tmp_path / 'features'}" in err
    code, _, err = train("two", "kgcoop", "--epochs", 3, "--set", "features=auto")
    assert code == 0, err
    assert "features: 10 files read, 0 written" in err
    code, out, err = dapt("cache")
    assert code == 0, err
    assert "10 files  features" in out
    code, out, err = dapt("cache", "--json")
    (row,) = json.loads(out)["kept"]
    assert (row["kind"], row["files"]) == ("features", 10)
    assert row["bytes"] > 0
    code, out, err = dapt("cache", "--remove", "features")
    assert code == 0, err
    assert "removed" in err
    assert not list((tmp_path / "features").rglob("*.safetensors"))
    assert dapt("cache", "--json")[1].count("bytes") == 0


def test_which_library_multiplies(dapt, train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured by the clock of this machine, listed, removed, and measured anew."""
    monkeypatch.delenv("DAPT_LINEAR")
    monkeypatch.setattr("dapt.clip.linear_choice._known", {})
    code, _, err = train("one", "coop", "--epochs", 1)
    assert code == 0, err
    monkeypatch.setattr("dapt.clip.linear_choice._known", {})
    if "multiplies by the frozen weights (measured: " not in err:
        pytest.skip("one library on this machine")
    code, out, err = dapt("cache")
    assert code == 0, err
    assert "1 files  linear" in out
    assert f"linear in {tmp_path / 'cache' / 'dapt' / 'linear'}" in err
    assert "(measured earlier: " in train("two", "coop", "--epochs", 1)[2]
    code, out, _ = dapt("cache", "--remove", "linear", "--json")
    assert code == 0
    assert [row["kind"] for row in json.loads(out)["kept"]] == ["linear"]
    monkeypatch.setattr("dapt.clip.linear_choice._known", {})
    assert "(measured: " in train("three", "coop", "--epochs", 1)[2]


def test_mistakes(dapt, train) -> None:
    code, _, err = train("one", "maple", "--depth", 2, "--features", "on")
    assert code == 2
    assert "maple trains within the image tower" in err
    assert "features=auto" in err
    code, _, err = dapt("cache", "--remove", "feature")
    assert code == 2
    assert "Did you mean 'features'" in err
    code, _, err = train("two", "coop", "--set", "features=sometimes")
    assert code == 2
    assert "features" in err
