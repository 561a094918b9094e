"""`dapt.audit`: the same call as the command's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import dapt
from dapt.errors import DaptError


def test_an_audit_from_python(table: Path, tiny_spec: str, tmp_path: Path) -> None:
    found = dapt.audit(tiny_spec, table, out=tmp_path / "o", seed=5, device="cpu")
    assert found["seed"] == 5
    assert found["models"][0]["bg_gap"]["images"] == 8
    assert json.loads((tmp_path / "o" / "audit.json").read_text()) == found
    again = dapt.audit([tiny_spec], str(table), seed=5, device="cpu", limit=4)
    assert again["images"] == 4
    plain = tmp_path / "plain"
    plain.mkdir()
    for number in range(2):
        Image.new("RGB", (50, 40), (10, 200 + number, 10)).save(plain / f"{number}.png")
    lent = dapt.audit([tiny_spec], table, backgrounds=plain, device="cpu", limit=4)
    assert lent["backgrounds"]["images"] == 2


@pytest.mark.long
def test_a_cue_and_its_options(photos: Path, tiny_spec: str) -> None:
    found = dapt.audit([tiny_spec], photos, cue="gradcam", cue_options={"threshold": 0.4}, device="cpu", limit=8)
    assert found["masks"]["guessed"]
    assert found["masks"]["options"]["threshold"] == 0.4


def test_mistakes(table: Path) -> None:
    with pytest.raises(DaptError, match="no folder of a run"):
        dapt.audit("/nowhere/run", table)
    with pytest.raises(TypeError):
        dapt.audit("demo", table, spilt="test")
