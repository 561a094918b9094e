"""What `dapt compare` prints and writes."""

from __future__ import annotations

from dapt.report.compare_table import as_csv, as_json, print_comparison
from dapt.runs.changed_images import Answer, Changed, PartChanges
from dapt.runs.comparison import Comparison, Pair

GAP = {"value": 25.0, "low": -5.0, "high": 60.0, "images": 4}
FOUND = Comparison(
    ("a", "b\x1b[31m"),
    settings=[Pair("dapt.margin", 1.5, 2.0)],
    free=[Pair("seed", 1, 2)],
    inputs=["The same images, masks and weights."],
    figures=[Pair("test/accuracy", 50.0, 75.0), Pair("test/calibration_error", 5.0, 4.0)],
    ends=[Pair("loss", 1.23456, 1.0), Pair("train/accuracy", 38.6, 38.6)],
    costs=[Pair("timing/training_seconds", 1.25, 2.5)],
    classes=[Pair("ant", 10.0, 90.0), Pair("bee", 50.0, 50.0)],
)
CHANGES = [Changed(f"{number}.jpg", "ant", Answer("bee", 0.5, False), Answer("ant", 0.9, True)) for number in range(3)]
PART = PartChanges("all", 4, GAP, GAP, GAP, 0.0001, CHANGES, 2)


def test_all_that_differs_and_how_much_is_listed(capsys) -> None:
    print_comparison(FOUND, [PART], "", limit=2)
    out = " ".join(capsys.readouterr().out.split())
    assert "dapt.margin │ 1.5 │ 2" in out
    assert "seed, and settings that decide nothing: seed (1 and 2)" in out
    assert "test/accuracy │ 50.00 │ 75.00 │ +25.00 │" in out
    assert "ant │ 10.00 │ 90.00 │ +80.00 │" in out
    assert "loss │ 1.235 │ 1 │ -0.2346 │" in out
    assert "train/accuracy │ 38.60 │ 38.60 │ +0.00 │" in out
    assert "timing/training_seconds │ 1.25 │ 2.5 │ +1.25 │" in out
    assert "test/calibration_error (less is better)" in out
    assert "classes that changed most" in out
    assert "bee │" not in out
    assert "4 test images: 1 with the same answer, 3 right in the second run only" in out
    assert "Difference +25.00 points [-5.00, 60.00] (95%, paired bootstrap over images), p < 0.001 (McNemar)." in out
    assert "2 images that only one of the runs has left out." in out
    assert "right in the second run only (2 of 3)" in out
    assert "\x1b[31m" not in out


def test_why_no_images(capsys) -> None:
    print_comparison(Comparison(("a", "b"), apart="their data differ"), [], "their data differ", limit=5)
    out = capsys.readouterr().out
    assert "The settings are the same." in out
    assert "Beware: their data differ." in out
    assert "Images were not compared: their data differ." in out


def test_files() -> None:
    lines = as_csv([PART]).splitlines()
    assert lines[0] == "classes,image,true,first,first_probability,second,second_probability,kind"
    assert lines[1] == "all,0.jpg,ant,bee,0.500000,ant,0.900000,gained"
    tree = as_json(FOUND, [PART], "")
    assert tree["settings"] == [{"name": "dapt.margin", "first": 1.5, "second": 2.0, "difference": 0.5}]
    assert tree["parts"][0]["changed"][0]["second"] == {"said": "ant", "probability": 0.9, "right": True}
