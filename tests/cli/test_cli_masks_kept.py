"""`dapt masks kept`: what it lists where nothing is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_nothing_is_kept(dapt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPT_MASKS", str(tmp_path / "none"))
    code, out, err = dapt("masks", "kept")
    assert (code, out) == (0, "")
    assert f"0 stores of masks kept, 0.0 MB, in {tmp_path / 'none'}" in err
    assert dapt("masks", "kept", "--remove", "all")[0] == 0
    code, out, _ = dapt("masks", "kept", "--json")
    assert json.loads(out) == {"folder": str(tmp_path / "none"), "removed": False, "stores": []}


def test_what_is_removed_is_named(dapt, caught) -> None:
    calls = caught("dapt.runs.mask_stores.remove_stores", [])
    assert dapt("masks", "kept", "--remove", "x")[0] == 0
    assert calls == [(("x",), {})]
