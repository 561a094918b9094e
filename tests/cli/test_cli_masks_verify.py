"""`dapt masks verify`: its arguments and its two exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image


def test_good_masks_are_exit_code_zero(dapt, table: Path, tmp_path: Path) -> None:
    code, out, err = dapt("masks", "verify", table, "--split", "val", "--json", tmp_path / "f.json")
    assert code == 0, err
    assert "usable: 8 of 8 images" in out
    assert json.loads((tmp_path / "f.json").read_text())["split"] == "val"


def test_what_training_refuses_is_shown_and_exit_code_two(dapt, table: Path) -> None:
    Image.new("L", (40, 48), 255).save(table.parent / "masks" / "red_square_2.png")
    code, out, err = dapt("masks", "verify", table, "--split", "val")
    assert code == 2
    assert "wrong shape (1): images/red_square_2.png" in out
    assert "1 of 8 masks cannot be used" in err
    assert dapt("masks", "verify", table, "--split", "val", "--skip-bad")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--masks", "/nowhere"], "There is no mask folder /nowhere"),
        (["--mask-format", "x"], "There is no mask format 'x'"),
        (["--split", "vall"], "has no split 'vall'"),
    ],
)
def test_mistakes(dapt, table: Path, arguments: list[str], message: str) -> None:
    code, out, err = dapt("masks", "verify", table, *arguments)
    assert (code, out) == (2, "")
    assert message in err
