"""Every command with file and class names that hold control characters: nothing raw comes out, no line is forged."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dapt.cli.app import run as program
from dapt.console import visible
from helpers import COLOURS, make_csv, make_folder
from hostile import COLOUR, FORGED, FORMULA, TITLE, TURNED, UNDECODABLE, raw

CLASSES = dict(zip(COLOURS, (COLOUR, FORGED, TURNED, "white_ring"), strict=True))


def hostile_folder(root: Path) -> Path:
    """A folder data set under hostile names, and its masks beside it."""
    make_folder(root)
    for base in (root, root.parent / f"{root.name}-masks"):
        for plain, hostile in CLASSES.items():
            (base / plain).rename(base / hostile)
            (base / hostile / "00.png").rename(base / hostile / TITLE)
            (base / hostile / "01.png").rename(base / hostile / FORMULA)
    return root


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_folder(tmp_path_factory.mktemp("data") / "ph\x1b[1mo\ntos")


@pytest.fixture(scope="module")
def trained(photographs: Path) -> Path:
    out = photographs.parent / "run"
    given = ["train", photographs, "--model", "demo", "--depth", 3, "--epochs", 1, "--shots", 4, "--out", out, "-q"]
    assert program([str(part) for part in given]) == 0
    return out


def check(found: tuple[int, str, str], code: int = 0) -> str:
    """Both outputs of a command, if it ended as expected and they hold nothing raw and no forged line."""
    assert found[0] == code, found
    for text in found[1:]:
        assert raw(text) == []
        assert not any(line.startswith("warning: all good") for line in text.split("\n")), text
    return found[1] + found[2]


def test_training_and_its_log(dapt, photographs: Path, tmp_path: Path) -> None:
    given = ["--model", "demo", "--depth", 3, "--epochs", 1, "--shots", 5, "--dapt", "--out", tmp_path / "r\x1b[31m"]
    masks = photographs.parent / f"{photographs.name}-masks"
    shown = check(dapt("train", photographs, *given, "--masks", masks))
    assert "ph\\x1b[1mo\\ntos" in shown
    assert "the smallest: " in shown, "a class is named"
    log = (tmp_path / "r\x1b[31m" / "log.txt").read_text()
    assert raw(log) == []
    assert all(line[:2] == "20" for line in log.splitlines()), "every line of the log is one of ours"
    assert "r\\x1b[31m" in check(dapt("train", photographs, *given), 2), "the folder exists"


def test_results_have_the_names_exactly(trained: Path) -> None:
    results = json.loads((trained / "results.json").read_text(encoding="utf-8"))
    assert set(results["per_class"]) == {name.replace("_", " ") for name in CLASSES.values()}
    split = json.loads((trained / "split.json").read_text(encoding="utf-8"))
    assert {Path(row[0]).name for row in split["train"] + split["test"]} >= {TITLE}


def test_prediction_table(dapt, trained: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    _, out, _ = found = dapt("predict", trained, photographs / COLOUR, "--top", 4)
    check(found)
    for name in (TITLE, COLOUR, FORGED, TURNED, FORMULA):
        assert visible(name) in out


def test_prediction_json_is_exact(dapt, trained: Path, photographs: Path) -> None:
    _, out, _ = found = dapt("predict", trained, photographs, "--format", "json", "-q", "--top", 4)
    check(found)
    rows = json.loads(out)
    assert {row["image"] for row in rows} == {str(path) for path in photographs.rglob("*.png")}
    assert {one["class"] for one in rows[0]["predictions"]} == {name.replace("_", " ") for name in CLASSES.values()}


def test_prediction_csv(dapt, trained: Path, photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photographs / COLOUR)
    given = (TITLE, FORMULA, "02.png", "--format", "csv", "--top", 4, "--classes", "cat,=1+1,-2,dé")
    _, out, err = found = dapt("predict", trained, *given)
    check(found)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["image"] for row in rows[::4]] == ["b\\x1b]0;title\\x07.png", "./=cmd.png", "02.png"]
    assert {row["class"] for row in rows} == {"cat", "=1+1", "-2", "dé"}
    assert "1 name stands in the CSV with escapes" in err
    assert "1 image paths begin like a formula" in err
    assert "2 class names begin like a formula" in err
    _, out, err = dapt("predict", trained, "02.png", "--format", "csv", "--classes", "cat,dog")
    assert err.count("warning") == 0
    assert out.startswith("image,rank,class,probability\n02.png,1,")


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="file names are always decodable here")
@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_an_undecodable_file_name(
    dapt, trained: Path, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    path = tmp_path / UNDECODABLE
    shutil.copy(photographs / COLOUR / TITLE, path)
    _, out, _ = found = dapt("predict", trained, path, "--format", output, "--explain", tmp_path / "looks")
    check(found)
    assert [file.name for file in (tmp_path / "looks").iterdir()] == [UNDECODABLE]
    if output == "json":
        assert os.fsencode(json.loads(out)[0]["image"]) == os.fsencode(path)
    else:
        assert "\\udcff" in out


FORMATS = ("table", "json", "csv")
NEXT = "-- the next format --\n"
EVERY_FORMAT = f"""
import sys
from dapt.cli.app import main

for output in {FORMATS}:
    try:
        main(["predict", *sys.argv[1:], "--format", output])
    except SystemExit as end:
        if end.code:
            raise
    for stream in (sys.stdout, sys.stderr):
        print({NEXT!r}, end="", file=stream, flush=True)
"""


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_in_a_process_of_its_own(trained: Path, photographs: Path, encoding: str) -> None:
    """The bytes that a terminal gets, also where it knows ASCII only; one process prints every format."""
    done = subprocess.run(
        [sys.executable, "-c", EVERY_FORMAT, trained, photographs / FORGED],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    printed, said = (content.decode(encoding).split(NEXT) for content in (done.stdout, done.stderr))
    assert (printed.pop(), said.pop()) == ("", "")
    assert len(printed) == len(said) == len(FORMATS)
    for content in (*printed, *said):
        assert raw(content) == []
    shown = dict(zip(FORMATS, printed, strict=True))
    assert all(shown.values())
    assert FORGED in {one["class"] for one in json.loads(shown["json"])[0]["predictions"]}


def test_masks(dapt, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "m\x1b[31m\nasks"
    assert "m\\x1b[31m\\nasks" in check(dapt("masks", photographs, "--model", "demo", "--out", out, "--preview"))
    assert (out / COLOUR / TITLE).is_file()
    (out / COLOUR / TITLE).write_bytes(b"no picture")
    (out / FORGED / TITLE).unlink()
    shown = check(dapt("masks", "verify", photographs, "--masks", out, "--json", tmp_path / "v.json"), 2)
    assert "a\\x1b[31mred" in shown
    assert f"unreadable (1): {visible(f'{COLOUR}/{TITLE}')}" in shown
    assert f"missing (1): {visible(f'{FORGED}/{TITLE}')}" in shown


def hostile_csv(root: Path) -> Path:
    """A CSV data set with hostile cells and column names; one image is missing."""
    table = make_csv(root)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["classname"] = CLASSES[row["classname"]]
        row["note\x1b[31m"] = "\x1b]0;t\x07"
    (root / "images" / TITLE).write_bytes((root / rows[0]["image"]).read_bytes())
    rows[0]["image"] = f"images/{TITLE}"
    rows[3]["image"] = "images/gone\x1b[2J\nwarning: all good.png"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return table


def test_data_commands(dapt, tmp_path: Path) -> None:
    table = hostile_csv(tmp_path / "t\x1b[31m")
    shown = check(dapt("data", "verify", table, "--decode"), 2)
    assert "gone\\x1b[2J\\nwarning: all good.png" in shown
    found = dapt("data", "verify", table, "--json")
    check(found, 2)
    assert json.loads(found[1])["missing"] == ["images/gone\x1b[2J\nwarning: all good.png"]
    given = ["--model", "demo", "--depth", 3, "--epochs", 1, "--shots", 4]
    check(dapt("train", table, *given, "--out", tmp_path / "r"), 2)
    check(dapt("train", table, *given, "--out", tmp_path / "r", "--skip-bad"))
    check(dapt("data", "list", "--root", tmp_path / "\x1b[31m\nroot"))
    check(dapt("data", "info", "eurosat", "--root", tmp_path / "\x1b[31m\nroot"))
    check(dapt("data", "verify", "eurosat", "--root", tmp_path / "\x1b[31m\nroot"), 2)
    check(dapt("data", "info", "no\x1b[31m\nsuch"), 2)
    text = table.read_text().replace("image,", "im\x1b[31mage,", 1).replace(".png,", ".what,")
    table.write_text(text)
    assert "im\\x1b[31mage" in check(dapt("data", "verify", table), 2)


def test_arguments_that_are_file_names(dapt, tmp_path: Path) -> None:
    """What the shell puts in place of a star."""
    for command in (["train", "a", TITLE], ["eval", "a", "b", FORGED], ["predict", FORGED, TITLE], [f"x{FORGED}"]):
        check(dapt(*command), 2)
    check(dapt("train", FORGED, "--out", TITLE, "--method", "zero_shot"), 2)
    check(dapt("data", "verify", f"./{FORGED}"), 2)


def test_a_bug_shows_names_like_everything_else(capsys: pytest.CaptureFixture[str]) -> None:
    from dapt.cli.app import _show_bug

    try:
        raise ValueError(f"about {COLOUR}")
    except ValueError as error:
        _show_bug(type(error), error, error.__traceback__)
    text = capsys.readouterr().err
    assert raw(text) == []
    assert text.startswith("Traceback")
    assert text.rstrip().endswith("ValueError: about a\\x1b[31mred")


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="file names are always decodable here")
def test_class_folders_with_undecodable_names(dapt, photos: Path) -> None:
    (photos / "red_square").rename(photos / os.fsdecode(b"r\xe9d"))
    shown = check(dapt("data", "verify", photos))
    assert "warning: 1 class names hold undecodable bytes, which are written as escapes: r\\udce9d." in shown
    (photos / "blue_disc").rename(photos / "r\\udce9d")
    assert "are the same as others" in check(dapt("data", "verify", photos), 2)
