"""Features on disk: what their names depend on, and what happens to files that cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from dapt.training.feature_bank import ABOUT, FeatureBank, fits_half, rounded

MADE_WITH = {"backbone": "b", "precision": "32"}


def bank(folder: Path, **changes: str) -> FeatureBank:
    return FeatureBank(folder, {**MADE_WITH, **changes})


def test_a_name_for_everything_that_decides_the_rows(tmp_path: Path) -> None:
    one = bank(tmp_path)
    names = {
        one.key(["x", "y"], {"number": 0}),
        one.key(["y", "x"], {"number": 0}),
        one.key(["x"], {"number": 0}),
        one.key(["x", "y"], {"number": 1}),
        bank(tmp_path, precision="16").key(["x", "y"], {"number": 0}),
    }
    assert len(names) == 5
    assert one.key(["x", "y"], {"a": 1, "number": 0}) == bank(tmp_path).key(["x", "y"], {"number": 0, "a": 1})


def test_rows_come_back_as_they_are_used(tmp_path: Path) -> None:
    one = bank(tmp_path)
    features = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    usable = torch.tensor([True, False, True, True, False])
    one.save("ab" + 30 * "0", {"full": rounded(features), "usable": usable}, {"number": 3})
    found = bank(tmp_path).load("ab" + 30 * "0", 5)
    assert torch.equal(found["full"], rounded(features))
    assert found["full"].dtype == torch.float32
    assert torch.allclose(found["full"], features, rtol=1e-3)
    assert torch.equal(found["usable"], usable)
    (path,) = tmp_path.rglob("*.safetensors")
    assert path.parent.name == "ab"
    with safe_open(path, framework="pt") as opened:
        assert opened.get_tensor("full").dtype == torch.float16
        assert json.loads(opened.metadata()[ABOUT]) == {**MADE_WITH, "number": 3}
    assert (one.made, one.read) == (1, 0)
    assert one.has("ab" + 30 * "0")
    assert not one.has("ac" + 30 * "0")


def test_numbers_beyond_half_precision_are_kept_as_they_are(tmp_path: Path) -> None:
    one, features = bank(tmp_path), torch.tensor([[1e6, 1.00001]])
    assert not fits_half(features)
    one.save(32 * "0", {"full": rounded(features)}, {})
    assert torch.equal(one.load(32 * "0", 1)["full"], features)


def test_a_damaged_file_is_said_and_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = bank(tmp_path)
    one.save(32 * "1", {"full": torch.ones(2, 3)}, {})
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:20])
    assert one.load(32 * "1", 2) == {}
    assert "is damaged" in capsys.readouterr().err
    one.save(32 * "1", {"full": torch.ones(2, 3)}, {})
    assert torch.equal(one.load(32 * "1", 2)["full"], torch.ones(2, 3))
    assert one.load(32 * "1", 3) == {}, "it is of other images"


@pytest.mark.skipif(os.name == "nt", reason="a file stands where a folder should be")
def test_a_place_that_cannot_be_written_to_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    one = bank(place)
    for key in (32 * "2", 32 * "3"):
        one.save(key, {"full": torch.ones(2, 3)}, {})
    assert capsys.readouterr().err.count("Features are not kept") == 1
    assert one.made == 0
