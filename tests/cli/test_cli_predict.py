"""`dapt predict`: what its arguments become, and the form of what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.load.draft import drafting
from dapt.model.predictor import Prediction

FOUND = [Prediction(Path("a.png"), ("cat", "dog"), (0.75, 0.25))]


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.runs.predict.predict_files", FOUND)
    code, out, err = dapt(
        *("predict", "r", "a.png", "b", "--top", 2, "--classes", " cat ,dog,", "--explain", "e", "--format", "json")
    )
    assert code == 0, err
    assert json.loads(out)[0]["predictions"][0] == {"class": "cat", "probability": 0.75}
    assert calls == [
        (
            (Path("r"), [Path("a.png"), Path("b")]),
            {
                **{"top": 2, "classes": ["cat", "dog"], "explain": Path("e"), "model_spec": None, "skip_bad": False},
                "device": "auto",
            },
        )
    ]


@pytest.mark.parametrize(("output", "expected"), [("csv", "a.png,1,cat,0.750000"), ("table", "75.0%")])
def test_formats(dapt, caught, output: str, expected: str) -> None:
    caught("dapt.runs.predict.predict_files", FOUND)
    assert expected in dapt("predict", "r", "a.png", "--format", output)[1]


@pytest.mark.parametrize(("name", "given"), [("p.csv", []), ("p.json", []), ("p.txt", ["--format", "csv"])])
def test_into_a_file(dapt, caught, tmp_path: Path, name: str, given: list[str]) -> None:
    caught("dapt.runs.predict.predict_files", FOUND)
    out = tmp_path / name
    for _ in range(2):  # what dapt wrote is replaced
        code, printed, err = dapt("predict", "r", "a.png", "--out", out, *given)
        assert (code, printed) == (0, ""), err
    assert out.read_text().startswith(
        "[" if name.endswith("json") else "image,rank,class,probability\na.png,1,cat,0.75"
    )


def test_files_of_others_are_left_alone(dapt, caught, tmp_path: Path) -> None:
    calls = caught("dapt.runs.predict.predict_files", FOUND)
    out = tmp_path / "p.csv"
    out.write_text("image,label\n")
    for arguments, message in (
        (["r", "a.png", "--out", out], "dapt did not write it"),
        (["r", tmp_path, "--out", tmp_path / "q.csv"], "lies within the input"),
        (["r", out, "--out", out], "which is read"),
        (["r", "a.png", "--out", tmp_path / "q.txt"], "Add --format csv or json"),
    ):
        code, _, err = dapt("predict", *arguments)
        assert code == 2
        assert message in err
    assert out.read_text() == "image,label\n"
    assert calls == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["r", "a.png", "--format", "jsn"], "There is no format 'jsn'"),
        (["r", "a.png", "--top", "0"], "--top"),
        (["r"], "Missing argument"),
        (["r", "/nowhere.png"], "There is no image or folder /nowhere.png"),
    ],
)
def test_mistakes(dapt, arguments: list[str], message: str) -> None:
    code, out, err = dapt("predict", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_draft_holds_for_the_command(dapt, caught) -> None:
    caught("dapt.runs.predict.predict_files", FOUND)
    for words, expected in ((["--draft"], True), (["--no-draft"], False), (["--draft"], True), ([], False)):
        assert dapt("predict", "r", "a.png", *words)[0] == 0
        assert drafting() is expected
