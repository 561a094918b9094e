"""`dapt tune`: what it is given reaches the search."""

from __future__ import annotations

from pathlib import Path

from dapt.cli.app import run


def test_a_wrong_space_is_said(tmp_path: Path, capsys) -> None:
    file = tmp_path / "maple.yaml"
    file.write_text("data: photos\n")
    assert run(["tune", str(file), "--space", "lr=2..1"]) == 2
    assert "the lower end comes first" in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys) -> None:
    assert run(["tune", str(tmp_path / "absent.yaml")]) == 2
    assert "absent.yaml" in capsys.readouterr().err
