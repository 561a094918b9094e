"""`dapt data verify`: 0 for what is complete and readable, 2 for what is not, in words or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from helpers import spoil_png


def test_complete_data_is_exit_code_zero(dapt, photos: Path) -> None:
    code, out, err = dapt("data", "verify", photos, "--decode")
    assert code == 0, err
    counts = dict(line.split() for line in out.splitlines() if len(line.split()) == 2)
    assert (counts["classes"], counts["train"], counts["val"], counts["test"]) == ("4", "16", "8", "8")
    assert out.endswith("All is as expected.\n")
    code, out, _ = dapt("data", "verify", photos, "--json")
    assert code == 0
    assert isinstance(json.loads(out), dict)


def test_damage_is_found_by_decoding_alone(dapt, photos: Path) -> None:
    spoil_png(photos / "red_square" / "03.png")
    assert dapt("data", "verify", photos)[0] == 0
    code, out, _ = dapt("data", "verify", photos, "--decode", "--json")
    assert code == 2
    assert "red_square/03.png" in json.dumps(json.loads(out))
    code, out, _ = dapt("data", "verify", photos, "--decode")
    assert code == 2
    assert "red_square/03.png" in out


def test_mistakes(dapt) -> None:
    code, out, err = dapt("data", "verify", "/nowhere")
    assert (code, out) == (2, "")
    assert "/nowhere" in err
