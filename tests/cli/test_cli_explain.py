"""`dapt explain`: what its arguments become, and which of them is the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.report.explain import KEYS
from dapt.runs.explain import Foreground

FOUND = {
    "schema": 1,
    "summary": {},
    "explained": [
        {
            "image": "a.png",
            "looks": {
                "zero-shot": {
                    "class": "cat",
                    "probability": 0.75,
                    "background_share": None,
                    "attention_on_foreground": 0.5,
                }
            },
        }
    ],
}


def test_zero_shot(dapt, caught) -> None:
    calls = caught("dapt.report.explain.explain_and_write", FOUND)
    code, out, err = dapt(
        *("explain", "a.png", "b", "--model", "demo", "--classes", "cat, dog", "--cue", "gradcam"),
        *("--set", "cue.threshold=0.25", "--maps", "gradcam", "--top", 2, "--limit", 9, "--out", "o"),
    )
    assert code == 0, err
    assert "75.0%" in out
    assert "50.0%" in out
    assert set(FOUND) == KEYS
    ((given, named),) = calls
    assert given == ([Path("a.png"), Path("b")], Path("o"))
    assert named == {
        "run": None,
        "model": "demo",
        "classes": ["cat", "dog"],
        "foreground": Foreground(None, None, None, None, "gradcam", {"threshold": 0.25}),
        "maps": ["gradcam"],
        "top": 2,
        "limit": 9,
        "skip_bad": False,
        "device": "auto",
    }


def test_of_a_run(dapt, caught, tmp_path: Path) -> None:
    calls = caught("dapt.report.explain.explain_and_write", FOUND)
    caught("dapt.runs.run_folder.find_run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.yaml").write_text("data: x\n")
    for more in ([], ["--classes", "cat,dog"]):
        code, _, err = dapt("explain", tmp_path / "run", "a.png", *more)
        assert code == 0, err
    assert [(given[0], named["run"]) for given, named in calls] == [([Path("a.png")], tmp_path / "run")] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["photo.png"], "There is no run"),
        (["PHOTOS"], "is no run, and without one there are no classes"),
        (["photo.png", "--model", "demo"], "is no run, and without one there are no classes"),
        (["photo.png", "--classes", "a,b", "--set", "shots=2"], "options of the cue only"),
        (["photo.png", "--classes", "a,b", "--cue", "gradcan"], "Did you mean 'gradcam'"),
        (["photo.png", "--classes", "a,b", "--cue", "random", "--masks", "m"], "two sources of the foreground"),
        (["photo.png", "--classes", "a,b", "--cue", "masks"], "Name it with --masks"),
        (["photo.png", "--classes", "a,b", "--maps", "random"], "There is no map 'random'"),
        (["photo.png", "--classes", "a,b"], "There is no image or folder photo.png"),
        (["photo.png", "--classes", "a,b", "--limit", "0"], "--limit"),
    ],
)
def test_mistakes(dapt, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, out, err = dapt("explain", *(tmp_path if each == "PHOTOS" else each for each in arguments))
    assert code == 2, err
    assert message in err.replace("\n", " ")
    assert out == ""
