"""Predictions in files: whole, in UTF-8, and over nothing of others."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.model.predictor import Prediction
from dapt.runs.predict import print_predictions
from dapt.runs.write_predictions import as_csv, check_predictions_file, output_kind, write_predictions

NAMES = [Prediction(Path("für/猫.png"), ("кот", "café"), (0.75, 0.25))]


def test_a_csv_is_utf8_whatever_the_terminal_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "p.csv"
    write_predictions(NAMES, out, "csv")
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8"))))
    assert [(row["image"], row["class"]) for row in rows] == [("für/猫.png", "кот"), ("für/猫.png", "café")]
    assert "warning" not in capsys.readouterr().err


def test_json_has_every_name_exactly(tmp_path: Path) -> None:
    odd = [*NAMES, Prediction(Path("a\n\udcff.png"), ("x\x1by",), (1.0,))]
    write_predictions(odd, tmp_path / "p.json", "json")
    found = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert [each["image"] for each in found] == ["für/猫.png", "a\n\udcff.png"]
    assert found[1]["predictions"][0]["class"] == "x\x1by"


def test_undecodable_names_in_a_csv_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_predictions([Prediction(Path("\udcff.png"), ("x",), (1.0,))], tmp_path / "p.csv", "csv")
    assert "\\udcff.png,1,x" in (tmp_path / "p.csv").read_text("utf-8")
    assert "1 name stands in the CSV with escapes" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["table", "csv"])
def test_what_a_terminal_cannot_show_is_said(output: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = io.TextIOWrapper(io.BytesIO(), "cp1252", errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", stream)
    print_predictions(NAMES, output)
    stream.flush()
    text = stream.buffer.getvalue().decode("cp1252")
    assert "für/\\u732b.png" in text
    assert "café" in text
    assert "?" not in text
    assert "2 names have letters that the encoding of this output (cp1252) lacks" in capsys.readouterr().err


def test_nothing_is_said_where_all_can_be_shown(capsys) -> None:
    _, notes = as_csv(NAMES)
    notes.tell()
    assert capsys.readouterr().err == ""


def test_formats() -> None:
    assert output_kind(Path("a.CSV"), "table") == "csv"
    assert output_kind(Path("a.json"), "table") == "json"
    assert output_kind(Path("a.txt"), "json") == "json"
    with pytest.raises(ConfigError, match="no table"):
        output_kind(Path("a.txt"), "table")


@pytest.mark.parametrize(
    "content", [b"", b"image,label\n", b"[]", b'{"a": 1}', b'[{"image": "a"}]', b"image,rank,class,prob"]
)
def test_files_of_others(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(ConfigError, match="dapt did not write it"):
        check_predictions_file(tmp_path / "p.csv", tmp_path / "run", [])


def test_other_places(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").touch()
    out = tmp_path / "p.csv"
    for kind in ("csv", "json"):
        write_predictions(NAMES, out, kind)
        check_predictions_file(out, tmp_path / "run", [tmp_path / "photos"])
    for place, images in (("photos/p.csv", ["photos"]), ("photos/a.png", ["photos/a.png"])):
        with pytest.raises(ConfigError, match=r"lies within the input|which is read"):
            check_predictions_file(tmp_path / place, tmp_path / "run", [tmp_path / name for name in images])
    (tmp_path / "link.csv").symlink_to(out)
    with pytest.raises(ConfigError, match="is a link"):
        check_predictions_file(tmp_path / "link.csv", tmp_path / "run", [])
