"""`dapt data import-fewshot`: what is refused before and after the cache is read; nothing is written then."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("cache", "out", "message"),
    [
        ("cache.pkl", "there.json", "exists already"),
        ("cache.pkl", "cache.pkl", "is the cache, which is read"),
        ("absent.pkl", "new.json", "absent.pkl"),
        ("cache.pkl", "new.json", "cache.pkl"),
        ("cache.pkl", "photos/red_square/new.json", "lies within the data"),
    ],
)
def test_mistakes(dapt, photos: Path, tmp_path: Path, cache: str, out: str, message: str) -> None:
    (tmp_path / "cache.pkl").write_bytes(pickle.dumps({"no": "few-shot cache"}))
    (tmp_path / "there.json").write_text("mine")
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    code, printed, err = dapt("data", "import-fewshot", tmp_path / cache, "--data", photos, "--out", tmp_path / out)
    assert (code, printed) == (2, "")
    assert message in err
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    assert (tmp_path / "there.json").read_text() == "mine"


@pytest.mark.parametrize("option", ["--data", "--out"])
def test_what_has_to_be_said(dapt, tmp_path: Path, option: str) -> None:
    other = {"--data": "--out", "--out": "--data"}[option]
    code, _, err = dapt("data", "import-fewshot", tmp_path / "cache.pkl", other, tmp_path / "x")
    assert code == 2
    assert f"Missing option '{option}'" in err
