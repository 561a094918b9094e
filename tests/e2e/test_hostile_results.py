"""Results of runs on data with hostile names: tables show them, files hold them exactly."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from dapt.demo.setting import DemoSettings
from dapt.demo.table import print_table as print_demo
from dapt.experiments.run_protocol import print_protocol
from dapt.results import ProtocolResults, Row
from hostile import COLOUR, FORGED, TITLE, UNDECODABLE, raw

SHORT = ["--model", "demo", "--depth", 3, "--epochs", 1, "--shots", 4]


def check(found: tuple[int, str, str], code: int = 0) -> str:
    """Both outputs of a command, if it ended as expected and they hold nothing raw and no forged line."""
    assert found[0] == code, found
    for text in found[1:]:
        assert raw(text) == []
        assert not any(line.startswith("warning: all good") for line in text.split("\n")), text
    return found[1] + found[2]


def test_evaluation(dapt, photos: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "o\x1b]0;x\x07th\ner"
    shutil.copytree(photos, hostile)
    (hostile / "red_square").rename(hostile / FORGED)
    run = tmp_path / "r"
    shown = check(dapt("train", hostile, *SHORT, "--out", run))
    assert f"\nresults in {run}\n" in shown, "lines of ours stay lines"
    assert "\\x1b]0;x" in check(dapt("eval", run, "--json", tmp_path / "e\x1b[2J.json"))
    assert "\\x1b]0;x" in check(dapt("eval", run, hostile))
    check(dapt("eval", run, "--classes", "no\x1b[31m\nsuch"), 2)


@pytest.mark.long
@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="file names are always decodable here")
def test_undecodable_names_all_the_way(dapt, photos: Path, tmp_path: Path) -> None:
    """A class folder and its images: trained on, evaluated, resumed, masks written."""
    data = photos
    (data / "red_square").rename(data / os.fsdecode(b"r\xe9d"))
    for path in sorted(data.rglob("00.png")):
        path.rename(path.parent / UNDECODABLE)
    run = tmp_path / "r"
    shown = check(dapt("train", data, *SHORT, "--out", run, "--shots", 5))
    assert "class names hold undecodable bytes" in shown
    split = json.loads((run / "split.json").read_text(encoding="utf-8"))
    listed = [name for part in ("train", "val", "test") for name, _, _ in split[part]]
    assert all((data / name).is_file() for name in listed), "the file has the names exactly"
    assert any("\udcff" in name for name in listed)
    check(dapt("eval", run))
    (run / "results.json").unlink()
    check(dapt("train", data, *SHORT, "--out", run, "--shots", 5, "--resume"))
    out = tmp_path / "masks"
    check(dapt("masks", data, "--model", "demo", "--out", out))
    check(dapt("masks", "verify", data, "--masks", out, "--json", tmp_path / "v.json"))


def test_tables_of_protocols_and_of_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    row = Row(point=f"{COLOUR} :cat: [b]", run="r", metrics={"test/accuracy": 50.0})
    about = {"protocol": TITLE, "source": "", "method": FORGED, "backbone": "b", "data": "d"}
    for rows in ([row], [row, row]):
        print_protocol(ProtocolResults(**about, dapt=True, seed=1, rows=rows, average={}, averaged=[]))
    text = capsys.readouterr().out
    assert raw(text) == []
    assert text.count("a\\x1b[31mred :cat: [b]") == 3
    from dapt.demo.figures import KINDS, MEASURES

    figures = {"seeds": {key: [1.0] for key in MEASURES}, **dict.fromkeys(MEASURES, 1.0)}
    print_demo({"settings": DemoSettings().model_dump(), **dict.fromkeys(KINDS, figures)})
    assert raw(capsys.readouterr().out) == []


def test_a_protocol_lists_what_is_missing(dapt, tmp_path: Path, photos: Path) -> None:
    given = ["--protocol", "cross_dataset", "--over", f"{tmp_path}/no\x1b[31m\nwarning: all good,{tmp_path}/nor"]
    shown = check(dapt("train", photos, *SHORT, *given, "--out", tmp_path / "p"), 2)
    assert len(shown.splitlines()) == 4, shown
