"""`dapt demo`: what its arguments become."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_arguments(dapt, caught) -> None:
    calls = caught("dapt.demo.run.run_demo", {})
    caught("dapt.demo.table.print_table")
    code, out, err = dapt(
        *("demo", "--out", "/o", "--method", "ivlp", "--seeds", 2, "--set", "dapt.variant=joint", "--set", "seeds=5"),
        *("--epochs", 1, "--jobs", 3, "--resume"),
    )
    assert code == 0, err
    ((given, named),) = calls
    assert given[0] == Path("/o")
    settings = given[1]
    assert (settings.host, settings.seeds, settings.dapt.variant, settings.epochs, settings.shots) == (
        *("ivlp", 5, "joint", 1, 8),
    )
    assert named == {"jobs": 3, "device": "cpu", "resume": True, "overwrite": False}
    assert "page: /o/" in out


def test_scenes_alone(dapt, caught) -> None:
    calls, runs = caught("dapt.demo.run.scenes_alone", Path("s/index.csv")), caught("dapt.demo.run.run_demo", {})
    code, _, err = dapt("demo", "--data-only", "s", "--shots", 4)
    assert code == 0
    assert (calls[0][0][0], calls[0][0][1].shots, runs) == (Path("s"), 4, [])
    assert "dapt train s/index.csv --model demo --method maple --dapt --shots 4" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "--overwrite"], "exclude each other"),
        (["--seeds", "0"], "--seeds"),
        (["--jobs", "0"], "--jobs"),
        (["--set", "sceneseed=1"], "Did you mean 'scene_seed'"),
        (["--set", "classes=25"], "classes"),
        (["--set", "dapt.visual_wieght=1"], "Did you mean 'visual_weight'"),
        (["--set", "dapt.enabled=false"], "cannot be off"),
        (["--set", "scenes=kind"], "scenes"),
        (["--method", "zero_shot"], "zero_shot trains nothing"),
        (["--shots", "17"], "too few for 17 shots"),
    ],
)
def test_mistakes(dapt, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, out, err = dapt("demo", "--out", tmp_path / "demo", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "demo").exists()
